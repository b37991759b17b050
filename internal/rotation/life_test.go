package rotation

import (
	"encoding/json"
	"fmt"
	"time"

	"pgregory.net/rapid"
)

// world is one IAM user with its keys, as AWS has them, and a rotator that acts on it by the rules of this package. It
// checks the promises at every mutation that keyturn makes.
type world struct {
	t       *rapid.T
	now     time.Time
	keys    []Key
	ours    map[KeyID]bool      // created by keyturn
	off     map[KeyID]time.Time // truly inactive since
	named   map[KeyID]bool      // a decision named it
	current string              // version that is AWSCURRENT
	holds   map[string]KeyID    // version → key
	r       *Rotation
	serial  int
	policy  Policy              // of the next scan
	leaks   map[KeyID]time.Time // reported, and not cut off yet
}

func (w *world) key(id KeyID) *Key {
	for i := range w.keys {
		if w.keys[i].ID == id {
			return &w.keys[i]
		}
	}
	return nil
}

func (w *world) active() int {
	n := 0
	for _, k := range w.keys {
		if k.Status == Active {
			n++
		}
	}
	return n
}

// apply runs Apply and checks what holds for every event in every state.
func (w *world) apply(e Event) error {
	before, _ := json.Marshal(*w.r)
	was := *w.r
	got, err := Apply(*w.r, e, w.now)
	if after, _ := json.Marshal(was); string(after) != string(before) {
		w.t.Fatalf("%s changed its input", e.Name())
	}
	if err != nil {
		if Refused(err) == "" {
			w.t.Fatalf("%s: %v is not a refusal", e.Name(), err)
		}
		return err
	}
	if was.State == Closed && got.State != Closed {
		w.t.Fatalf("%s brought a closed rotation back", e.Name())
	}
	if got.Open() && got.NextAt.IsZero() {
		w.t.Fatalf("%s: an open rotation (%s) that nothing looks at again", e.Name(), got.State)
	}
	if err := VerifyHistory(got.History); err != nil {
		w.t.Fatal(err)
	}
	if was.State != Approved && got.State != was.State {
		w.byTime(e, was)
	}
	if was.State != Approved && got.State == Approved {
		if a, ok := e.(Approve); ok && a.Digest != was.Digest() {
			w.t.Fatalf("a void approval acted")
		}
		switch e.(type) {
		case Approve, Leaked, NoticePassed, TimeIsUp:
		case Restored, ObservedReactivated: // after a leak was reported, whose reporter decided
			if !was.Overtaken() || len(got.Approvals) != 1 || got.Approvals[0].Actor != was.Leaked.By {
				w.t.Fatalf("%s approved a rotation that nobody reported as leaked", e.Name())
			}
		default:
			w.t.Fatalf("%s approved a rotation in mode approve", e.Name())
		}
	}
	if (was.State == Upcoming || was.State == Awaiting) && (got.State == Approved || got.State == Recovering) {
		w.named = map[KeyID]bool{got.Old.ID: true}
		if got.Evict != nil {
			w.named[got.Evict.ID] = true
		}
	}
	w.r = &got
	return nil
}

// byTime checks what happens because a time has passed: people had seen just that, and had time to object.
func (w *world) byTime(e Event, was Rotation) {
	var seen time.Duration
	switch e.(type) {
	case NoticePassed:
		seen = was.Policy.Notice
		if was.Policy.Mode != ModeAuto {
			w.t.Fatalf("a notice passed in mode %s", was.Policy.Mode)
		}
	case TimeIsUp:
		if was.Policy.OnTimeout == TimeoutExpire {
			return
		}
		seen = MinNotice
		if was.Policy.OnTimeout != TimeoutApprove {
			w.t.Fatalf("the time is up and it moved, where the policy says %s", was.Policy.OnTimeout)
		}
	default:
		return
	}
	switch {
	case was.NoticeAt.IsZero() || was.NoticeDigest != was.Digest() || w.now.Before(was.NoticeAt.Add(seen)):
		w.t.Fatalf("%s acts on what people had not seen for %v", e.Name(), seen)
	case was.Held != nil || was.Stuck != nil || !was.SnoozedUntil.IsZero() || len(was.Choices) > 0 || was.LastActive:
		w.t.Fatalf("%s acts where a person has to decide", e.Name())
	}
}

// told says that people were told, or that it failed.
func (w *world) told() {
	at := []MessageRef{{Channel: "D1", TS: "1", For: "U1", Seq: w.r.PeopleSeq}}
	if rapid.IntRange(0, 4).Draw(w.t, "only listed") == 0 {
		at[0].Channel = Listed
	}
	r := w.r.WithTold(w.r.PeopleSeq, at, w.now)
	if rapid.IntRange(0, 4).Draw(w.t, "telling fails") == 0 {
		r = w.r.WithTellFailed(nil, w.now)
	}
	w.r = &r
}

// facts reads the world, sometimes without success.
func (w *world) facts() Facts {
	f := Facts{KeysKnown: rapid.IntRange(0, 9).Draw(w.t, "list works") > 0}
	for _, k := range w.keys {
		if rapid.IntRange(0, 9).Draw(w.t, "last use works") == 0 {
			k.LastUse = LastUse{}
		}
		f.Keys = append(f.Keys, k)
	}
	f.Secret = Secret{Known: rapid.IntRange(0, 9).Draw(w.t, "secret works") > 0, Exists: w.current != "", Ours: true, Current: w.current, ReplicasInSync: true}
	return f
}

// look tells the rotation what is true now, as a live read does before every step.
func (w *world) look() {
	for _, k := range w.keys {
		if k.Status == Inactive {
			_ = w.apply(ObservedDeactivated{Key: k.ID})
		} else {
			_ = w.apply(ObservedReactivated{Key: k.ID})
		}
	}
	if w.r.Open() && w.key(w.r.Old.ID) == nil {
		_ = w.apply(Absent{What: "key"})
	}
}

// step lets the rotator do what is due, failing and crashing at random.
func (w *world) step() {
	w.look()
	step, at := w.r.Next()
	if w.now.Before(at) {
		return
	}
	switch step {
	case StepDue:
		_ = w.apply(Due{})
	case StepWake:
		_ = w.apply(Wake{})
	case StepRemind:
		_ = w.apply(Remind{})
	case StepRelease:
		_ = w.apply(Release{Actor: System})
	case StepEscalate:
		_ = w.apply(w.r.Unanswered(w.now))
	case StepTimeout:
		_ = w.apply(TimeIsUp{})
	case StepNotice:
		_ = w.apply(NoticePassed{})
	case StepBeginEvict:
		_ = w.apply(BeginEvict{})
	case StepEvictDeactivate, StepEvictDelete, StepDeactivate, StepDelete, StepRestore, StepIssue, StepLeakOff:
		if w.r.Acting == nil && !w.r.Urgent() && rapid.IntRange(0, 4).Draw(w.t, "frozen") == 0 {
			w.must(Postpone{Op: OpOf(step), Until: w.now.Add(Day), Why: "freeze"})
			return
		}
		w.mutate(step)
	}
}

func (w *world) mutate(step Step) {
	w.serial++
	token := fmt.Sprint("claim", w.serial)
	if w.apply(Claim{Op: OpOf(step), Token: token, Real: w.now, LeaseUntil: w.now.Add(time.Minute)}) != nil {
		return
	}
	switch rapid.IntRange(0, 9).Draw(w.t, "luck") {
	case 0: // it crashes: the claim stays until its lease ends
		return
	case 1:
		_ = w.apply(Failed{Token: token, Op: OpOf(step), Error: "Throttling"})
		return
	}
	f := w.facts()
	switch step {
	case StepDeactivate, StepEvictDeactivate:
		id := w.target(step)
		if blocks := MayDeactivate(*w.r, id, f, w.now); blocks != nil {
			w.blocked(token, step, blocks)
			return
		}
		w.deactivate(id)
		w.must(Deactivated{Token: token, Key: id})
	case StepDelete, StepEvictDelete:
		id := w.target(step)
		if blocks := MayDelete(*w.r, id, f, w.now); blocks != nil {
			w.blocked(token, step, blocks)
			return
		}
		w.delete(id)
		if step == StepDelete {
			w.must(Deleted{Token: token, Key: id})
		} else {
			w.must(Evicted{Token: token})
		}
	case StepRestore:
		id := w.r.Old.ID
		if w.r.State == Evicting {
			id = w.r.Evict.ID
		}
		k := w.key(id)
		if k == nil {
			w.must(GotStuck{Token: token, Op: OpRestore, Seen: "the key is gone"})
			return
		}
		k.Status = Active
		delete(w.off, id)
		w.must(Restored{Token: token, Key: id})
	case StepIssue:
		w.issue(token)
	case StepLeakOff:
		id := w.r.LeakedKey.Key
		k := w.key(id)
		if k == nil {
			w.must(GotStuck{Token: token, Op: OpLeakOff, Seen: "the key is gone"})
			return
		}
		if w.leaks[id].IsZero() {
			w.t.Fatalf("%s is cut off, and nobody reported it", id)
		}
		k.Status = Inactive
		if _, isOff := w.off[id]; !isOff {
			w.off[id] = w.now
		}
		w.named[id] = true
		delete(w.leaks, id)
		w.must(LeakCut{Token: token, Key: id})
	}
}

func (w *world) must(e Event) {
	if err := w.apply(e); err != nil {
		w.t.Fatalf("%s was performed, but cannot be saved in %s: %v", e.Name(), w.r.State, err)
	}
}

func (w *world) target(step Step) KeyID {
	if step == StepEvictDeactivate || step == StepEvictDelete {
		return w.r.Evict.ID
	}
	return w.r.Old.ID
}

func (w *world) blocked(token string, step Step, blocks []Block) {
	if lost := Lost(blocks); lost != "" {
		w.must(Unclaim{Token: token, Op: OpOf(step)})
		_ = w.apply(ReplacementLost{What: lost})
		return
	}
	w.must(GateRefused{Token: token, Blocks: blocks})
}

func (w *world) deactivate(id KeyID) {
	k, r := w.key(id), *w.r
	if k.Status != Active {
		w.t.Fatalf("deactivating %s, which is not active", id)
	}
	if !w.named[id] {
		w.t.Fatalf("deactivating %s, which no decision named", id)
	}
	since, known := k.LastUse.IdleSince(k.Created)
	if r.Anyway == nil && r.Leaked == nil && (!known || w.now.Sub(since) < min(r.Policy.QuietPeriod, r.Policy.ConfirmedQuiet)) {
		w.t.Fatalf("deactivating %s, last used %v", id, k.LastUse)
	}
	k.Status = Inactive
	w.off[id] = w.now
	if w.active() == 0 && r.Leaked == nil && !(r.Kind == Retire && r.LastActive) {
		w.t.Fatalf("%s has no working key left, in %s (%s)", r.UserName, r.State, r.Kind)
	}
}

func (w *world) delete(id KeyID) {
	off, isOff := w.off[id]
	if !isOff || w.now.Sub(off) < w.r.Policy.RecoveryGrace {
		w.t.Fatalf("deleting %s, inactive since %v", id, off)
	}
	if !w.ours[id] && !w.named[id] {
		w.t.Fatalf("deleting %s, which no decision named", id)
	}
	if k := w.key(id); k.LastUse.Kind == UseSeen && k.LastUse.At.After(off) {
		w.t.Fatalf("deleting %s, used after its deactivation", id)
	}
	w.remove(id)
}

func (w *world) remove(id KeyID) {
	for i, k := range w.keys {
		if k.ID == id {
			w.keys = append(w.keys[:i:i], w.keys[i+1:]...)
		}
	}
}

func (w *world) issue(token string) {
	if len(w.keys) >= 2 {
		w.must(GotStuck{Token: token, Op: OpIssue, Seen: "both slots are taken"})
		return
	}
	version := fmt.Sprint("v", w.serial)
	w.must(Begin{Token: token, Journal: Journal{Token: version, SecretARN: "arn", SecretName: "name", Current: w.current}})
	w.must(Creating{Token: token})
	if rapid.IntRange(0, 9).Draw(w.t, "create works") == 0 {
		w.must(NotCreated{Token: token, Error: "denied"})
		w.must(Failed{Token: token, Op: OpIssue, Error: "denied"})
		return
	}
	k := Key{ID: KeyID(fmt.Sprint("AKIAN", w.serial)), Status: Active, Created: w.now, LastUse: LastUse{Kind: UseNever}}
	w.keys = append(w.keys, k)
	w.ours[k.ID] = true
	w.must(KeyCreated{Token: token, Key: k.ID, Created: k.Created})
	w.holds[version] = k.ID
	w.must(Stored{Token: token})
	w.must(Verified{Token: token, At: w.now})
	w.current = version
	w.must(Issued{Token: token})
}

// people do something, sensible or not.
func (w *world) people() {
	who := rapid.SampledFrom([]Actor{first, second}).Draw(w.t, "who")
	d := time.Duration(rapid.IntRange(0, 20).Draw(w.t, "days")) * Day
	digest := w.r.Digest()
	if rapid.IntRange(0, 3).Draw(w.t, "stale") == 0 {
		digest = "stale"
	}
	pick := KeyID("")
	if len(w.r.Choices) > 0 {
		pick = rapid.SampledFrom(w.r.Choices).Draw(w.t, "pick").Remove
	}
	e := rapid.SampledFrom([]Event{
		Approve{Actor: who, Digest: digest, Required: rapid.IntRange(0, 2).Draw(w.t, "required"), Pick: pick},
		Approve{Actor: who, Digest: digest, Required: 1, Pick: pick},
		Snooze{Actor: who, For: d}, Reject{Actor: who}, HoldOn{Actor: who, For: d}, Release{Actor: who},
		Extend{Actor: who, For: d}, Confirm{Actor: who}, Restore{Actor: who}, Retry{Actor: who}, Cancel{Actor: who},
		DeactivateAnyway{Actor: who}, Denied{Actor: who, What: "x"}, Freeze{Why: "role"}, Thaw{}, Superseded{},
		Exempt{Actor: who, Until: w.now.Add(d)}, NoticePassed{}, Escalate{Why: "x"}, TimeIsUp{}, LeakCut{}, Postpone{Op: OpDelete, Until: w.now.Add(d)},
		ModeIs{Mode: rapid.SampledFrom([]Mode{ModeAuto, ModeApprove}).Draw(w.t, "mode")}, Approve{Actor: who, Digest: digest, Required: 1, Pick: pick, BreakGlass: true, Why: "x"}, GateRefused{}, Issued{}, Deleted{},
		Leaked{Actor: who}, Leaked{Actor: who, Key: w.anyKey()},
	}).Draw(w.t, "event")
	l, leak := e.(Leaked)
	if leak && rapid.IntRange(0, 4).Draw(w.t, "really leaked") > 0 {
		return
	}
	if err := w.apply(e); err != nil || !leak {
		return
	}
	key := l.Key
	if key == "" {
		key = w.r.Old.ID
	}
	w.leaks[key] = w.now
	if k := w.key(key); w.r.Acting == nil && k != nil && k.Status == Active {
		w.look() // what was done by hand meanwhile, and comes first
		if _, at := w.r.Next(); w.r.Open() && w.r.Frozen == nil && w.r.AbsentSince.IsZero() && at.After(w.now) {
			w.t.Fatalf("%s is leaked and active, and nothing happens before %v (in %s)", key, at, w.r.State)
		}
	}
}

// anyKey is one of the user's keys.
func (w *world) anyKey() KeyID {
	if len(w.keys) == 0 {
		return "AKIANONE"
	}
	return rapid.SampledFrom(w.keys).Draw(w.t, "leaked key").ID
}

// hands change keys in the IAM console; keyturn sees it at its next look.
func (w *world) hands() {
	if len(w.keys) == 0 || w.r.Acting != nil {
		return // AWS does not say since when a key is inactive: to and fro between two looks cannot be seen
	}
	k := &w.keys[rapid.IntRange(0, len(w.keys)-1).Draw(w.t, "key")]
	switch rapid.IntRange(0, 9).Draw(w.t, "hand") {
	case 0, 1:
		if k.Status == Active {
			k.Status, w.off[k.ID] = Inactive, w.now
		}
	case 2, 3:
		k.Status = Active
		delete(w.off, k.ID)
	case 4, 7, 8, 9:
		w.remove(k.ID)
		w.look()
		w.now = w.now.Add(GoneWait) // and a second look, or hardly a walk would end gone
	case 5:
		w.current = "somebody else's"
	case 6:
		if len(w.keys) < 2 {
			w.serial++
			w.keys = append(w.keys, Key{ID: KeyID(fmt.Sprint("AKIAH", w.serial)), Status: Active, Created: w.now, LastUse: LastUse{Kind: UseNever}})
		}
	}
	w.look()
}

// scan plans and opens or refreshes, as the scheduler does.
func (w *world) scan() {
	s := subject(append([]Key(nil), w.keys...)...)
	s.Policy = w.policy
	for i := range s.User.Keys {
		s.User.Keys[i].InactiveSince = w.off[s.User.Keys[i].ID]
	}
	for _, q := range Plan(s.User, s.Policy, w.r, false, w.now) {
		if q.Act != ActOpen {
			continue
		}
		if w.r != nil && w.r.Open() {
			_ = w.apply(Replan{Subject: s, Proposal: q})
			continue
		}
		r, err := Open(s, q, w.r, System, "", w.now)
		if err != nil {
			w.t.Fatalf("open %+v: %v", q, err)
		}
		w.r, w.named = &r, map[KeyID]bool{}
	}
}
