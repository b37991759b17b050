package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keyturn/keyturn/internal/rotation"
)

// on is nine o'clock of a day of November.
func on(day int) time.Time { return start.AddDate(0, 0, day-1) }

func anchorOn(t *testing.T, m *memory, k key, days ...int) {
	t.Helper()
	for _, d := range days {
		if _, made, err := Anchor(t.Context(), m, k, on(d)); err != nil || !made {
			t.Fatalf("day %d: %v, %v", d, made, err)
		}
	}
}

func said(res Result) string {
	var all []string
	for _, f := range res.Findings {
		all = append(all, f.Chain+": "+f.What)
	}
	return strings.Join(all, "\n")
}

func TestTamperedAnchors(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(m *memory)
		want string
	}{
		"one is taken away":         {func(m *memory) { delete(m.state, "anchor/2026-11-03") }, "anchor/2026-11-03: There is no anchor of this day"},
		"and the next one shows it": {func(m *memory) { delete(m.state, "anchor/2026-11-03") }, "anchor/2026-11-04: It does not follow the anchor of 2026-11-02"},
		"one is another day's":      {func(m *memory) { m.state["anchor/2026-11-03"] = m.state["anchor/2026-11-02"] }, "that of another day"},
		"one is no anchor":          {func(m *memory) { m.state["anchor/2026-11-03"] = "{" }, "cannot be read"},
		"one has no body":           {func(m *memory) { m.state["anchor/2026-11-03"] = `{"mac":""}` }, "cannot be read"},
		"one has a MAC that is none": {func(m *memory) {
			m.state["anchor/2026-11-03"] = strings.Replace(m.state["anchor/2026-11-03"], `"mac":"`, `"mac":"!`, 1)
		}, "cannot be read"},
		"a bucket is changed": {func(m *memory) {
			m.state["anchor/2026-11-03"] = strings.Replace(m.state["anchor/2026-11-03"], `"buckets":["`, `"buckets":["0`, 1)
		}, "signature"},
		"a bucket is left out":             {func(m *memory) { m.state["anchor/2026-11-05"] = emptied(m.state["anchor/2026-11-05"]) }, "signature"},
		"the days are no days":             {func(m *memory) { m.state["anchors/last"] = "soon" }, "they were changed"},
		"the first day is gone":            {func(m *memory) { delete(m.state, "anchors/first") }, "they were changed"},
		"the days are the other way round": {func(m *memory) { m.state["anchors/first"] = "2026-12-01" }, "they were changed"},
		"the last day is yet to come":      {func(m *memory) { m.state["anchors/last"] = "2026-11-09" }, "anchor/2026-11-08: There is no anchor"},
		"the first ones are taken away":    {func(m *memory) { m.state["anchors/first"] = "2026-11-04" }, "anchor/2026-11-04: It is called the first one, and follows another"},
		"the last ones are taken away":     {func(m *memory) { m.state["anchors/last"] = "2026-11-03" }, "anchor/2026-11-03: It is the last one, and one is made each day"},
		"a whole chain is gone":            {func(m *memory) { delete(m.chains, "person/U1/2026-11") }, "a chain that is gone altogether"},
		"a whole rotation too":             {func(m *memory) { delete(m.now, rotation.MakeID("111122223333", "AIDA0")) }, "Chains do not say what they said then"},
		"an episode is gone":               {func(m *memory) { id := rotation.MakeID("111122223333", "AIDA2"); m.episodes[id] = m.episodes[id][1:] }, "111122223333/AIDA2/2: Rotation 1 of this user, before it, is missing"},
		"all are":                          {func(m *memory) { delete(m.episodes, rotation.MakeID("111122223333", "AIDA2")) }, "111122223333/AIDA2/3: Rotations 1 to 2 of this user, before it, are missing"},
		"a record of a newer version":      {func(m *memory) { m.unread = []rotation.ID{"111122223333/AIDA9"} }, "rotation/111122223333/AIDA9: It cannot be read: "},
		"a history without lines":          {func(m *memory) { r := m.now["111122223333/AIDA0"]; r.History = nil; m.now[r.ID] = r }, "AIDA0/1: It has no history"},
		"an anchor written with another key": {func(m *memory) {
			m.state["anchors/last"] = "2026-11-04"
			_, _, _ = Anchor(context.Background(), m, key("forged"), on(5))
		}, "anchor/2026-11-05: Its signature is not that of the key"},
	} {
		t.Run(name, func(t *testing.T) {
			m := seeded(3)
			anchorOn(t, m, "k", 2, 3, 4, 5)
			c.do(m)
			if got := said(verify(t, m, key("k"), on(6))); !strings.Contains(got, c.want) {
				t.Errorf("%s\nwant %s", got, c.want)
			}
		})
	}
}

// emptied is an anchor that claims that its first bucket could not be read.
func emptied(anchor string) string {
	before, rest, _ := strings.Cut(anchor, `"buckets":["`)
	return before + `"buckets":["` + rest[32:]
}

// TestCutOnce: what was cut is said once for each bucket, however many anchors show it, and where it happened.
func TestCutOnce(t *testing.T) {
	m := seeded(3)
	anchorOn(t, m, "k", 2, 3, 4)
	m.chains["person/U1/2026-11"] = m.chains["person/U1/2026-11"][:1]
	anchorOn(t, m, "k", 5, 6) // these know nothing of it
	res := verify(t, m, key("k"), on(6))
	if len(res.Findings) != 1 || !strings.HasPrefix(said(res), "anchor/2026-11-04: Chains do not say what they said then, nor what they said in the anchors from 2026-11-02 on") || !strings.Contains(said(res), "person/U1/2026-11") {
		t.Error(said(res))
	}
	if res = res.Since(on(4)); res.OK() {
		t.Error("a finding of the day itself was left out")
	}
	if res = res.Since(on(5)); !res.OK() || !strings.Contains(strings.Join(res.Open, " "), "1 finding about anchors before 2026-11-05 left out.") {
		t.Errorf("%+v", res)
	}
	m.chains["person/U2/2026-11"][0].Note = "changed"
	if res = verify(t, m, nil, on(6)).Since(on(9)); res.OK() {
		t.Error("a chain that was changed was left out")
	}
}

// TestAnchorCrash: whoever makes an anchor and dies in between leaves nothing that looks like a change.
func TestAnchorCrash(t *testing.T) {
	lost := errors.New("lost")
	for _, had := range []int{0, 1, 3} {
		for _, at := range []string{"anchor/", "anchors/first", "anchors/last"} {
			for _, later := range []int{0, 1, 2} {
				t.Run(fmt.Sprintf("%d before, %s, %d days later", had, at, later), func(t *testing.T) {
					m := seeded(3)
					for d := range had {
						anchorOn(t, m, "k", 2+d)
					}
					day := 2 + had
					name := at
					if at == "anchor/" {
						name += on(day).Format(time.DateOnly)
					}
					m.fails = map[string]error{name: lost}
					if _, made, err := Anchor(t.Context(), m, key("k"), on(day)); made || !errors.Is(err, lost) {
						t.Fatal(made, err)
					}
					m.fails = nil
					anchorOn(t, m, "k", day+later, day+later+1)
					for _, f := range verify(t, m, key("k"), on(day+later+1)).Findings {
						if !strings.HasPrefix(f.What, "There is no anchor of this day") {
							t.Errorf("%+v", f)
						}
					}
				})
			}
		}
	}
}

// TestAnchorDays: an anchor is neither made of a day before the last one nor where the days were changed, and that is said.
func TestAnchorDays(t *testing.T) {
	for name, state := range map[string]map[string]string{
		"a last day that is none":   {"anchors/first": "2026-11-02", "anchors/last": "z"},
		"a last day in the future":  {"anchors/first": "2026-11-02", "anchors/last": "2099-01-01"},
		"a first day in the future": {"anchors/first": "2099-01-01"},
		"no first day":              {"anchors/last": "2026-11-02"},
	} {
		t.Run(name, func(t *testing.T) {
			m := seeded(3)
			maps.Copy(m.state, state)
			if _, made, err := Anchor(t.Context(), m, key("k"), on(4)); made || !errors.Is(err, ErrDays) {
				t.Error(made, err)
			}
		})
	}
}

// TestUnreadWhenAnchored: a chain that cannot be read leaves its bucket out of the anchor, not the anchor; once it can be read
// again nothing looks changed, and what was left out is said.
func TestUnreadWhenAnchored(t *testing.T) {
	m := seeded(3)
	id := rotation.MakeID("111122223333", "AIDA2")
	r := m.now[id]
	delete(m.now, id)
	m.unread = []rotation.ID{id}
	anchorOn(t, m, "k", 2)
	m.now[id], m.unread = r, nil
	anchorOn(t, m, "k", 3)
	res := verify(t, m, key("k"), on(3))
	if !res.OK() || !strings.Contains(strings.Join(res.Open, " "), "when 1 anchor was made") {
		t.Errorf("%+v", res)
	}
	delete(m.chains, "person/U0/2026-11")
	if res := verify(t, m, key("k"), on(3)); res.OK() {
		t.Error("the other buckets were left out too")
	}
}

// locked is a key that may not be asked.
type locked struct{ key }

func (locked) Verify(context.Context, []byte, []byte) (bool, error) {
	return false, errors.New("AccessDeniedException")
}

// TestSignaturesOutOfReach: that signatures cannot be checked is a finding, and hides no other.
func TestSignaturesOutOfReach(t *testing.T) {
	m := seeded(3)
	anchorOn(t, m, "k", 2, 3, 4)
	m.chains["person/U1/2026-11"][0].Note = "changed"
	got := said(verify(t, m, locked{"k"}, on(4)))
	if strings.Count(got, "could not be checked: AccessDeniedException.") != 1 || !strings.Contains(got, "line 1 was changed") {
		t.Error(got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Verify(ctx, m, locked{"k"}, on(4), nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestHead(t *testing.T) {
	m := seeded(3)
	if day, sum, err := Head(t.Context(), m); day != "" || sum != "" || err != nil {
		t.Error(day, sum, err)
	}
	anchorOn(t, m, "k", 2, 3)
	delete(m.state, "anchor/2026-11-03")
	if _, _, err := Head(t.Context(), m); err == nil || !strings.Contains(err.Error(), "2026-11-03") {
		t.Error(err)
	}
}

// TestAnchorChangedAnywhere: whichever byte of an anchor is changed, it is found, unless it says the same.
func TestAnchorChangedAnywhere(t *testing.T) {
	m := seeded(2)
	anchorOn(t, m, "k", 2)
	whole := m.state["anchor/2026-11-02"]
	was, err := parse(whole)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		b := []byte(whole)
		from := rapid.SampledFrom([]int{0, len(b) - 100, strings.Index(whole, `"before"`) - 40}).Draw(t, "part")
		at := from + rapid.IntRange(0, 99).Draw(t, "at")
		b[at] = rapid.Byte().Filter(func(x byte) bool { return x != b[at] }).Draw(t, "byte")
		m.state["anchor/2026-11-02"] = string(b)
		if res := verify(t, m, key("k"), on(2)); res.OK() {
			if is, err := parse(string(b)); err != nil || !bytes.Equal(is.message, was.message) || !bytes.Equal(is.mac, was.mac) {
				t.Fatalf("sound: %s", b)
			}
		}
	})
}
