package notify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

// calling counts what Slack tells people of: new messages, and replies that call somebody.
func calling(ms []message) (n int) {
	for _, m := range ms {
		if m.thread == "" || m.calls {
			n++
		}
	}
	return n
}

// escalating opens n rotations of ann, tells her one by one, and lets all of them go to the next circle.
func (w *world) escalating(t *testing.T, n int) []rotation.ID {
	t.Helper()
	var all []*life
	for i := range n {
		all = append(all, w.opens(t, annMail, user(i+1, w.key(i+1, 95, rotation.Active))).told())
	}
	w.clock.pass(10 * rotation.Day)
	var ids []rotation.ID
	for _, l := range all {
		l.does(rotation.Remind{}, l.r.Unanswered(w.clock.Now()))
		ids = append(ids, w.shelf.put(l.r))
	}
	return ids
}

// Whoever has to hear of many that were escalated gets one digest: the owner, the next circle, the channel, the account's owner.
func TestManyEscalationsAreOneDigestForEach(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.Rules = anyRule{AnyOf: owners, Required: 1, Escalate: []approval.Circle{benCircle, group}}
	})
	ids := w.escalating(t, 7)
	before := calling(w.in(ann))
	w.opened(t, ids...)
	w.allTold(t, ids)
	if n := calling(w.in(ann)) - before; n != 1 {
		t.Errorf("the owner is called %d times", n)
	}
	if ms := w.in(ben); len(ms) != 1 || rows(ms[0]) != 7 {
		t.Errorf("ben: %+v", ms)
	}
	if ms := w.in(keys); len(ms) != 1 || rows(ms[0]) != 7 || !strings.Contains(ms[0].said, "subteam^S0SECOPS01") || !strings.Contains(ms[0].said, "@U0BEN") {
		t.Errorf("the channel: %+v", ms)
	}
	if diff := cmp.Diff([]string{prodMail}, w.mail.to()); diff != "" || !strings.Contains(w.mail.sent[0].Text, "you own the account") || !strings.Contains(w.mail.sent[0].Subject, "7 access keys") {
		t.Errorf("mails: %s", diff)
	}
	w.opened(t, ids...)
	if n := calling(w.in(ben)) + calling(w.in(keys)) + len(w.mail.to()); n != 3 {
		t.Errorf("told again: %d", n)
	}
}

// Whom Slack does not let us write to is tried once, and keeps nobody from being told.
func TestManyEscalationsToSomebodyLost(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.Rules = anyRule{AnyOf: owners, Required: 1, Escalate: []approval.Circle{benCircle}}
	})
	ids := w.escalating(t, 5)
	tries := 0
	w.fail = func(method, about string) error {
		if method == "Post" && about == ben {
			tries++
			return fmt.Errorf("messages_tab_disabled: %w", ErrNoUser)
		}
		return nil
	}
	w.opened(t, ids...)
	w.allTold(t, ids)
	if tries != 1 || len(w.in(keys)) != 1 {
		t.Errorf("%d tries, %d messages in the channel", tries, len(w.in(keys)))
	}
}

// A mail address is no place for a flood either. What is new is listed by the mail about the account; what a tick finds later
// is one mail.
func TestManyMailsAreOne(t *testing.T) {
	w := newWorld(t)
	ids := w.many(t, 5, "nobody@example.com")
	w.opened(t, ids...)
	if n := len(w.mail.to()); n != 0 {
		t.Fatalf("%d mails beside the one about the account", n)
	}
	for _, id := range ids[:4] {
		w.live(t, id).reminds().saved()
	}
	w.opened(t, ids...)
	w.allTold(t, ids)
	if diff := cmp.Diff([]string{"nobody@example.com"}, w.mail.to()); diff != "" || !strings.Contains(w.mail.sent[0].Subject, "4 access keys") {
		t.Error(diff)
	}
	w.mail.fail["nobody@example.com"] = errOutage
	for _, id := range ids {
		w.live(t, id).reminds().saved()
	}
	if err := w.notify.Opened(context.Background(), ids); !errors.Is(err, errOutage) || strings.Count(err.Error(), "\n") != 0 {
		t.Fatalf("got %v", err)
	}
	delete(w.mail.fail, "nobody@example.com")
	w.opened(t, ids...)
	w.allTold(t, ids)
	if n := len(w.mail.to()); n != 2 {
		t.Errorf("%d mails", n)
	}
}

// What goes on by itself unless somebody objects has to be delivered: that another mail will list it is not enough.
func TestNoticesOfModeAutoAreDelivered(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.DefaultChannel = "" })
	ids := w.many(t, 4, "nobody@example.com")
	for _, id := range ids {
		l := w.live(t, id)
		l.r.Policy.Mode = rotation.ModeAuto
		l.saved()
	}
	w.opened(t, ids...)
	if diff := cmp.Diff([]string{"nobody@example.com"}, w.mail.to()); diff != "" {
		t.Fatal(diff)
	}
	for _, id := range ids {
		if r := w.shelf.get(t, id); r.NoticeAt.IsZero() {
			t.Errorf("%s: nobody was given notice: %+v", id, r.Messages)
		}
	}
}

// The process dies after the digest, before the live messages were updated: they are updated later, and call nobody again.
func TestNothingCallsTwiceAfterACrash(t *testing.T) {
	w := newWorld(t)
	var ids []rotation.ID
	var all []*life
	for i := range 4 {
		all = append(all, w.opens(t, annMail, user(i, w.key(i, 85, rotation.Active))).told())
	}
	w.clock.pass(6 * rotation.Day)
	for _, l := range all {
		ids = append(ids, w.shelf.put(l.does(rotation.Due{}).r))
	}
	before := calling(w.in(ann))
	dead := errors.New("the process is dead")
	w.fail = func(method, _ string) error {
		if method == "Update" {
			w.shelf.before = func(int, rotation.Rotation) error { return dead }
			return dead
		}
		return nil
	}
	if err := w.notify.Opened(context.Background(), ids); !errors.Is(err, dead) {
		t.Fatal(err)
	}
	w.fail, w.shelf.before = nil, nil
	w.clock.pass(lease + time.Second)
	w.opened(t, ids...)
	w.allTold(t, ids)
	if n := calling(w.in(ann)) - before; n != 1 {
		t.Errorf("called %d times", n)
	}
	for _, m := range notices(w.in(ann)) {
		if rows(m) == 0 && m.edits != 1 {
			t.Errorf("not brought up to date: %+v", m)
		}
	}
}

// How long Slack asked to be left alone is kept with each rotation of a digest that it refused.
func TestRetryAfterOfADigestIsKept(t *testing.T) {
	w := newWorld(t)
	ids := w.many(t, 5, annMail)
	w.fail = func(method, _ string) error {
		if method == "Post" {
			return askingForTime{errOutage}
		}
		return nil
	}
	if err := w.notify.Opened(context.Background(), ids); !errors.Is(err, errOutage) {
		t.Fatal(err)
	}
	for _, id := range ids {
		if r := w.shelf.get(t, id); !r.TellAfter.Equal(w.clock.Now().Add(time.Hour)) || !r.Untold() {
			t.Errorf("%s is told after %s", id, r.TellAfter)
		}
	}
}

// A circle of as many people as get messages of their own: nobody is forgotten and told anew.
func TestLargeCircleIsRemembered(t *testing.T) {
	rule := anyRule{AnyOf: owners, Required: 1}
	var extra []approval.Person
	for i := range mostAsked + 5 {
		id := fmt.Sprintf("U0CIRCLE%02d", i)
		rule.Escalate = append(rule.Escalate, approval.Circle{Kind: approval.SlackUser, ID: id})
		extra = append(extra, member(id, id+"@example.com"))
	}
	w := newWorld(t, func(o *Options) { o.Rules = rule })
	w.people = append(w.people, extra...)
	ids := w.escalating(t, 4)
	w.opened(t, ids...)
	l := w.live(t, ids[0])
	l.reminds().told().reminds().told()
	count := 0
	for _, p := range extra {
		if n := len(notices(w.in(p.SlackID))); n > 2 { // a digest, and then the notice of the one with news
			t.Errorf("%s has %d messages", p.SlackID, n)
		} else if n > 0 {
			count++
		}
	}
	if count != mostAsked {
		t.Errorf("%d people were asked", count)
	}
}

// Nobody can say who the owner is just now. A leak does not wait for that.
func TestLeakDuringAnOutage(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.Rules = anyRule{AnyOf: owners, Required: 1, Leaked: []approval.Circle{benCircle, group}}
	})
	l := w.due(t, annMail)
	l.does(rotation.Leaked{Actor: annActor, Why: "on GitHub"})
	w.fail = func(method, about string) error { return errOutageIf(method == "UserByEmail") }
	if err := l.tells(); !errors.Is(err, errOutage) {
		t.Fatal(err)
	}
	if len(w.in(ben)) != 1 || len(w.in(keys)) != 1 || !strings.Contains(w.in(keys)[0].said, "subteam^S0SECOPS01") {
		t.Errorf("ben %d, channel %+v", len(w.in(ben)), w.in(keys))
	}
	w.fail = nil
	l.told()
	if len(w.in(ann)) != 1 || len(w.in(ben)) != 1 || len(w.in(keys)) != 1 {
		t.Errorf("ann %d, ben %d, channel %d", len(w.in(ann)), len(w.in(ben)), len(w.in(keys)))
	}
}

// Two digests have rotations in common: each is saved by both, and a store that fails between them loses nothing.
func TestDigestsWithRotationsInCommon(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.Rules = anyRule{AnyOf: owners, Required: 1, Escalate: []approval.Circle{benCircle}}
	})
	ids := w.escalating(t, 4)
	full := fmt.Errorf("no space: %w", store.ErrFull)
	saves := 0
	w.shelf.before = func(_ int, r rotation.Rotation) error {
		if r.ID != ids[0] {
			return nil
		}
		if saves++; saves > 2 { // the claim and the save of the first digest
			return full
		}
		return nil
	}
	if err := w.notify.Opened(context.Background(), ids); !errors.Is(err, store.ErrFull) {
		t.Fatal(err)
	}
	w.allTold(t, ids[1:])
	if ms := w.in(ben); len(ms) != 1 || rows(ms[0]) != 3 {
		t.Errorf("ben: %+v", ms)
	}
	w.shelf.before = nil
	w.clock.pass(lease + time.Second)
	w.opened(t, ids...)
	w.allTold(t, ids)
	if n := calling(w.in(ben)); n != 2 {
		t.Errorf("ben was called %d times", n)
	}
}
