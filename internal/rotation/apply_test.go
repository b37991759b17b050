package rotation

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var (
	first  = Actor{ID: "U1", Name: "Owner", Email: "owner@example.com", Via: ViaSlack}
	second = Actor{ID: "U2", Name: "Second", Email: "second@example.com", Via: ViaSlack}
)

func subject(keys ...Key) Subject {
	return Subject{
		User:        User{Account: "111122223333", ID: "AIDA1", Name: "billing-export", ARN: "arn:aws:iam::111122223333:user/billing-export", Keys: keys},
		AccountName: "prod", AccountEmail: "prod@example.com", OUPath: "r-1/ou-1", Owner: "owner@example.com", Policy: DefaultPolicy(),
	}
}

// at returns a rotation in the given state, made by events alone.
func at(t testing.TB, state State, kind Kind, evict bool) Rotation {
	t.Helper()
	s := subject(key("A", 85, 1, Active))
	q := Proposal{Act: ActOpen, Reason: KeyPendingRotation, Kind: kind, State: Upcoming, Old: "AKIAA", At: days(-5), LastActive: kind == Retire}
	if evict {
		s.User.Keys = append(s.User.Keys, key("B", 80, 60, Active))
		q.Evict, q.LastActive = "AKIAB", false
	}
	r, err := Open(s, q, nil, System, "", noon)
	if err != nil {
		t.Fatal(err)
	}
	now := noon
	do := func(e Event) {
		t.Helper()
		if r, err = Apply(r, e, now); err != nil {
			t.Fatalf("%s in %s: %v", e.Name(), r.State, err)
		}
	}
	claim := func(op Op) { do(Claim{Op: op, Token: "c", Real: now, LeaseUntil: now.Add(time.Minute)}) }
	script := []struct {
		state State
		run   func()
	}{
		{Upcoming, func() {}},
		{Awaiting, func() { now = r.DueAt; do(Due{}) }},
		{Approved, func() { do(Approve{Actor: first, Digest: r.Digest(), Required: 1}) }},
		{Evicting, func() {
			if evict {
				do(BeginEvict{})
			}
		}},
		{Issuing, func() {
			if kind == Retire {
				return
			}
			if evict {
				claim(OpEvictDeactivate)
				do(Deactivated{Token: "c", Key: "AKIAB"})
				now = r.EvictAt
				claim(OpEvictDelete)
				do(Evicted{Token: "c"})
			}
			claim(OpIssue)
			do(Begin{Token: "c", Journal: Journal{Token: "v1", SecretARN: "arn", SecretName: "n"}})
		}},
		{Installing, func() {
			if kind == Retire {
				return
			}
			do(Creating{Token: "c"})
			do(KeyCreated{Token: "c", Key: "AKIAN", Created: now})
			do(Stored{Token: "c"})
			do(Verified{Token: "c", At: now})
			do(Issued{Token: "c"})
		}},
		{Recovering, func() {
			if kind == Rotate {
				now = r.DeactivateAt
			}
			claim(OpDeactivate)
			do(Deactivated{Token: "c", Key: "AKIAA"})
		}},
		{Closed, func() { now = r.DeleteAt; claim(OpDelete); do(Deleted{Token: "c", Key: "AKIAA"}) }},
	}
	for _, step := range script {
		step.run()
		if r.State == state && step.state == state {
			return r
		}
	}
	t.Fatalf("no way to %s (%s, evict %v): it is %s", state, kind, evict, r.State)
	return r
}

// TestApply says for every event in which states it is allowed, and what becomes of it.
func TestApply(t *testing.T) {
	until := func(r Rotation) time.Time { _, at := r.Next(); return latest(r.Since, at) }
	same := State("same")
	tests := []struct {
		name  string
		event func(r Rotation) Event
		kind  Kind
		evict bool
		to    map[State]State // "same": allowed, the state stays; missing: refused
	}{
		{"due", func(r Rotation) Event { return Due{} }, Rotate, true, map[State]State{Upcoming: Awaiting}},
		{"approve", func(r Rotation) Event { return Approve{Actor: first, Digest: r.Digest(), Required: 1} }, Rotate, true,
			map[State]State{Upcoming: Approved, Awaiting: Approved}},
		{"one of two approvals", func(r Rotation) Event { return Approve{Actor: first, Digest: r.Digest(), Required: 2} }, Rotate, true,
			map[State]State{Upcoming: same, Awaiting: same}},
		{"approve without a rule", func(r Rotation) Event { return Approve{Actor: first, Digest: r.Digest()} }, Rotate, true, nil},
		{"approve what was not shown", func(r Rotation) Event { return Approve{Actor: first, Digest: "old", Required: 1} }, Rotate, true, nil},
		{"approve by nobody", func(r Rotation) Event { return Approve{Actor: System, Digest: r.Digest(), Required: 1} }, Rotate, true, nil},
		{"notice passed in mode approve", func(r Rotation) Event { return NoticePassed{} }, Rotate, true, nil},
		{"snooze", func(r Rotation) Event { return Snooze{Actor: first, For: Day} }, Rotate, true, map[State]State{Upcoming: same, Awaiting: same}},
		{"snooze too long", func(r Rotation) Event { return Snooze{Actor: first, For: 8 * Day} }, Rotate, true, nil},
		{"wake without a snooze", func(r Rotation) Event { return Wake{} }, Rotate, true, nil},
		{"reject", func(r Rotation) Event { return Reject{Actor: first, Why: "x"} }, Rotate, true,
			map[State]State{Upcoming: Closed, Awaiting: Closed, Approved: Closed, Evicting: Closed}},
		{"exempt", func(r Rotation) Event { return Exempt{Actor: first, Until: noon.Add(60 * Day)} }, Rotate, true,
			map[State]State{Upcoming: Closed, Awaiting: Closed, Approved: Closed, Evicting: Closed}},
		{"superseded", func(r Rotation) Event { return Superseded{} }, Rotate, true,
			map[State]State{Upcoming: Closed, Awaiting: Closed, Approved: Closed, Evicting: Closed}},
		{"cancel", func(r Rotation) Event { return Cancel{Actor: first} }, Rotate, true, map[State]State{Approved: Awaiting}},
		{"begin evict", func(r Rotation) Event { return BeginEvict{} }, Rotate, true, map[State]State{Approved: Evicting}},
		{"begin evict without one", func(r Rotation) Event { return BeginEvict{} }, Rotate, false, nil},
		{"begin without a claim", func(r Rotation) Event { return Begin{Token: "z", Journal: Journal{Token: "v", SecretARN: "a"}} }, Rotate, false, nil},
		{"claim issue", func(r Rotation) Event {
			return Claim{Op: OpIssue, Token: "c", Real: noon, LeaseUntil: noon.Add(1)}
		}, Rotate, false, map[State]State{Approved: same, Issuing: same}},
		{"claim deactivate", func(r Rotation) Event {
			return Claim{Op: OpDeactivate, Token: "c", Real: noon, LeaseUntil: noon.Add(1)}
		}, Rotate, false, map[State]State{Installing: same}},
		{"claim deactivate to retire", func(r Rotation) Event {
			return Claim{Op: OpDeactivate, Token: "c", Real: noon, LeaseUntil: noon.Add(1)}
		}, Retire, false, map[State]State{Approved: same}},
		{"claim delete", func(r Rotation) Event {
			return Claim{Op: OpDelete, Token: "c", Real: noon, LeaseUntil: noon.Add(1)}
		}, Rotate, false, map[State]State{Recovering: same}},
		{"deactivated without a claim", func(r Rotation) Event { return Deactivated{Key: "AKIAA"} }, Rotate, false, nil},
		{"deleted without a claim", func(r Rotation) Event { return Deleted{Key: "AKIAA"} }, Rotate, false, nil},
		{"issued without a claim", func(r Rotation) Event { return Issued{} }, Rotate, false, nil},
		{"confirm", func(r Rotation) Event { return Confirm{Actor: first} }, Rotate, false, map[State]State{Installing: same}},
		{"hold", func(r Rotation) Event { return HoldOn{Actor: first, For: Day, Why: "x"} }, Rotate, true,
			map[State]State{Upcoming: same, Awaiting: same, Approved: same, Evicting: same, Installing: same, Recovering: same}},
		{"release without a hold", func(r Rotation) Event { return Release{Actor: first} }, Rotate, true, nil},
		{"extend", func(r Rotation) Event { return Extend{Actor: first, For: Day} }, Rotate, false, map[State]State{Installing: same, Recovering: same}},
		{"restore", func(r Rotation) Event { return Restore{Actor: first} }, Rotate, false, map[State]State{Recovering: same}},
		{"leaked", func(r Rotation) Event { return Leaked{Actor: first} }, Rotate, true,
			map[State]State{Upcoming: Approved, Awaiting: Approved, Approved: same, Evicting: same, Issuing: same, Installing: same, Recovering: same}},
		{"failed", func(r Rotation) Event { return Failed{Op: OpIssue, Error: "x"} }, Rotate, true,
			map[State]State{Upcoming: same, Awaiting: same, Approved: same, Evicting: same, Installing: same, Recovering: same}},
		{"retry what did not fail", func(r Rotation) Event { return Retry{Actor: first} }, Rotate, true, nil},
		{"observed deactivated", func(r Rotation) Event { return ObservedDeactivated{Key: "AKIAA"} }, Rotate, false,
			map[State]State{Upcoming: same, Awaiting: same, Approved: same, Installing: Recovering}},
		{"observed deactivated, to retire", func(r Rotation) Event { return ObservedDeactivated{Key: "AKIAA"} }, Retire, false,
			map[State]State{Upcoming: same, Awaiting: same, Approved: Recovering}},
		{"observed reactivated", func(r Rotation) Event { return ObservedReactivated{Key: "AKIAA"} }, Rotate, false,
			map[State]State{Recovering: Installing}},
		{"observed reactivated, to retire", func(r Rotation) Event { return ObservedReactivated{Key: "AKIAA"} }, Retire, false,
			map[State]State{Recovering: Awaiting}},
		{"replacement lost", func(r Rotation) Event { return ReplacementLost{What: "x"} }, Rotate, false, map[State]State{Installing: same, Recovering: same}},
		{"missing once", func(r Rotation) Event { return Absent{} }, Rotate, true,
			map[State]State{Upcoming: same, Awaiting: same, Approved: same, Evicting: same, Installing: same, Recovering: same}},
		{"freeze", func(r Rotation) Event { return Freeze{Why: "x"} }, Rotate, true,
			map[State]State{Upcoming: same, Awaiting: same, Approved: same, Evicting: same, Installing: same, Recovering: same}},
		{"thaw what is not frozen", func(r Rotation) Event { return Thaw{} }, Rotate, true, nil},
		{"refused", func(r Rotation) Event { return Denied{Actor: second, What: "approve", Why: "not the owner"} }, Rotate, true,
			map[State]State{Upcoming: same, Awaiting: same, Approved: same, Evicting: same, Issuing: same, Installing: same, Recovering: same, Closed: same}},
		{"no event at all", func(r Rotation) Event { return nil }, Rotate, true, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, from := range States {
				if tt.kind == Retire && (from == Evicting || from == Issuing || from == Installing) || from == Evicting && !tt.evict {
					continue
				}
				r := at(t, from, tt.kind, tt.evict)
				before, _ := json.Marshal(r)
				got, err := Apply(r, tt.event(r), until(r))
				if after, _ := json.Marshal(r); string(before) != string(after) {
					t.Fatalf("in %s: Apply changed its input", from)
				}
				want, allowed := tt.to[from]
				if want == same {
					want = from
				}
				var refusal *Refusal
				switch {
				case !allowed && err == nil:
					t.Errorf("in %s: became %s, want a refusal", from, got.State)
				case !allowed && !errors.As(err, &refusal):
					t.Errorf("in %s: error %T is not a refusal", from, err)
				case !allowed && (len(refusal.Sentence) < 20 || cmp.Diff(r, got) != ""):
					t.Errorf("in %s: refused with %q, and the result must be as before", from, refusal.Sentence)
				case allowed && err != nil:
					t.Errorf("in %s: %v, want %s", from, err, want)
				case allowed && got.State != want:
					t.Errorf("in %s: became %s, want %s", from, got.State, want)
				case allowed && VerifyHistory(got.History) != nil:
					t.Errorf("in %s: %v", from, VerifyHistory(got.History))
				}
			}
		})
	}
}

func TestApprovalsAreVoidWhenThePlanChanges(t *testing.T) {
	r := at(t, Awaiting, Rotate, true)
	r, err := Apply(r, Approve{Actor: first, Digest: r.Digest(), Required: 2}, noon)
	if err != nil {
		t.Fatal(err)
	}
	old := r.Digest()
	s := subject(key("A", 95, 1, Active))
	r, err = Apply(r, Replan{Subject: s, Proposal: Proposal{Act: ActOpen, Kind: Rotate, Reason: ExpiredActiveKey, State: Awaiting, Old: "AKIAA", At: r.DueAt}}, noon)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Approvals) != 0 || r.Evict != nil {
		t.Fatalf("approvals %v and evict %v survived a changed plan", r.Approvals, r.Evict)
	}
	if _, err := Apply(r, Approve{Actor: second, Digest: old, Required: 2}, noon); Refused(err) != Stale {
		t.Fatalf("an approval of the old plan: %v, want stale", err)
	}
	seq := r.PeopleSeq
	again, err := Apply(r, Replan{Subject: s, Proposal: Proposal{Act: ActOpen, Kind: Rotate, Reason: ExpiredActiveKey, State: Awaiting, Old: "AKIAA", At: r.DueAt}}, noon)
	if err != nil || again.PeopleSeq != seq || len(again.History) != len(r.History) {
		t.Fatalf("the same plan again told people or was recorded: %v", err)
	}
}

func TestSamePersonCountsOnceWhicheverWay(t *testing.T) {
	r := at(t, Awaiting, Rotate, false)
	r, err := Apply(r, Approve{Actor: first, Digest: r.Digest(), Required: 2}, noon)
	if err != nil {
		t.Fatal(err)
	}
	byMail := Actor{Email: "owner@example.com", Via: ViaMail}
	if _, err := Apply(r, Approve{Actor: byMail, Digest: r.Digest(), Required: 2}, noon); Refused(err) != Already {
		t.Fatalf("the same person by mail: %v, want already", err)
	}
	r, err = Apply(r, Approve{Actor: second, Digest: r.Digest(), Required: 2}, noon)
	if err != nil || r.State != Approved {
		t.Fatalf("two people: %s, %v", r.State, err)
	}
	_, err = Apply(r, Approve{Actor: first, Digest: r.Digest(), Required: 2}, noon.Add(2*time.Minute))
	if Refused(err) != Already || !strings.Contains(err.Error(), "2 minutes ago by Second") {
		t.Fatalf("approving again: %v", err)
	}
}

func TestPickingTheKeyToRemove(t *testing.T) {
	s := subject(key("A", 200, 1, Active), key("B", 10, 1, Active))
	q := Plan(s.User, s.Policy, nil, false, noon)[0]
	r, err := Open(s, q, nil, System, "", noon)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Apply(r, Approve{Actor: first, Digest: r.Digest(), Required: 1}, noon); Refused(err) != Invalid {
		t.Fatalf("approve without a pick: %v", err)
	}
	a, err := Apply(r, Approve{Actor: first, Digest: r.Digest(), Required: 1, Pick: "AKIAA"}, noon)
	if err != nil || a.Kind != Retire || a.Old.ID != "AKIAA" || a.Evict != nil {
		t.Fatalf("picked A: %s %s %v %v", a.Kind, a.Old.ID, a.Evict, err)
	}
	b, err := Apply(r, Approve{Actor: first, Digest: r.Digest(), Required: 1, Pick: "AKIAB"}, noon)
	if err != nil || b.Kind != Rotate || b.Old.ID != "AKIAA" || b.Evict == nil || b.Evict.ID != "AKIAB" {
		t.Fatalf("picked B: %s %s %v %v", b.Kind, b.Old.ID, b.Evict, err)
	}
	if again, err := Apply(b, Replan{Subject: s, Proposal: q}, noon); err != nil || again.State != Approved {
		t.Fatalf("a rescan after the pick: %s, %v", again.State, err)
	}
}

func TestClaims(t *testing.T) {
	r := at(t, Approved, Rotate, false)
	claim := func(r Rotation, token string, real time.Time) (Rotation, error) {
		return Apply(r, Claim{Op: OpIssue, Token: token, Real: real, LeaseUntil: real.Add(time.Minute)}, r.Since)
	}
	r, err := claim(r, "one", noon)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := claim(r, "two", noon.Add(30*time.Second)); Refused(err) != Busy {
		t.Fatalf("a second claim while the lease runs: %v", err)
	}
	if _, err := Apply(r, Cancel{Actor: first}, r.Since); Refused(err) != Busy {
		t.Fatalf("cancel while claimed: %v", err)
	}
	lines := len(r.History)
	if r, err = claim(r, "one", noon.Add(30*time.Second)); err != nil || len(r.History) != lines {
		t.Fatalf("renewing: %v, %d lines", err, len(r.History)-lines)
	}
	r, err = claim(r, "two", noon.Add(2*time.Minute))
	if err != nil {
		t.Fatalf("taking over: %v", err)
	}
	if _, err := Apply(r, Begin{Token: "one", Journal: Journal{Token: "v", SecretARN: "a"}}, r.Since); Refused(err) != NotHolder {
		t.Fatalf("the one who lost the claim: %v", err)
	}
}

func TestHistoryFindsTampering(t *testing.T) {
	r := at(t, Closed, Rotate, true)
	if err := VerifyHistory(r.History); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func([]Entry) []Entry{
		"changed note":  func(h []Entry) []Entry { h[3].Note += "!"; return h },
		"changed actor": func(h []Entry) []Entry { h[2].Actor.ID = "U9"; return h },
		"missing line":  func(h []Entry) []Entry { return append(h[:4], h[5:]...) },
		"reordered":     func(h []Entry) []Entry { h[4], h[5] = h[5], h[4]; return h },
		"rehashed":      func(h []Entry) []Entry { h[4].Note = "x"; h[4].Hash = h[4].sum(); return h },
	} {
		t.Run(name, func(t *testing.T) {
			if VerifyHistory(spoil(r.Clone().History)) == nil {
				t.Error("was not found")
			}
		})
	}
}

func TestGoneTakesTwoLooks(t *testing.T) {
	for state, want := range map[State]Outcome{Awaiting: OutcomeGone, Installing: OutcomeRotated, Recovering: OutcomeRotated} {
		r := at(t, state, Rotate, false)
		now := r.Since.Add(time.Hour)
		r, err := Apply(r, Absent{What: "the key"}, now)
		if err != nil || r.State == Closed {
			t.Fatalf("%s: first look closed it: %v", state, err)
		}
		if _, err := Apply(r, Absent{}, now.Add(9*time.Minute)); Refused(err) != NotNow {
			t.Fatalf("%s: second look too early: %v", state, err)
		}
		if step, at := r.Next(); step != StepLook || !at.Equal(now.Add(GoneWait)) {
			t.Fatalf("%s: next is %s at %s", state, step, at)
		}
		r, err = Apply(r, Absent{}, now.Add(10*time.Minute))
		if err != nil || r.Outcome != want {
			t.Fatalf("%s: %v, %s", state, err, r.Outcome)
		}
	}
}

func TestFreezeStopsTheClocks(t *testing.T) {
	r := at(t, Recovering, Rotate, false)
	deleteAt, now := r.DeleteAt, r.Since.Add(Day)
	r, err := Apply(r, Freeze{Why: "no role"}, now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Apply(r, Claim{Op: OpDelete, Token: "c", Real: now, LeaseUntil: now.Add(1)}, deleteAt.Add(Day)); Refused(err) != NotNow {
		t.Fatalf("claimed while frozen: %v", err)
	}
	r, err = Apply(r, Thaw{}, now.Add(5*Day))
	if err != nil || !r.DeleteAt.Equal(deleteAt.Add(5*Day)) {
		t.Fatalf("thawed: %v, delete at %s, want %s", err, r.DeleteAt, deleteAt.Add(5*Day))
	}
}

func TestStuckAfterTheAttempts(t *testing.T) {
	r := at(t, Installing, Rotate, false)
	var err error
	for i := range MaxAttempts {
		if r.Stuck != nil {
			t.Fatalf("stuck after %d attempts", i)
		}
		if r, err = Apply(r, Failed{Op: OpDeactivate, Error: "AccessDenied"}, noon); err != nil {
			t.Fatal(err)
		}
	}
	if r.Stuck == nil || r.Stuck.From != Installing || r.State != Installing {
		t.Fatalf("not stuck in installing: %+v", r.Stuck)
	}
	r, err = Apply(r, Retry{Actor: first}, noon)
	if err != nil || r.Stuck != nil || r.State != Installing {
		t.Fatalf("retry: %v %s", err, r.State)
	}
}
