package templates

import (
	"fmt"
	"time"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/rotation"
)

// AnswerUnexempted confirms that an exemption ended before its day.
func AnswerUnexempted(s rotation.Snapshot, e rotation.Exemption) Message {
	return answer(fmt.Sprintf("*%s* in %s is not exempt any more. The next scan looks at the user's keys.", answerName(e.UserName), answerWhere(e.Account, s.Name)))
}

// ModalRenew asks until when an exemption is renewed, and why.
func ModalRenew(e rotation.Exemption, p rotation.Policy, where string, v Value, now time.Time) slack.ModalViewRequest {
	left := p.Exempts().Left(e.Used.Count, max(e.Used.Total-max(e.Until.Sub(now), 0), 0))
	most := now.Add(min(left, p.ExemptLongest))
	pick := slack.NewDatePickerBlockElement(FieldUntil)
	pick.InitialDate = answerDay(now.Add(min(30*rotation.Day, max(left, rotation.Day))))
	hint := plain("At most until " + answerDay(most))
	is := "is exempt"
	if !e.InForce(now) {
		is = "was exempt"
	}
	what := fmt.Sprintf("*%s* in %s %s until %s, by %s%s", answerName(e.UserName), answerWhere(e.Account, where), is, answerDay(e.Until), answerBy(e.By), because(e.Why))
	return slack.ModalViewRequest{
		Type: slack.VTModal, Title: modalText("Renew an exemption"), Submit: modalText("Renew"), Close: modalText("Cancel"),
		Blocks:          slack.Blocks{BlockSet: []slack.Block{section(what), slack.NewInputBlock(FieldUntil, plain("Until when?"), hint, pick), modalWhy("Why?", false)}},
		PrivateMetadata: v.Encode(), CallbackID: ActRenew,
	}
}
