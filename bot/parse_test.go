package bot

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
		{"help leaked", []string{"does not have `/keys leaked` yet", "deactivate it in AWS right now"}},
		{"help aprove", []string{"Did you mean approve?"}},
		{"leaked " + key, []string{"deactivate it in AWS right now"}},
		{"report", []string{"does not have `/keys report` yet"}},
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
