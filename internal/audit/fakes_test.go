package audit

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

var start = time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)

// memory is a store with pages of two.
type memory struct {
	now      map[rotation.ID]rotation.Rotation
	episodes map[rotation.ID][]rotation.Rotation
	chains   map[string][]rotation.Entry
	state    map[string]string
	unread   []rotation.ID
	fails    map[string]error // of SetState, by key
}

func newMemory() *memory {
	return &memory{now: map[rotation.ID]rotation.Rotation{}, episodes: map[rotation.ID][]rotation.Rotation{}, chains: map[string][]rotation.Entry{}, state: map[string]string{}}
}

func page[T any](all []T, p store.Page) ([]T, string, error) {
	from, _ := strconv.Atoi(p.After)
	to := min(from+2, len(all))
	if to == len(all) {
		return all[from:], "", nil
	}
	return all[from:to], strconv.Itoa(to), nil
}

func (m *memory) ListRotations(_ context.Context, _ store.Filter, p store.Page) ([]rotation.Rotation, string, error) {
	var all []rotation.Rotation
	for _, id := range slices.Sorted(maps.Keys(m.now)) {
		all = append(all, m.now[id])
	}
	rs, next, err := page(all, p)
	if next == "" && len(m.unread) > 0 {
		err = &store.Unread{IDs: m.unread, Err: store.ErrNewer}
	}
	return rs, next, err
}

func (m *memory) ListEpisodes(_ context.Context, id rotation.ID) ([]rotation.Rotation, error) {
	return m.episodes[id], nil
}

func (m *memory) ListChains(_ context.Context, p store.Page) ([]string, string, error) {
	return page(slices.Sorted(maps.Keys(m.chains)), p)
}

func (m *memory) ListEntries(_ context.Context, chain string, p store.Page) ([]rotation.Entry, string, error) {
	return page(m.chains[chain], p)
}

func (m *memory) GetState(_ context.Context, key string) (string, error) { return m.state[key], nil }

func (m *memory) SetState(_ context.Context, key, value string) error {
	if err := m.fails[key]; err != nil {
		return err
	}
	m.state[key] = value
	return nil
}

// key is a MAC whose key nobody else has.
type key string

func (k key) Generate(_ context.Context, message []byte) ([]byte, error) {
	h := hmac.New(sha256.New, []byte(k))
	h.Write(message)
	return h.Sum(nil), nil
}

func (k key) Verify(ctx context.Context, message, mac []byte) (bool, error) {
	want, err := k.Generate(ctx, message)
	return hmac.Equal(want, mac), err
}

var who = rotation.Actor{ID: "U1", Name: "Owner", Email: "owner@example.com", Via: rotation.ViaSlack}

// grow appends n entries to a chain, an hour apart.
func grow(all []rotation.Entry, n int, from time.Time) []rotation.Entry {
	for i := range n {
		var prev *rotation.Entry
		if len(all) > 0 {
			prev = &all[len(all)-1]
		}
		all = append(all, rotation.NewEntry(prev, from.Add(time.Duration(i)*time.Hour), who, "read", fmt.Sprintf("line %d", len(all)+1)))
	}
	return all
}

// seeded is a store with rotations, one of them in its third episode, and chains.
func seeded(lines int) *memory {
	m := newMemory()
	for i := range 3 {
		id := rotation.MakeID("111122223333", rotation.UserID(fmt.Sprintf("AIDA%d", i)))
		m.now[id] = rotation.Rotation{ID: id, Episode: 1, Account: "111122223333", UserName: rotation.UserName(fmt.Sprintf("user-%d", i)), Old: rotation.KeyRef{ID: "AKIAIOSFODNN7EXAMPLE"}, History: grow(nil, lines, start)}
	}
	id := rotation.MakeID("111122223333", "AIDA2")
	last := m.now[id]
	for e := 1; e < 3; e++ {
		before := last
		before.Episode, before.History = e, grow(nil, lines, start.Add(time.Duration(e)*time.Minute))
		m.episodes[id] = append(m.episodes[id], before)
	}
	last.Episode = 3
	m.now[id] = last
	for i := range 3 {
		m.chains[fmt.Sprintf("person/U%d/2026-11", i)] = grow(nil, lines, start)
	}
	return m
}
