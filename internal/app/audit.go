package app

import (
	"context"
	"io"

	"github.com/keyturn/keyturn/internal/audit"
)

// Anchor signs the heads of the audit chains, once for each day. Without a key it does nothing. What fails is logged and done
// by the next one: an anchor covers everything before it.
func (a *App) Anchor(ctx context.Context) {
	if a.mac == nil {
		return
	}
	switch day, made, err := a.AnchorAudit(ctx); {
	case err != nil:
		a.log.Error("audit chains not anchored; the next scan does it", "day", day, "error", err.Error())
	case made:
		a.log.Info("audit chains anchored", "day", day)
	}
}

// AnchorAudit is audit.Anchor on the store.
func (a *App) AnchorAudit(ctx context.Context) (day string, made bool, err error) {
	return audit.Anchor(ctx, a.Store, a.mac, a.now())
}

// VerifyAudit is audit.Verify on the store.
func (a *App) VerifyAudit(ctx context.Context, progress func(chains int)) (audit.Result, error) {
	return audit.Verify(ctx, a.Store, a.mac, a.now(), progress)
}

// ExportAudit is audit.Export of the store.
func (a *App) ExportAudit(ctx context.Context, q audit.Query, f audit.Format, w io.Writer, progress func(chains int)) (int, error) {
	return audit.Export(ctx, a.Store, q, f, w, progress)
}
