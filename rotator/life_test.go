package rotator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
)

// life is one user with a key that is due, and a rotator on it.
type life struct {
	t     tb
	mu    sync.Mutex
	now   time.Time // domain clock
	real  time.Time // protocol clock
	aws   *cloud
	store *shelf
	rules rules
	told  []rotation.Rotation
	tells int
	logs  bytes.Buffer
	log   *slog.Logger // one for all rotators: its handler guards logs
	rot   *Rotator
	id    rotation.ID
	n     int

	aroundTell func(n int, after bool) error
	hooks      []*hook
}

// rules are one rule for everybody.
type rules struct {
	policy rotation.Policy
	rule   approval.Rule
	none   bool
}

func (r rules) For(approval.Target) (rotation.Policy, approval.Rule, bool) {
	return r.policy, r.rule, !r.none
}

var owner = rotation.Actor{ID: "U0OWNER", Name: "Owner", Email: "owner@example.com", Via: rotation.ViaSlack}

func newLife(t tb, keys ...rotation.Key) *life {
	l := &life{t: t, now: time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC), real: time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)}
	if len(keys) == 0 {
		keys = []rotation.Key{l.key(oldKey, 95, 1)}
	}
	l.aws, l.store = newCloud(t, l.Now), newShelf(t)
	l.aws.users[userName] = &rotation.User{Account: acct, ID: userID, Name: userName, ARN: "arn:aws:iam::111122223333:user/billing", Keys: keys}
	l.rules = rules{policy: rotation.DefaultPolicy(), rule: approval.Rule{AnyOf: []approval.Circle{{Kind: approval.Owner}}, Required: 1, SelfApproval: true}}
	l.log = slog.New(slog.NewTextHandler(&l.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	l.rot = l.rotator()
	return l
}

// key is a key of so many days, used so many days ago; -1: never.
func (l *life) key(id rotation.KeyID, age, used int) rotation.Key {
	k := rotation.Key{ID: id, Status: rotation.Active, Created: l.now.Add(-time.Duration(age) * rotation.Day), LastUse: rotation.LastUse{Kind: rotation.UseNever}}
	if used >= 0 {
		k.LastUse = rotation.LastUse{Kind: rotation.UseSeen, At: l.now.Add(-time.Duration(used) * rotation.Day), Service: "s3", Region: "eu-central-1"}
	}
	return k
}

func (l *life) Now() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now
}

func (l *life) Real() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.real
}

// pass lets time go by on both clocks: both at least for so long that every lease and settling is over.
func (l *life) pass(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now = l.now.Add(d)
	l.real = l.real.Add(max(d, DefaultLease+DefaultSettle+time.Second))
}

func (l *life) token() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.n++
	return fmt.Sprintf("token-%032d", l.n)
}

func (l *life) Tell(_ context.Context, r rotation.Rotation) ([]rotation.MessageRef, error) {
	l.mu.Lock()
	l.tells++
	n, around := l.tells, l.aroundTell
	l.mu.Unlock()
	if around != nil {
		if err := around(n, false); err != nil {
			return r.Messages, err
		}
	}
	l.mu.Lock()
	l.told = append(l.told, r)
	l.mu.Unlock()
	if around != nil {
		if err := around(n, true); err != nil {
			return r.Messages, err
		}
	}
	return []rotation.MessageRef{{Channel: "D1", TS: "1.1", For: owner.ID, Seq: r.PeopleSeq}}, nil
}

func (l *life) rotator() *Rotator {
	return New(Options{
		Store: l.store, AWS: l.aws, Rules: l, Teller: l, ExemptGroup: "exempt",
		SecretName: func(a rotation.AccountID, u rotation.UserName) (string, error) {
			return "keyturn/" + string(a) + "/" + string(u), nil
		},
		Now: l.Now, Real: l.Real, NewToken: l.token,
		Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		Log:  l.log,
	})
}

func (l *life) For(t approval.Target) (rotation.Policy, approval.Rule, bool) { return l.rules.For(t) }

// open plans and opens the rotation, as the scan does.
func (l *life) open() rotation.Rotation {
	l.t.Helper()
	u := *l.aws.users[userName]
	for i, k := range u.Keys {
		if k.Status == rotation.Inactive {
			u.Keys[i].InactiveSince = l.now
		}
	}
	plan := rotation.Plan(u, l.rules.policy, nil, false, l.Now())
	if len(plan) == 0 {
		l.t.Fatal("nothing is due")
	}
	r, err := rotation.Open(rotation.Subject{User: u, AccountEmail: "account@example.com", Owner: owner.Email, Policy: l.rules.policy}, plan[0], nil, rotation.System, "", l.Now())
	if err != nil {
		l.t.Fatal(err)
	}
	l.id = r.ID
	return l.save(r)
}

func (l *life) save(r rotation.Rotation) rotation.Rotation {
	l.t.Helper()
	r, err := l.store.put(r)
	if err != nil {
		l.t.Fatal(err)
	}
	return r
}

func (l *life) get() rotation.Rotation {
	l.t.Helper()
	r, err := l.store.GetRotation(context.Background(), l.id)
	if err != nil {
		l.t.Fatal(err)
	}
	return r
}

// do is a person, or a scan, applying events as the bot would.
func (l *life) do(events ...rotation.Event) {
	l.t.Helper()
	r := l.get()
	for _, e := range events {
		var err error
		if r, err = rotation.Apply(r, e, l.Now()); err != nil {
			l.t.Fatalf("%s: %v", e.Name(), err)
		}
	}
	l.save(r)
}

func (l *life) approve() {
	l.t.Helper()
	r := l.get()
	l.do(rotation.Approve{Actor: owner, Digest: r.Digest(), Required: 1})
}

// wake lets the rotator work, and takes a crash for the end of a process.
func (l *life) wake() (crashed bool) {
	l.t.Helper()
	defer func() {
		if p := recover(); p != nil {
			if p != errCrash {
				panic(p)
			}
			crashed = true
		}
	}()
	if err := l.rot.Wake(context.Background(), l.id); err != nil && !errors.Is(err, errFault) {
		l.t.Fatalf("wake: %v", err)
	}
	return false
}

var (
	errCrash = errors.New("the process was killed")
	errFault = errors.New("connection reset by peer")
)

// until lets time pass, and the rotator work, until ok says so.
func (l *life) until(what string, ok func(rotation.Rotation) bool) rotation.Rotation {
	l.t.Helper()
	for range 200 {
		l.wake()
		r := l.get()
		if ok(r) {
			return r
		}
		if r.Stuck != nil {
			l.t.Fatalf("stuck before %s: %s\n%s", what, r.Stuck.Seen, l.tail())
		}
		l.pass(max(r.NextAt.Sub(l.Now()), 0))
	}
	l.t.Fatalf("never %s\n%s", what, l.tail())
	return rotation.Rotation{}
}

func state(s rotation.State) func(rotation.Rotation) bool {
	return func(r rotation.Rotation) bool { return r.State == s && r.Acting == nil && !r.Untold() }
}

func (l *life) keys() []rotation.Key { return l.aws.users[userName].Keys }

// healthy checks the end of every rotation: one working key, and a reader of the secret gets it.
func (l *life) healthy() {
	l.t.Helper()
	ks := l.keys()
	if len(ks) != 1 || ks[0].Status != rotation.Active || ks[0].ID == oldKey {
		l.t.Fatalf("keys at the end: %+v\n%s", ks, l.logs.String())
	}
	r := l.get()
	if r.State != rotation.Closed || r.Outcome != rotation.OutcomeRotated || r.New == nil || r.New.ID != ks[0].ID || r.Untold() {
		l.t.Fatalf("the rotation ended %s %s with %+v, untold %t", r.State, r.Outcome, r.New, r.Untold())
	}
	v := l.aws.vault(r.New.SecretARN)
	id, secret, ok := readValue(NewMaterial(v.values[v.current()]))
	if !ok || id != ks[0].ID || secret.Reveal() != l.aws.made[id] || v.policy != l.aws.users[userName].ARN {
		l.t.Fatalf("AWSCURRENT does not hold the working key: %s", id)
	}
	if v.Tags[TagManaged] != "true" || v.Tags[TagOldKey] != string(oldKey) || v.Tags[TagNewKey] != string(id) || v.Tags[TagUserID] != string(userID) {
		l.t.Fatalf("tags: %v", v.Tags)
	}
	if err := rotation.VerifyHistory(r.History); err != nil {
		l.t.Fatal(err)
	}
	if last := l.told[len(l.told)-1]; last.State != rotation.Closed {
		l.t.Fatalf("people were told %s last", last.State)
	}
	l.noSecrets()
}

func (l *life) noSecrets() {
	l.t.Helper()
	if strings.Contains(l.logs.String(), marker) {
		l.t.Fatal("secret material in the log")
	}
	if s := fmt.Sprintf("%+v %#v", l.told, l.get()); strings.Contains(s, marker) {
		l.t.Fatal("secret material was told or stored")
	}
}

// TestWholeLife follows one key from the approval to the deletion.
func TestWholeLife(t *testing.T) {
	l := newLife(t)
	l.open()
	l.wake()
	if len(l.keys()) != 1 {
		t.Fatal("a key was issued without an approval")
	}
	l.approve()
	l.until("installing", state(rotation.Installing))
	if ks := l.keys(); len(ks) != 2 || ks[0].Status != rotation.Active {
		t.Fatalf("keys: %+v", ks)
	}
	l.until("recovering", state(rotation.Recovering))
	if ks := l.keys(); ks[0].Status != rotation.Inactive {
		t.Fatalf("keys: %+v", ks)
	}
	l.until("closed", state(rotation.Closed))
	l.healthy()
}
