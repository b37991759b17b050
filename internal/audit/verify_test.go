package audit

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keyturn/keyturn/internal/rotation"
)

func verify(t rapid.TB, m *memory, mac MAC, now time.Time) Result {
	t.Helper()
	res, err := Verify(context.Background(), m, mac, now, nil)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// histories are all chains of a store, to be changed in place.
func (m *memory) histories() (all []*[]rotation.Entry, put func()) {
	type slot struct {
		set func([]rotation.Entry)
		all *[]rotation.Entry
	}
	var slots []slot
	add := func(entries []rotation.Entry, set func([]rotation.Entry)) {
		own := slices.Clone(entries)
		slots = append(slots, slot{set, &own})
		all = append(all, &own)
	}
	for id, r := range m.now {
		add(r.History, func(e []rotation.Entry) { r.History = e; m.now[id] = r })
		for i := range m.episodes[id] {
			add(m.episodes[id][i].History, func(e []rotation.Entry) { m.episodes[id][i].History = e })
		}
	}
	for name, entries := range m.chains {
		add(entries, func(e []rotation.Entry) { m.chains[name] = e })
	}
	return all, func() {
		for _, s := range slots {
			s.set(*s.all)
		}
	}
}

func TestSoundStore(t *testing.T) {
	m := seeded(6)
	res := verify(t, m, nil, start.Add(24*time.Hour))
	if !res.OK() || res.Chains != 8 || res.Entries != 48 || res.Anchors != 0 || len(res.Open) != 1 || !strings.Contains(res.Open[0], "whose end was cut off") {
		t.Fatalf("%+v", res)
	}
	for d := 1; d <= 5; d++ {
		now := start.Add(time.Duration(d) * 24 * time.Hour)
		for range 2 { // once a day
			if _, _, err := Anchor(context.Background(), m, key("k"), now); err != nil {
				t.Fatal(err)
			}
		}
		m.chains["person/U0/2026-11"] = grow(m.chains["person/U0/2026-11"], 1, now)
	}
	res = verify(t, m, key("k"), start.Add(6*24*time.Hour))
	if !res.OK() || res.Anchors != 5 || res.First != "2026-11-02" || res.Last != "2026-11-06" || !strings.Contains(res.Open[0], "since 2026-11-06 08:00 UTC") || len(res.Digests) != 5 {
		t.Fatalf("%+v", res)
	}
	if day, sum, err := Head(context.Background(), m); err != nil || day != "2026-11-06" || sum != res.Digests[day] {
		t.Error(day, sum, err)
	}
	if res = verify(t, m, nil, start); !res.OK() || !strings.Contains(res.Open[0], "signatures were not checked") {
		t.Errorf("%+v", res)
	}
	if _, _, err := Anchor(context.Background(), m, nil, start); err != ErrNoMAC {
		t.Error(err)
	}
}

// TestTampering: whatever is changed, taken out, put in or moved within any chain is found by the chain itself, which is named
// with the line.
func TestTampering(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := seeded(6)
		all, put := m.histories()
		c := all[rapid.IntRange(0, len(all)-1).Draw(t, "chain")]
		i := rapid.IntRange(0, 4).Draw(t, "entry")
		e := &(*c)[i]
		change := map[string]func(){
			"number": func() { e.Seq++ }, "time": func() { e.At = e.At.Add(time.Nanosecond) }, "event": func() { e.Event = "approve" },
			"actor": func() { e.Actor.ID = "U2" }, "name": func() { e.Actor.Name = "Ben" }, "mail": func() { e.Actor.Email = "" }, "via": func() { e.Actor.Via = rotation.ViaMail },
			"from": func() { e.From = rotation.Awaiting }, "to": func() { e.To = rotation.Approved }, "note": func() { e.Note += "." },
			"before": func() { e.Prev += "0" }, "hash": func() { e.Hash = strings.Repeat("0", 64) },
			"forged": func() { seq := e.Seq; *e = rotation.NewEntry(nil, e.At, who, "read", "forged"); e.Seq = seq },
			"delete": func() { *c = slices.Delete(*c, i, i+1) },
			"insert": func() { *c = slices.Insert(*c, i, rotation.NewEntry(nil, e.At, who, "read", "put in")) },
			"twice":  func() { *c = slices.Insert(*c, i, *e) },
			"swap": func() {
				j := rapid.IntRange(i+1, 5).Draw(t, "with")
				(*c)[i], (*c)[j] = (*c)[j], (*c)[i]
			},
			"begin": func() { *c = (*c)[i+1:] },
		}
		change[rapid.SampledFrom(slices.Sorted(maps.Keys(change))).Draw(t, "how")]()
		put()
		res := verify(t, m, nil, start.Add(24*time.Hour))
		if res.OK() || len(res.Findings) != 1 || !strings.Contains(res.Findings[0].What, "line") || !strings.Contains(res.Findings[0].Chain, "/") {
			t.Fatalf("%+v", res.Findings)
		}
	})
}

// TestCutTail: that the end of a chain was cut off, or all of it written anew, shows exactly where an anchor covers it.
func TestCutTail(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := seeded(30)
		anchored := start.Add(time.Duration(rapid.IntRange(2, 40).Draw(t, "anchored")) * time.Hour)
		if _, made, err := Anchor(context.Background(), m, key("k"), anchored); err != nil || !made {
			t.Fatal(made, err)
		}
		all, put := m.histories()
		c := all[rapid.IntRange(0, len(all)-1).Draw(t, "chain")]
		keep := rapid.IntRange(1, 29).Draw(t, "keep")
		first := (*c)[keep] // the first that is lost
		*c = (*c)[:keep]
		if rapid.Bool().Draw(t, "anew") {
			*c = grow(*c, 30-keep, first.At.Add(time.Second))
		}
		put()
		covered := !first.At.After(anchored.Add(-settled))
		if res := verify(t, m, key("k"), anchored.Add(time.Hour)); res.OK() == covered {
			t.Fatalf("anchored %s, lost from %s: %+v", anchored, first.At, res.Findings)
		}
	})
}
