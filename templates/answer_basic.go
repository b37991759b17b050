package templates

import (
	"fmt"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
)

// AnswerSentence says one sentence. Everything in it is escaped.
func AnswerSentence(s string) Message { return answer(answerSentence(s)) }

// AnswerDone confirms a decision that took effect, with what happens next.
func AnswerDone(action string, r rotation.Rotation) Message {
	if action == ActApprove && (r.State == rotation.Awaiting || r.State == rotation.Upcoming) {
		return answer(fmt.Sprintf("Your approval for %s counts. It takes more people.", answerWhose(r)))
	}
	return answer(fmt.Sprintf("%s %s. %s", answerDid(action, r), answerWhose(r), answerNext(action, r)))
}

// answerDid begins the confirmation of an action; the key follows.
func answerDid(action string, r rotation.Rotation) string {
	switch action {
	case ActApprove:
		if r.Kind == rotation.Retire {
			return "You approved the removal of"
		}
		return "You approved the rotation of"
	case ActSnooze:
		return "You snoozed"
	case ActReject:
		return "You rejected the rotation of"
	case ActExempt:
		return "You exempted the user of"
	case ActHold:
		return "You put a hold on"
	case ActRelease:
		return "You ended the hold on"
	case ActConfirm:
		return "You confirmed that the new key is in use, in place of"
	case ActExtend:
		return "You extended the time for"
	case ActRestore:
		return "You asked to restore"
	case ActRetry:
		return "You asked to try again with"
	case ActAnyway:
		return "You decided to deactivate, although it is in use, the key"
	case ActCancel:
		return "You took the approval back for"
	default:
		return "Noted for"
	}
}

func answerNext(action string, r rotation.Rotation) string {
	switch action {
	case ActReject:
		return "It may come up again from " + answerDay(r.ReopenAt) + " on."
	case ActExempt:
		return "The user is left alone until " + answerDay(r.ReopenAt) + "."
	case ActHold:
		if r.Held != nil {
			return "keyturn does nothing with it until " + answerDay(r.Held.Until) + ", unless somebody releases it."
		}
	case ActRestore:
		if r.Frozen != nil {
			return "keyturn cannot reach the account now; it restores the key first as soon as it can."
		}
		return "It is being restored; this takes a minute. The message says when it is done."
	case ActConfirm:
		return "The old key is deactivated from " + answerDay(r.DeactivateAt) + " on, once it has been idle for " + span(r.Quiet()) + "."
	case ActAnyway:
		return "It is deactivated within minutes, if nothing but its use stands in the way. It can be restored for " + span(r.Policy.RecoveryGrace) + "."
	}
	return answerState(r)
}

// AnswerRefused says that the person may not decide, why, and who could.
func AnswerRefused(r rotation.Rotation, v approval.Verdict) Message {
	return answer(fmt.Sprintf(":no_entry: Nothing was changed for %s.\n%s\nWho can: %s.", answerWhose(r), answerSentence(v.Why), mention(esc(v.Who, 400))))
}

// AnswerStranger says why somebody may not even read.
func AnswerStranger(why string) Message { return answer(":no_entry: " + answerSentence(why)) }

// AnswerNotNow says why the state of a rotation does not allow what was asked.
func AnswerNotNow(r rotation.Rotation, sentence string) Message {
	return answer(fmt.Sprintf("Nothing was changed for %s.\n%s", answerWhose(r), answerSentence(sentence)))
}

// AnswerStale says that a button belongs to something that has changed.
func AnswerStale(r rotation.Rotation) Message {
	return answer("This message was out of date, so nothing was changed. The plan for " + answerWhose(r) + " has changed since; look at the refreshed message and decide again.")
}

// AnswerEarlier says that a button belongs to an earlier rotation of the same user. It also takes that message's place.
func AnswerEarlier(r rotation.Rotation) Message {
	return answer(fmt.Sprintf("This message was about an earlier rotation of *%s* in %s. Nothing was changed. `/keys status %s` shows the present one.",
		answerName(r.UserName), answerWhere(r.Account, r.AccountName), esc(string(r.Old.ID), 150)))
}

// Trouble is what keeps keyturn from answering. None of it tells internals.
type Trouble string

// The troubles.
const (
	TroubleBusy     Trouble = "busy"     // the store is locked
	TroubleFull     Trouble = "full"     // the store cannot write
	TroubleNewer    Trouble = "newer"    // written by a newer version
	TroubleCrowd    Trouble = "crowd"    // too many people at once
	TroubleSlow     Trouble = "slow"     // no time left; a save may or may not have happened
	TroubleUnknown  Trouble = "unknown"  // anything else
	TroubleGone     Trouble = "gone"     // the rotation is not there
	TroubleOldValue Trouble = "oldvalue" // a button that this version cannot read
)

// AnswerTrouble says what to do about trouble of keyturn's own.
func AnswerTrouble(t Trouble) Message {
	switch t {
	case TroubleBusy:
		return answer("keyturn's store is busy. Nothing was changed; try again in a minute.")
	case TroubleFull:
		return answer("keyturn cannot save anything: its disk is full. Nothing was changed; tell whoever runs keyturn.")
	case TroubleNewer:
		return answer("This was written by a newer version of keyturn than the one that answers you. Nothing was changed; tell whoever runs keyturn.")
	case TroubleCrowd:
		return answer("Many people are deciding on this key at once, and your decision did not get through. Look at the message and try again.")
	case TroubleSlow:
		return answer("That took too long, and keyturn cannot say whether it was saved. Look at the message in a minute before you try again.")
	case TroubleGone:
		return answer("keyturn does not know this rotation any more. Nothing was changed; `/keys status` shows what there is.")
	case TroubleOldValue:
		return answer("This button is from another version of keyturn. Nothing was changed; use `/keys help` instead.")
	default:
		return answer("Something went wrong inside keyturn, and it was noted in its log. Nothing was changed as far as keyturn knows; try again in a minute.")
	}
}
