package templates

import (
	"fmt"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/rotation"
)

// FieldKey is the field of a leaked key's ID.
const FieldKey = "key"

// byHand is how somebody cuts a key off without keyturn.
func byHand(key rotation.KeyID) string { return setByHand(key, rotation.Inactive) }

func setByHand(key rotation.KeyID, to rotation.KeyStatus) string {
	return fmt.Sprintf("`aws iam update-access-key --access-key-id %s --status %s --user-name USER`, with credentials of its account", esc(string(key), 128), to)
}

// AnswerLeaked confirms that a key of a rotation is reported as leaked.
func AnswerLeaked(r rotation.Rotation, key rotation.KeyID) Message {
	more := " A new key is issued in its place."
	cut := "keyturn deactivates it at once, even if it is in use."
	switch {
	case key == r.Old.ID && r.State == rotation.Recovering && r.Restore == nil:
		cut, more = "It is inactive already, since "+answerMinute(r.Old.InactiveSince)+".", ""
	case key == r.Old.ID && r.New != nil:
		more = " The new key " + answerKey(r.New.ID) + " takes its place."
	case key != r.Old.ID && r.New != nil && key == r.New.ID:
		more = " The old key still works; another new key is issued when there is room for it."
	case key != r.Old.ID:
		more = " Nothing else is decided by that: the rotation of key " + answerKey(r.Old.ID) + " goes on as it was."
	case r.Kind == rotation.Retire:
		more = " No new key is issued."
	}
	back := fmt.Sprintf("*Restore* on its notice, or `/keys restore %s`, makes it active again.", esc(string(key), 128))
	if !leakRestorable(r, key) {
		back = "make it active again by hand: " + setByHand(key, rotation.Active) + "."
	}
	return answer(fmt.Sprintf(":rotating_light: You reported %s of %s as leaked. %s%s If that was a mistake, %s", answerKey(key), answerUserOf(r), cut, more, back))
}

// leakRestorable reports whether keyturn restores the key once it is cut off: the old one, unless another key has to go
// first for a time, and one that makes room. Any other key of the user is none of the rotation's.
func leakRestorable(r rotation.Rotation, key rotation.KeyID) bool {
	switch {
	case key == r.Old.ID:
		return !waits(r)
	case r.New != nil && key == r.New.ID:
		return true
	default:
		return r.Evict != nil && key == r.Evict.ID
	}
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

// AnswerLeakWaits says that another leaked key of the same user comes first: there is one report of a user at a time.
func AnswerLeakWaits(s rotation.Snapshot, u rotation.User, key, first rotation.KeyID) Message {
	return answer(fmt.Sprintf(":warning: *%s was not taken down.* %s of %s was reported a moment ago, and keyturn takes it up first. *Report %s again in a minute or two, or deactivate it yourself now:* %s.",
		answerKey(key), answerKey(first), answerUserAt(s, u), answerKey(key), byHand(key)))
}

// AnswerLeakBefore says that somebody reported the same key already.
func AnswerLeakBefore(s rotation.Snapshot, u rotation.User, q rotation.Request) Message {
	return answer(fmt.Sprintf("%s of %s was reported already, by %s on %s. keyturn deactivates it within a minute or two of that. *If nothing is posted by then, deactivate it yourself:* %s.",
		answerKey(q.Leaked), answerUserAt(s, u), answerBy(q.By), answerMinute(q.At), byHand(q.Leaked)))
}

// AnswerLeakLook confirms a report of a key that was inactive when it was seen last.
func AnswerLeakLook(s rotation.Snapshot, u rotation.User, key rotation.KeyID) Message {
	return answer(fmt.Sprintf(":rotating_light: You reported %s of %s as leaked. As of the last scan, on %s, it is inactive already. keyturn looks again now, and deactivates it if somebody made it active since.",
		answerKey(key), answerUserAt(s, u), answerMinute(s.Taken)))
}

// WithByHand adds to an answer how a leaked key is cut off by those whom keyturn does not need.
func WithByHand(m Message, key rotation.KeyID) Message {
	by := fmt.Sprintf("*The key is as it was.* Whoever has access to its account can cut it off: %s.", byHand(key))
	m.Text += "\n" + by
	m.Blocks = append(m.Blocks, section(by))
	return m
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
