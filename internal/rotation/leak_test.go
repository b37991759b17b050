package rotation

import (
	"strings"
	"testing"
	"time"
)

// cut claims and cuts off the leaked key, as the rotator does.
func cut(t *testing.T, r Rotation, now time.Time) Rotation {
	t.Helper()
	if step, at := r.Next(); step != StepLeakOff || at.After(now) {
		t.Fatalf("next is %s at %s", step, at)
	}
	r = mustApply(t, r, Claim{Op: OpLeakOff, Token: "l", Real: now, LeaseUntil: now.Add(time.Minute)}, now)
	return mustApply(t, r, LeakCut{Token: "l", Key: r.LeakedKey.Key}, now)
}

func TestLeakedKeyThatIsToBeEvicted(t *testing.T) {
	for _, state := range []State{Upcoming, Awaiting, Approved, Evicting} {
		t.Run(string(state), func(t *testing.T) {
			r := at(t, state, Rotate, true)
			now := r.Since.Add(time.Hour)
			r = mustApply(t, r, HoldOn{Actor: first, For: Day, Why: "x"}, now)
			r = mustApply(t, r, Leaked{Actor: second, Key: "AKIAB", Why: "pasted into a chat"}, now)
			if r.State != state {
				t.Fatalf("that approves nothing else: %s", r.State)
			}
			if _, err := Apply(r, Leaked{Actor: first, Key: "AKIAB"}, now); Refused(err) != Already {
				t.Errorf("twice: %v", err)
			}
			for _, e := range []Event{Reject{Actor: first, Why: "x"}, Superseded{}, Exempt{Actor: first, Until: now.Add(Day)}} {
				if _, err := Apply(r, e, now); Refused(err) != NotNow {
					t.Errorf("%s leaves a leaked key active: %v", e.Name(), err)
				}
			}
			r = cut(t, r, now)
			if r.State != state || !r.Evict.InactiveSince.Equal(now) || r.Evict.ByHand || !r.EvictAt.Equal(now.Add(r.Policy.RecoveryGrace)) {
				t.Fatalf("%s, evict %+v at %s", r.State, r.Evict, r.EvictAt)
			}
			if step, _ := r.Next(); step == StepLeakOff {
				t.Fatal("it is cut off twice")
			}
			if state != Evicting {
				return
			}
			r = mustApply(t, r, Restore{Actor: first, Why: "it is in use"}, now)
			r = mustApply(t, r, Claim{Op: OpRestore, Token: "r", Real: now, LeaseUntil: now.Add(time.Minute)}, now)
			if r = mustApply(t, r, Restored{Token: "r", Key: "AKIAB"}, now); r.LeakedKey != nil || r.Held == nil {
				t.Errorf("brought back by a person: %+v", r.LeakedKey)
			}
		})
	}
}

func TestLeakedNewKey(t *testing.T) {
	r := at(t, Installing, Rotate, false)
	now := r.Since.Add(Day)
	r = mustApply(t, r, Leaked{Actor: first, Key: r.New.ID, Why: "in a log"}, now)
	r = cut(t, r, now)
	if r.State != Evicting || r.New != nil || r.Evict.ID != "AKIAN" || !r.Old.InactiveSince.IsZero() || !r.EvictAt.Equal(now.Add(MinRecoveryGrace)) {
		t.Fatalf("%s: new %v, evict %+v", r.State, r.New, r.Evict)
	}
	if step, at := r.Next(); step != StepEvictDelete || !at.Equal(r.EvictAt) {
		t.Errorf("next is %s at %s", step, at)
	}
	// Once the old key is off the new one is all there is: a person is told what to do.
	r = at(t, Recovering, Rotate, false)
	_, err := Apply(r, Leaked{Actor: first, Key: r.New.ID}, r.Since)
	if Refused(err) != NotNow || !strings.Contains(err.Error(), "Deactivate it in IAM now") {
		t.Errorf("%v", err)
	}
}

func TestLeakedWhereBothKeysAreInUse(t *testing.T) {
	both := func() Rotation {
		s := subject(key("A", 95, 1, Active), key("B", 20, 2, Active))
		r, err := Open(s, Plan(s.User, s.Policy, nil, false, noon)[0], nil, System, "", noon)
		if err != nil || len(r.Choices) != 2 {
			t.Fatalf("%+v %v", r.Choices, err)
		}
		return r
	}
	old := mustApply(t, both(), Leaked{Actor: first, Key: "AKIAA"}, noon)
	if step, at := old.Next(); step != StepDeactivate || at.After(noon) || old.Kind != Retire || old.Old.ID != "AKIAA" || old.LastActive {
		t.Errorf("the older one: %s %s %s", step, old.Kind, old.Old.ID)
	}
	second := cut(t, mustApply(t, both(), Leaked{Actor: first, Key: "AKIAB"}, noon), noon)
	if second.State != Awaiting || second.Old.ID != "AKIAA" || second.Evict.ID != "AKIAB" || second.Evict.InactiveSince.IsZero() {
		t.Errorf("the other one: %s, old %s, evict %+v", second.State, second.Old.ID, second.Evict)
	}
	if _, err := Apply(both(), Leaked{Actor: first, Key: "AKIAC"}, noon); Refused(err) != Invalid {
		t.Errorf("a foreign key: %v", err)
	}
}

func TestProposeLeaked(t *testing.T) {
	for name, c := range map[string]struct {
		keys  []Key
		key   KeyID
		ok    bool
		kind  Kind
		evict KeyID
	}{
		"the only key":              {[]Key{key("A", 5, 1, Active)}, "AKIAA", true, Rotate, ""},
		"another active one stays":  {[]Key{key("A", 5, 1, Active), key("B", 95, 1, Active)}, "AKIAA", true, Retire, ""},
		"an inactive one makes way": {[]Key{key("A", 5, 1, Active), key("B", 95, 1, Inactive)}, "AKIAA", true, Rotate, "AKIAB"},
		"inactive already":          {[]Key{key("A", 5, 1, Inactive)}, "AKIAA", false, "", ""},
		"gone":                      {nil, "AKIAA", false, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := subject(c.keys...)
			q, ok := ProposeLeaked(s.User, c.key, noon)
			if ok != c.ok || q.Kind != c.kind || q.Evict != c.evict {
				t.Fatalf("%+v %v", q, ok)
			}
			if !ok {
				return
			}
			r, err := Open(s, q, nil, first, "leaked", noon)
			if err != nil {
				t.Fatal(err)
			}
			r = mustApply(t, r, Leaked{Actor: first, Why: "leaked"}, noon)
			if step, at := r.Next(); step != StepDeactivate || at.After(noon) {
				t.Errorf("next is %s at %s", step, at)
			}
		})
	}
}

func TestExemptionsAreBounded(t *testing.T) {
	p := DefaultPolicy() // 365d at once, 3 of them, 730d altogether
	var e Exemption
	now := noon
	must := func(d time.Duration) {
		t.Helper()
		var err error
		if e, err = e.Renew(p, first, "vendor", now.Add(d), now); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := e.Renew(p, first, "", now.Add(366*Day), now); Refused(err) != OverBudget {
		t.Errorf("too long at once: %v", err)
	}
	if _, err := e.Renew(p, first, "", now, now); Refused(err) != Invalid {
		t.Errorf("no time at all: %v", err)
	}
	must(300 * Day)
	now = now.Add(100 * Day)
	must(300 * Day) // 100 were used
	if e.Used != (Spent{Count: 2, Total: 400 * Day}) {
		t.Fatalf("%+v", e.Used)
	}
	now = now.Add(300 * Day)
	if _, err := e.Renew(p, first, "", now.Add(331*Day), now); Refused(err) != OverBudget || !strings.Contains(err.Error(), day(now.Add(330*Day))) {
		t.Errorf("more than altogether: %v", err)
	}
	must(30 * Day)
	if _, err := e.Renew(p, first, "", now.Add(Day), now); Refused(err) != OverBudget || !strings.Contains(err.Error(), "3 times") {
		t.Errorf("a fourth one: %v", err)
	}
	ended, err := e.End(second, "the vendor changed it", now.Add(10*Day))
	if err != nil || ended.InForce(now.Add(10*Day)) || ended.Used.Total != 410*Day || ended.By != second {
		t.Errorf("%+v %v", ended, err)
	}
	if _, err := ended.End(second, "", now.Add(11*Day)); Refused(err) != NotNow {
		t.Errorf("ended twice: %v", err)
	}
}
