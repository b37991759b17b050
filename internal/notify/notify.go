// Package notify tells people what a rotation's state means for them: it picks recipients and channel, sends, and says what
// was sent where, so that it can be recorded. It reaches Slack and mail through the interfaces that it declares itself.
//
// It must not know any adapter, touch AWS, decide anything about a rotation, or write a word that people read: package
// templates does that. Whatever fails for one place or person never keeps another one from being told.
package notify

import (
	"crypto/rand"
	"log/slog"
	"time"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/scheduler"
	"github.com/keyturn/keyturn/templates"
)

// Options is what a Notifier needs.
type Options struct {
	Slack          Slack
	Mail           Mailer // nil: no mail goes out, and nobody counts as told by mail
	Templates      *templates.Mails
	Rules          approval.Rules
	Store          Store
	DefaultChannel string // Slack channel ID; empty: nothing is posted in a channel
	// Channel is the channel of a rotation, "" for none. nil: DefaultChannel for all of them.
	Channel    func(rotation.Rotation) string
	DigestFrom int      // so many notices at once for one recipient become one digest; 0: 3
	Teams      []string // workspaces whose members get direct messages; empty: only those whom Slack calls outsiders get none

	Now      func() time.Time // domain clock; nil: the real one
	Real     func() time.Time // protocol clock; nil: the real one
	NewToken func() string    // a fresh one for each claim; nil: random
	Lease    time.Duration    // how long a claim to tell people lasts, and then somebody else may; 0: a minute
	Log      *slog.Logger     // nil: nothing is logged
}

// Notifier tells people. It is safe for concurrent use and remembers nothing: what was told is in the rotations.
type Notifier struct {
	o   Options
	log *slog.Logger
}

var _ scheduler.Teller = (*Notifier)(nil)

// New returns a Notifier.
func New(o Options) *Notifier {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Real == nil {
		o.Real = time.Now
	}
	if o.NewToken == nil {
		o.NewToken = rand.Text
	}
	if o.Channel == nil {
		o.Channel = func(rotation.Rotation) string { return o.DefaultChannel }
	}
	if o.DigestFrom <= 0 {
		o.DigestFrom = digestFrom
	}
	if o.Lease <= 0 {
		o.Lease = lease
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Notifier{o: o, log: o.Log}
}

// view is what a rendering of r needs beside it in a place.
func (n *Notifier) view(r rotation.Rotation, p place) templates.View {
	s := approval.SubjectOf(r, nil)
	return templates.View{Now: n.o.Now(), Who: approval.Who(n.rule(r).At(s.Escalated), s), Help: p.help, For: p.call, Because: p.because}
}

// rule is who may decide by today's configuration. The zero rule, which lets nobody decide, if none matches.
func (n *Notifier) rule(r rotation.Rotation) approval.Rule {
	if n.o.Rules == nil {
		return approval.Rule{}
	}
	_, rule, ok := n.o.Rules.For(approval.TargetOf(r))
	if !ok {
		return approval.Rule{}
	}
	return rule
}
