package templates

import (
	"fmt"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/rotation"
)

// buttons are the ways on that the state of r allows, the likeliest first, and a menu of the rest.
func buttons(r rotation.Rotation, v View) []slack.BlockElement {
	value := ValueOf(r)
	var out []slack.BlockElement
	add := func(act, text string, style slack.Style, ask *slack.ConfirmationBlockObject) {
		if !May(r, act) || hidden(r, act) {
			return
		}
		b := button(act, text, value.Encode())
		if style == slack.StylePrimary && len(out) > 0 {
			style = slack.StyleDefault // one way stands out, not three
		}
		b.Style, b.Confirm = style, ask
		out = append(out, b)
	}
	add(ActRestore, "Restore", restoreStyle(r), askRestore(r))
	add(ActRetry, "Retry", slack.StylePrimary, nil)
	add(ActRelease, "Release", slack.StylePrimary, nil)
	if len(r.Choices) > 0 {
		out = append(out, choices(r, value)...)
	} else {
		add(ActApprove, approveText(r), slack.StylePrimary, askApprove(r))
	}
	add(ActConfirm, "New key is in use", slack.StylePrimary, nil)
	if r.Escalated {
		add(ActAnyway, "Deactivate anyway", slack.StyleDanger, nil) // its window says what that means, and asks why
	}
	add(ActSnooze, "Snooze", slack.StyleDefault, nil)
	add(ActExtend, "More time", slack.StyleDefault, nil)
	add(ActCancel, "Take approval back", slack.StyleDefault, nil)
	return append(out, menu(r, value))
}

// hidden keeps actions away that the state would allow but that make no sense beside what is under way.
func hidden(r rotation.Rotation, act string) bool {
	switch act {
	case ActSnooze:
		return r.Held != nil || r.Stuck != nil || !r.SnoozedUntil.IsZero()
	case ActConfirm, ActExtend:
		return r.Restore != nil || r.Stuck != nil || leaking(r)
	case ActHold:
		return r.Restore != nil || r.Stuck != nil
	case ActRetry: // it would give up the restoring
		return r.Stuck != nil && r.Stuck.Op == rotation.OpRestore && May(r, ActRestore)
	case ActAnyway:
		return !overruling(r)
	default:
		return false
	}
}

// choices are a button for each key that may go. Slack may cut a label after 30 characters, and the key is what tells them
// apart: the message says what happens if it goes.
func choices(r rotation.Rotation, value Value) []slack.BlockElement {
	if !May(r, ActApprove) {
		return nil
	}
	var out []slack.BlockElement
	for i, c := range r.Choices[:min(len(r.Choices), 5)] {
		v := value
		v.Pick = c.Remove
		key := clip(string(c.Remove), 40)
		text, ask, yes, after := "Remove "+key, "Remove this key?", "Remove it", "The other key stays, and no new key is issued."
		if c.Rotate != "" {
			ask, yes, after = "Remove this key first?", "Remove it first", fmt.Sprintf("Then key %s is replaced.", clip(string(c.Rotate), 40))
		}
		b := button(fmt.Sprintf("%s:%d", ActApprove, i), text, v.Encode())
		b.Confirm = confirm(ask, fmt.Sprintf("Key %s is deactivated as soon as it has been idle, and deleted later. %s", key, after), yes)
		out = append(out, b)
	}
	return out
}

func approveText(r rotation.Rotation) string {
	if r.Kind == rotation.Retire {
		return "Approve removal"
	}
	return "Approve"
}

// askApprove asks again where the approval takes a key away without a replacement for it.
func askApprove(r rotation.Rotation) *slack.ConfirmationBlockObject {
	name := Cut(userName(r), 64)
	switch {
	case r.Kind == rotation.Retire && r.LastActive && !isOff(r.Old):
		return confirm("Remove the last active key?", fmt.Sprintf("%s will have no working access key. Key %s is deactivated and later deleted; no new key is issued.", name, clip(string(r.Old.ID), 40)), "Remove it").WithStyle(slack.StyleDanger)
	case r.Kind == rotation.Retire && isOff(r.Old):
		return confirm("Remove this key?", fmt.Sprintf("Key %s of %s is inactive and will be deleted for good; no new key is issued.", clip(string(r.Old.ID), 40), name), "Remove it").WithStyle(slack.StyleDanger)
	case r.Kind == rotation.Retire:
		return confirm("Remove this key?", fmt.Sprintf("Key %s of %s is deactivated and later deleted; no new key is issued.", clip(string(r.Old.ID), 40), name), "Remove it").WithStyle(slack.StyleDanger)
	case waits(r):
		return confirm("Remove one key, replace the other?", fmt.Sprintf("Key %s of %s is removed to make room. Then key %s is replaced.", clip(string(r.Evict.ID), 40), name, clip(string(r.Old.ID), 40)), "Approve")
	default:
		return nil
	}
}

// leakedBack reports whether Restore would bring back the key that leaked.
func leakedBack(r rotation.Rotation) bool { return r.Leaked != nil && restored(r).ID == r.Old.ID }

func restoreStyle(r rotation.Rotation) slack.Style {
	if leakedBack(r) {
		return slack.StyleDanger
	}
	return slack.StylePrimary
}

func askRestore(r rotation.Rotation) *slack.ConfirmationBlockObject {
	if !leakedBack(r) {
		return nil // nothing may stand between somebody and a key that they need back
	}
	return confirm("Restore a leaked key?", fmt.Sprintf("Key %s was reported as leaked. Restored, it works again for whoever has it.", clip(string(r.Old.ID), 40)), "Restore it").WithStyle(slack.StyleDanger)
}

// menu is the overflow menu of what is needed less often. With one entry it is a button.
func menu(r rotation.Rotation, value Value) slack.BlockElement {
	var opts []*slack.OptionBlockObject
	for _, e := range []struct{ act, text string }{{ActReject, "Reject…"}, {ActExempt, "Exempt…"}, {ActHold, "Hold…"}, {ActAnyway, "Deactivate anyway…"}, {ActHistory, "History"}} {
		if !May(r, e.act) || hidden(r, e.act) || e.act == ActAnyway && r.Escalated {
			continue
		}
		if o, ok := option(e.act, e.text, value); ok {
			opts = append(opts, o)
		}
	}
	if len(opts) < 2 {
		return button(ActHistory, "History", value.Encode())
	}
	return slack.NewOverflowBlockElement(ActMore, opts...)
}
