package bot

import (
	"fmt"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/templates"
)

func days(n int) time.Duration { return time.Duration(n) * rotation.Day }

// account1 is what the scan knows of the account of the tests.
func account1() rotation.Snapshot {
	return rotation.Snapshot{
		Account: account, Name: "payments", Email: "account@acme.example", OUPath: "r-acme/ou-prod", Taken: start.Add(-time.Hour), Tried: start.Add(-time.Hour),
		Users: []rotation.User{
			{ID: "AIDABILLING", Name: "billing-export", Tags: map[string]string{"owner": "owner@acme.example"}, Keys: []rotation.Key{
				{ID: oldKey, Status: rotation.Active, Created: start.Add(-days(95)), LastUse: rotation.LastUse{Kind: rotation.UseSeen, At: start.Add(-time.Hour), Service: "s3", Region: "eu-central-1"}}}},
			{ID: "AIDAYOUNG", Name: "young", Keys: []rotation.Key{{ID: "AKIAYOUNGYOUNGYOUNG4", Status: rotation.Active, Created: start.Add(-days(10))}}},
			{ID: "AIDANOKEYS", Name: "console-only"},
			{ID: "AIDAGROUP", Name: "in-group", Exempt: true, Keys: []rotation.Key{{ID: "AKIAGROUPGROUPGROUP5", Status: rotation.Active, Created: start.Add(-days(700))}}},
		},
	}
}

// opened is a rotation that waits for a decision, or is upcoming.
func opened(state rotation.State) rotation.Rotation { return openedAt(state, start) }

func openedAt(state rotation.State, now time.Time) rotation.Rotation {
	s := account1()
	u := s.Users[0]
	u.Account = account
	at := now.Add(-days(5))
	if state == rotation.Upcoming {
		at = now.Add(days(5))
	}
	r, err := rotation.Open(
		rotation.Subject{User: u, AccountName: s.Name, AccountEmail: s.Email, OUPath: s.OUPath, Owner: "owner@acme.example", OwnerTagged: true, Policy: rotation.DefaultPolicy()},
		rotation.Proposal{Reason: rotation.ExpiredActiveKey, Act: rotation.ActOpen, Kind: rotation.Rotate, State: state, Old: oldKey, At: at},
		nil, rotation.System, "", now)
	if err != nil {
		panic(err)
	}
	return r
}

// at is the rotation in a later state, as the rotator would have left it.
func at(state rotation.State) rotation.Rotation {
	switch state {
	case rotation.Upcoming, rotation.Awaiting:
		return opened(state)
	}
	r := opened(rotation.Awaiting)
	by := everybody()[0].Actor()
	r, err := rotation.Apply(r, rotation.Approve{Actor: by, Digest: r.Digest(), Required: 1}, start)
	if err != nil {
		panic(err)
	}
	r.State = state
	switch state {
	case rotation.Evicting:
		r.Evict = &rotation.KeyRef{ID: twoKey, Created: start.Add(-days(300)), InactiveSince: start.Add(-days(1))}
		r.EvictAt = start.Add(days(9))
	case rotation.Installing, rotation.Recovering:
		r.New = &rotation.NewKey{ID: newKey, Created: start, SecretName: "keyturn/111122223333/billing-export", SecretARN: "arn", VersionID: "v", VerifiedAt: start}
		r.DeactivateAt = start.Add(days(10))
		if state == rotation.Recovering {
			r.Old.InactiveSince, r.DeleteAt = start, start.Add(days(10))
		}
	case rotation.Closed:
		r.Outcome, r.ClosedAt = rotation.OutcomeRotated, start
	}
	return r
}

// with changes a rotation.
func with(r rotation.Rotation, f func(*rotation.Rotation)) rotation.Rotation {
	r = r.Clone()
	f(&r)
	return r
}

func stuck(r *rotation.Rotation) {
	r.Stuck = &rotation.Stuck{Seen: "after 8 attempts: AccessDenied", From: r.State, Op: rotation.OpIssue, At: start}
}

func gated(r *rotation.Rotation) {
	r.GateRefusals, r.Escalated, r.DeactivateAt = 7, true, start
	r.GateSeen = []rotation.Block{{Why: rotation.BlockInUse, Sentence: "the old key was used an hour ago by s3"}}
}

func held(r *rotation.Rotation) {
	r.Held = &rotation.Hold{By: everybody()[2].Actor(), Why: "incident", At: start, Until: start.Add(days(3))}
}

func claimed(op rotation.Op) func(*rotation.Rotation) {
	return func(r *rotation.Rotation) {
		r.Acting = &rotation.Acting{Op: op, Token: "t", LeaseUntil: start.Add(days(1))}
	}
}

// twoInUse needs a person to say which of two keys goes first.
func twoInUse(r *rotation.Rotation) {
	r.Other = &rotation.KeyRef{ID: twoKey, Created: start.Add(-days(200))}
	r.Choices = []rotation.Choice{{Remove: twoKey, Rotate: oldKey}, {Remove: oldKey, Rotate: twoKey}}
}

// value is what the buttons of a rotation carry.
func value(r rotation.Rotation) string { return templates.ValueOf(r).Encode() }

// kept stores a rotation, and the snapshot of its account.
func (e *bench) kept(r rotation.Rotation) rotation.Rotation {
	e.store.mu.Lock()
	e.store.snapshots[account] = account1()
	e.store.mu.Unlock()
	return e.store.put(r)
}

// many opens n rotations of as many users in one account, all of one owner, and returns their snapshot.
func (e *bench) many(n int) rotation.Snapshot {
	s := account1()
	s.Users = nil
	for i := range n {
		k := rotation.Key{ID: rotation.KeyID(fmt.Sprintf("AKIAMANY%012d", i)), Status: rotation.Active, Created: start.Add(-days(95)).Add(time.Duration(i) * time.Minute)}
		u := rotation.User{Account: account, ID: rotation.UserID(fmt.Sprintf("AIDAMANY%04d", i)), Name: rotation.UserName(fmt.Sprintf("worker-%04d", i)), Tags: map[string]string{"owner": "owner@acme.example"}, Keys: []rotation.Key{k}}
		s.Users = append(s.Users, u)
		r, err := rotation.Open(
			rotation.Subject{User: u, AccountName: s.Name, AccountEmail: s.Email, OUPath: s.OUPath, Owner: "owner@acme.example", OwnerTagged: true, Policy: rotation.DefaultPolicy()},
			rotation.Proposal{Reason: rotation.ExpiredActiveKey, Act: rotation.ActOpen, Kind: rotation.Rotate, State: rotation.Awaiting, Old: k.ID, At: k.Created.Add(days(90))},
			nil, rotation.System, "", start)
		if err != nil {
			panic(err)
		}
		e.store.put(r)
	}
	e.store.mu.Lock()
	defer e.store.mu.Unlock()
	e.store.snapshots[account] = s
	return s
}

// changed reports what a decision may change: everything but the refusals in the history.
func changed(before, after rotation.Rotation) string {
	var kept []rotation.Entry
	for _, e := range after.History {
		if e.Event != (rotation.Denied{}).Name() {
			kept = append(kept, e)
		}
	}
	var was []rotation.Entry
	for _, e := range before.History {
		if e.Event != (rotation.Denied{}).Name() {
			was = append(was, e)
		}
	}
	if len(kept) != len(was) {
		return kept[len(kept)-1].Event
	}
	if before.State != after.State {
		return string(after.State)
	}
	return ""
}

// refusals are the refusals in a rotation's history.
func refusals(r rotation.Rotation) []string {
	var out []string
	for _, e := range r.History {
		if e.Event == (rotation.Denied{}).Name() {
			out = append(out, e.Actor.ID+": "+e.Note)
		}
	}
	return out
}

func mustVerify(t testing.TB, r rotation.Rotation) {
	t.Helper()
	if err := rotation.VerifyHistory(r.History); err != nil {
		t.Error(err)
	}
}
