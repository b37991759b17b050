package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/templates"
)

// submission serves a filled-in window. What is wrong with a field is said in the field; everything else takes the
// window's place. The decision is saved before the ack.
func (b *Bot) submission(ctx context.Context, w http.ResponseWriter, c slack.InteractionCallback) {
	action := c.View.CallbackID
	if action == templates.ActLeaked {
		b.leakSubmitted(ctx, w, c)
		return
	}
	v, err := templates.ParseValue(c.View.PrivateMetadata)
	if err != nil || v.Episode < 1 && action != templates.ActRenew {
		b.unknownWindow(ctx, w, c)
		return
	}
	if _, ok := decisionOn(action, v.ID, approval.Person{}, wish{}); !ok && action != templates.ActRenew {
		b.unknownWindow(ctx, w, c)
		return
	}
	wsh, bad := filled(action, c.View.State)
	if len(bad) > 0 {
		b.note(ctx, approval.Person{SlackID: c.User.ID}, noteUsage, "the window of "+action)
		reply(w, slack.NewErrorsViewSubmissionResponse(bad))
		return
	}
	if action == templates.ActRenew {
		b.renewSubmitted(ctx, w, c, v, wsh)
		return
	}
	wsh.pick, wsh.shown = v.Pick, v.Digest
	who := b.person(ctx, c.User.ID)
	var out outcome
	if action == templates.ActExempt {
		out = b.exemptRotation(ctx, v.ID, v.Episode, who, wsh)
	} else {
		d, _ := decisionOn(action, v.ID, who, wsh)
		d.episode = v.Episode
		out = b.decide(ctx, d)
	}
	if field := fieldOf(action, out); field != "" {
		reply(w, slack.NewErrorsViewSubmissionResponse(map[string]string{field: capital(out.why.Error())}))
		return
	}
	reply(w, instead(b.whole(out)))
}

// unknownWindow answers a window that this version does not know.
func (b *Bot) unknownWindow(ctx context.Context, w http.ResponseWriter, c slack.InteractionCallback) {
	b.o.Log.Warn("window not understood", "actor", c.User.ID, "action", templates.Cut(c.View.CallbackID, 40))
	b.note(ctx, approval.Person{SlackID: c.User.ID}, noteUnknown, "a window that this version does not know")
	reply(w, instead(templates.AnswerTrouble(templates.TroubleOldValue)))
}

// fieldOf is the field that a refusal is about, or "" if it is about none.
func fieldOf(action string, out outcome) string {
	if out.ending != refused {
		return ""
	}
	code := rotation.Refused(out.why)
	switch action {
	case templates.ActSnooze, templates.ActHold, templates.ActExtend:
		if code == rotation.OverBudget || code == rotation.Invalid {
			return templates.FieldFor
		}
	case templates.ActExempt:
		if code == rotation.OverBudget || code == rotation.Invalid {
			return templates.FieldUntil
		}
	}
	if out.why == error(errNoWhy) {
		return templates.FieldWhy
	}
	return ""
}

// filled reads the fields that a window of the action has. bad names what is wrong, by field.
func filled(action string, state *slack.ViewState) (w wish, bad map[string]string) {
	bad = map[string]string{}
	field := func(id string) slack.BlockAction {
		if state == nil {
			return slack.BlockAction{}
		}
		return state.Values[id][id]
	}
	w.why = reasonIn(field(templates.FieldWhy).Value)
	switch action {
	case templates.ActReject, templates.ActHold, templates.ActExempt, templates.ActRenew, templates.ActAnyway, templates.ActApprove, templates.ActGlass:
		if w.why == "" {
			bad[templates.FieldWhy] = "Say why; others will read it in the history."
		}
	}
	if utf8.RuneCountInString(w.why) > templates.MostWhy {
		bad[templates.FieldWhy] = fmt.Sprintf("Please use at most %d characters.", templates.MostWhy)
	}
	switch action {
	case templates.ActSnooze, templates.ActHold, templates.ActExtend:
		d, err := rotation.ParseDuration(field(templates.FieldFor).SelectedOption.Value)
		if err != nil || d <= 0 {
			bad[templates.FieldFor] = "Choose one of these times."
		}
		w.in = d
	case templates.ActExempt, templates.ActRenew:
		t, err := time.Parse("2006-01-02", field(templates.FieldUntil).SelectedDate)
		if err != nil {
			bad[templates.FieldUntil] = "Choose a day."
		}
		w.until = t
	}
	return w, bad
}

// reasonIn is what is left of a reason without invisible characters and space around it.
func reasonIn(s string) string { return strings.TrimSpace(templates.Clean(s)) }

// instead puts an answer in the window's place.
func instead(m templates.Message) *slack.ViewSubmissionResponse {
	view := templates.ModalAnswer(m)
	return slack.NewUpdateViewSubmissionResponse(&view)
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(v) // a broken connection: Slack shows that by itself
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}
