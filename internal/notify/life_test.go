package notify

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/rotator"
	"github.com/keyturn/keyturn/templates"
)

var _ rotator.Teller = (*Notifier)(nil)

const (
	ann      = "U0ANN"
	ben      = "U0BEN"
	keys     = "C0KEYS"
	annMail  = "ann@example.com"
	prodMail = "prod@example.com"
)

var (
	annActor = rotation.Actor{ID: ann, Name: "ann", Email: annMail, Via: rotation.ViaSlack}
	benActor = rotation.Actor{ID: ben, Name: "ben", Email: "ben@example.com", Via: rotation.ViaSlack}
)

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// anyRule lets one rule hold for everything.
type anyRule approval.Rule

func (a anyRule) For(approval.Target) (rotation.Policy, approval.Rule, bool) {
	return rotation.DefaultPolicy(), approval.Rule(a), true
}

var ownerRule = anyRule{Name: "policy[0]", AnyOf: []approval.Circle{{Kind: approval.Owner}, {Kind: approval.AccountOwner}}, Required: 1}

var loadMails = sync.OnceValues(func() (*templates.Mails, error) { return templates.LoadMails("") })

// world is a notifier among fakes.
type world struct {
	*workspace
	mail   *postbox
	shelf  *shelf
	clock  *clock
	notify *Notifier
	tokens int
}

func newWorld(t *testing.T, change ...func(*Options)) *world {
	t.Helper()
	mails, err := loadMails()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		workspace: newWorkspace(member(ann, annMail), member(ben, "ben@example.com")),
		mail:      &postbox{fail: map[string]error{}}, shelf: newShelf(),
		clock: &clock{now: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)},
	}
	o := Options{
		Slack: w.workspace, Mail: w.mail, Templates: mails, Rules: ownerRule, Store: w.shelf, DefaultChannel: keys,
		Now: w.clock.Now, Real: w.clock.Now,
	}
	for _, f := range change {
		f(&o)
	}
	w.notify = New(o)
	return w
}

// life is a rotation that lives by the events that make the real thing.
type life struct {
	t *testing.T
	w *world
	r rotation.Rotation
}

func user(n int, keys ...rotation.Key) rotation.User {
	return rotation.User{
		Account: "111122223333", ID: rotation.UserID(fmt.Sprintf("AIDAUSER%04d", n)), Name: rotation.UserName(fmt.Sprintf("user-%d", n)),
		Path: "/", Keys: keys,
	}
}

func (w *world) key(n, age int, status rotation.KeyStatus) rotation.Key {
	now := w.clock.Now()
	return rotation.Key{
		ID: rotation.KeyID(fmt.Sprintf("AKIAOLDKEY%08d", n)), Status: status, Created: now.Add(-time.Duration(age) * rotation.Day),
		LastUse: rotation.LastUse{Kind: rotation.UseSeen, At: now.Add(-9 * rotation.Day), Service: "s3", Region: "eu-west-1"},
	}
}

func subject(owner string, u rotation.User) rotation.Subject {
	return rotation.Subject{
		User: u, AccountName: "Production", AccountEmail: prodMail, Owner: owner, OwnerTagged: owner != prodMail, Policy: rotation.DefaultPolicy(),
	}
}

// opens opens what Plan proposes for the user's keys.
func (w *world) opens(t *testing.T, owner string, u rotation.User) *life {
	t.Helper()
	s := subject(owner, u)
	for _, q := range rotation.Plan(u, s.Policy, nil, false, w.clock.Now()) {
		if r, err := rotation.Open(s, q, nil, rotation.System, "", w.clock.Now()); err == nil {
			return &life{t: t, w: w, r: r}
		}
	}
	t.Fatal("nothing to open")
	return nil
}

// due opens a rotation that waits for a decision.
func (w *world) due(t *testing.T, owner string) *life {
	t.Helper()
	return w.opens(t, owner, user(1, w.key(1, 95, rotation.Active)))
}

func (l *life) does(events ...rotation.Event) *life {
	l.t.Helper()
	for _, e := range events {
		r, err := rotation.Apply(l.r, e, l.w.clock.Now())
		if err != nil {
			l.t.Fatalf("%s: %v", e.Name(), err)
		}
		l.r = r
	}
	return l
}

func (l *life) approve(who rotation.Actor) *life {
	l.t.Helper()
	return l.does(rotation.Approve{Actor: who, Digest: l.r.Digest(), Required: 1})
}

// claims claims what comes next, waiting for its time.
func (l *life) claims() string {
	l.t.Helper()
	step, at := l.r.Next()
	if d := at.Sub(l.w.clock.Now()); d > 0 {
		l.w.clock.pass(d)
	}
	l.w.tokens++
	token := fmt.Sprintf("claim-%d", l.w.tokens)
	now := l.w.clock.Now()
	l.does(rotation.Claim{Op: rotation.OpOf(step), Token: token, Real: now, LeaseUntil: now.Add(time.Minute)})
	return token
}

func (l *life) issues() *life {
	l.t.Helper()
	k := l.claims()
	now := l.w.clock.Now()
	return l.does(
		rotation.Begin{Token: k, Journal: rotation.Journal{Token: k, SecretARN: "arn:secret", SecretName: "keyturn/user"}},
		rotation.Creating{Token: k}, rotation.KeyCreated{Token: k, Key: "AKIANEWKEY00000001", Created: now},
		rotation.Stored{Token: k}, rotation.Verified{Token: k, At: now}, rotation.Issued{Token: k},
	)
}

func (l *life) deactivates(key rotation.KeyID) *life {
	l.t.Helper()
	return l.does(rotation.Deactivated{Token: l.claims(), Key: key})
}

func (l *life) deletes() *life {
	l.t.Helper()
	return l.does(rotation.Deleted{Token: l.claims(), Key: l.r.Old.ID})
}

func (l *life) restores(by rotation.Actor) *life {
	l.t.Helper()
	key := l.r.Old.ID
	if l.r.State == rotation.Evicting {
		key = l.r.Evict.ID
	}
	l.does(rotation.Restore{Actor: by})
	return l.does(rotation.Restored{Token: l.claims(), Key: key})
}

func (l *life) refused() *life {
	l.t.Helper()
	return l.does(rotation.GateRefused{Token: l.claims(), Blocks: []rotation.Block{{Why: rotation.BlockInUse, Sentence: "Key is in use."}}})
}

// reminds waits until it is time to remind people.
func (l *life) reminds() *life {
	l.t.Helper()
	_, at := l.r.Next()
	l.w.clock.pass(at.Sub(l.w.clock.Now()))
	return l.does(rotation.Remind{})
}

// told tells people as the rotator does, and keeps what it would save.
func (l *life) told() *life {
	l.t.Helper()
	if err := l.tells(); err != nil {
		l.t.Fatal(err)
	}
	return l
}

func (l *life) tells() error {
	l.t.Helper()
	now := l.w.clock.Now()
	l.w.tokens++
	claimed, err := l.r.WithTelling(fmt.Sprintf("tell-%d", l.w.tokens), now, now.Add(time.Minute), now)
	if err != nil {
		l.t.Fatal(err)
	}
	refs, err := l.w.notify.Tell(context.Background(), claimed)
	if err != nil {
		l.r = claimed.WithTellFailed(refs, now)
		return err
	}
	l.r = claimed.WithTold(claimed.PeopleSeq, refs, now)
	return nil
}

// notices and lines tell whole notices, which have a menu or the history's button, from lines that only say something.
func lines(ms []message) (n int) {
	for _, m := range ms {
		if len(m.actions) == 1 && m.actions[0] == templates.ActReview {
			n++
		}
	}
	return n
}

func notices(ms []message) (out []message) {
	for _, m := range ms {
		if m.thread == "" && !(len(m.actions) > 0 && m.actions[0] == templates.ActReview) {
			out = append(out, m)
		}
	}
	return out
}
