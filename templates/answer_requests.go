package templates

import (
	"fmt"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
)

func answerUserAt(s rotation.Snapshot, u rotation.User) string {
	return fmt.Sprintf("*%s* in %s", answerName(u.Name), answerWhere(s.Account, s.Name))
}

// AnswerRequested confirms that a rotation was asked for.
func AnswerRequested(s rotation.Snapshot, u rotation.User) Message {
	return answer("You asked for the rotation of " + answerUserAt(s, u) + ". keyturn looks at the user's keys and then asks those who may approve it.")
}

// AnswerRequestedBefore says that somebody asked for the same already.
func AnswerRequestedBefore(s rotation.Snapshot, u rotation.User, q rotation.Request) Message {
	return answer(fmt.Sprintf("The rotation of %s was asked for already, by %s on %s. The next scan takes it up.", answerUserAt(s, u), answerBy(q.By), answerMinute(q.At)))
}

// AnswerOpenAlready says that the user has an open rotation.
func AnswerOpenAlready(r rotation.Rotation) Message {
	return answer("There is an open rotation already: " + answerWhose(r) + ". " + answerState(r))
}

// AnswerExempted confirms an exemption. closed tells whether an open rotation was closed by it.
func AnswerExempted(s rotation.Snapshot, e rotation.Exemption, closed bool) Message {
	more := ""
	if closed {
		more = " Its open rotation is closed."
	}
	return answer(fmt.Sprintf("*%s* in %s is exempt until %s.%s", answerName(e.UserName), answerWhere(e.Account, s.Name), answerDay(e.Until), more))
}

// AnswerExemptedStill says that the exemption is recorded, although an open rotation could not be closed.
func AnswerExemptedStill(e rotation.Exemption, r rotation.Rotation, sentence string) Message {
	return answer(fmt.Sprintf("The exemption of *%s* until %s is recorded, but the rotation of %s goes on. %s",
		answerName(e.UserName), answerDay(e.Until), answerKey(r.Old.ID), answerSentence(sentence)))
}

// AnswerRefusedUser is AnswerRefused for a user without a rotation.
func AnswerRefusedUser(s rotation.Snapshot, u rotation.User, v approval.Verdict) Message {
	return answer(fmt.Sprintf(":no_entry: Nothing was changed for %s.\n%s\nWho can: %s.", answerUserAt(s, u), answerSentence(v.Why), mention(esc(v.Who, 400))))
}
