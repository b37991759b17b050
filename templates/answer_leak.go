package templates

import (
	"fmt"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/rotation"
)

// FieldKey is the field of a leaked key's ID.
const FieldKey = "key"

// byHand is how somebody cuts a key off without keyturn.
func byHand(key rotation.KeyID) string {
	return fmt.Sprintf("`aws iam update-access-key --access-key-id %s --status Inactive --user-name USER`, with credentials of its account", esc(string(key), 128))
}

// AnswerLeaked confirms that a key of a rotation is reported as leaked.
func AnswerLeaked(r rotation.Rotation, key rotation.KeyID) Message {
	more := " A new key is issued in its place."
	switch {
	case key != r.Old.ID && r.New != nil && key == r.New.ID:
		more = " The old key still works; another new key is issued when there is room for it."
	case key != r.Old.ID:
		more = " Nothing else is decided by that: the rotation of key " + answerKey(r.Old.ID) + " goes on as it was."
	case r.Kind == rotation.Retire:
		more = " No new key is issued."
	}
	return answer(fmt.Sprintf(":rotating_light: You reported %s of %s as leaked. keyturn deactivates it at once, even if it is in use.%s If that was a mistake, *Restore* on its notice, or `/keys restore %s`, makes it active again.",
		answerKey(key), answerUserOf(r), more, esc(string(key), 128)))
}

func answerUserOf(r rotation.Rotation) string {
	return fmt.Sprintf("*%s* in %s", answerName(r.UserName), answerWhere(r.Account, r.AccountName))
}

// AnswerLeakRequested confirms a report of a key that no rotation is about.
func AnswerLeakRequested(s rotation.Snapshot, u rotation.User, key rotation.KeyID) Message {
	return answer(fmt.Sprintf(":rotating_light: You reported %s of %s as leaked. keyturn looks at the user and deactivates the key within a minute or two, even if it is in use; those whom the rule names are told, with a button to restore it. *If nothing is posted by then, deactivate it yourself:* %s.",
		answerKey(key), answerUserAt(s, u), byHand(key)))
}

// AnswerLeakByHand says that keyturn cannot cut a key off, and what to do instead. why is a sentence.
func AnswerLeakByHand(key rotation.KeyID, why string) Message {
	return answer(fmt.Sprintf(":warning: %s *keyturn cannot deactivate %s. Do it now:* %s.", answerSentence(why), answerKey(key), byHand(key)))
}

// AnswerLeakOff says that the key is inactive, or gone, already. what is a sentence.
func AnswerLeakOff(key rotation.KeyID, what string) Message {
	return answer(fmt.Sprintf("%s %s", answerSentence(what), "Look at what was done with it before, in CloudTrail: `aws cloudtrail lookup-events --lookup-attributes AttributeKey=AccessKeyId,AttributeValue="+esc(string(key), 128)+"`."))
}

// ModalLeaked asks which key is leaked, and why somebody thinks so. keys were found in a message; none: it is typed in. seen
// is carried along: where the message stands.
func ModalLeaked(keys []rotation.KeyID, seen string) slack.ModalViewRequest {
	what := "*The key is deactivated at once, even if it is in use.* It can be restored. Those whom the rule names are told.\nDo not paste the secret of a key here."
	label, hint := plain("Which key?"), plain("An access key ID, like AKIAIOSFODNN7EXAMPLE")
	var field slack.Block
	if len(keys) == 0 {
		in := slack.NewPlainTextInputBlockElement(nil, FieldKey)
		in.MaxLength = 40
		field = slack.NewInputBlock(FieldKey, label, hint, in)
	} else {
		var options []*slack.OptionBlockObject
		for _, k := range keys[:min(len(keys), 20)] {
			options = append(options, slack.NewOptionBlockObject(string(k), plain(string(k)), nil))
		}
		sel := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, nil, FieldKey, options...)
		sel.InitialOption = options[0]
		field = slack.NewInputBlock(FieldKey, label, nil, sel)
	}
	return slack.ModalViewRequest{
		Type: slack.VTModal, Title: modalText("Report a leaked key"), Submit: modalText("Deactivate it"), Close: modalText("Cancel"),
		Blocks: slack.Blocks{BlockSet: []slack.Block{section(what), field, modalWhy("Where was it seen, and by whom?", false)}}, PrivateMetadata: seen, CallbackID: ActLeaked,
	}
}
