package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/templates"
)

// ShortcutLeaked is the callback_id of the message shortcut that reports a leaked key.
const ShortcutLeaked = "report_leaked"

// token is what an access key's ID is made of. Whatever else stands beside it ends it: marks, quotes, small letters.
var token = regexp.MustCompile(`[A-Z0-9]{16,}`)

// shortcut serves a message shortcut: it finds the keys that a message names and asks which one is leaked. Nothing of the
// message is kept but where it stands: it may show a secret.
func (b *Bot) shortcut(ctx context.Context, body []byte, c slack.InteractionCallback) {
	p := placeOf(c)
	p.trigger = c.TriggerID
	if c.CallbackID != ShortcutLeaked {
		b.o.Log.Warn("shortcut not understood", "actor", p.user, "shortcut", templates.Cut(c.CallbackID, 40))
		b.note(ctx, approval.Person{SlackID: p.user}, noteUnknown, "a shortcut that this version does not know")
		b.say(ctx, p, templates.AnswerTrouble(templates.TroubleOldValue))
		return
	}
	who := b.person(ctx, p.user)
	if why := b.mayRead(who); why != "" {
		b.say(ctx, p, b.turnedAway(ctx, who, templates.ActLeaked, why))
		return
	}
	b.note(ctx, who, noteOpened, templates.ActLeaked)
	b.window(ctx, p, templates.ModalLeaked(keysIn(body), seenIn(c)))
}

// mostFound is how many keys of a message a person can choose from.
const mostFound = 20

// keysIn finds access key IDs in the message of a payload, each once: first those of its text, then those of blocks,
// attachments and whatever else has text. A message is decoded first, because in JSON the letter of an escape stands before
// what begins a line.
func keysIn(body []byte) (keys []rotation.KeyID) {
	var p struct {
		Message map[string]any `json:"message"`
	}
	if json.Unmarshal(body, &p) != nil {
		return nil
	}
	var look func(v any)
	look = func(v any) {
		switch v := v.(type) {
		case string:
			for _, m := range token.FindAllString(v, -1) {
				if id, err := rotation.ParseKeyID(m); err == nil && !slices.Contains(keys, id) && len(keys) < mostFound {
					keys = append(keys, id)
				}
			}
		case []any:
			for _, x := range v {
				look(x)
			}
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(v)) {
				look(v[name])
			}
		}
	}
	look(p.Message["text"])
	look(p.Message)
	return keys
}

// seenIn says where a message stands.
func seenIn(c slack.InteractionCallback) string {
	ts := c.MessageTs
	if ts == "" {
		ts = c.Message.Timestamp
	}
	if !channelID.MatchString(c.Channel.ID) || !messageTS.MatchString(ts) {
		return ""
	}
	return fmt.Sprintf("channel %s, message %s", c.Channel.ID, ts)
}

var (
	channelID = regexp.MustCompile(`^[CDG][A-Z0-9]{2,20}$`)
	messageTS = regexp.MustCompile(`^[0-9]{1,12}\.[0-9]{1,6}$`)
	seen      = regexp.MustCompile(`^channel [CDG][A-Z0-9]{2,20}, message [0-9]{1,12}\.[0-9]{1,6}$`)
)

// leakSubmitted serves the window of the shortcut.
func (b *Bot) leakSubmitted(ctx context.Context, w http.ResponseWriter, c slack.InteractionCallback) {
	bad := map[string]string{}
	var key, why string
	if s := c.View.State; s != nil {
		f := s.Values[templates.FieldKey][templates.FieldKey]
		if key = f.SelectedOption.Value; key == "" {
			key = f.Value
		}
		why = reasonIn(s.Values[templates.FieldWhy][templates.FieldWhy].Value)
	}
	id, err := rotation.ParseKeyID(strings.TrimSpace(key))
	if err != nil {
		bad[templates.FieldKey] = "This is no access key ID. It looks like AKIAIOSFODNN7EXAMPLE."
	}
	switch n := utf8.RuneCountInString(why); {
	case why == "":
		bad[templates.FieldWhy] = "Say where it was seen; others will read it in the history."
	case n > templates.MostWhy:
		bad[templates.FieldWhy] = fmt.Sprintf("Please use at most %d characters.", templates.MostWhy)
	}
	if len(bad) > 0 {
		b.note(ctx, approval.Person{SlackID: c.User.ID}, noteUsage, "the window of "+templates.ActLeaked)
		reply(w, slack.NewErrorsViewSubmissionResponse(bad))
		return
	}
	l := leak{key: id, why: why}
	if seen.MatchString(c.View.PrivateMetadata) { // Slack sends back what we drew, but anything may be drawn
		l.seen = c.View.PrivateMetadata
	}
	reply(w, instead(b.leaked(ctx, l, b.person(ctx, c.User.ID))))
}
