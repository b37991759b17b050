package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/scheduler"
	"github.com/keyturn/keyturn/templates"
)

var (
	benCircle = approval.Circle{Kind: approval.SlackUser, ID: ben}
	group     = approval.Circle{Kind: approval.UserGroup, ID: "S0SECOPS01"}
	owners    = []approval.Circle{{Kind: approval.Owner}}
)

// threads are the replies below messages of a place.
func threads(ms []message) (all, calling int) {
	for _, m := range ms {
		if m.thread == "" {
			continue
		}
		all++
		if m.calls {
			calling++
		}
	}
	return all, calling
}

// One live message in each place, and its history in its thread: everything that people should know is there, and only what
// calls for them tells them.
func TestTheThreadHasTheHistory(t *testing.T) {
	w := newWorld(t)
	l := w.due(t, annMail).told()
	l.does(rotation.Snooze{Actor: annActor, For: rotation.Day, Why: "release"}).told()
	w.clock.pass(rotation.Day)
	l.does(rotation.Wake{}).told()
	l.approve(annActor).issues().told()
	l.deactivates(l.r.Old.ID).told()
	direct, channel := w.in(ann), w.in(keys)
	if n := len(notices(direct)); n != 1 {
		t.Errorf("%d live messages", n)
	}
	all, calling := threads(direct)
	if all != 4 || calling != 3 { // snoozed (her own), awake, issued, deactivated
		t.Errorf("%d replies, %d of which call", all, calling)
	}
	var said string
	for _, m := range direct {
		said += m.said + "\n"
	}
	for _, want := range []string{"Snoozed for 24 hours", "Approved", "New key issued", "Deactivated"} {
		if !strings.Contains(said, want) {
			t.Errorf("nobody is told %q:\n%s", want, said)
		}
	}
	if all, _ := threads(channel); all != 0 || len(channel) != 1 {
		t.Errorf("the channel has %d messages: it saw the deactivation first", len(channel))
	}
	l.restores(benActor).told()
	if _, calling := threads(w.in(keys)); calling != 1 {
		t.Error("the channel does not show that a key is active again")
	}
}

// The message was taken away between its update and its reply: a new one is posted.
func TestAThreadWithoutItsMessage(t *testing.T) {
	w := newWorld(t)
	l := w.due(t, annMail).told()
	w.after = func(method string) {
		if method == "Update" {
			w.msgs = nil
		}
	}
	l.does(rotation.Snooze{Actor: benActor, For: rotation.Day}).told()
	if n := len(notices(w.in(ann))); n > 1 {
		t.Errorf("%d messages", n)
	}
}

func TestEscalationReachesTheNextCircle(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.Rules = anyRule{AnyOf: owners, Required: 1, Escalate: []approval.Circle{benCircle, group, {Kind: approval.Email, ID: "left@example.com"}}}
	})
	w.people = append(w.people, approval.Person{SlackID: "U0LEFT", Email: "left@example.com", Known: true, Deleted: true})
	l := w.due(t, annMail).told()
	if len(w.in(ben))+len(w.in(keys)) != 0 {
		t.Fatal("others were asked at once")
	}
	w.clock.pass(10 * rotation.Day)
	l.does(rotation.Remind{}, l.r.Unanswered(w.clock.Now())).told()
	if len(notices(w.in(ben))) != 1 || len(notices(w.in(keys))) != 1 {
		t.Errorf("ben has %d, the channel %d", len(w.in(ben)), len(w.in(keys)))
	}
	if diff := cmp.Diff([]string{prodMail}, w.mail.to()); diff != "" || !strings.Contains(w.mail.sent[0].Text, "you own the account") {
		t.Fatalf("%s", diff)
	}
	if _, calling := threads(w.in(ann)); calling != 1 {
		t.Error("the owner does not hear of it")
	}
	l.reminds().told()
	if n := len(w.mail.to()); n != 1 {
		t.Errorf("the account's owner gets %d mails", n)
	}
	l.approve(benActor).told()
	for _, m := range append(w.in(ben), w.in(keys)...) {
		if slices.Contains(m.actions, "approve") {
			t.Error("a stale button")
		}
	}
	// Whom Slack cannot look up is tried again; everybody else has heard.
	w = newWorld(t, func(o *Options) {
		o.Rules = anyRule{AnyOf: owners, Required: 1, Escalate: []approval.Circle{benCircle}}
	})
	l = w.due(t, annMail).told()
	w.clock.pass(10 * rotation.Day)
	l.does(l.r.Unanswered(w.clock.Now()))
	w.fail = func(_, about string) error { return errOutageIf(about == ben) }
	if err := l.tells(); !errors.Is(err, errOutage) || len(notices(w.in(keys))) != 1 || len(w.mail.to()) != 1 {
		t.Fatalf("%v: channel %d, mails %d", err, len(w.in(keys)), len(w.mail.to()))
	}
	w.fail = nil
	l.told()
	if len(notices(w.in(ben))) != 1 || len(w.mail.to()) != 1 {
		t.Errorf("ben has %d, mails %d", len(w.in(ben)), len(w.mail.to()))
	}
}

func TestLeaksReachEverybodyWhomTheRuleNames(t *testing.T) {
	rule := anyRule{AnyOf: []approval.Circle{{Kind: approval.Owner}, {Kind: approval.AccountOwner}}, Required: 1, Escalate: []approval.Circle{group}, Leaked: []approval.Circle{benCircle}}
	w := newWorld(t, func(o *Options) { o.Rules = rule })
	w.people = append(w.people, member("U0PROD", prodMail))
	l := w.due(t, annMail).told()
	l.does(rotation.Leaked{Actor: benActor, Why: "on GitHub"}).told()
	for _, who := range []string{ann, ben, "U0PROD", keys} {
		if n := len(notices(w.in(who))); n != 1 {
			t.Errorf("%s has %d notices", who, n)
		}
	}
}

func TestBreakGlassIsAnnounced(t *testing.T) {
	w := newWorld(t)
	l := w.due(t, annMail).told()
	l.does(rotation.Approve{Actor: benActor, Digest: l.r.Digest(), Required: 1, BreakGlass: true, Why: "audit"}).told()
	if len(notices(w.in(keys))) != 1 {
		t.Error("the channel does not know")
	}
	if _, calling := threads(w.in(ann)); calling != 1 {
		t.Error("the owner is not called")
	}
}

func TestChannelsAreRouted(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.Channel = func(r rotation.Rotation) string {
			if strings.HasSuffix(string(r.UserID), "1") {
				return "C0OTHER"
			}
			return keys
		}
		o.DigestFrom = 2
	})
	w.opens(t, "nobody@example.com", user(1, w.key(1, 95, rotation.Active))).told()
	w.opens(t, "nobody@example.com", user(2, w.key(2, 95, rotation.Active))).told()
	if len(w.in("C0OTHER")) != 1 || len(w.in(keys)) != 1 {
		t.Fatalf("%d and %d", len(w.in("C0OTHER")), len(w.in(keys)))
	}
	w.msgs = nil
	var ids []rotation.ID
	for i := 11; i < 15; i++ {
		l := w.opens(t, fmt.Sprintf("nobody%d@example.com", i), user(i, w.key(i, 95, rotation.Active)))
		ids = append(ids, w.shelf.put(l.r))
		l = w.opens(t, fmt.Sprintf("nobody%d@example.com", i), user(i*10+1, w.key(i*10+1, 95, rotation.Active)))
		ids = append(ids, w.shelf.put(l.r))
	}
	if err := w.notify.Opened(context.Background(), ids); err != nil {
		t.Fatal(err)
	}
	if len(w.in("C0OTHER")) != 1 || len(w.in(keys)) != 1 {
		t.Fatalf("%d and %d: each channel has a digest of its own", len(w.in("C0OTHER")), len(w.in(keys)))
	}
}

// Whoever knows many of them already, and has live messages, hears of all the news in one digest.
func TestNewsOfManyIsOneDigest(t *testing.T) {
	w := newWorld(t)
	var lives []*life
	for i := range 6 {
		l := w.opens(t, annMail, user(i, w.key(i, 85, rotation.Active))).told()
		lives = append(lives, l)
	}
	if n := len(notices(w.in(ann))); n != 6 {
		t.Fatalf("%d notices, told one by one", n)
	}
	w.clock.pass(6 * rotation.Day)
	var ids []rotation.ID
	for _, l := range lives {
		l.does(rotation.Due{})
		ids = append(ids, w.shelf.put(l.r))
	}
	before := len(w.in(ann))
	if err := w.notify.Opened(context.Background(), ids); err != nil {
		t.Fatal(err)
	}
	if n := len(w.in(ann)) - before; n != 1 {
		t.Errorf("%d new messages", n)
	}
	for _, id := range ids {
		r := w.shelf.get(t, id)
		if r.Untold() || !refs(r.Messages).standing(ann) {
			t.Fatalf("%+v", r.Messages)
		}
	}
	for _, m := range notices(w.in(ann)) {
		if m.edits > 1 || m.edits == 0 && len(m.actions) > 0 && m.actions[0] != templates.ActReview {
			t.Errorf("%+v", m)
		}
	}
}

type askingForTime struct{ error }

func (e askingForTime) Unwrap() error        { return e.error }
func (askingForTime) RetryIn() time.Duration { return time.Hour }

// Slack's Retry-After is kept with the rotation, so that it survives a restart.
func TestRetryAfterIsKept(t *testing.T) {
	w := newWorld(t)
	l := w.due(t, annMail)
	id := w.shelf.put(l.r)
	w.fail = func(method, _ string) error {
		if method == "Post" {
			return askingForTime{errOutage}
		}
		return nil
	}
	if err := w.notify.Opened(context.Background(), []rotation.ID{id}); !errors.Is(err, errOutage) {
		t.Fatal(err)
	}
	if r := w.shelf.get(t, id); !r.TellAfter.Equal(w.clock.Now().Add(time.Hour)) || !r.Untold() {
		t.Errorf("told after %s", r.TellAfter)
	}
}

func TestRenewals(t *testing.T) {
	renewal := func(n int, owner string) scheduler.Renewal {
		return scheduler.Renewal{Owner: owner, AccountName: "Production", Exemption: rotation.Exemption{
			Account: "111122223333", UserID: rotation.UserID(fmt.Sprintf("AIDA%d", n)), UserName: rotation.UserName(fmt.Sprintf("user-%d", n)), Until: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}}
	}
	all := []scheduler.Renewal{renewal(1, annMail), renewal(2, annMail), renewal(3, "nobody@example.com"), renewal(4, ""), renewal(5, ben)}
	w := newWorld(t)
	told, err := w.notify.Renewals(context.Background(), all)
	if err != nil || len(told) != 5 {
		t.Fatal(len(told), err)
	}
	if len(w.in(ann)) != 1 || len(w.in(ben)) != 1 || len(w.in(keys)) != 1 || len(w.mail.to()) != 1 {
		t.Errorf("ann %d, ben %d, channel %d, mails %v", len(w.in(ann)), len(w.in(ben)), len(w.in(keys)), w.mail.to())
	}
	w = newWorld(t)
	w.fail = func(_, about string) error { return errOutageIf(about == ben) }
	told, err = w.notify.Renewals(context.Background(), all)
	if !errors.Is(err, errOutage) || len(told) != 4 {
		t.Errorf("%d told, %v", len(told), err)
	}
	w = newWorld(t)
	w.fail = func(method, about string) error {
		if method == "Post" && about == ann {
			return fmt.Errorf("messages_tab_disabled: %w", ErrNoUser)
		}
		return nil
	}
	if told, err = w.notify.Renewals(context.Background(), all[:2]); err != nil || len(told) != 2 || len(w.mail.to()) != 1 {
		t.Errorf("%d told, %v, mails %v", len(told), err, w.mail.to())
	}
}

// put keeps a rotation as it is.
func (s *shelf) put(r rotation.Rotation) rotation.ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.Version++
	s.all[r.ID] = r.Clone()
	return r.ID
}
