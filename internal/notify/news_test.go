package notify

import (
	"testing"

	"github.com/keyturn/keyturn/internal/rotation"
)

func TestNews(t *testing.T) {
	issued := func(l *life) { l.approve(annActor).issues() }
	tests := []struct {
		name   string
		before func(*life)
		since  func(*life)
		reader rotation.Actor
		want   bool
	}{
		{"nothing", nil, func(*life) {}, annActor, false},
		{"a refusal of a person", nil, func(l *life) { l.does(rotation.Denied{Actor: benActor, What: "approve"}) }, annActor, false},
		{"a step that failed and is tried again", issued, func(l *life) {
			l.does(rotation.Failed{Token: l.claims(), Op: rotation.OpDeactivate, Error: "Throttling"})
		}, annActor, false},
		{"a step that failed and is tried again, after something of no weight", issued, func(l *life) {
			l.does(rotation.Confirm{Actor: annActor})
			l.does(rotation.Failed{Token: l.claims(), Op: rotation.OpDeactivate, Error: "Throttling"})
		}, annActor, false},
		{"a step that failed too often", issued, func(l *life) {
			for range rotation.MaxAttempts {
				l.does(rotation.Failed{Token: l.claims(), Op: rotation.OpDeactivate, Error: "Throttling"})
			}
		}, annActor, true},
		{"missed once", nil, func(l *life) {
			l.does(rotation.Absent{What: "the user"}, rotation.Snooze{Actor: annActor, For: rotation.Day})
		}, annActor, false},
		{"gone", nil, func(l *life) {
			l.does(rotation.Absent{What: "the user"})
			l.w.clock.pass(rotation.GoneWait)
			l.does(rotation.Absent{What: "the user"})
		}, annActor, true},
		{"many quiet events hide nothing", nil, func(l *life) { l.approve(benActor).issues() }, annActor, true},
		{"news, then something of no weight", nil, func(l *life) { l.approve(annActor).issues().does(rotation.Confirm{Actor: annActor}) }, annActor, true},
		{"what was news before", issued, func(l *life) { l.does(rotation.Confirm{Actor: annActor}) }, annActor, false},
		{"rejected by another", nil, func(l *life) { l.does(rotation.Reject{Actor: benActor}) }, annActor, true},
		{"rejected by the reader", nil, func(l *life) { l.does(rotation.Reject{Actor: annActor}) }, annActor, false},
		{"rejected by the reader, by mail", nil, func(l *life) {
			l.does(rotation.Reject{Actor: rotation.Actor{ID: annMail, Email: annMail, Via: rotation.ViaMail}})
		}, annActor, false},
		{"rejected by somebody, for a channel", nil, func(l *life) { l.does(rotation.Reject{Actor: annActor}) }, rotation.Actor{}, true},
		{"released by a person", func(l *life) { l.does(rotation.HoldOn{Actor: annActor, For: rotation.Day}) }, func(l *life) { l.does(rotation.Release{Actor: benActor}) }, annActor, false},
		{"both refusals at once", issued, func(l *life) { l.refused().refused() }, annActor, true},
		{"another plan", nil, func(l *life) {
			s := subject("ben@example.com", user(1, l.w.key(1, 95, rotation.Active)))
			q := rotation.Plan(s.User, s.Policy, nil, false, l.w.clock.Now())
			l.does(rotation.Replan{Subject: s, Proposal: q[0]})
		}, annActor, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newWorld(t).due(t, annMail)
			if tt.before != nil {
				tt.before(l)
			}
			shown := l.r.PeopleSeq
			tt.since(l)
			if got := news(l.r, shown, tt.reader); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
