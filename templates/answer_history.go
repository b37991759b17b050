package templates

import (
	"fmt"
	"strings"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/rotation"
)

// History is one page of what happened to a rotation, newest first.
type History struct {
	Rotation rotation.Rotation // the episode that is shown
	Entries  []rotation.Entry  // of this page, newest first
	Broken   string            // what is wrong with the chain; empty: nothing
	Earlier  []rotation.Rotation
	Page     int // from 1
	Pages    int
	Prev     string // values of the buttons; empty: no button
	Next     string
}

func (h History) lines() []string {
	head := fmt.Sprintf("*History* of %s, rotation %d of this user", answerWhose(h.Rotation), h.Rotation.Episode)
	if h.Broken != "" {
		head += "\n:warning: This history was changed or damaged: " + answerSentence(h.Broken) + " Tell whoever runs keyturn."
	}
	var entries []string
	for _, e := range h.Entries {
		entries = append(entries, answerEntry(e))
	}
	lines := []string{head, strings.Join(entries, "\n")}
	if len(h.Entries) == 0 {
		lines[1] = "Nothing is recorded."
	}
	if len(h.Earlier) > 0 && h.Page <= 1 {
		var earlier []string
		for _, r := range h.Earlier[:min(len(h.Earlier), 10)] {
			earlier = append(earlier, fmt.Sprintf("• rotation %d: %s, %s on %s", r.Episode, answerKey(r.Old.ID), Esc(string(r.Outcome)), answerMoment(r.ClosedAt)))
		}
		lines = append(lines, "Earlier ones of this user:\n"+strings.Join(earlier, "\n"))
	}
	if h.Pages > 1 {
		lines = append(lines, fmt.Sprintf("Page %d of %d", h.Page, h.Pages))
	}
	return lines
}

func answerEntry(e rotation.Entry) string {
	s := fmt.Sprintf("%s  %s  by %s", answerMoment(e.At), code(e.Event), esc(e.Actor.String(), 80))
	if e.From != e.To {
		from := string(e.From)
		if from == "" {
			from = "new"
		}
		s += fmt.Sprintf("  (%s → %s)", Esc(from), Esc(string(e.To)))
	}
	if e.Note != "" {
		s += ": " + esc(e.Note, 150)
	}
	return s
}

// AnswerHistory shows one page as a message.
func AnswerHistory(h History) Message {
	m := spoken(h.lines()...)
	if pager := answerPager(h.Prev, h.Next); pager != nil {
		m.Blocks = append(m.Blocks, pager)
	}
	return m
}

// ModalHistory shows one page as a window.
func ModalHistory(h History) slack.ModalViewRequest {
	return modalOf("History", AnswerHistory(h))
}
