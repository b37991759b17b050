package templates

import (
	"fmt"
	"slices"
	"time"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/rotation"
)

// ModalSnooze asks for how long a decision is put off.
func ModalSnooze(r rotation.Rotation, v Value) slack.ModalViewRequest {
	return modalForm(ActSnooze, "Snooze", "Snooze", r, v, "The decision is put off. You are asked again when that time is over.",
		modalFor("For how long?", r.Policy.Snooze, r.Snoozed), modalWhy("Why?", true))
}

// ModalHold asks for how long keyturn must do nothing, and why.
func ModalHold(r rotation.Rotation, v Value) slack.ModalViewRequest {
	return modalForm(ActHold, "Hold", "Hold", r, v, "keyturn takes no step of its own until the hold ends or somebody releases it.",
		modalFor("For how long?", r.Policy.Hold, r.HeldUsed), modalWhy("Why?", false))
}

// ModalExtend asks by how much the next step's date moves.
func ModalExtend(r rotation.Rotation, v Value) slack.ModalViewRequest {
	what := "The old key stays active for longer. As it stands, it is deactivated on " + answerDay(r.DeactivateAt) + "."
	if r.State == rotation.Recovering {
		what = "The old key can be restored for longer. As it stands, it is deleted on " + answerDay(r.DeleteAt) + "."
	}
	return modalForm(ActExtend, "Extend", "Extend", r, v, what, modalFor("By how much?", r.Policy.Extend, r.Extended), modalWhy("Why?", true))
}

// ModalReject asks why a rotation is rejected.
func ModalReject(r rotation.Rotation, v Value, now time.Time) slack.ModalViewRequest {
	return modalForm(ActReject, "Reject", "Reject", r, v,
		"Nothing happens to the key now. keyturn asks again on "+answerDay(now.Add(r.Policy.ReopenAfter))+".", modalWhy("Why?", false))
}

// ModalExempt asks until when a user is left alone, and why.
func ModalExempt(r rotation.Rotation, v Value, now time.Time) slack.ModalViewRequest {
	pick := slack.NewDatePickerBlockElement(FieldUntil)
	pick.InitialDate = answerDay(now.Add(min(30*rotation.Day, r.Policy.ExemptLongest)))
	hint := plain("At most until " + answerDay(now.Add(r.Policy.ExemptLongest)))
	return modalForm(ActExempt, "Exempt", "Exempt", r, v, "The user's keys are left alone until that day begins (UTC).",
		slack.NewInputBlock(FieldUntil, plain("Until when?"), hint, pick), modalWhy("Why?", false))
}

// ModalApprove asks for the reason that the approval rule wants.
func ModalApprove(r rotation.Rotation, v Value) slack.ModalViewRequest {
	return modalForm(ActApprove, "Approve", "Approve", r, v, planned(r, v)+" The rule asks for a reason.", modalWhy("Why?", false))
}

// planned says what an approval of the rotation does, with the choice that a button stands for.
func planned(r rotation.Rotation, v Value) string {
	what := "A new key is issued, and the old one is deactivated later."
	if r.Kind == rotation.Retire {
		what = "The key is removed without a replacement."
		if r.LastActive {
			what += " It is the last active one: the user is left without a working key."
		}
	}
	i := slices.IndexFunc(r.Choices, func(c rotation.Choice) bool { return c.Remove == v.Pick })
	switch {
	case i >= 0 && r.Choices[i].Rotate == "":
		what = answerKey(v.Pick) + " is removed. The other key stays, and no new key is issued."
	case v.Pick != "":
		what += " " + answerKey(v.Pick) + " is removed first."
	case r.Evict != nil:
		what += " " + answerKey(r.Evict.ID) + " is removed first."
	}
	return what
}

// ModalAnyway asks why a key is cut off although it is in use.
func ModalAnyway(r rotation.Rotation, v Value) slack.ModalViewRequest {
	k := leaving(r)
	seen, _ := teller{r: r, k: k}.gate()
	what := fmt.Sprintf("keyturn did not deactivate key %s:\n%s\n*Whatever still uses it stops working.* It can be restored for %s after that. Everything else that stands in the way still does.", answerKey(k.ID), seen, span(r.Policy.RecoveryGrace))
	return modalForm(ActAnyway, "Deactivate anyway", "Deactivate", r, v, what, modalWhy("Why may it be cut off?", false))
}
