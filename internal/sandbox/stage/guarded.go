package stage

import (
	"context"

	"github.com/keyturn/keyturn/internal/app"
	"github.com/keyturn/keyturn/internal/rotation"
)

// guarded is the store of a process: it writes while the process lives. A store's method that writes has to be among these.
type guarded struct {
	app.Store
	s *Stage
	p *process
}

// SaveRotation also adds what was saved to the trail.
func (g guarded) SaveRotation(ctx context.Context, r rotation.Rotation) (rotation.Rotation, error) {
	if g.p.dead.Load() {
		return r, errDead{}
	}
	saved, err := g.Store.SaveRotation(ctx, r)
	if err == nil {
		g.s.trail.saved(saved)
		g.s.Changed()
	}
	return saved, err
}

func (g guarded) write(do func() error) error {
	if g.p.dead.Load() {
		return errDead{}
	}
	return do()
}

func (g guarded) AppendEntry(ctx context.Context, chain string, e rotation.Entry) error {
	return g.write(func() error { return g.Store.AppendEntry(ctx, chain, e) })
}

func (g guarded) SaveSnapshot(ctx context.Context, snap rotation.Snapshot) error {
	return g.write(func() error { return g.Store.SaveSnapshot(ctx, snap) })
}

func (g guarded) SaveExemption(ctx context.Context, before, e rotation.Exemption) error {
	return g.write(func() error { return g.Store.SaveExemption(ctx, before, e) })
}

func (g guarded) SaveRequest(ctx context.Context, q rotation.Request) error {
	return g.write(func() error { return g.Store.SaveRequest(ctx, q) })
}

func (g guarded) DeleteRequest(ctx context.Context, q rotation.Request) error {
	return g.write(func() error { return g.Store.DeleteRequest(ctx, q) })
}

func (g guarded) SetState(ctx context.Context, key, value string) error {
	return g.write(func() error { return g.Store.SetState(ctx, key, value) })
}

// Close leaves the store to whoever looks at it.
func (g guarded) Close() error { return nil }
