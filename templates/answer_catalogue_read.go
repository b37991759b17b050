package templates

import (
	"fmt"
	"time"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/report"
	"github.com/keyturn/keyturn/internal/rotation"
)

// readCatalogue renders what people can ask for: filtered lists, reasons, App Home and reports.
func readCatalogue() []Sample {
	var out []Sample
	message := func(name string, m Message) { out = append(out, Sample{Name: "answer: " + name, Message: &m}) }
	home := func(name string, h HomeView) {
		v := Home(h)
		out = append(out, Sample{Name: "home: " + name, Home: &v})
	}
	in := map[string]rotation.Rotation{}
	for _, s := range noticeSamples() {
		in[s.name] = s.r
	}
	now := sampleNow
	awaiting, installing := in["awaiting"], in["installing"]
	rows := []Row{RowOf(awaiting, now), RowOf(installing, now)}
	message("list, filtered", AnswerList(List{Title: `Open rotations, account:"two words" state:awaiting age:>90d`, Rows: rows[:1], Page: 1, Pages: 1, Total: 1}))

	why := sampleWhy(awaiting, now)
	message("why, escalated, one of two approved", AnswerWhy(why, now))
	few := 1
	why.Able, why.Unable = &few, ""
	message("why, a rule that cannot be met", AnswerWhy(why, now))
	auto := awaiting.Clone()
	auto.Policy.Mode = rotation.ModeAuto
	auto.NoticeAt, auto.NoticeDigest = now.Add(-rotation.Day), auto.Digest()
	message("why, mode auto", AnswerWhy(Why{Rotation: auto, Covered: true, Policy: auto.Policy, Verdict: sampleVerdict(auto, sampleMember())}, now))

	snap, user := sampleSnapshot(now)
	message("why, no rotation", AnswerWhyKey(UserStatus{Snapshot: snap, User: user, Rows: []Row{RowOfKey(snap, user, user.Keys[0], now.Add(40*rotation.Day), now)}, Key: user.Keys[0].ID},
		Why{Covered: true, Policy: why.Policy, Rule: why.Rule, Verdict: why.Verdict, Leak: why.Leak, Glass: why.Glass}, now))
	message("why, no rotation and no rule", AnswerWhyKey(UserStatus{Snapshot: snap, User: user}, Why{}, now))

	points := samplePoints(40)
	everything := HomeView{Waiting: rows[:1], More: 3, Mine: rows[1:], MoreOf: 12, Points: points, OnlyWaiting: PageValue("home", "waiting", 1), OnlyMine: PageValue("home", "mine", 1), Now: now}
	home("everything", everything)
	home("what waits alone", HomeView{Waiting: rows, Alone: HomeWaiting, Page: 2, Pages: 3, Prev: PageValue("home", "waiting", 1), Next: PageValue("home", "waiting", 3), Looked: 1000,
		Everything: PageValue("home", "", 1), OnlyMine: PageValue("home", "mine", 1), Now: now})

	rep := sampleReport(points)
	message("report", AnswerReport(ReportView{Report: rep}))
	message("report, plain", AnswerReport(ReportView{Report: rep, Plain: true}))
	rep.Points = nil
	message("report, filtered", AnswerReport(ReportView{Report: rep, Filter: "account:payments", Cut: true}))
	message("report, nothing there", AnswerReport(ReportView{Report: report.NewBuilder(nil, now.Add(-30*rotation.Day), now).Report(nil)}))
	message("report, later", AnswerReportLater())
	return out
}

func sampleWhy(r rotation.Rotation, now time.Time) Why {
	r = r.Clone()
	r.Approvals = []rotation.Approval{{Actor: rotation.Actor{ID: "U0SECOND", Name: "Second", Via: rotation.ViaSlack}, At: now.Add(-2 * time.Hour)}}
	r.Escalation = &rotation.Escalation{At: now.Add(-rotation.Day), Why: "nobody answered for 10 days"}
	rule := approval.Rule{Name: "policy[0]", Required: 2, AnyOf: []approval.Circle{{Kind: approval.Owner}, {Kind: approval.UserGroup, ID: "S0PLATFORM"}},
		Escalate: []approval.Circle{{Kind: approval.UserGroup, ID: "S0SECOPS"}}, BreakGlass: []approval.Circle{{Kind: approval.SlackUser, ID: "U0SECOPS1"}}}
	s := approval.SubjectOf(r, []string{"T0ACME"})
	s.Groups = approval.Groups{"S0PLATFORM": {Problem: "Slack could not say who is a member"}, "S0SECOPS": {Members: []string{"U0SECOPS1", "U0SECOND"}}}
	p := rotation.DefaultPolicy()
	p.Rule = rule.Name
	who := sampleMember()
	return Why{Rotation: r, Covered: true, Policy: p, Rule: rule, Verdict: approval.Decide(rule, s, who, r.Approvals), Leak: approval.Decide(rule.Leak(), s, who, nil), Glass: approval.Decide(rule.Glass(), s, who, nil),
		Unable: "Slack could not say who everybody is; ask again in a minute", When: now.Add(3 * rotation.Day), WhenWhy: "keys are not deactivated on a Friday afternoon or at a weekend"}
}

func samplePoints(n int) []report.Point {
	var out []report.Point
	for i := range n {
		out = append(out, report.Point{Day: sampleNow.AddDate(0, 0, i-n+1).Format(time.DateOnly), Active: 60 - i/4, OverAge: max(0, 45-i), Open: 3 + i%5, Rotated: i % 2, Removed: i % 7 / 6})
	}
	return out
}

func sampleReport(points []report.Point) report.Report {
	now := sampleNow
	r := report.Report{Now: now, Since: now.Add(-30 * rotation.Day), Seen: now.Add(-3 * time.Hour), Failed: 1, RootKeys: 1, Points: points,
		Keys:   report.Keys{Active: 51, Inactive: 4, OverAge: 6, NeverUsed: 3, Oldest: 812 * rotation.Day},
		Open:   report.Open{All: 9, States: map[rotation.State]int{rotation.Upcoming: 1, rotation.Awaiting: 4, rotation.Installing: 3, rotation.Recovering: 1}, Stuck: 1, Held: 1, Escalated: 2, Leaked: 1, Waiting: 4, Longest: 12*rotation.Day + time.Hour},
		Closed: report.Closed{Outcomes: map[rotation.Outcome]int{rotation.OutcomeRotated: 14, rotation.OutcomeRetired: 5, rotation.OutcomeRejected: 2, rotation.OutcomeExpired: 1}, Rotated: 14, Removed: 6, Leaks: 1, BreakGlass: 1, Automatic: 2},
		Exempt: report.Exempt{InForce: 3, Ending: 1},
		WaysOut: []report.WayOut{{Instead: rotation.InsteadOIDC, Keys: 2, Users: []string{"github-deploy@111122223333", "gitlab_runner@111122223333"}},
			{Instead: rotation.InsteadNothing, Keys: 1, Users: []string{"old-import@444455556666"}}},
		OUs: []report.Place{{ID: "r-ab12/ou-ab12-prod", Active: 30, OverAge: 5}, {ID: "", Active: 2, OverAge: 1}}}
	for i := range 12 {
		r.Accounts = append(r.Accounts, report.Place{ID: fmt.Sprint(111122223301 + i), Name: "team " + string(rune('A'+i)), Active: 20, OverAge: 12 - i})
	}
	return r
}
