package function

import (
	"context"

	"github.com/keyturn/keyturn/internal/app"
)

// examined is the answer of doctor.
type examined struct {
	OK     bool        `json:"ok"`
	Checks []app.Check `json:"checks"`
}

// doctor checks what this function needs outside, with the credentials that it has. An operator asks for it by invoking the
// function with {"task":"doctor"}.
func (h *Handler) doctor(ctx context.Context, a *app.App, t task) (any, error) {
	out := examined{}
	out.OK = a.Doctor(ctx, app.DoctorOptions{All: t.All, Queue: h.o.Queue}, func(c app.Check) {
		out.Checks = append(out.Checks, c)
		h.o.Log.Info("checked", "check", c.Name, "ok", c.OK, "text", c.Text, "mend", c.Mend)
	})
	return out, nil
}
