package scheduler

import (
	"context"
	"maps"
	"slices"
	"sort"
	"strconv"
	"sync"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

// memory is a store with pages of two entries and conditional writes.
type memory struct {
	w          *world
	mu         sync.Mutex
	rotations  map[rotation.ID]rotation.Rotation
	snapshots  map[rotation.AccountID]rotation.Snapshot
	exemptions []rotation.Exemption
	requests   map[string]rotation.Request
	state      map[string]string
	saves      int
	onSave     func(rotation.Rotation) // before the condition is checked
}

func page[T any](all []T, p store.Page) ([]T, string, error) {
	from := 0
	if p.After != "" {
		from, _ = strconv.Atoi(p.After)
	}
	to := min(from+2, len(all))
	if to == len(all) {
		return all[from:], "", nil
	}
	return all[from:to], strconv.Itoa(to), nil
}

func (m *memory) GetRotation(_ context.Context, id rotation.ID) (rotation.Rotation, error) {
	if err := m.w.call("store", "GetRotation"); err != nil {
		return rotation.Rotation{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.rotations[id]
	if !ok {
		return r, store.ErrNotFound
	}
	return r.Clone(), nil
}

func (m *memory) SaveRotation(_ context.Context, r rotation.Rotation) (rotation.Rotation, error) {
	if err := m.w.call("store", "SaveRotation"); err != nil {
		return rotation.Rotation{}, err
	}
	if m.onSave != nil {
		m.onSave(r)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rotations[r.ID].Version != r.Version {
		return rotation.Rotation{}, store.ErrConflict
	}
	if old := m.rotations[r.ID]; old.Open() && r.Episode > old.Episode && old.Version > 0 {
		panic("a new episode over an open one")
	}
	r.Version++
	m.saves++
	m.rotations[r.ID] = r.Clone()
	return r, nil
}

func (m *memory) sorted(keep func(rotation.Rotation) bool) []rotation.Rotation {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []rotation.Rotation
	for _, r := range m.rotations {
		if keep(r) {
			out = append(out, r.Clone())
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].ID < out[j].ID })
	return out
}

func (m *memory) RotationsByAccount(_ context.Context, a rotation.AccountID, p store.Page) ([]rotation.Rotation, string, error) {
	if err := m.w.call("store", "RotationsByAccount"); err != nil {
		return nil, "", err
	}
	return page(m.sorted(func(r rotation.Rotation) bool { return r.Account == a }), p)
}

func (m *memory) Due(_ context.Context, now time.Time, p store.Page) ([]rotation.ID, string, error) {
	if err := m.w.call("store", "Due"); err != nil {
		return nil, "", err
	}
	var ids []rotation.ID
	for _, r := range m.sorted(func(r rotation.Rotation) bool { return !r.NextAt.IsZero() && !r.NextAt.After(now) }) {
		ids = append(ids, r.ID)
	}
	return page(ids, p)
}

func (m *memory) GetSnapshot(_ context.Context, a rotation.AccountID) (rotation.Snapshot, error) {
	if err := m.w.call("store", "GetSnapshot"); err != nil {
		return rotation.Snapshot{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.snapshots[a]
	if !ok {
		return s, store.ErrNotFound
	}
	return s, nil
}

func (m *memory) SaveSnapshot(_ context.Context, s rotation.Snapshot) error {
	if err := m.w.call("store", "SaveSnapshot"); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.snapshots[s.Account] = s
	return nil
}

func (m *memory) ListSnapshots(_ context.Context, p store.Page) ([]rotation.Snapshot, string, error) {
	if err := m.w.call("store", "ListSnapshots"); err != nil {
		return nil, "", err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []rotation.Snapshot
	for _, id := range slices.Sorted(maps.Keys(m.snapshots)) {
		out = append(out, m.snapshots[id])
	}
	return page(out, p)
}

func (m *memory) GetExemption(_ context.Context, a rotation.AccountID, u rotation.UserID) (rotation.Exemption, error) {
	if err := m.w.call("store", "GetExemption"); err != nil {
		return rotation.Exemption{}, err
	}
	for _, e := range m.exemptions {
		if e.Account == a && e.UserID == u {
			return e, nil
		}
	}
	return rotation.Exemption{}, store.ErrNotFound
}

func (m *memory) ListExemptions(_ context.Context, a rotation.AccountID, p store.Page) ([]rotation.Exemption, string, error) {
	if err := m.w.call("store", "ListExemptions"); err != nil {
		return nil, "", err
	}
	var out []rotation.Exemption
	for _, e := range m.exemptions {
		if e.Account == a {
			out = append(out, e)
		}
	}
	return page(out, p)
}

func (m *memory) ListRequests(_ context.Context, p store.Page) ([]rotation.Request, string, error) {
	if err := m.w.call("store", "ListRequests"); err != nil {
		return nil, "", err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []rotation.Request
	for _, k := range slices.Sorted(maps.Keys(m.requests)) {
		out = append(out, m.requests[k])
	}
	return page(out, p)
}

func (m *memory) DeleteRequest(_ context.Context, q rotation.Request) error {
	if err := m.w.call("store", "DeleteRequest"); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.requests, string(q.UserID))
	return nil
}

func (m *memory) SaveExemption(_ context.Context, before, e rotation.Exemption) error {
	if err := m.w.call("store", "SaveExemption"); err != nil {
		return err
	}
	if !slices.ContainsFunc(m.exemptions, before.Equal) {
		return store.ErrConflict
	}
	m.exemptions = slices.DeleteFunc(m.exemptions, func(o rotation.Exemption) bool { return o.Account == e.Account && o.UserID == e.UserID })
	m.exemptions = append(m.exemptions, e)
	return nil
}

func (m *memory) GetState(_ context.Context, key string) (string, error) {
	return m.state[key], m.w.call("store", "GetState")
}

func (m *memory) SetState(_ context.Context, key, value string) error {
	if err := m.w.call("store", "SetState"); err != nil {
		return err
	}
	if m.state == nil {
		m.state = map[string]string{}
	}
	m.state[key] = value
	return nil
}

// Teller and Waker

// Renewals asks everybody but those of whom nobody knows the owner.
func (w *world) Renewals(_ context.Context, all []Renewal) ([]Renewal, error) {
	if err := w.call("teller", "Renewals"); err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.renewals = append(w.renewals, all...)
	return all, nil
}

func (w *world) Opened(_ context.Context, ids []rotation.ID) error {
	if err := w.call("teller", "Opened"); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.opened = append(w.opened, ids)
	return nil
}

func (w *world) AccountDone(_ context.Context, r AccountReport) error {
	if err := w.call("teller", "AccountDone"); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reports = append(w.reports, r)
	return nil
}

func (w *world) RunDone(_ context.Context, s Summary) error {
	if err := w.call("teller", "RunDone"); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done = append(w.done, s)
	return nil
}

func (w *world) Wake(_ context.Context, id rotation.ID) error {
	w.mu.Lock()
	w.woken = append(w.woken, id)
	wake := w.wake
	w.mu.Unlock()
	if wake != nil {
		return wake(id)
	}
	return nil
}
