package bot

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

// What ends in no rotation's history is written down too: who asked for what, what was refused, which button was too old.
// Each person has a chain for each month, so that nobody waits for anybody. What people type is not written down, but for
// the reasons of decisions: a secret may have been pasted.

// Events of the journal beside the names of actions.
const (
	noteRead    = "read"
	noteRefused = "refused"
	noteNotNow  = "not_now"
	noteStale   = "stale"
	noteUsage   = "usage"
	noteUnknown = "unknown"
	noteTrouble = "trouble"
)

var slackUser = regexp.MustCompile(`^[A-Z0-9]{1,40}$`)

// chainOf is the chain of a person at a time.
func chainOf(id string, at time.Time) string {
	if !slackUser.MatchString(id) {
		id = "unknown"
	}
	return "person/" + id + "/" + at.UTC().Format("2006-01")
}

// note writes an entry into the person's chain, after the acknowledgement. The same one within a minute is written once.
// What cannot be written is in the log, and changes no answer.
func (b *Bot) note(ctx context.Context, who approval.Person, event, text string) {
	by := rotation.Actor{ID: clean(who.SlackID), Name: clean(who.Name), Email: clean(who.Email), Via: rotation.ViaSlack}
	b.afterAck(ctx, func(ctx context.Context) {
		if err := b.append(ctx, by, event, clean(text)); err != nil {
			b.o.Log.Error("not written into the journal", "actor", by.ID, "event", event, "error", err.Error())
		}
	})
}

func clean(s string) string {
	const most = 300
	s = strings.ToValidUTF8(s, "�")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return s
}

func (b *Bot) append(ctx context.Context, by rotation.Actor, event, text string) error {
	chain := chainOf(by.ID, b.o.Now())
	var err error
	for try := range mostTries {
		var prev *rotation.Entry
		last, lerr := b.o.Store.LastEntry(ctx, chain)
		switch {
		case lerr == nil:
			prev = &last
		case !errors.Is(lerr, store.ErrNotFound):
			return lerr
		}
		now := b.o.Now()
		if prev != nil && prev.Event == event && prev.Note == text && now.Sub(prev.At) < time.Minute {
			return nil
		}
		err = b.o.Store.AppendEntry(ctx, chain, rotation.NewEntry(prev, now, by, event, text))
		if !errors.Is(err, store.ErrConflict) || !pause(ctx, try) {
			return err
		}
	}
	return err
}
