package templates

import (
	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
)

// rightsCatalogue renders what is said of rights of their own: reporting leaks, breaking the glass, renewing exemptions. in
// are rotations by the names of their samples.
func rightsCatalogue(in map[string]rotation.Rotation) []Sample {
	var out []Sample
	message := func(name string, m Message) { out = append(out, Sample{Name: "answer: " + name, Message: &m}) }
	modal := func(name string, m slack.ModalViewRequest) {
		out = append(out, Sample{Name: "modal: " + name, Modal: &m})
	}
	now := sampleNow
	snap, user := sampleSnapshot(now)
	key := user.Keys[0].ID
	const second rotation.KeyID = "AKIAIOSFODNN7EXAMPL8"
	awaiting, installing, last := in["awaiting"], in["installing"], in["awaiting, the last active key to remove"]

	message("leaked, the old key", AnswerLeaked(awaiting, awaiting.Old.ID))
	message("leaked, the new key", AnswerLeaked(installing, installing.New.ID))
	message("leaked, another key", AnswerLeaked(awaiting, second))
	message("leaked, while both keys work", AnswerLeaked(installing, installing.Old.ID))
	message("leaked, a key to remove", AnswerLeaked(last, last.Old.ID))
	message("leaked, inactive already", AnswerLeaked(in["recovering"], in["recovering"].Old.ID))
	message("leaked, no rotation", AnswerLeakRequested(snap, user, key))
	message("leaked, inactive at the last scan", AnswerLeakLook(snap, user, key))
	message("leaked, reported before", AnswerLeakBefore(snap, user, rotation.Request{Leaked: key, By: sampleMember().Actor(), At: now}))
	message("leaked, another one comes first", AnswerLeakWaits(snap, user, second, key))
	message("leaked, by hand", AnswerLeakByHand(key, "keyturn knows no such key"))
	message("leaked, gone", AnswerLeakOff(key, "key "+string(key)+" is not there any more: its rotation ended on 2026-05-01"))
	no := sampleVerdict(awaiting, approval.Person{SlackID: "U0OTHER1", TeamID: "T0ACME", Name: "Somebody else", Known: true})
	message("leaked, refused", WithByHand(AnswerRefused(awaiting, no), awaiting.Old.ID))
	modal("leaked, found in a message", ModalLeaked([]rotation.KeyID{key, second}, "channel C0GENERAL, message 1700000000.000100"))
	modal("leaked, none found", ModalLeaked(nil, ""))

	v := View{Now: now, Who: "the owner (owner@example.com)"}
	choice := in["awaiting, two keys in use to choose from"]
	message("break-glass", AnswerGlass(in["approved"]))
	message("break-glass, the last key first", Message{Text: "The whole plan", Blocks: GlassPlan(last, v)})
	message("break-glass, a choice first", Message{Text: "The whole plan", Blocks: GlassPlan(choice, v)})
	modal("break-glass", ModalGlass(last, ValueOf(last)))

	x := rotation.Exemption{Account: snap.Account, UserID: user.ID, UserName: user.Name, By: sampleMember().Actor(), Why: "the vendor cannot change it earlier",
		From: now.Add(-80 * rotation.Day), Until: now.Add(10 * rotation.Day), Used: rotation.Spent{Count: 1, Total: 90 * rotation.Day}}
	p := rotation.DefaultPolicy()
	about := Value{ID: rotation.MakeID(x.Account, x.UserID)}
	modal("renew", ModalRenew(x, p, snap.Name, about, now))
	over := x
	over.Until = now.Add(-rotation.Day)
	modal("renew, over already", ModalRenew(over, p, snap.Name, about, now))
	message("unexempted", AnswerUnexempted(snap, x))
	return out
}
