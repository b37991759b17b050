package templates

import (
	"slices"

	"github.com/slack-go/slack"
)

// unreadText says that rotations were left out.
func unreadText(n int) string {
	return ":warning: " + count(n, "rotation") + " cannot be read and may be missing here: a newer version of keyturn wrote them, or they are damaged. The log of the bot names them."
}

// WithUnread adds to an answer that some rotations were left out of it.
func WithUnread(m Message, n int) Message {
	s := section(unreadText(n))
	if len(m.Blocks) == 0 {
		m.Blocks = []slack.Block{section(m.Text)}
	}
	// Slack refuses more blocks than this; a list never has that many.
	m.Blocks = append(slices.Clip(m.Blocks[:min(len(m.Blocks), mostBlocks-1)]), s)
	m.Text = aloudAll([]string{m.Text, unreadText(n)})
	return m
}
