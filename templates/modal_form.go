package templates

import (
	"fmt"
	"time"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/rotation"
)

// The fields of modals: block_id and action_id alike.
const (
	FieldFor   = "for"
	FieldWhy   = "why"
	FieldUntil = "until"
)

// MostWhy is how many characters a reason may have in a modal.
const MostWhy = 500

const mostTitle = 24 // of a modal's title and buttons

func modalText(s string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.PlainTextType, Cut(s, mostTitle), false, false)
}

// modalOf shows a message in a window with nothing to fill in.
func modalOf(title string, m Message) slack.ModalViewRequest {
	return slack.ModalViewRequest{Type: slack.VTModal, Title: modalText(title), Close: modalText("Close"), Blocks: slack.Blocks{BlockSet: m.Blocks}}
}

// ModalAnswer shows an answer in a window.
func ModalAnswer(m Message) slack.ModalViewRequest { return modalOf("keyturn", m) }

// ModalWait is shown for the moment that an answer takes.
func ModalWait() slack.ModalViewRequest { return modalOf("keyturn", answer("One moment…")) }

// modalForm is a window for an action on a rotation. What it carries is what the button carried.
func modalForm(action, title, submit string, r rotation.Rotation, v Value, what string, fields ...slack.Block) slack.ModalViewRequest {
	blocks := append([]slack.Block{section(answerWhose(r) + "\n" + what)}, fields...)
	return slack.ModalViewRequest{
		Type: slack.VTModal, Title: modalText(title), Submit: modalText(submit), Close: modalText("Cancel"),
		Blocks: slack.Blocks{BlockSet: blocks}, PrivateMetadata: v.Encode(), CallbackID: action,
	}
}

func modalWhy(label string, optional bool) slack.Block {
	in := slack.NewPlainTextInputBlockElement(nil, FieldWhy)
	in.Multiline, in.MaxLength = true, MostWhy
	return slack.NewInputBlock(FieldWhy, plain(label), nil, in).WithOptional(optional)
}

// modalFor offers the times that are left of a budget, and none above it.
func modalFor(label string, b rotation.Budget, s rotation.Spent) slack.Block {
	var options []*slack.OptionBlockObject
	for _, d := range Durations(b.Left(s.Count, s.Total)) {
		options = append(options, slack.NewOptionBlockObject(rotation.FormatDuration(d), plain(modalSpan(d)), nil))
	}
	sel := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, nil, FieldFor, options...)
	if len(options) > 0 {
		sel.InitialOption = options[0]
	}
	hint := plain(fmt.Sprintf("Used so far: %d of %d times, %s of %s", s.Count, b.Count, span(s.Total), span(b.Total)))
	return slack.NewInputBlock(FieldFor, plain(label), hint, sel)
}

// Durations returns the times to choose from, shortest first, none longer than left and the last one all of it.
func Durations(left time.Duration) []time.Duration {
	left = left.Truncate(time.Minute)
	var out []time.Duration
	for _, n := range []int{1, 2, 3, 5, 7, 10, 14, 21, 30} {
		if d := time.Duration(n) * rotation.Day; d <= left {
			out = append(out, d)
		}
	}
	// What is offered must read back as the same or less: FormatDuration keeps two units.
	if last, err := rotation.ParseDuration(rotation.FormatDuration(left)); err == nil && last > 0 && (len(out) == 0 || out[len(out)-1] < last) {
		out = append(out, last)
	}
	return out
}

func modalSpan(d time.Duration) string {
	if d%rotation.Day == 0 {
		return count(int(d/rotation.Day), "day")
	}
	return rotation.FormatDuration(d)
}
