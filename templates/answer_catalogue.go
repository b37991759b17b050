package templates

import (
	"time"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
)

// answerCatalogue renders every answer, window and App Home with canned data.
func answerCatalogue() []Sample {
	var out []Sample
	message := func(name string, m Message) { out = append(out, Sample{Name: "answer: " + name, Message: &m}) }
	modal := func(name string, m slack.ModalViewRequest) {
		out = append(out, Sample{Name: "modal: " + name, Modal: &m})
	}
	home := func(name string, h slack.HomeTabViewRequest) {
		out = append(out, Sample{Name: "home: " + name, Home: &h})
	}
	now := sampleNow
	in := map[string]rotation.Rotation{}
	for _, s := range noticeSamples() {
		in[s.name] = s.r
	}
	awaiting, installing := in["awaiting"], in["installing"]
	message("a sentence", AnswerSentence("there is no user deploy_<bot> in 111122223333"))
	for _, d := range []struct{ act, state string }{
		{ActApprove, "approved"}, {ActSnooze, "snoozed"}, {ActReject, "closed, rejected"}, {ActExempt, "closed, exempted"}, {ActHold, "held"},
		{ActRelease, "awaiting"}, {ActConfirm, "installing, confirmed"}, {ActExtend, "installing, extended"}, {ActRestore, "restoring"},
		{ActRetry, "approved"}, {ActAnyway, "installing, deactivate anyway"}, {ActCancel, "awaiting"},
	} {
		message("done, "+d.act, AnswerDone(d.act, in[d.state]))
	}
	message("done, approve, one of two", AnswerDone(ActApprove, in["awaiting, one of two approved"]))
	no := sampleVerdict(awaiting, approval.Person{SlackID: "U0GUEST1", TeamID: "T0ACME", Name: "A guest", Known: true, Guest: true})
	message("refused", AnswerRefused(awaiting, no))
	message("a stranger", AnswerStranger("only members of the configured workspaces can decide"))
	message("not now", AnswerNotNow(awaiting, "already approved 2 minutes ago by Owner"))
	message("stale", AnswerStale(awaiting))
	message("earlier", AnswerEarlier(awaiting))
	for _, t := range []Trouble{TroubleBusy, TroubleFull, TroubleNewer, TroubleCrowd, TroubleSlow, TroubleUnknown, TroubleGone, TroubleOldValue} {
		message("trouble, "+string(t), AnswerTrouble(t))
	}
	snooze := HelpLine{Usage: "snooze KEY DURATION [reason]", Does: "put the decision off", Example: "snooze AKIAIOSFODNN7EXAMPLE 3d waiting for the release", Decides: true}
	message("help", AnswerHelp("/keys", []HelpLine{{Usage: "mine [PAGE]", Does: "your keys and what waits for you", Example: "mine"}, snooze}))
	message("usage", AnswerUsage("/keys", `there is no command "snoze". Did you mean snooze?`, snooze))
	message("not yet, report", AnswerNotYet("/keys", "report"))
	message("not yet, leaked", AnswerNotYet("/keys", "leaked"))

	snap, user := sampleSnapshot(now)
	rows := []Row{RowOf(awaiting, now), RowOf(installing, now), RowOfKey(snap, user, user.Keys[0], now.Add(40*rotation.Day), now)}
	message("list", AnswerList(List{Title: "Your keys", Note: "1 of them waits for a decision; they come first.", Rows: rows, Page: 2, Pages: 3, Total: 23,
		Prev: PageValue("mine", "", 1), Next: PageValue("mine", "", 3)}))
	message("list, empty", AnswerList(List{Title: "Keys that are due within 7d", Empty: "No key is due within 7d."}))
	message("overview", AnswerOverview(Overview{Accounts: 4, Unscanned: []rotation.Snapshot{{Account: "444455556666", Name: "research", Tried: now.Add(-time.Hour), Error: "the role keyturn-member cannot be assumed"}},
		Users: 41, Keys: 52, OverAge: 7, Exempt: 1, RootKeys: []rotation.Snapshot{snap}, Oldest: now.Add(-3 * time.Hour), Stuck: 1, Held: 2,
		Open: map[rotation.State]int{rotation.Awaiting: 5, rotation.Installing: 2, rotation.Recovering: 1}}, now))
	message("overview, nothing scanned", AnswerOverview(Overview{}, now))
	exemption := rotation.Exemption{Account: snap.Account, UserName: "vendor-sync", By: sampleMember().Actor(), Why: "the vendor cannot change it earlier", From: now, Until: now.Add(60 * rotation.Day)}
	message("account", AnswerAccount(AccountStatus{Snapshot: snap, OverAge: 1, Exemptions: []rotation.Exemption{exemption},
		List: List{Title: "Open rotations", Rows: rows[:1], Page: 1, Pages: 1, Total: 1}}, now))
	own, mine := exemption, installing.Clone()
	own.UserName, mine.UserName = user.Name, user.Name
	message("user", AnswerUser(UserStatus{Snapshot: snap, User: user, Rotation: &mine, Exemption: &own, Rows: rows[2:], Key: installing.New.ID}, now))
	message("user without keys", AnswerUser(UserStatus{Snapshot: snap, User: rotation.User{Name: "console-only"}}, now))
	message("requested", AnswerRequested(snap, user))
	message("requested before", AnswerRequestedBefore(snap, user, rotation.Request{By: sampleMember().Actor(), At: now.Add(-time.Hour)}))
	message("open already", AnswerOpenAlready(awaiting))
	message("exempted", AnswerExempted(snap, exemption, true))
	message("exempted, the rotation goes on", AnswerExemptedStill(exemption, installing, "cannot exempt now: key X is being replaced"))
	message("refused, no rotation", AnswerRefusedUser(snap, user, no))
	history := sampleHistory(in["recovering"])
	message("history", AnswerHistory(history))
	history.Broken, history.Earlier = "history line 3 was changed after it was written", nil
	message("history, damaged", AnswerHistory(history))
	p := rotation.DefaultPolicy()
	p.Rule = "policy[1]"
	message("why", AnswerWhy(Why{Rotation: in["installing, the old key is still in use"], Covered: true, Policy: p, Verdict: sampleVerdict(installing, sampleMember())}, now))
	message("why, somebody else", AnswerWhy(Why{Rotation: awaiting, Covered: true, Policy: p, Verdict: no}, now))
	message("why, no rule", AnswerWhy(Why{Rotation: in["awaiting, asked for by a person"]}, now))

	modal("snooze", ModalSnooze(awaiting, ValueOf(awaiting)))
	modal("hold", ModalHold(awaiting, ValueOf(awaiting)))
	modal("extend, installing", ModalExtend(installing, ValueOf(installing)))
	modal("extend, recovering", ModalExtend(in["recovering"], ValueOf(in["recovering"])))
	modal("reject", ModalReject(awaiting, ValueOf(awaiting), now))
	modal("exempt", ModalExempt(awaiting, ValueOf(awaiting), now))
	modal("approve", ModalApprove(in["awaiting, an active key has to go first"], ValueOf(in["awaiting, an active key has to go first"])))
	modal("approve, the last key", ModalApprove(in["awaiting, the last active key to remove"], ValueOf(in["awaiting, the last active key to remove"])))
	modal("anyway", ModalAnyway(in["installing, escalated"], ValueOf(in["installing, escalated"])))
	modal("history", ModalHistory(sampleHistory(awaiting)))
	modal("an answer", ModalAnswer(AnswerDone(ActSnooze, in["snoozed"])))

	home("waiting", Home(HomeView{Waiting: rows[:1], More: 3, Mine: rows[1:], MoreOf: 12}))
	home("nothing", Home(HomeView{}))
	home("refused", Home(HomeView{Refused: "guests of the workspace cannot decide"}))
	return append(append(out, rightsCatalogue(in)...), readCatalogue()...)
}

func sampleMember() approval.Person {
	return approval.Person{SlackID: "U0OWNER1", TeamID: "T0ACME", Name: "Owner", Email: "owner@example.com", Known: true}
}

func sampleVerdict(r rotation.Rotation, p approval.Person) approval.Verdict {
	rule := approval.Rule{Name: "policy[1]", Required: 1, AnyOf: []approval.Circle{{Kind: approval.Owner}, {Kind: approval.SlackUser, ID: "U0SECOPS1"}}}
	return approval.Decide(rule, approval.SubjectOf(r, []string{"T0ACME"}), p, nil)
}

func sampleHistory(r rotation.Rotation) History {
	r.Episode = 2
	h := History{Rotation: r, Page: 1, Pages: 2, Next: PageValue("history", string(r.Old.ID), 2),
		Earlier: []rotation.Rotation{{Episode: 1, Old: rotation.KeyRef{ID: "AKIAIOSFODNN7EARLIER"}, Outcome: rotation.OutcomeRejected, ClosedAt: sampleNow.Add(-100 * rotation.Day)}}}
	for i := len(r.History) - 1; i >= 0 && len(h.Entries) < 8; i-- {
		h.Entries = append(h.Entries, r.History[i])
	}
	return h
}

func sampleSnapshot(now time.Time) (rotation.Snapshot, rotation.User) {
	u := rotation.User{ID: "AIDAEXAMPLEUSER00002", Name: "report_reader", Keys: []rotation.Key{
		{ID: "AKIAIOSFODNN7EXAMPL9", Status: rotation.Active, Created: now.Add(-50 * rotation.Day), LastUse: rotation.LastUse{Kind: rotation.UseSeen, At: now.Add(-time.Hour), Service: "athena", Region: "eu-central-1"}},
	}}
	return rotation.Snapshot{Account: "111122223333", Name: "Production", Taken: now.Add(-2 * time.Hour), Tried: now.Add(-2 * time.Hour), RootKeys: 1, Users: []rotation.User{u}}, u
}
