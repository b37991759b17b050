package bot

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/templates"
)

func TestParse(t *testing.T) {
	day := time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		text string
		want Command
	}{
		{"status", Command{Name: "status", Page: 1}},
		{"STATUS me", Command{Name: "status", Target: "me", Page: 1}},
		{"status billing export", Command{Name: "status", Target: "billing export", Page: 1}},
		{"mine", Command{Name: "mine", Page: 1}},
		{"mine 3", Command{Name: "mine", Page: 3}},
		{"due", Command{Name: "due", Page: 1}},
		{"due 30d", Command{Name: "due", For: days(30), Page: 1}},
		{"history akiaoldoldoldold0001 2", Command{Name: "history", Key: oldKey, Page: 2}},
		{"approve " + string(oldKey), Command{Name: "approve", Key: oldKey, Page: 1}},
		{"approve " + string(oldKey) + " " + string(twoKey) + " it is old", Command{Name: "approve", Key: oldKey, Pick: twoKey, Reason: "it is old", Page: 1}},
		{"approve\t" + string(oldKey) + "\nit is old", Command{Name: "approve", Key: oldKey, Reason: "it is old", Page: 1}},
		{"snooze " + string(oldKey) + " 1d12h", Command{Name: "snooze", Key: oldKey, For: 36 * time.Hour, Page: 1}},
		{"hold " + string(oldKey) + " 5d incident under way", Command{Name: "hold", Key: oldKey, For: days(5), Reason: "incident under way", Page: 1}},
		{"reject " + string(oldKey) + " R&amp;D said &lt;no&gt;", Command{Name: "reject", Key: oldKey, Reason: "R&D said <no>", Page: 1}},
		{"reject " + string(oldKey) + " ask <mailto:a@b.example|a@b.example>", Command{Name: "reject", Key: oldKey, Reason: "ask a@b.example", Page: 1}},
		{"rotate <mailto:billing@acme.example|billing@acme.example> leaving", Command{Name: "rotate", User: "billing@acme.example", Reason: "leaving", Page: 1}},
		{`rotate "a user@two words"`, Command{Name: "rotate", User: "a user@two words", Page: 1}},
		{"rotate “a@b”", Command{Name: "rotate", User: "a@b", Page: 1}},
		{"exempt a@b until 2027-01-31 vendor", Command{Name: "exempt", User: "a@b", Until: day, Reason: "vendor", Page: 1}},
		{"exempt a@b 2027-01-31 vendor", Command{Name: "exempt", User: "a@b", Until: day, Reason: "vendor", Page: 1}},
		{"confirm " + string(oldKey), Command{Name: "confirm", Key: oldKey, Page: 1}},
		{"leaked " + string(oldKey) + " in a <https://git.example|public> repository", Command{Name: "leaked", Key: oldKey, Reason: "in a public repository", Page: 1}},
		{"break-glass " + string(oldKey) + " " + string(twoKey) + " nobody is there", Command{Name: "break-glass", Key: oldKey, Pick: twoKey, Reason: "nobody is there", Page: 1}},
		{"unexempt a@b it is over", Command{Name: "unexempt", User: "a@b", Reason: "it is over", Page: 1}},
		{"reject " + string(oldKey) + " ask <@U0123ABCD|ann>", Command{Name: "reject", Key: oldKey, Reason: "ask U0123ABCD", Page: 1}},
		{"list", Command{Name: "list", Page: 1}},
		{"list 2 state:installing,awaiting,awaiting stuck", Command{Name: "list", Page: 2, Filter: Filter{States: []rotation.State{rotation.Awaiting, rotation.Installing}, Stuck: true}}},
		{`LIST Account:"two words" AGE:>=90d kind:Retire`, Command{Name: "list", Page: 1, Filter: Filter{Account: "two words", OlderThan: days(90), Kind: rotation.Retire}}},
		{"list age:&gt;90d ou:/r-ab12/ou-prod/", Command{Name: "list", Page: 1, Filter: Filter{OlderThan: days(90), OU: "r-ab12/ou-prod"}}},
		{"list owner:<mailto:Ann@Example.com|Ann@Example.com>", Command{Name: "list", Page: 1, Filter: Filter{Owner: "ann@example.com"}}},
		{"list owner:<@U0123ABCD|ann>", Command{Name: "list", Page: 1, Filter: Filter{Owner: "U0123ABCD"}}},
		{"status account:payments 2", Command{Name: "status", Page: 2, Filter: Filter{Account: "payments"}}},
		{"status stuck", Command{Name: "status", Page: 1, Filter: Filter{Stuck: true}}},
		{"mine account:payments 2", Command{Name: "mine", Page: 2, Filter: Filter{Account: "payments"}}},
		{"due ou:ou-prod 30d", Command{Name: "due", For: days(30), Page: 1, Filter: Filter{OU: "ou-prod"}}},
		{"report", Command{Name: "report", For: days(30), Page: 1}},
		{"report plain 2w owner:ann@example.com", Command{Name: "report", For: days(14), Plain: true, Page: 1, Filter: Filter{Owner: "ann@example.com"}}},
	} {
		t.Run(c.text, func(t *testing.T) {
			got := Parse("/keys", "/keys", c.text)
			if got.Command == nil {
				t.Fatalf("not a command: %+v", got.Result)
			}
			if diff := cmp.Diff(c.want, *got.Command); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseSaysWhatIsWrong(t *testing.T) {
	key := string(oldKey)
	for _, c := range []struct {
		text string
		says []string
	}{
		{"", []string{"What you can decide"}},
		{"help", []string{"/keys snooze KEY"}},
		{"help snooze", []string{"Snooze: put the decision off", "/keys snooze AKIA"}},
		{"help leaked", []string{"Leaked: report that a key has leaked", "/keys leaked AKIA"}},
		{"help kms", []string{"does not have `/keys kms` yet", "/keys help"}},
		{"help aprove", []string{"Did you mean approve?"}},
		{"kms check", []string{"does not have `/keys kms` yet"}},
		{"leaked", []string{"Which key?", "For example: `/keys leaked AKIA"}},
		{"leaked " + key, []string{"Why?", "leaked needs a reason"}},
		{"leaked billing-export in a repository", []string{"not an access key ID"}},
		{"leaked ASIAIOSFODNN7EXAMPLE seen", []string{"it starts with AKIA"}},
		{"break-glass", []string{"Which key?"}},
		{"break-glass " + key, []string{"Why?"}},
		{"break-glass " + key + " " + string(twoKey), []string{"Why?"}},
		{"break-glass " + key + " AKIA2 now", []string{"not an access key ID"}},
		{"breakglass " + key + " x", []string{"Did you mean break-glass?"}},
		{"unexempt", []string{"Which user?"}},
		{"unexempt billing", []string{"write USER@ACCOUNT"}},
		{"unexempt a@b", []string{"Why?", "For example: `/keys unexempt"}},
		{"report tomorrow", []string{"not a duration", "a filter looks like account:payments"}},
		{"report 1h", []string{"1d to 400d"}},
		{"report 401d", []string{"1d to 400d"}},
		{"report 0d", []string{"1d to 400d"}},
		{"report 30d 60d", []string{"more than report takes"}},
		{"report state:awaiting", []string{"cannot be narrowed by state, only by account, ou, owner"}},
		{"list 0", []string{"not the number of a page"}},
		{"list payments", []string{`"payments" is not the number of a page; a filter looks like account:payments`}},
		{"list 1 2", []string{"more than list takes"}},
		{"list acount:payments", []string{`no filter "acount"`, "Did you mean account:payments?"}},
		{"list account:", []string{"Account: names nothing"}},
		{"list account:a account:b", []string{"stands there twice"}},
		{"list account:" + strings.Repeat("x", 300), []string{"too long", "an account's ID instead of its name"}},
		{"list ou:PROD!", []string{"no path of organizational units"}},
		{"list ou:/", []string{"names nothing"}},
		{"list state:waiting", []string{`no state "waiting"`, "Did you mean awaiting?", "The states are upcoming"}},
		{"list state:stuck", []string{"write stuck"}},
		{"list state:awaiting,", []string{`no state ""`}},
		{"list age:90", []string{"the unit is missing"}},
		{"list age:<90d", []string{"write age:&gt;90d"}},
		{"list age:>0d", []string{"Every key is older"}},
		{"list kind:replace", []string{"write kind:rotate or kind:retire"}},
		{"list stuck:yes", []string{"Stuck stands alone"}},
		{"list <!channel>:x", []string{"no filter"}},
		{"mine owner:a@b.example", []string{"cannot be narrowed by owner"}},
		{"due kind:retire", []string{"cannot be narrowed by kind"}},
		{"due 30d 60d", []string{"more than due takes"}},
		{"status acount:payments", []string{"Did you mean account:payments?"}},
		{"status account:payments more", []string{"not the number of a page"}},
		{"why", []string{"Which key?"}},
		{"why " + key + " now", []string{"more than why takes"}},
		{"history", []string{"Which key?"}},
		{"reject " + key, []string{"Why?"}},
		{"release", []string{"Which key?"}},
		{"confirm", []string{"Which key?"}},
		{"restore AKIA", []string{"not an access key ID"}},
		{"retry", []string{"Which key?"}},
		{"extend " + key, []string{"For how long?"}},
		{"extend " + key + " soon", []string{"not a duration"}},
		{"anyway " + key, []string{"Why?"}},
		{"cancel", []string{"Which key?"}},
		{"rotate", []string{"Which user?"}},
		{"exempt", []string{"Which user?"}},
		{"aprove " + key, []string{`no command "aprove"`, "Did you mean approve?", "For example: `/keys approve AKIA"}},
		{"sttus", []string{"Did you mean status?", "For example: `/keys status"}},
		{strings.Repeat("x", 5000), []string{"There is no command", "For example:"}},
		{"approve", []string{"Which key?", "For example: `/keys approve"}},
		{"approve AKIA1", []string{"not an access key ID", "For example:"}},
		{"approve ASIAIOSFODNN7EXAMPLE", []string{"it starts with AKIA"}},
		{"approve " + key + " AKIA2", []string{"not an access key ID"}},
		{"snooze " + key, []string{"For how long?"}},
		{"snooze " + key + " 3", []string{"the unit is missing"}},
		{"snooze " + key + " 0d", []string{"no time at all"}},
		{"snooze " + key + " 99999999999999d", []string{"too large"}},
		{"snooze " + key + " -3d", []string{"not a duration"}},
		{"hold " + key + " 3d", []string{"Why?"}},
		{"hold " + key + ` 3d "  "`, []string{"Why?"}},
		{"reject " + key + " \u200b\u202e", []string{"Why?"}},
		{"reject " + key + " " + strings.Repeat("é", templates.MostWhy+1), []string{"The reason has 501 characters", "500 are possible"}},
		{"history " + key + " 0", []string{"not the number of a page"}},
		{"mine 1 2", []string{"more than mine takes"}},
		{"confirm " + key + " now", []string{"more than confirm takes"}},
		{"due tomorrow", []string{"not a duration"}},
		{"rotate billing", []string{"write USER@ACCOUNT"}},
		{"rotate @acct", []string{"does not name a user"}},
		{"rotate user@", []string{"does not name a user"}},
		{"exempt a@b", []string{"Until when?"}},
		{"exempt a@b until 31.1.2027 x", []string{"not a date"}},
		{"exempt a@b until 2027-02-30 x", []string{"not a date"}},
		{"exempt a@b until 2027-01-31", []string{"Why?"}},
		{"<!channel>", []string{"There is no command"}},
	} {
		name := c.text
		if len(name) > 40 {
			name = name[:40]
		}
		t.Run(name, func(t *testing.T) {
			got := Parse("/keys", "/keys", c.text)
			if got.Result == nil {
				t.Fatalf("understood as %+v", got.Command)
			}
			wants(t, textOf(got.Result.Blocks), c.says...)
			if strings.Contains(textOf(got.Result.Blocks), "<!channel>") {
				t.Error("it mentions a channel")
			}
		})
	}
	if got := Parse("/keys", "/other", "help"); !got.Ignore || got.Result != nil || got.Command != nil {
		t.Errorf("another app's command: %+v", got)
	}
}

// Each example of the help is understood as what it is an example of.
func TestExamplesAreUnderstood(t *testing.T) {
	for _, s := range Specs() {
		got := Parse("/keys", "/keys", s.Example)
		if s.Name == "help" {
			if got.Result == nil {
				t.Error("help is not answered")
			}
			continue
		}
		if got.Command == nil || got.Command.Name != s.Name {
			t.Errorf("%s: %+v", s.Example, got)
		}
		if !strings.HasPrefix(s.Usage, s.Name) {
			t.Errorf("%s has the usage %q", s.Name, s.Usage)
		}
	}
}

// Every command says what is wrong, and how it goes, where its arguments are missing, too many, or nonsense.
func TestEveryCommandAnswersNonsense(t *testing.T) {
	nonsense := []string{"<!channel>", "AKIA", "\x00", `"`, "-1", "99999999999999999999", strings.Repeat("x ", 3000), "ou:<@U1>", "../../etc", "\u202e\u200b", "account:\t", "*_~`"}
	for _, s := range Specs() {
		for _, rest := range append(nonsense, "") {
			for _, text := range []string{s.Name + " " + rest, s.Example + " " + rest} {
				p := Parse("/keys", "/keys", text)
				if p.Ignore || (p.Command == nil) == (p.Result == nil) {
					t.Fatalf("%q is %+v", text, p)
				}
				if p.Result == nil {
					continue
				}
				mustFit(t, p.Result.Blocks)
				if said := textOf(p.Result.Blocks); s.Name != "help" && (!strings.Contains(said, "It goes: `/keys "+s.Name) || !strings.Contains(said, "For example: `/keys "+s.Name) || strings.Contains(said, "<!")) {
					t.Errorf("%.60q is answered %q", text, said)
				}
			}
		}
	}
}

func TestNearest(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"snoze", "snooze", 1}, {"kitten", "sitting", 3}, {"é", "e", 1}, {strings.Repeat("a", 100), "", 40}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("distance(%q, %q) = %d", c.a, c.b, got)
		}
	}
	if got := nearest("x", nil); got != "" {
		t.Errorf("nearest of none is %q", got)
	}
}
