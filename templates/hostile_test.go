package templates

import (
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/rotation"
)

// longer is longer than every limit of Slack's and ours for a single text.
const longer = 4200

// hostile are texts that users may type, or may call users, accounts and tags.
var hostile = []string{
	"<!channel> <@U0EVIL0001> <https://evil.example|click here>",
	"*bold* _it_ `code` ~gone~ > quote",
	"```\nblock\n```",
	"@channel @here @everyone",
	"<script>alert(1)</script><img src=x onerror=alert(1)>",
	"\"'><b onmouseover=x>",
	"abc\u202edcba\u202c \u200f\u061c\u2066x\u2069 \u0000\u0007\u001b[31m",
	"line one\nline two\r\nBcc: everybody@example.com\n\n. ",
	"{{.Users}} {{define \"row\"}}x{{end}} ${jndi} %s %n",
	"&amp;&lt;!channel&gt;",
	strings.Repeat("<", longer),
	strings.Repeat("&*_`", longer/4),
	strings.Repeat("ä€😀", longer/3),
	"\xff\xfe broken \xc3",
	strings.Repeat("a", 64),
	"",
	" ",
}

// poisoned returns r with text in every place that people, or AWS on their behalf, may write.
func poisoned(r rotation.Rotation, text string) rotation.Rotation {
	r = r.Clone()
	r.UserName, r.AccountName, r.AccountEmail, r.OUPath, r.Owner, r.UserPath, r.UserARN = rotation.UserName(text), text, text, text, text, text, text
	r.RequestedWhy, r.Policy.Rule, r.Tags = text, text, map[string]string{text: text}
	evil := rotation.Actor{ID: text, Name: text, Email: text, Via: rotation.ViaSlack}
	r.RequestedBy = evil
	for _, k := range []*rotation.KeyRef{&r.Old, r.Evict, r.Other} {
		if k != nil && k.LastUse.Kind == rotation.UseSeen {
			k.LastUse.Service, k.LastUse.Region = text, text
		}
	}
	if r.New != nil {
		r.New.SecretARN, r.New.SecretName, r.New.InUse.Service, r.New.InUse.Region = text, text, text, text
	}
	if r.Held != nil {
		r.Held.Why, r.Held.By = text, evil
	}
	if r.Stuck != nil {
		r.Stuck.Seen = text
	}
	if r.Trouble != nil {
		r.Trouble.Error = text
	}
	for _, i := range []*rotation.Intent{r.Restore, r.Anyway, r.Leaked, r.Confirmed, r.Frozen} {
		if i != nil {
			i.Why, i.By = text, evil
		}
	}
	if r.Escalation != nil {
		r.Escalation.Why = text
	}
	if r.LeakedKey != nil {
		r.LeakedKey.Why, r.LeakedKey.By = text, evil
	}
	if r.Postponed != nil {
		r.Postponed.Why = text
	}
	if r.Admin != nil {
		r.Admin.Names, r.Admin.Problem = []string{text}, ""
	}
	for i := range r.GateSeen {
		r.GateSeen[i].Sentence, r.GateSeen[i].Service, r.GateSeen[i].Region = text, text, text
	}
	for range 3 {
		r.GateSeen = append(r.GateSeen, rotation.Block{Why: rotation.BlockUnknown, Sentence: text})
	}
	for i := range r.Approvals {
		r.Approvals[i].Actor = evil
	}
	for i := range r.History {
		if r.History[i].Actor.Via != rotation.ViaSystem {
			r.History[i].Actor = evil
		}
		r.History[i].Note = text
	}
	return r
}

var ours = regexp.MustCompile(`<!date\^-?\d+\^\{date_short\} \{time\}\|[^<>|]*>|<@U0SECOPS1>|<!subteam\^S0(?:PLATFORM|SECOPS)>`)

// clean fails where text that we did not write has kept a meaning.
func clean(t *testing.T, m Message) {
	t.Helper()
	texts := []string{m.Text}
	for _, b := range m.Blocks {
		switch b := b.(type) {
		case *slack.HeaderBlock:
			plainText(t, b.Text.Text)
		case *slack.SectionBlock:
			if b.Text != nil {
				texts = append(texts, b.Text.Text)
			}
			for _, f := range b.Fields {
				texts = append(texts, f.Text)
			}
		case *slack.InputBlock:
			plainText(t, b.Label.Text)
			if b.Hint != nil {
				plainText(t, b.Hint.Text)
			}
		case *slack.ContextBlock:
			for _, e := range b.ContextElements.Elements {
				texts = append(texts, e.(*slack.TextBlockObject).Text)
			}
		}
	}
	for _, s := range texts {
		s = ours.ReplaceAllString(s, "")
		rest := strings.ReplaceAll(s, "\n> ", "") // our own quotation
		if i := strings.IndexAny(rest, "<>"); i >= 0 {
			t.Errorf("a mark of Slack's survives: %.120q", rest[i:])
		}
		for _, w := range []string{"@channel", "@here", "@everyone"} {
			if strings.Contains(s, w) && !inCode(s, w) {
				t.Errorf("%s survives: %.120q", w, s)
			}
		}
		if strings.Count(s, "`")%2 != 0 {
			t.Errorf("an open code mark: %.200q", s)
		}
		for _, line := range strings.Split(s, "\n") {
			if strings.Count(uncoded(line), "*")%2 != 0 { // in code, Slack formats nothing
				t.Errorf("an open bold mark: %.200q", line)
			}
		}
		controls(t, s)
	}
}

// inCode reports whether w occurs in code only, where Slack leaves it alone.
func inCode(s, w string) bool {
	for i, part := range strings.Split(s, "`") {
		if i%2 == 0 && strings.Contains(part, w) {
			return false
		}
	}
	return true
}

func controls(t *testing.T, s string) {
	t.Helper()
	for _, r := range s {
		if r != '\n' && r != '\u2060' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co) {
			t.Errorf("a control character survives: %U", r)
			return
		}
	}
}

func plainText(t *testing.T, s string) {
	t.Helper()
	if strings.Contains(s, "\n") {
		t.Errorf("a line end in %q", s)
	}
	controls(t, s)
}

func TestHostileTextIsOnlyText(t *testing.T) {
	mails, err := LoadMails("")
	if err != nil {
		t.Fatal(err)
	}
	samples := noticeSamples()
	for _, text := range everyHostile() {
		t.Run(Cut(Clean(text), 24), func(t *testing.T) {
			t.Parallel()
			look := func(what string, m Message) {
				t.Helper()
				checkMessage(t, m)
				clean(t, m)
				if t.Failed() {
					t.Fatalf("in the %s", what)
				}
			}
			mail := func(m Mail, err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
				cleanMail(t, m)
			}
			v := View{Now: sampleNow, Who: text, Help: text}
			var all []rotation.Rotation
			told := map[string]bool{}
			for _, s := range samples {
				r := poisoned(s.r, text)
				v := View{Now: s.v.Now, Who: text, Help: text}
				all = append(all, r)
				look("notice of "+s.name, Notice(r, v))
				if key := kindred(r); !told[key] { // its line is the notice's own fallback
					told[key] = true
					look("thread of "+s.name, Thread(r, r.History, true, []string{text}, v))
				}
				mail(mails.NoticeMail(r, v))
			}
			for i := range all { // each is seen, although a digest has no room for all
				if i%8 == 0 {
					look("digest", Digest(all[i:min(i+8, len(all))], v))
				}
			}
			look("digest of all", Digest(all, v))
			shared := v
			shared.For, shared.Shared = []string{text}, true
			look("digest of all in a channel", Digest(all, shared))
			for i := range all {
				if i%8 == 0 {
					mail(mails.DigestMail(all[i:min(i+8, len(all))], v))
				}
			}
			look("refusal", Refusal(text, v))
			account := poisonedAccount(text)
			mail(mails.AccountMail(account, v))
			mail(mails.OwnerMail(text, account, v))
			look("audit report", AuditReport(account, v))
			sum := SummaryView{Ended: time.Time{}.Add(time.Hour), RootKeys: []rotation.AccountID{rotation.AccountID(text)}}
			for range 50 {
				sum.Failed = append(sum.Failed, Place{ID: rotation.AccountID(text), Name: text, Why: text})
				sum.Skipped = sum.Failed
				sum.RootKeys = append(sum.RootKeys, rotation.AccountID(text))
			}
			look("run summary", RunSummary(sum, v))
			hostileAnswers(t, text, all, look)
		})
	}
}

func poisonedAccount(text string) AccountView {
	a := sampleAccount()
	a.Name, a.OUPath, a.Failures = text, text, []string{text, text}
	for i := range a.Open {
		a.Open[i] = poisoned(a.Open[i], text)
	}
	for _, f := range sampleAudit().Findings {
		f.User, f.Owner, f.Key.LastUse.Service = rotation.UserName(text), text, text
		for range 20 {
			a.Findings = append(a.Findings, f)
		}
	}
	return a
}

// harmlessTags remembers tags that were looked at: every mail has the same ones.
var harmlessTags sync.Map

var (
	tags     = regexp.MustCompile(`<[^>]*>`)
	evilTags = regexp.MustCompile(`(?i)^<(script|img|b|iframe|svg|a|link|style)[\s>/]|\son[a-z]+=|src=|url\(|http|@import`)
)

func cleanMail(t *testing.T, m Mail) {
	t.Helper()
	plainText(t, m.Subject)
	if m.Subject == "" || len([]rune(m.Subject)) > 200 {
		t.Errorf("the subject has %d characters", len([]rune(m.Subject)))
	}
	controls(t, m.Text)
	for _, l := range strings.Split(m.Text, "\n") {
		if strings.HasPrefix(l, "Bcc:") {
			t.Errorf("a line that was typed begins a line of the mail: %q", l)
		}
	}
	for _, tag := range tags.FindAllString(m.HTML, -1) {
		if _, harmless := harmlessTags.Load(tag); harmless {
			continue
		}
		harmlessTags.Store(tag, nil)
		if evilTags.MatchString(tag) {
			harmlessTags.Delete(tag)
			t.Errorf("HTML survives, or something is asked for from outside: %q", tag)
		}
	}
	if n := strings.Count(m.HTML, "<html"); n != 1 {
		t.Errorf("%d documents in one mail", n)
	}
}

// What a claim, a lease or a journal holds is nobody's business in a message.
func TestNoInternalTokenIsShown(t *testing.T) {
	mails, err := LoadMails("")
	if err != nil {
		t.Fatal(err)
	}
	const marker = "SENTINEL-0123456789"
	for _, s := range noticeSamples() {
		r := s.r.Clone()
		r.Acting = &rotation.Acting{Op: rotation.OpIssue, Token: marker}
		r.Telling = &rotation.Telling{Token: marker}
		r.Journal = &rotation.Journal{Token: marker, Current: marker}
		if r.New != nil {
			r.New.VersionID = marker
		}
		m, err := mails.NoticeMail(r, s.v)
		if err != nil {
			t.Fatal(err)
		}
		n := Notice(r, s.v)
		for _, text := range []string{n.Text, blocksJSON(t, slack.Blocks{BlockSet: n.Blocks}), m.Subject, m.Text, m.HTML} {
			if strings.Contains(text, marker) {
				t.Errorf("%s: a token is shown", s.name)
			}
		}
	}
}

func TestOptionKeepsItsLimit(t *testing.T) {
	r := sampleNamed(t, "awaiting").r
	for n := 1; n < 300; n++ {
		v := ValueOf(r)
		v.ID = rotation.MakeID("111122223333", rotation.UserID(strings.Repeat("A", n)))
		o, ok := option(ActHistory, "History", v)
		if ok && len(o.Value) > mostOption || !ok && o != nil {
			t.Fatalf("%d: %v, %v", n, o, ok)
		}
		if n <= 21 && (!ok || !strings.Contains(o.Value, `"d":`)) {
			t.Fatalf("a user ID of %d characters has no room", n)
		}
	}
}

func TestEsc(t *testing.T) {
	for in, want := range map[string]string{
		"billing-export": "billing-export", "<!channel>": "&lt;!channel&gt;", "a*b_c": "a∗b_\u2060c", "@channel!": "@\u2060channel!",
		"a\u202eb": "ab", "a\nb": "a b", "`x`": "'x'", "a&b": "a&amp;b", "\u200bx": "x",
	} {
		if got := Esc(in); got != want {
			t.Errorf("Esc(%q) = %q, want %q", in, got, want)
		}
	}
	if got := code("svc_a`b<c"); got != "`svc_a'b&lt;c`" {
		t.Errorf("code: %s", got)
	}
	if got := mention(Esc("the owner (U0123456789), U0AAAAAA1, U0BBBBBB2 or a@example.com, not WORKLOADS")); got != "the owner (<@U0123456789>), <@U0AAAAAA1>, <@U0BBBBBB2> or a@example.com, not WORKLOADS" {
		t.Errorf("mention: %s", got)
	}
	if got := mention(Esc("a member of the group S0SECOPS01 or group:S0PLATFORM, not the group SUPPORT or the S0SECOPS01")); got != "a member of the group <!subteam^S0SECOPS01> or group <!subteam^S0PLATFORM>, not the group SUPPORT or the S0SECOPS01" {
		t.Errorf("mention of groups: %s", got)
	}
	if got := (View{}).by(rotation.Actor{Name: "group S0SECOPS01"}); got != "group S0SECOPS01" {
		t.Errorf("a name that calls a group: %s", got)
	}
}

func TestSpanAndUse(t *testing.T) {
	for d, want := range map[time.Duration]string{
		10 * rotation.Day: "10 days", rotation.Day: "24 hours", 8 * time.Hour: "8 hours", time.Hour: "1 hour", 90 * time.Second: "1 minute",
		10*rotation.Day + 12*time.Hour: "10 days and 12 hours", -time.Hour: "0 minutes",
	} {
		if got := span(d); got != want {
			t.Errorf("span(%s) = %q, want %q", d, got, want)
		}
	}
	v := View{Now: sampleNow}
	for _, tt := range []struct {
		name string
		k    rotation.Key
		want string
	}{
		{"used", sampleKey(sampleOld, 95, 1, rotation.Active), "last used with s3 in eu-west-1 on 23 November 2026"},
		{"never", sampleKey(sampleOld, 95, 0, rotation.Active), "never used"},
		{"unknown", sampleKey(sampleOld, 95, -1, rotation.Active), "last used at a time that is not known"},
		{"older than the records", sampleKey(sampleOld, 4300, 0, rotation.Active), "last used at a time that is not known"},
	} {
		if got := v.usedAloud(rotation.KeyRef{ID: tt.k.ID, Created: tt.k.Created, LastUse: tt.k.LastUse}); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestPlain(t *testing.T) {
	m := Notice(sampleNamed(t, "awaiting").r, View{Now: sampleNow})
	got := Plain(m)
	for _, want := range []string{"== 🔑 Replace access key: billing-export ==", "[Approve]", "[Snooze]", "[More: Reject… | Exempt… | Hold… | History]", "23 Nov 2026, 09:00 UTC"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	if strings.Contains(got, "<!date") || strings.Contains(got, "*") {
		t.Errorf("marks are left in\n%s", got)
	}
}
