package rotation

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)

func days(n int) time.Time { return noon.Add(-time.Duration(n) * Day) }

// key builds a key of the given age in days; used is days since its last use, -1 never, -2 unknown.
func key(id string, age, used int, status KeyStatus) Key {
	k := Key{ID: KeyID("AKIA" + id), Status: status, Created: days(age)}
	switch {
	case used >= 0:
		k.LastUse = LastUse{Kind: UseSeen, At: days(used), Service: "s3", Region: "eu-west-1"}
	case used == -1:
		k.LastUse = LastUse{Kind: UseNever}
	}
	if status == Inactive {
		k.InactiveSince = days(1)
	}
	return k
}

func TestPlan(t *testing.T) {
	open := func(state State, at time.Time) *Rotation {
		r := Rotation{State: state, Kind: Rotate, Old: KeyRef{ID: "AKIAA", Created: days(100)}, Policy: DefaultPolicy()}
		switch state {
		case Installing:
			r.DeactivateAt = at
		case Recovering:
			r.DeleteAt = at
		case Evicting:
			r.Evict, r.EvictAt = &KeyRef{ID: "AKIAB", InactiveSince: days(9)}, at
		case Closed:
			r.ReopenAt = at
		}
		return &r
	}
	tests := []struct {
		name   string
		keys   []Key
		last   *Rotation
		forced bool
		policy func(*Policy)
		want   []Proposal
	}{
		{name: "no keys"},
		{name: "young key", keys: []Key{key("A", 30, 0, Active)}},
		{name: "expired active key", keys: []Key{key("A", 91, 0, Active)},
			want: []Proposal{{Reason: ExpiredActiveKey, Act: ActOpen, Kind: Rotate, State: Awaiting, Old: "AKIAA"}}},
		{name: "expired to the second", keys: []Key{key("A", 90, 0, Active)},
			want: []Proposal{{Reason: ExpiredActiveKey, Act: ActOpen, Kind: Rotate, State: Awaiting, Old: "AKIAA"}}},
		{name: "last use unknown is in use, not never", keys: []Key{key("A", 91, -2, Active)},
			want: []Proposal{{Reason: ExpiredActiveKey, Act: ActOpen, Kind: Rotate, State: Awaiting, Old: "AKIAA"}}},
		{name: "expired unused key", keys: []Key{key("A", 91, -1, Active)},
			want: []Proposal{{Reason: ExpiredUnusedKey, Act: ActOpen, Kind: Retire, State: Awaiting, Old: "AKIAA", LastActive: true}}},
		{name: "expired unused key, the policy says rotate", keys: []Key{key("A", 91, -1, Active)}, policy: func(p *Policy) { p.Unused = Rotate },
			want: []Proposal{{Reason: ExpiredUnusedKey, Act: ActOpen, Kind: Rotate, State: Awaiting, Old: "AKIAA"}}},
		{name: "never used, but older than the tracking of uses", keys: []Key{key("A", 6000, -1, Active)},
			want: []Proposal{{Reason: ExpiredActiveKey, Act: ActOpen, Kind: Rotate, State: Awaiting, Old: "AKIAA"}}},
		{name: "forced rotation of a young key", keys: []Key{key("A", 5, 0, Active)}, forced: true,
			want: []Proposal{{Reason: ForcedRotation, Act: ActOpen, Kind: Rotate, State: Awaiting, Old: "AKIAA"}}},
		{name: "key pending rotation", keys: []Key{key("A", 84, 0, Active)},
			want: []Proposal{{Reason: KeyPendingRotation, Act: ActOpen, Kind: Rotate, State: Upcoming, Old: "AKIAA"}}},
		{name: "unused key pending retirement", keys: []Key{key("A", 84, -1, Active)},
			want: []Proposal{{Reason: UnusedKeyPendingRetirement, Act: ActOpen, Kind: Retire, State: Upcoming, Old: "AKIAA", LastActive: true}}},
		{name: "slot conflict with an inactive key", keys: []Key{key("A", 91, 0, Active), key("B", 200, 100, Inactive)},
			want: []Proposal{{Reason: SlotConflictInactive, Act: ActOpen, Kind: Rotate, State: Awaiting, Old: "AKIAA", Evict: "AKIAB"}}},
		{name: "two due: the least recently used goes first", keys: []Key{key("A", 200, 1, Active), key("B", 100, 50, Active)},
			want: []Proposal{{Reason: SlotConflictLRU, Act: ActOpen, Kind: Rotate, State: Awaiting, Old: "AKIAA", Evict: "AKIAB"}}},
		{name: "two due: the older one is the idle one", keys: []Key{key("A", 200, 60, Active), key("B", 100, 1, Active)},
			want: []Proposal{{Reason: SlotConflictLRU, Act: ActOpen, Kind: Rotate, State: Awaiting, Old: "AKIAB", Evict: "AKIAA"}}},
		{name: "older due and idle, newer young and in use: the older one simply goes", keys: []Key{key("A", 200, 60, Active), key("B", 20, 1, Active)},
			want: []Proposal{{Reason: SlotConflictLRU, Act: ActOpen, Kind: Retire, State: Awaiting, Old: "AKIAA"}}},
		{name: "both in use: a person picks", keys: []Key{key("A", 200, 1, Active), key("B", 100, 2, Active)},
			want: []Proposal{{Reason: SlotConflictLRU, Act: ActOpen, Kind: Rotate, State: Awaiting, Old: "AKIAA",
				Choices: []Choice{{Remove: "AKIAA", Rotate: "AKIAB"}, {Remove: "AKIAB", Rotate: "AKIAA"}}}}},
		{name: "both in use, the newer one young: a person picks", keys: []Key{key("A", 200, 1, Active), key("B", 10, 2, Active)},
			want: []Proposal{{Reason: SlotConflictLRU, Act: ActOpen, Kind: Rotate, State: Awaiting, Old: "AKIAA",
				Choices: []Choice{{Remove: "AKIAA"}, {Remove: "AKIAB", Rotate: "AKIAA"}}}}},
		{name: "a key made yesterday and not used yet is not idle", keys: []Key{key("A", 200, 1, Active), key("B", 1, -1, Active)},
			want: []Proposal{{Reason: SlotConflictLRU, Act: ActOpen, Kind: Rotate, State: Awaiting, Old: "AKIAA",
				Choices: []Choice{{Remove: "AKIAA"}, {Remove: "AKIAB", Rotate: "AKIAA"}}}}},
		{name: "unknown use of the second key counts as in use", keys: []Key{key("A", 200, 1, Active), key("B", 100, -2, Active)},
			want: []Proposal{{Reason: SlotConflictLRU, Act: ActOpen, Kind: Rotate, State: Awaiting, Old: "AKIAA",
				Choices: []Choice{{Remove: "AKIAA", Rotate: "AKIAB"}, {Remove: "AKIAB", Rotate: "AKIAA"}}}}},
		{name: "a due key never used goes before a used one", keys: []Key{key("A", 200, 1, Active), key("B", 100, -1, Active)},
			want: []Proposal{{Reason: ExpiredUnusedKey, Act: ActOpen, Kind: Retire, State: Awaiting, Old: "AKIAB"}}},
		{name: "older one near its age with both slots full", keys: []Key{key("A", 85, 1, Active), key("B", 40, 30, Active)},
			want: []Proposal{
				{Reason: KeyPendingRotation, Act: ActOpen, Kind: Rotate, State: Upcoming, Old: "AKIAA", Evict: "AKIAB"},
				{Reason: PendingExpirationConflict, Act: ActRemind, Old: "AKIAA", Evict: "AKIAB"}}},
		{name: "leftover inactive key", keys: []Key{key("A", 20, -1, Inactive)},
			want: []Proposal{{Reason: LeftoverInactiveKey, Act: ActOpen, Kind: Retire, State: Awaiting, Old: "AKIAA"}}},
		{name: "leftover beside a young active key", keys: []Key{key("A", 20, 1, Active), key("B", 200, 100, Inactive)},
			want: []Proposal{{Reason: LeftoverInactiveKey, Act: ActOpen, Kind: Retire, State: Awaiting, Old: "AKIAB"}}},
		{name: "two inactive: the older first", keys: []Key{key("A", 20, 1, Inactive), key("B", 200, 100, Inactive)},
			want: []Proposal{{Reason: LeftoverInactiveKey, Act: ActOpen, Kind: Retire, State: Awaiting, Old: "AKIAB"}}},
		{name: "creation date unknown", keys: []Key{{ID: "AKIAA", Status: Active}}},
		{name: "install grace ended", keys: []Key{key("A", 100, 0, Active)}, last: open(Installing, days(0)),
			want: []Proposal{{Reason: InstallGraceEnded, Act: ActStep, Kind: Rotate, Old: "AKIAA"}}},
		{name: "pending deactivation", keys: []Key{key("A", 100, 0, Active)}, last: open(Installing, days(-3)),
			want: []Proposal{{Reason: PendingDeactivation, Act: ActRemind, Kind: Rotate, Old: "AKIAA"}}},
		{name: "deactivation far away", keys: []Key{key("A", 100, 0, Active)}, last: open(Installing, days(-9))},
		{name: "recovery grace ended", keys: []Key{key("A", 100, 0, Inactive)}, last: open(Recovering, days(0)),
			want: []Proposal{{Reason: RecoveryGraceEnded, Act: ActStep, Kind: Rotate, Old: "AKIAA"}}},
		{name: "pending deletion", keys: []Key{key("A", 100, 0, Inactive)}, last: open(Recovering, days(-3)),
			want: []Proposal{{Reason: PendingDeletion, Act: ActRemind, Kind: Rotate, Old: "AKIAA"}}},
		{name: "pending deletion in conflict", keys: []Key{key("A", 100, 0, Active)}, last: open(Evicting, days(-1)),
			want: []Proposal{{Reason: PendingDeletionConflict, Act: ActRemind, Kind: Rotate, Old: "AKIAB"}}},
		{name: "rejected until later", keys: []Key{key("A", 100, 0, Active)}, last: open(Closed, days(-5))},
		{name: "rejected, time is over", keys: []Key{key("A", 100, 0, Active)}, last: open(Closed, days(1)),
			want: []Proposal{{Reason: ExpiredActiveKey, Act: ActOpen, Kind: Rotate, State: Awaiting, Old: "AKIAA"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := DefaultPolicy()
			if tt.policy != nil {
				tt.policy(&p)
			}
			got := Plan(User{Keys: tt.keys}, p, tt.last, tt.forced, noon)
			if diff := cmp.Diff(tt.want, got, cmpopts.IgnoreFields(Proposal{}, "At"), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("Plan (-want +got):\n%s", diff)
			}
			if got := Plan(User{Keys: tt.keys, Exempt: true}, p, tt.last, tt.forced, noon); got != nil {
				t.Errorf("Plan for an exempt user = %v, want nothing", got)
			}
		})
	}
}

// Wrong05: of two expired active keys, one that was used lately is never proposed for removal without a person's pick.
func TestWrong05_BothInUseGoesToAPerson(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := key("A", rapid.IntRange(90, 400).Draw(t, "age a"), rapid.IntRange(0, 7).Draw(t, "use a"), Active)
		b := key("B", rapid.IntRange(1, 400).Draw(t, "age b"), rapid.IntRange(0, 7).Draw(t, "use b"), Active)
		for _, q := range Plan(User{Keys: []Key{a, b}}, DefaultPolicy(), nil, false, noon) {
			if q.Act == ActOpen && (q.Evict != "" || q.Kind == Retire || len(q.Choices) != 2) {
				t.Fatalf("both keys are in use, yet the plan is %+v", q)
			}
		}
	})
}

// Wrong08: an inactive key is never replaced by a new active one, and a never-used key beside a used one makes no conflict.
func TestWrong08_InactiveAndUnusedKeys(t *testing.T) {
	for _, used := range []int{-2, -1, 0, 100} {
		t.Run(fmt.Sprint("inactive, used ", used), func(t *testing.T) {
			got := Plan(User{Keys: []Key{key("A", 400, used, Inactive)}}, DefaultPolicy(), nil, false, noon)
			if len(got) != 1 || got[0].Kind != Retire || got[0].Reason != LeftoverInactiveKey {
				t.Fatalf("Plan = %+v, want the leftover key retired", got)
			}
		})
	}
	got := Plan(User{Keys: []Key{key("A", 400, -1, Active), key("B", 300, 1, Active)}}, DefaultPolicy(), nil, false, noon)
	if len(got) != 1 || got[0].Kind != Retire || got[0].Old != "AKIAA" || got[0].LastActive {
		t.Fatalf("Plan = %+v, want the unused key retired and nothing issued", got)
	}
}

func TestPlanIsTotal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var keys []Key
		for i := range rapid.IntRange(0, 4).Draw(t, "keys") {
			k := key(string(rune('A'+i)), rapid.IntRange(-5, 6000).Draw(t, "age"), rapid.IntRange(-2, 500).Draw(t, "used"),
				rapid.SampledFrom([]KeyStatus{Active, Inactive, ""}).Draw(t, "status"))
			keys = append(keys, k)
		}
		before := fmt.Sprint(keys)
		got := Plan(User{Keys: keys}, DefaultPolicy(), nil, rapid.Bool().Draw(t, "forced"), noon)
		if fmt.Sprint(keys) != before {
			t.Fatal("Plan changed its input")
		}
		opens := 0
		for _, q := range got {
			k, ok := Find(keys, q.Old)
			if !ok {
				t.Fatalf("proposal about a key that is not there: %+v", q)
			}
			if q.Act != ActOpen {
				continue
			}
			opens++
			if q.Kind == Rotate && k.Status != Active {
				t.Fatalf("an inactive key is to be replaced: %+v", q)
			}
			active := 0
			for _, o := range keys {
				if o.Status == Active && o.ID != q.Old && o.ID != q.Evict {
					active++
				}
			}
			if q.Kind == Retire && k.Status == Active && active == 0 && !q.LastActive {
				t.Fatalf("a retire takes the last active key without saying so: %+v of %+v", q, keys)
			}
		}
		if opens > 1 {
			t.Fatalf("two rotations for one user: %+v", got)
		}
	})
}

func BenchmarkPlan(b *testing.B) {
	u := User{Keys: []Key{key("A", 200, 1, Active), key("B", 100, 50, Active)}}
	p := DefaultPolicy()
	for b.Loop() {
		Plan(u, p, nil, false, noon)
	}
}
