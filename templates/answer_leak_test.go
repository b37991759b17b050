package templates

import (
	"testing"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/rotation"
)

// Answers about leaks, break-glass and exemptions stand whatever people, accounts and users are called.
func TestHostileRights(t *testing.T) {
	now := sampleNow
	for _, text := range everyHostile() {
		snap := rotation.Snapshot{Account: rotation.AccountID(text), Name: text, Taken: now}
		user := rotation.User{Name: rotation.UserName(text)}
		evil := rotation.Actor{ID: text, Name: text, Email: text, Via: rotation.ViaSlack}
		x := rotation.Exemption{Account: snap.Account, UserName: user.Name, By: evil, Why: text, Until: now.Add(rotation.Day)}
		key := rotation.KeyID(text)
		messages := []Message{
			AnswerLeakRequested(snap, user, key), AnswerLeakLook(snap, user, key), AnswerLeakBefore(snap, user, rotation.Request{Leaked: key, By: evil, At: now}),
			AnswerLeakWaits(snap, user, key, key), AnswerLeakByHand(key, text), AnswerLeakOff(key, text), WithByHand(AnswerSentence(text), key), AnswerUnexempted(snap, x),
		}
		modals := []slack.ModalViewRequest{ModalLeaked([]rotation.KeyID{sampleOld}, ""), ModalRenew(x, rotation.DefaultPolicy(), text, Value{}, now)}
		for _, s := range noticeSamples() {
			r := s.r.Clone()
			r.UserName, r.AccountName, r.Account = user.Name, text, snap.Account
			messages = append(messages, AnswerLeaked(r, r.Old.ID), AnswerLeaked(r, key), AnswerGlass(r), Message{Text: "x", Blocks: GlassPlan(r, View{Now: now, Who: text})})
			modals = append(modals, ModalGlass(r, ValueOf(r)))
		}
		for _, m := range messages {
			checkMessage(t, m)
			clean(t, m)
		}
		for _, m := range modals {
			checkModal(t, m)
			clean(t, Message{Blocks: m.Blocks.BlockSet})
		}
		if t.Failed() {
			t.Fatalf("with %q", text)
		}
	}
}
