package templates

import (
	"strings"
	"unicode/utf8"

	"github.com/slack-go/slack"
)

// Message is a Slack message. Text is the fallback that notifications and screen readers use; it is never empty.
type Message struct {
	Text   string
	Blocks []slack.Block
}

// Mail is an e-mail, rendered twice.
type Mail struct {
	Subject string
	Text    string
	HTML    string
}

// Limits of Block Kit that a rendering has to keep (Slack, Block Kit reference).
const (
	mostSection = 3000
	mostField   = 2000
	mostHeader  = 150
	mostButton  = 75
	mostBlocks  = 50
	mostOption  = 150   // the value of an option
	mostText    = 3900  // an update takes 4,000 characters of text
	mostMessage = 13000 // all text of all blocks of a message
)

func header(s string) slack.Block {
	return slack.NewHeaderBlock(slack.NewTextBlockObject(slack.PlainTextType, Cut(s, mostHeader), false, false))
}

// mrkdwn is verbatim: Slack reads our marks, but makes no links or mentions of its own out of what users typed.
func mrkdwn(s string, most int) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.MarkdownType, fit(s, most), false, true)
}

// fit shortens mrkdwn of ours to at most n characters: it cuts no escape and no date in two, and closes what it opens.
func fit(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	const room = 3 // for an ellipsis and two marks
	s = string([]rune(s)[:n-room])
	if i := strings.LastIndexByte(s, '<'); i > strings.LastIndexByte(s, '>') {
		s = s[:i]
	}
	if i := strings.LastIndexByte(s, '&'); i > strings.LastIndexByte(s, ';') {
		s = s[:i]
	}
	last := s[strings.LastIndexByte(s, '\n')+1:]
	s += "…"
	if strings.Count(last, "`")%2 != 0 {
		s += "`"
		last += "`"
	}
	if strings.Count(uncoded(last), "*")%2 != 0 {
		s += "*"
	}
	return s
}

// uncoded is mrkdwn without its code, in which Slack formats nothing.
func uncoded(s string) string {
	parts := strings.Split(s, "`")
	for i := range parts {
		if i%2 == 1 && i < len(parts)-1 {
			parts[i] = ""
		}
	}
	return strings.Join(parts, "`")
}

func section(text string) slack.Block {
	return slack.NewSectionBlock(mrkdwn(text, mostSection), nil, nil)
}

// fieldsOf is a section of up to ten short texts in two columns.
func fieldsOf(texts ...string) slack.Block {
	var fields []*slack.TextBlockObject
	for _, t := range texts[:min(len(texts), 10)] {
		fields = append(fields, mrkdwn(t, mostField))
	}
	return slack.NewSectionBlock(nil, fields, nil)
}

// row is a section with one button beside it.
func row(text string, b slack.BlockElement) slack.Block {
	return slack.NewSectionBlock(mrkdwn(text, mostSection), nil, slack.NewAccessory(b))
}

func contextLine(text string) slack.Block {
	return slack.NewContextBlock("", mrkdwn(text, mostField))
}

func plain(s string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.PlainTextType, Cut(s, mostButton), false, false)
}

func button(action, text, value string) *slack.ButtonBlockElement {
	return slack.NewButtonBlockElement(action, value, plain(text))
}

// confirm is the dialog that asks again. Its text is plain, so that nothing in it can be formatted.
func confirm(title, text, yes string) *slack.ConfirmationBlockObject {
	return slack.NewConfirmationBlockObject(
		slack.NewTextBlockObject(slack.PlainTextType, Cut(title, 100), false, false),
		slack.NewTextBlockObject(slack.PlainTextType, Cut(text, 300), false, false),
		slack.NewTextBlockObject(slack.PlainTextType, Cut(yes, 30), false, false),
		slack.NewTextBlockObject(slack.PlainTextType, "Not now", false, false),
	)
}

// option is an entry of the overflow menu: its value is the action, a space and the encoded value. Slack allows 150
// characters; the digest is left out where they do not suffice, and ok is false where even that does not help.
func option(action, text string, v Value) (_ *slack.OptionBlockObject, ok bool) {
	value := action + " " + v.Encode()
	if len(value) > mostOption {
		v.Digest = ""
		value = action + " " + v.Encode()
	}
	if len(value) > mostOption {
		return nil, false
	}
	return slack.NewOptionBlockObject(value, plain(text), nil), true
}
