package templates

import (
	"slices"
	"unicode/utf8"

	"github.com/slack-go/slack"
)

// shrunk makes blocks fit into one message: the longest texts lose their ends, as often as it takes. Names that were made to
// be long come to this; what people write does not.
func shrunk(blocks []slack.Block) []slack.Block {
	blocks = slices.Clone(blocks)
	for range 1000 {
		if size(blocks) <= mostMessage {
			break
		}
		at, most := -1, 0
		for i, b := range blocks {
			if s, ok := b.(*slack.SectionBlock); ok && s.Text != nil {
				if n := utf8.RuneCountInString(s.Text.Text); n > most {
					at, most = i, n
				}
			}
		}
		if at < 0 || most < 20 {
			break
		}
		s := *blocks[at].(*slack.SectionBlock)
		text := *s.Text
		text.Text = fit(text.Text, most*2/3)
		s.Text, blocks[at] = &text, &s
	}
	return blocks
}
