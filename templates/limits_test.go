package templates

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/slack-go/slack"
)

// checkMessage fails unless Slack would take the message (Block Kit reference; figures in the package's limits).
func checkMessage(t testing.TB, m Message) {
	t.Helper()
	if strings.TrimSpace(m.Text) == "" || utf8.RuneCountInString(m.Text) > mostText {
		t.Errorf("the text has %d characters", utf8.RuneCountInString(m.Text))
	}
	if n := len(m.Blocks); n == 0 || n > mostBlocks {
		t.Errorf("%d blocks", n)
	}
	if n := size(m.Blocks); n > 13200 {
		t.Errorf("%d characters in all blocks", n)
	}
	for _, p := range problems(m.Blocks) {
		t.Error(p)
	}
}

// problems says what Slack would refuse in blocks.
func problems(blocks []slack.Block) []string {
	var out []string
	bad := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	text := func(where string, o *slack.TextBlockObject, most int) {
		if o == nil {
			return
		}
		if n := utf8.RuneCountInString(o.Text); n == 0 || n > most {
			bad("%s has %d characters, the most is %d: %.80q", where, n, most, o.Text)
		}
		if err := o.Validate(); err != nil {
			bad("%s: %v", where, err)
		}
	}
	ask := func(c *slack.ConfirmationBlockObject) {
		if c != nil {
			text("confirm title", c.Title, 100)
			text("confirm text", c.Text, 300)
			text("confirm button", c.Confirm, 30)
			text("deny button", c.Deny, 30)
		}
	}
	element := func(e slack.BlockElement, ids map[string]bool) {
		id := ""
		switch e := e.(type) {
		case *slack.ButtonBlockElement:
			id = e.ActionID
			text("button", e.Text, mostButton)
			if len(e.Value) > 2000 {
				bad("a button's value has %d characters", len(e.Value))
			}
			ask(e.Confirm)
			if _, err := ParseValue(e.Value); err != nil {
				bad("button %s: %v", id, err)
			}
		case *slack.OverflowBlockElement:
			id = e.ActionID
			if n := len(e.Options); n < 2 || n > 5 {
				bad("an overflow menu with %d options", n)
			}
			for _, o := range e.Options {
				text("option", o.Text, mostButton)
				if len(o.Value) > mostOption {
					bad("an option's value has %d characters", len(o.Value))
				}
				_, v, _ := strings.Cut(o.Value, " ")
				if _, err := ParseValue(v); err != nil {
					bad("option %s: %v", o.Value, err)
				}
			}
			ask(e.Confirm)
		}
		if id == "" || len(id) > 255 || ids[id] {
			bad("action_id %q is empty, too long or there twice", id)
		}
		ids[id] = true
	}
	for _, b := range blocks {
		ids := map[string]bool{}
		switch b := b.(type) {
		case *slack.HeaderBlock:
			text("header", b.Text, mostHeader)
		case *slack.SectionBlock:
			text("section", b.Text, mostSection)
			if b.Text == nil && len(b.Fields) == 0 || len(b.Fields) > 10 {
				bad("a section with %d fields", len(b.Fields))
			}
			for _, f := range b.Fields {
				text("field", f, mostField)
			}
			if b.Accessory != nil && b.Accessory.ButtonElement != nil {
				element(b.Accessory.ButtonElement, ids)
			}
		case *slack.InputBlock:
			text("label", b.Label, 2000)
			text("hint", b.Hint, 2000)
			if sel, ok := b.Element.(*slack.SelectBlockElement); ok {
				if len(sel.Options) == 0 || len(sel.Options) > 100 {
					bad("a choice of %d", len(sel.Options))
				}
				for _, o := range sel.Options {
					text("option", o.Text, mostButton)
				}
			}
		case *slack.ContextBlock:
			if n := len(b.ContextElements.Elements); n < 1 || n > 10 {
				bad("a context with %d elements", n)
			}
			for _, e := range b.ContextElements.Elements {
				if o, ok := e.(*slack.TextBlockObject); ok {
					text("context", o, mostField)
				}
			}
		case *slack.ActionBlock:
			if n := len(b.Elements.ElementSet); n < 1 || n > 25 {
				bad("%d elements in actions", n)
			}
			for _, e := range b.Elements.ElementSet {
				element(e, ids)
			}
		}
	}
	return out
}
