package templates

import (
	"fmt"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/rotation"
)

// AnswerGlass confirms an approval that counts alone.
func AnswerGlass(r rotation.Rotation) Message {
	m := AnswerDone(ActApprove, r)
	m.Text += " It counts alone, by break-glass, and is announced in the channel."
	m.Blocks = append(m.Blocks, section("It counts alone, by *break-glass*, and is announced in the channel."))
	return m
}

// GlassPlan shows what an approval would do, with buttons for one that counts alone in place of those for everybody else.
func GlassPlan(r rotation.Rotation, v View) []slack.Block {
	blocks := Notice(r, v).Blocks
	for i, b := range blocks {
		if _, ok := b.(*slack.ActionBlock); ok {
			blocks[i] = slack.NewActionBlock("", glassButtons(r)...)
		}
	}
	return blocks
}

// glassButtons are one for each plan to choose from, with labels that Slack does not cut. Their window says what that means,
// and asks why.
func glassButtons(r rotation.Rotation) []slack.BlockElement {
	value := ValueOf(r)
	if len(r.Choices) == 0 {
		return []slack.BlockElement{button(ActGlass, "Break glass: "+approveText(r), value.Encode()).WithStyle(slack.StyleDanger)}
	}
	var out []slack.BlockElement
	for i, c := range r.Choices[:min(len(r.Choices), 5)] {
		v := value
		v.Pick = c.Remove
		out = append(out, button(fmt.Sprintf("%s:%d", ActGlass, i), "Remove "+clip(string(c.Remove), 40), v.Encode()).WithStyle(slack.StyleDanger))
	}
	return out
}

// ModalGlass asks why somebody approves alone.
func ModalGlass(r rotation.Rotation, v Value) slack.ModalViewRequest {
	return modalForm(ActGlass, "Break glass", "Approve alone", r, v,
		planned(r, v)+" *You approve alone, whatever the rule asks of others.* It is announced in the channel, with your name and your reason.", modalWhy("Why?", false))
}
