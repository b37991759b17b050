package app

import (
	"context"
	"io"

	"github.com/keyturn/keyturn/internal/audit"
	"github.com/keyturn/keyturn/internal/metric"
)

// Anchor signs the heads of the audit chains, once for each day. Without a key it does nothing. What fails is logged and done
// by the next tick: an anchor covers everything before it.
func (a *App) Anchor(ctx context.Context) {
	if a.mac == nil {
		return
	}
	switch day, made, err := a.AnchorAudit(ctx); {
	case err != nil:
		a.log.Error("audit chains not anchored; the next tick does it", "day", day, "error", err.Error())
	case made:
		a.meter.Put(metric.Anchors, 1)
		_, sum, err := audit.Head(ctx, a.Store)
		if err != nil {
			a.log.Error("digest of the anchor not read", "day", day, "error", err.Error())
		}
		a.log.Info("audit chains anchored", "day", day, "digest", sum) // the copy outside the store
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
