package bot

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

// memStore is a Store in memory that behaves like the real ones: saves are conditional on the version, and nothing that it
// returns shares memory with what it keeps.
type memStore struct {
	mu         sync.Mutex
	rotations  map[rotation.ID]rotation.Rotation
	episodes   map[rotation.ID][]rotation.Rotation
	snapshots  map[rotation.AccountID]rotation.Snapshot
	exemptions map[rotation.ID]rotation.Exemption
	requests   map[rotation.ID]rotation.Request
	chains     map[string][]rotation.Entry
	state      map[string]string
	calls      []string
	saves      int           // that took effect, of rotations
	left       time.Duration // how much time the last call that hangs was given

	fails  map[string]error    // by method
	before func(method string) // called without the lock
	unread *store.Unread       // comes with every page of rotations
	hangs  map[string]bool     // a method that hangs until its context ends
}

var _ Store = (*memStore)(nil)

func newMemStore() *memStore {
	return &memStore{
		rotations: map[rotation.ID]rotation.Rotation{}, episodes: map[rotation.ID][]rotation.Rotation{},
		snapshots: map[rotation.AccountID]rotation.Snapshot{}, exemptions: map[rotation.ID]rotation.Exemption{},
		requests: map[rotation.ID]rotation.Request{}, chains: map[string][]rotation.Entry{}, state: map[string]string{}, fails: map[string]error{}, hangs: map[string]bool{},
	}
}

// begin notes a call, and returns the error that it is to have.
func (m *memStore) begin(ctx context.Context, method string) error {
	m.mu.Lock()
	m.calls = append(m.calls, method)
	err, hangs, before := m.fails[method], m.hangs[method], m.before
	m.mu.Unlock()
	if before != nil {
		before(method)
	}
	if hangs {
		if end, ok := ctx.Deadline(); ok {
			m.mu.Lock()
			m.left = time.Until(end)
			m.mu.Unlock()
		}
		<-ctx.Done()
		return ctx.Err()
	}
	if err == nil {
		err = ctx.Err()
	}
	return err
}

// fail makes a method fail from now on; nil lets it work again.
func (m *memStore) fail(method string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fails[method] = err
}

// counted returns the calls since the last time.
func (m *memStore) counted() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := m.calls
	m.calls = nil
	return out
}

// put stores a rotation as if it had been saved by somebody else.
func (m *memStore) put(r rotation.Rotation) rotation.Rotation {
	m.mu.Lock()
	defer m.mu.Unlock()
	old, had := m.rotations[r.ID]
	if had && old.Episode < r.Episode {
		m.episodes[r.ID] = append(m.episodes[r.ID], old)
	}
	r.Version = old.Version + 1
	m.rotations[r.ID] = r.Clone()
	return r.Clone()
}

func (m *memStore) get(t testing.TB, id rotation.ID) rotation.Rotation {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.rotations[id]
	if !ok {
		t.Fatalf("there is no rotation %s", id)
	}
	return r.Clone()
}

func (m *memStore) GetRotation(ctx context.Context, id rotation.ID) (rotation.Rotation, error) {
	if err := m.begin(ctx, "GetRotation"); err != nil {
		return rotation.Rotation{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.rotations[id]
	if !ok {
		return rotation.Rotation{}, store.ErrNotFound
	}
	return r.Clone(), nil
}

func (m *memStore) SaveRotation(ctx context.Context, r rotation.Rotation) (rotation.Rotation, error) {
	if err := m.begin(ctx, "SaveRotation"); err != nil {
		return rotation.Rotation{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rotations[r.ID].Version != r.Version {
		return rotation.Rotation{}, store.ErrConflict
	}
	r = r.Clone()
	r.Version++
	m.rotations[r.ID] = r
	m.saves++
	return r.Clone(), nil
}

func (m *memStore) RotationByKey(ctx context.Context, key rotation.KeyID) (rotation.Rotation, error) {
	if err := m.begin(ctx, "RotationByKey"); err != nil {
		return rotation.Rotation{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.rotations {
		if slices.Contains(keysOf(r), key) {
			return r.Clone(), nil
		}
	}
	return rotation.Rotation{}, store.ErrNotFound
}

// page cuts one page out of what is sorted by name; the cursor is the last name.
func page[T any](all []T, name func(T) string, p store.Page) ([]T, string) {
	slices.SortFunc(all, func(a, b T) int {
		if name(a) < name(b) {
			return -1
		}
		return 1
	})
	all = slices.DeleteFunc(all, func(x T) bool { return p.After != "" && name(x) <= p.After })
	if len(all) <= p.Size() {
		return all, ""
	}
	all = all[:p.Size()]
	return all, name(all[len(all)-1])
}

func (m *memStore) list(p store.Page, keep func(rotation.Rotation) bool) ([]rotation.Rotation, string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []rotation.Rotation
	for _, r := range m.rotations {
		if keep(r) {
			out = append(out, r.Clone())
		}
	}
	out, next := page(out, func(r rotation.Rotation) string { return string(r.ID) }, p)
	return out, next, m.unread.AsError()
}

func (m *memStore) RotationsByOwner(ctx context.Context, owner string, p store.Page) ([]rotation.Rotation, string, error) {
	if err := m.begin(ctx, "RotationsByOwner"); err != nil {
		return nil, "", err
	}
	return m.list(p, func(r rotation.Rotation) bool { return r.Owner == owner })
}

func (m *memStore) ListRotations(ctx context.Context, f store.Filter, p store.Page) ([]rotation.Rotation, string, error) {
	if err := m.begin(ctx, "ListRotations"); err != nil {
		return nil, "", err
	}
	return m.list(p, f.Match)
}

func (m *memStore) ListEpisodes(ctx context.Context, id rotation.ID) ([]rotation.Rotation, error) {
	if err := m.begin(ctx, "ListEpisodes"); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.episodes[id]), nil
}

func (m *memStore) GetSnapshot(ctx context.Context, account rotation.AccountID) (rotation.Snapshot, error) {
	if err := m.begin(ctx, "GetSnapshot"); err != nil {
		return rotation.Snapshot{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.snapshots[account]
	if !ok {
		return s, store.ErrNotFound
	}
	return s, nil
}

func (m *memStore) ListSnapshots(ctx context.Context, p store.Page) ([]rotation.Snapshot, string, error) {
	if err := m.begin(ctx, "ListSnapshots"); err != nil {
		return nil, "", err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []rotation.Snapshot
	for _, s := range m.snapshots {
		all = append(all, s)
	}
	all, next := page(all, func(s rotation.Snapshot) string { return string(s.Account) }, p)
	return all, next, nil
}

func (m *memStore) SaveExemption(ctx context.Context, before, e rotation.Exemption) error {
	if err := m.begin(ctx, "SaveExemption"); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.exemptions[rotation.MakeID(e.Account, e.UserID)].Equal(before) {
		return store.ErrConflict
	}
	m.exemptions[rotation.MakeID(e.Account, e.UserID)] = e
	return nil
}

func (m *memStore) GetExemption(ctx context.Context, account rotation.AccountID, user rotation.UserID) (rotation.Exemption, error) {
	if err := m.begin(ctx, "GetExemption"); err != nil {
		return rotation.Exemption{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.exemptions[rotation.MakeID(account, user)]
	if !ok {
		return e, store.ErrNotFound
	}
	return e, nil
}

func (m *memStore) GetForDecision(ctx context.Context, id rotation.ID) (rotation.Rotation, rotation.Exemption, error) {
	if err := m.begin(ctx, "GetForDecision"); err != nil {
		return rotation.Rotation{}, rotation.Exemption{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.rotations[id]
	if !ok {
		return r, rotation.Exemption{}, store.ErrNotFound
	}
	return r.Clone(), m.exemptions[id], nil
}

func (m *memStore) ListExemptions(ctx context.Context, account rotation.AccountID, p store.Page) ([]rotation.Exemption, string, error) {
	if err := m.begin(ctx, "ListExemptions"); err != nil {
		return nil, "", err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []rotation.Exemption
	for _, e := range m.exemptions {
		if account == "" || e.Account == account {
			all = append(all, e)
		}
	}
	all, next := page(all, func(e rotation.Exemption) string { return string(rotation.MakeID(e.Account, e.UserID)) }, p)
	return all, next, nil
}

func (m *memStore) ListRequests(ctx context.Context, p store.Page) ([]rotation.Request, string, error) {
	if err := m.begin(ctx, "ListRequests"); err != nil {
		return nil, "", err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []rotation.Request
	for _, q := range m.requests {
		all = append(all, q)
	}
	all, next := page(all, func(q rotation.Request) string { return string(rotation.MakeID(q.Account, q.UserID)) }, p)
	return all, next, nil
}

func (m *memStore) SaveRequest(ctx context.Context, q rotation.Request) error {
	if err := m.begin(ctx, "SaveRequest"); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if before := m.requests[rotation.MakeID(q.Account, q.UserID)]; before.Leaked != "" && before.Leaked != q.Leaked {
		return store.ErrConflict
	}
	m.requests[rotation.MakeID(q.Account, q.UserID)] = q
	return nil
}

func (m *memStore) GetState(ctx context.Context, key string) (string, error) {
	if err := m.begin(ctx, "GetState"); err != nil {
		return "", err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state[key], nil
}

func (m *memStore) LastEntry(ctx context.Context, chain string) (rotation.Entry, error) {
	if err := m.begin(ctx, "LastEntry"); err != nil {
		return rotation.Entry{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.chains[chain]
	if len(all) == 0 {
		return rotation.Entry{}, store.ErrNotFound
	}
	return all[len(all)-1], nil
}

func (m *memStore) AppendEntry(ctx context.Context, chain string, e rotation.Entry) error {
	if err := m.begin(ctx, "AppendEntry"); err != nil {
		return err
	}
	if err := store.CheckChain(chain); err != nil {
		return err
	}
	if err := store.CheckEntry(e); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var last rotation.Entry
	if all := m.chains[chain]; len(all) > 0 {
		last = all[len(all)-1]
	}
	if err := store.Appends(last, e); err != nil {
		return err
	}
	m.chains[chain] = append(m.chains[chain], e)
	return nil
}
