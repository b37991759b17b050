package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
)

// where says how many messages stand where, and how many mails went out.
type where struct{ Direct, Channel, Mails int }

func (w *world) where() where {
	return where{len(w.in(ann)), len(w.in(keys)), len(w.mail.to())}
}

func TestTellWhomWhere(t *testing.T) {
	as := func(change func(*approval.Person)) func(*world) {
		return func(w *world) { change(&w.people[0]) }
	}
	tests := []struct {
		name  string
		owner string
		world func(*world)
		want  where
	}{
		{"a member", annMail, nil, where{1, 0, 0}},
		{"a member, other spelling", "Ann@Example.com", nil, where{1, 0, 0}},
		{"a member by Slack ID", ann, nil, where{1, 0, 0}},
		{"a guest", annMail, as(func(p *approval.Person) { p.Guest = true }), where{0, 1, 1}},
		{"a guest by Slack ID, whose address Slack knows", ann, as(func(p *approval.Person) { p.Guest = true }), where{0, 1, 1}},
		{"somebody who left", annMail, as(func(p *approval.Person) { p.Deleted = true }), where{0, 1, 1}},
		{"somebody who left, by Slack ID", ann, as(func(p *approval.Person) { p.Deleted = true }), where{0, 1, 0}},
		{"a bot", ann, as(func(p *approval.Person) { p.Bot = true }), where{0, 1, 0}},
		{"an outsider", annMail, as(func(p *approval.Person) { p.Outside = true }), where{0, 1, 1}},
		{"of another team", annMail, as(func(p *approval.Person) { p.TeamID = "T9" }), where{0, 1, 1}},
		{"an address that Slack does not know", "nobody@example.com", nil, where{0, 1, 1}},
		{"an ID that Slack does not know", "U0NOBODY", nil, where{0, 1, 0}},
		{"something else", "team payments", nil, where{0, 1, 0}},
		{"several addresses at once", annMail + ", ben@example.com", nil, where{0, 1, 0}},
		{"nobody", "", nil, where{0, 1, 0}},
		{"a member whom Slack delivers nothing", annMail, func(w *world) {
			w.fail = func(method, about string) error {
				if method == "Post" && about == ann {
					return fmt.Errorf("messages_tab_disabled: %w", ErrNoUser)
				}
				return nil
			}
		}, where{0, 1, 1}},
		{"a member without direct messages", annMail, func(w *world) {
			w.fail = func(method, _ string) error {
				if method == "OpenDM" {
					return fmt.Errorf("user_disabled: %w", ErrNoUser)
				}
				return nil
			}
		}, where{0, 1, 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, func(o *Options) { o.Teams = []string{"T1"} })
			if tt.world != nil {
				tt.world(w)
			}
			l := w.due(t, tt.owner).told()
			if diff := cmp.Diff(tt.want, w.where()); diff != "" {
				t.Fatal(diff)
			}
			for _, m := range l.r.Messages {
				if m.Seq != l.r.PeopleSeq || !m.At.Equal(w.clock.Now()) {
					t.Errorf("recorded %+v", m)
				}
			}
			if n := tt.want.Direct + tt.want.Channel + tt.want.Mails; len(l.r.Messages) != n {
				t.Errorf("recorded %+v, want %d", l.r.Messages, n)
			}
		})
	}
}

func TestTellOthersThanTheOwner(t *testing.T) {
	slot := func(w *world, t *testing.T, second rotation.KeyStatus) *life {
		old, other := w.key(1, 95, rotation.Active), w.key(2, 40, second)
		if second == rotation.Active {
			other.LastUse = rotation.LastUse{Kind: rotation.UseSeen, At: w.clock.Now().Add(-30 * rotation.Day), Service: "s3", Region: "eu-west-1"}
		} else {
			other.InactiveSince = w.clock.Now().Add(-3 * rotation.Day)
		}
		return w.opens(t, annMail, user(1, old, other)).approve(annActor).does(rotation.BeginEvict{})
	}
	tests := []struct {
		name string
		life func(*world, *testing.T) *life
		want bool // in the channel too
	}{
		{"awaiting", func(w *world, t *testing.T) *life { return w.due(t, annMail) }, false},
		{"installing", func(w *world, t *testing.T) *life { return w.due(t, annMail).approve(annActor).issues() }, false},
		{"stuck", func(w *world, t *testing.T) *life {
			return w.due(t, annMail).does(rotation.GotStuck{Seen: "two of them"})
		}, true},
		{"leaked", func(w *world, t *testing.T) *life { return w.due(t, annMail).does(rotation.Leaked{Actor: benActor}) }, true},
		{"refused once", func(w *world, t *testing.T) *life { return w.due(t, annMail).approve(annActor).issues().refused() }, false},
		{"escalated", func(w *world, t *testing.T) *life {
			l := w.due(t, annMail).approve(annActor).issues()
			for range l.r.Policy.GateTries {
				l.refused()
			}
			return l
		}, true},
		{"deactivated", func(w *world, t *testing.T) *life {
			l := w.due(t, annMail).approve(annActor).issues()
			return l.deactivates(l.r.Old.ID)
		}, true},
		{"restored before anybody was told", func(w *world, t *testing.T) *life {
			l := w.due(t, annMail).approve(annActor).issues()
			return l.deactivates(l.r.Old.ID).restores(benActor)
		}, true},
		{"deactivated to make room", func(w *world, t *testing.T) *life {
			l := slot(w, t, rotation.Active)
			return l.deactivates(l.r.Evict.ID)
		}, true},
		{"about to make room", func(w *world, t *testing.T) *life { return slot(w, t, rotation.Active) }, false},
		{"inactive for long, makes room", func(w *world, t *testing.T) *life { return slot(w, t, rotation.Inactive) }, false},
		{"closed and nobody here heard of it", func(w *world, t *testing.T) *life {
			return w.due(t, "nobody@example.com").does(rotation.Reject{Actor: benActor})
		}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			tt.life(w, t).told()
			if got := len(w.in(keys)) > 0; got != tt.want {
				t.Fatalf("in the channel: %v, want %v", got, tt.want)
			}
		})
	}
}

func TestTellThoseWhoDecide(t *testing.T) {
	named := approval.Circle{Kind: approval.SlackUser, ID: ben}
	tests := []struct {
		name string
		rule anyRule
		want bool
	}{
		{"the owner", ownerRule, false},
		{"the owner or somebody named", anyRule{AnyOf: []approval.Circle{named, {Kind: approval.Owner}}, Required: 1}, false},
		{"somebody else", anyRule{AnyOf: []approval.Circle{named}, Required: 1}, true},
		{"two people", anyRule{AnyOf: ownerRule.AnyOf, Required: 2}, true},
		{"no rule", anyRule{}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, func(o *Options) { o.Rules = tt.rule })
			l := w.opens(t, annMail, user(1, w.key(1, 85, rotation.Active))).told()
			if n := len(w.in(keys)); n != 0 {
				t.Fatalf("only announced, and %d messages in the channel", n)
			}
			w.clock.pass(6 * rotation.Day)
			l.does(rotation.Due{}).told()
			if got := len(w.in(keys)) > 0; got != tt.want {
				t.Errorf("in the channel: %v, want %v", got, tt.want)
			}
			if len(notices(w.in(ann))) != 1 {
				t.Error("the owner was not told")
			}
		})
	}
}

// One message in each place follows the whole life, and a line is added when something must be noticed.
func TestTellFollowsALife(t *testing.T) {
	w := newWorld(t)
	l := w.opens(t, annMail, user(1, w.key(1, 85, rotation.Active))).told()
	steps := []struct {
		name            string
		do              func()
		direct, channel int // lines so far
	}{
		{"due", func() { w.clock.pass(6 * rotation.Day); l.does(rotation.Due{}) }, 1, 0},
		{"snoozed by the owner", func() { l.does(rotation.Snooze{Actor: annActor, For: rotation.Day}) }, 1, 0},
		{"awake again", func() { w.clock.pass(rotation.Day); l.does(rotation.Wake{}) }, 2, 0},
		{"reminded", func() { w.clock.pass(3 * rotation.Day); l.does(rotation.Remind{}) }, 3, 0},
		{"reminded again", func() { w.clock.pass(6 * rotation.Day); l.does(rotation.Remind{}) }, 4, 0},
		{"approved by somebody else", func() { l.approve(benActor) }, 4, 0},
		{"taken back by the owner", func() { l.does(rotation.Cancel{Actor: annActor}) }, 4, 0},
		{"approved, and taken back by somebody else", func() { l.approve(annActor).does(rotation.Cancel{Actor: benActor}) }, 5, 0},
		{"approved by the owner and issued at once", func() { l.approve(annActor).issues() }, 6, 0},
		{"refused for the first time", func() { l.refused() }, 7, 0},
		{"refused again", func() { l.refused() }, 7, 0},
		{"refused up to the day before", func() {
			for l.r.GateRefusals < l.r.Policy.GateTries-1 {
				l.refused()
			}
		}, 7, 0},
		{"refused as often as allowed", func() { l.refused() }, 8, 0},
		{"and once more", func() { l.refused() }, 8, 0},
		{"confirmed by the owner", func() { l.does(rotation.Confirm{Actor: annActor}) }, 8, 0},
		{"deactivated", func() { l.deactivates(l.r.Old.ID) }, 9, 1},
		{"restore asked for", func() { l.does(rotation.Restore{Actor: benActor}) }, 9, 1},
		{"restored", func() { l.does(rotation.Restored{Token: l.claims(), Key: l.r.Old.ID}) }, 10, 2},
		{"the hold is over", func() { w.clock.pass(15 * rotation.Day); l.does(rotation.Release{Actor: rotation.System}) }, 11, 3},
		{"the account cannot be reached", func() { l.does(rotation.Freeze{Why: "denied"}) }, 11, 3},
		{"it can again", func() { l.does(rotation.Thaw{}) }, 11, 3},
		{"stuck", func() { l.does(rotation.GotStuck{Seen: "a third key"}) }, 12, 4},
		{"sent on", func() { l.does(rotation.Retry{Actor: benActor}) }, 12, 4},
		{"deactivated again", func() { l.deactivates(l.r.Old.ID) }, 13, 5},
		{"deleted", func() { l.deletes() }, 14, 6},
	}
	inChannel := false
	for _, s := range steps {
		s.do()
		l.told()
		inChannel = inChannel || l.r.Escalated || l.r.State == rotation.Recovering
		if got := lines(w.in(ann)); got != s.direct {
			t.Fatalf("%s: %d lines to the owner, want %d", s.name, got, s.direct)
		}
		if got := lines(w.in(keys)); got != s.channel {
			t.Fatalf("%s: %d lines in the channel, want %d", s.name, got, s.channel)
		}
		for _, place := range []string{ann, keys} {
			ns := notices(w.in(place))
			if want := 1; place == ann && len(ns) != want || place == keys && len(ns) != btoi(inChannel) {
				t.Fatalf("%s: %d notices for %s", s.name, len(ns), place)
			}
			for _, m := range ns {
				if l.r.State == rotation.Recovering && l.r.Restore == nil != slices.Contains(m.actions, "restore") {
					t.Errorf("%s: for %s the buttons are %v", s.name, place, m.actions)
				}
				if l.r.State != rotation.Awaiting && slices.Contains(m.actions, "approve") {
					t.Errorf("%s: for %s a stale button: %v", s.name, place, m.actions)
				}
			}
		}
	}
	if n := len(w.mail.to()); n != 0 {
		t.Errorf("%d mails to somebody whom Slack reaches", n)
	}
	for _, m := range append(w.in(ann), w.in(keys)...) {
		if slices.Contains(m.actions, "approve") || slices.Contains(m.actions, "restore") {
			t.Errorf("a stale button in the end: %v", m.actions)
		}
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Whom Slack does not reach gets a mail for what matters, and none for the rest.
func TestTellMailsWhatMatters(t *testing.T) {
	w := newWorld(t)
	l := w.due(t, "nobody@example.com").told()
	mails := func(want int) {
		t.Helper()
		l.told()
		if got := len(w.mail.to()); got != want {
			t.Fatalf("%d mails, want %d", got, want)
		}
	}
	if n := len(w.mail.to()); n != 1 {
		t.Fatalf("%d mails for the first notice", n)
	}
	l.does(rotation.Freeze{Why: "denied"})
	mails(1)
	l.does(rotation.Thaw{})
	mails(1)
	l.approve(benActor)
	mails(1)
	l.issues()
	mails(2)
	l.refused()
	mails(3)
	l.refused()
	mails(3)
	l.does(rotation.Confirm{Actor: benActor}).deactivates(l.r.Old.ID)
	mails(4)
	l.deletes()
	mails(5)
	if got := len(notices(w.in(keys))); got != 1 {
		t.Errorf("%d notices in the channel", got)
	}
	first := w.mail.sent[0]
	if !strings.Contains(first.Subject, "decision needed") || !strings.Contains(first.Text, "stands in Slack") {
		t.Errorf("the first mail says:\n%s\n%s", first.Subject, first.Text)
	}
}

// The channel says whom Slack does not reach; a mail does not promise a message in Slack that is not there.
func TestTellSaysWhoWasNotReached(t *testing.T) {
	w := newWorld(t)
	w.fail = func(method, about string) error {
		if method == "Post" && about == keys {
			return fmt.Errorf("not_in_channel: %w", ErrNoChannel)
		}
		return nil
	}
	l := w.due(t, "nobody@example.com")
	if err := l.tells(); !errors.Is(err, ErrNoChannel) {
		t.Fatalf("got %v", err)
	}
	if len(w.mail.sent) != 1 || strings.Contains(w.mail.sent[0].Text, "stands in Slack") {
		t.Fatalf("mails: %+v", w.mail.sent)
	}
	o, err := w.notify.ownerOf(context.Background(), newCall(), l.r)
	if err != nil || !strings.Contains(w.notify.channel(o, l.r).help, "nobody@example.com. A mail tells them.") {
		t.Errorf("%q, %v", w.notify.channel(o, l.r).help, err)
	}
}
