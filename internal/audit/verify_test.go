package audit

import (
	"context"
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
	if !res.OK() || res.Anchors != 5 || res.First != "2026-11-02" || res.Last != "2026-11-06" || !strings.Contains(res.Open[0], "since 2026-11-06 08:00 UTC") {
		t.Fatalf("%+v", res)
	}
	if res = verify(t, m, nil, start); !res.OK() || !strings.Contains(res.Open[0], "signatures were not checked") {
		t.Errorf("%+v", res)
	}
	if _, _, err := Anchor(context.Background(), m, nil, start); err != ErrNoMAC {
		t.Error(err)
	}
}

// TestTampering: whatever is changed, taken out, put in or moved within any chain is found by the chain itself.
func TestTampering(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := seeded(6)
		all, put := m.histories()
		c := all[rapid.IntRange(0, len(all)-1).Draw(t, "chain")]
		i := rapid.IntRange(0, 4).Draw(t, "entry")
		e := &(*c)[i]
		switch rapid.SampledFrom([]string{"note", "actor", "time", "event", "hash", "delete", "insert", "swap", "begin"}).Draw(t, "how") {
		case "note":
			e.Note += "."
		case "actor":
			e.Actor.ID = "U2"
		case "time":
			e.At = e.At.Add(time.Second)
		case "event":
			e.Event = "approve"
		case "hash":
			*e = rotation.NewEntry(nil, e.At, who, "read", "forged")
			e.Seq = i + 1
		case "delete":
			*c = slices.Delete(*c, i, i+1)
		case "insert":
			*c = slices.Insert(*c, i, rotation.NewEntry(nil, e.At, who, "read", "put in"))
		case "swap":
			(*c)[i], (*c)[i+1] = (*c)[i+1], (*c)[i]
		case "begin":
			*c = (*c)[i+1:]
		}
		put()
		if res := verify(t, m, nil, start.Add(24*time.Hour)); res.OK() || len(res.Findings) != 1 {
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
		keep := rapid.IntRange(0, 29).Draw(t, "keep")
		first := (*c)[keep] // the first that is lost
		*c = (*c)[:keep]
		if rapid.Bool().Draw(t, "anew") {
			*c = grow(*c, 30-keep, first.At.Add(time.Second))
		}
		put()
		covered := !first.At.After(anchored.Add(-settled))
		if res := verify(t, m, key("k"), start.Add(48*time.Hour)); res.OK() == covered {
			t.Fatalf("anchored %s, lost from %s: %+v", anchored, first.At, res.Findings)
		}
	})
}

func TestTamperedAnchors(t *testing.T) {
	anchored := func() *memory {
		m := seeded(3)
		for d := 1; d <= 4; d++ {
			if _, _, err := Anchor(context.Background(), m, key("k"), start.Add(time.Duration(d)*24*time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
		return m
	}
	for name, c := range map[string]struct {
		do   func(m *memory)
		want string
	}{
		"one is taken away":    {func(m *memory) { delete(m.state, "anchor/2026-11-03") }, "There is no anchor of this day"},
		"one is another day's": {func(m *memory) { m.state["anchor/2026-11-03"] = m.state["anchor/2026-11-02"] }, "that of another day"},
		"one is no anchor":     {func(m *memory) { m.state["anchor/2026-11-03"] = "{" }, "cannot be read"},
		"a bucket is changed": {func(m *memory) {
			m.state["anchor/2026-11-03"] = strings.Replace(m.state["anchor/2026-11-03"], `"buckets":["`, `"buckets":["0`, 1)
		}, "signature"},
		"the days are no days": {func(m *memory) { m.state["anchors/last"] = "soon" }, "they were changed"},
		"written by another key": {func(m *memory) {
			_ = m.SetState(context.Background(), "anchors/last", "2026-11-04")
			_, _, _ = Anchor(context.Background(), m, key("forged"), start.Add(4*24*time.Hour))
		}, "signature is not that of the key"},
		"a whole chain is gone":       {func(m *memory) { delete(m.chains, "person/U1/2026-11") }, "a chain that is gone altogether"},
		"a whole rotation too":        {func(m *memory) { delete(m.now, rotation.MakeID("111122223333", "AIDA0")) }, "Chains do not say what they said then"},
		"an episode is gone":          {func(m *memory) { id := rotation.MakeID("111122223333", "AIDA2"); m.episodes[id] = m.episodes[id][1:] }, "is missing"},
		"a record of a newer version": {func(m *memory) { m.unread = []rotation.ID{"111122223333/AIDA9"} }, "newer version"},
	} {
		t.Run(name, func(t *testing.T) {
			m := anchored()
			c.do(m)
			res := verify(t, m, key("k"), start.Add(5*24*time.Hour))
			var all []string
			for _, f := range res.Findings {
				all = append(all, f.Chain+": "+f.What)
			}
			if !strings.Contains(strings.Join(all, "\n"), c.want) {
				t.Errorf("%s\nwant %s", strings.Join(all, "\n"), c.want)
			}
		})
	}
}
