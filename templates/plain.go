package templates

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/slack-go/slack"
)

// Plain renders a message for a terminal: its sections and fields as text, its buttons as [Approve].
func Plain(m Message) string {
	if len(m.Blocks) == 0 {
		return unmark(m.Text) + "\n"
	}
	return PlainBlocks(m.Blocks)
}

// PlainBlocks renders blocks for a terminal, with an empty line between them.
func PlainBlocks(blocks []slack.Block) string {
	var out []string
	for _, b := range blocks {
		if s := plainBlock(b); s != "" {
			out = append(out, s)
		}
	}
	return strings.Join(out, "\n\n") + "\n"
}

func plainBlock(b slack.Block) string {
	switch b := b.(type) {
	case *slack.HeaderBlock:
		return "== " + b.Text.Text + " =="
	case *slack.SectionBlock:
		return plainSection(b)
	case *slack.ContextBlock:
		var out []string
		for _, e := range b.ContextElements.Elements {
			if t, ok := e.(*slack.TextBlockObject); ok {
				out = append(out, unmark(t.Text))
			}
		}
		return strings.Join(out, " ")
	case *slack.DividerBlock:
		return "----"
	case *slack.ActionBlock:
		var out []string
		for _, e := range b.Elements.ElementSet {
			out = append(out, plainElement(e))
		}
		return strings.Join(out, " ")
	case *slack.InputBlock:
		s := unmark(b.Label.Text) + ": " + plainElement(b.Element)
		if b.Hint != nil {
			s += "\n  " + unmark(b.Hint.Text)
		}
		return s
	case *slack.TableBlock:
		return plainTable(b)
	case *slack.DataVisualizationBlock:
		return plainChart(b)
	default:
		return fmt.Sprintf("(%s)", b.BlockType())
	}
}

func plainSection(b *slack.SectionBlock) string {
	var out []string
	if b.Text != nil {
		out = append(out, unmark(b.Text.Text))
	}
	for _, f := range b.Fields {
		name, text, ok := strings.Cut(unmark(f.Text), "\n")
		if !ok {
			out = append(out, name)
			continue
		}
		out = append(out, fmt.Sprintf("%-28s %s", name, text))
	}
	if b.Accessory != nil {
		if e := b.Accessory.ButtonElement; e != nil {
			out = append(out, plainElement(e))
		} else if e := b.Accessory.OverflowElement; e != nil {
			out = append(out, plainElement(e))
		}
	}
	return strings.Join(out, "\n")
}

func plainElement(e slack.BlockElement) string {
	switch e := e.(type) {
	case *slack.ButtonBlockElement:
		return "[" + e.Text.Text + "]" + asks(e.Confirm)
	case *slack.OverflowBlockElement:
		return "[More: " + optionTexts(e.Options) + "]" + asks(e.Confirm)
	case *slack.SelectBlockElement:
		return "[choose: " + optionTexts(e.Options) + "]"
	case *slack.RadioButtonsBlockElement:
		return "[choose: " + optionTexts(e.Options) + "]"
	case nil:
		return ""
	default:
		return "[" + string(e.ElementType()) + "]"
	}
}

func optionTexts(opts []*slack.OptionBlockObject) string {
	var out []string
	for _, o := range opts {
		out = append(out, o.Text.Text)
	}
	return strings.Join(out, " | ")
}

func asks(c *slack.ConfirmationBlockObject) string {
	if c == nil {
		return ""
	}
	return fmt.Sprintf(" (asks: %s %s)", c.Title.Text, c.Text.Text)
}

var (
	dateToken = regexp.MustCompile(`<!date\^[^|>]*\|([^>]*)>`)
	userToken = regexp.MustCompile(`<(?:@|!subteam\^)([A-Z0-9]+)>`)
	linkToken = regexp.MustCompile(`<[^|>]*\|([^>]*)>`)
	unmarker  = strings.NewReplacer("*", "", "\u2060", "", "&lt;", "<", "&gt;", ">", "&amp;", "&")
)

// unmark turns mrkdwn into text as a reader of Slack sees it.
func unmark(s string) string {
	s = dateToken.ReplaceAllString(s, "$1")
	s = userToken.ReplaceAllString(s, "@$1")
	s = linkToken.ReplaceAllString(s, "$1")
	return unmarker.Replace(s)
}
