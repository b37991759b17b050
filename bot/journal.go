package bot

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/templates"
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
	noteOpened  = "opened" // a window
	notePage    = "page"   // of a list
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

// sorry notes that something could not be done, and returns the sentence that says why.
func (b *Bot) sorry(ctx context.Context, who approval.Person, what, why string) templates.Message {
	b.note(ctx, who, noteNotNow, what+": "+why)
	return templates.AnswerSentence(why)
}

// inTrouble is troubled for what ends in no history: the journal has that it was tried.
func (b *Bot) inTrouble(ctx context.Context, who approval.Person, what, failed string, err error) templates.Message {
	b.note(ctx, who, noteTrouble, what)
	return b.troubled(failed, err)
}

// asked is a command as the journal has it: its name and what it was about, as far as that was understood.
func asked(c Command) string {
	words := []string{c.Name, string(c.Key), typed(c.Target), c.Filter.String()}
	if c.For > 0 {
		words = append(words, rotation.FormatDuration(c.For))
	}
	if c.Page > 1 {
		words = append(words, strconv.Itoa(c.Page))
	}
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
}

// aName is what users, accounts and addresses look like, and secrets do not: the shortest of AWS has 40 characters.
var aName = regexp.MustCompile(`^[A-Za-z0-9+=,._-]{1,39}(@[A-Za-z0-9+=,._-]{1,60})?$`)

// typed is what a person typed as a name, if it can be nothing else.
func typed(s string) string {
	if s == "" || aName.MatchString(s) {
		return s
	}
	return "…"
}

// misread is a command that was not understood, as the journal has it: its name, if it has one.
func misread(text string) string {
	words := split(text)
	if len(words) == 0 {
		return "help"
	}
	if spec, ok := specOf(strings.ToLower(words[0])); ok {
		return spec.Name
	}
	return "a command that was not understood"
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
