package templates

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

// MailAccount is what the templates account and owner see. Every string is a single line of plain text without control
// characters; the HTML templates escape it.
type MailAccount struct {
	Account   string // "Production (111122223333)"
	Owner     string // of the mail owner: whom it is for
	OU        string
	At, Since string // Since is empty for the first run
	Help      string // whom to ask; may be empty

	Stuck    []MailRow // need a person
	Waiting  []MailRow // need a decision
	Install  []MailRow // have a new key that is not known to be in use
	Working  []MailRow // decided and under way, or put off
	Done     []MailRow // closed since the run before
	Findings []MailRow // mode audit: what would be proposed; nothing was done
	Failures []string
	More     MailMore // how many rows each of these lists has beyond those that are shown

	RootKeys, Exempt, Users, Keys, OverAge int
}

// MailMore counts what a mail leaves out: nobody reads a thousand rows, and mail programs cut such mails off.
type MailMore struct{ Stuck, Waiting, Install, Working, Done, Findings int }

// mostRows is how many rows each list of a mail shows.
const mostRows = 100

// add adds a row to a list, as long as there is room. The row is only made then.
func add(list *[]MailRow, more *int, row func() MailRow) {
	if len(*list) == mostRows {
		*more++
		return
	}
	*list = append(*list, row())
}

// MailRow is one key in a mail.
type MailRow struct {
	User, Key string
	Owner     string
	Age, Used string   // "95 days"; "last used with s3 in eu-west-1 on ..."
	Says      string   // where it stands, in a sentence or more
	Why       string   // why the key came up
	First     string   // the key that goes first, with age and last use; empty: none
	NewKey    string   // empty while there is none
	Secret    string   // that holds the new key
	Read      string   // the command that reads the new key
	Next      []string // what will happen and when
	Steps     []string // what was done since the run before, with dates
}

// MailNotice is what the template notice sees: one key, and its owner cannot be reached in Slack.
type MailNotice struct {
	MailRow
	Title     string
	Account   string
	Subject   string   // begins with what is wanted, where something is
	NeedsYou  bool     // a decision is waited for
	Urgent    bool     // something has to be done: install a key, look at what is stuck
	Open      bool     // it is not over yet
	Never     []string // what will not happen
	Who, Help string   // who can decide in Slack; whom to ask
	Because   string   // why they get it; empty: Slack does not reach the owner
	Posted    bool     // the notice stands in Slack too
	At        string
}

// Empty reports whether there is nothing to say.
func (m MailAccount) Empty() bool {
	return len(m.Stuck)+len(m.Waiting)+len(m.Install)+len(m.Working)+len(m.Done)+len(m.Findings)+len(m.Failures)+m.RootKeys == 0
}

// Quiet reports whether a mail about the account would have nothing to say.
func (a AccountView) Quiet() bool { return accountData(a, View{}).Empty() }

func accountData(a AccountView, v View) MailAccount {
	d := MailAccount{
		Account: account(rotation.Rotation{Account: a.ID, AccountName: a.Name}), OU: line(a.OUPath, 200), At: v.stamp(a.At), Help: line(v.Help, 200),
		RootKeys: a.RootKeys, Exempt: a.Exempt, Users: a.Users, Keys: a.Keys, OverAge: a.OverAge,
	}
	if !a.Since.IsZero() {
		d.Since = v.stamp(a.Since)
	}
	for _, r := range a.Open {
		row := func() MailRow { return mailRow(r, v, a.Since) }
		switch p := phaseOf(r); {
		case p == isStuck || p == isLeaked || r.Escalated || r.LeakedKey != nil && r.LeakedKey.Off.IsZero():
			add(&d.Stuck, &d.More.Stuck, row)
		case p == isUpcoming || p == isAwaiting:
			add(&d.Waiting, &d.More.Waiting, row)
		case p == isInstalling && !adopted(r):
			add(&d.Install, &d.More.Install, row)
		default:
			add(&d.Working, &d.More.Working, row)
		}
	}
	for _, r := range a.Closed {
		add(&d.Done, &d.More.Done, func() MailRow { return mailRow(r, v, a.Since) })
	}
	for _, f := range a.Findings {
		add(&d.Findings, &d.More.Findings, func() MailRow {
			return MailRow{
				User: line(string(f.User), 64), Key: line(string(f.Key.ID), 128), Owner: line(f.Owner, 200), Age: v.age(f.Key.Created), Used: v.usedAloud(f.Key),
				Says: "keyturn would " + f.would() + ".", Why: reason(f.Proposal.Reason, f.Policy),
			}
		})
	}
	for _, f := range a.Failures {
		d.Failures = append(d.Failures, sentence(line(f, 500)))
	}
	return d
}

func mailRow(r rotation.Rotation, v View, since time.Time) MailRow {
	s := storyOf(r, v)
	row := MailRow{
		User: line(string(r.UserName), 64), Key: line(string(r.Old.ID), 128), Owner: line(r.Owner, 200),
		Age: v.age(r.Old.Created), Used: v.usedAloud(seenLast(r, r.Old)), Says: s.aloud, Why: unmrkdwn(teller{r: r, v: v}.why()), Steps: steps(r, v, since),
	}
	if e := r.Evict; e != nil {
		e := seenLast(r, *e)
		row.First = fmt.Sprintf("%s (%s old, %s)", line(string(e.ID), 128), v.age(e.Created), v.usedAloud(e))
	}
	if r.New != nil && r.Open() {
		row.NewKey, row.Secret, row.Read = line(string(r.New.ID), 128), line(r.New.SecretName, 520), unmrkdwn(fetch(r))
	}
	for _, n := range s.next {
		row.Next = append(row.Next, unmrkdwn(n))
	}
	return row
}

// steps says what keyturn, or a person by hand, did to keys since a time.
func steps(r rotation.Rotation, v View, since time.Time) []string {
	done := map[string]string{
		"issued": "a new key was issued and stored in Secrets Manager", "deactivated": "a key was deactivated", "restored": "a key was restored",
		"deleted": "the old key was deleted", "evicted": "the key that had to make room was deleted",
		"observed_deactivated": "somebody deactivated a key by hand", "observed_reactivated": "somebody activated a key by hand",
	}
	var out []string
	for _, h := range r.History {
		did, ok := done[h.Event]
		if !ok || !h.At.After(since) {
			continue
		}
		if h.Note != "" {
			did += ": " + line(h.Note, 200)
		}
		out = append(out, fmt.Sprintf("%s: %s", v.stamp(h.At), did))
	}
	return out
}

func noticeData(r rotation.Rotation, v View) MailNotice {
	s, p := storyOf(r, v), phaseOf(r)
	d := MailNotice{
		MailRow: mailRow(r, v, v.Now), Title: line(s.title+": "+userName(r), 200), Account: account(r),
		NeedsYou: p == isUpcoming || p == isAwaiting, Urgent: p == isStuck || p == isLeaked || p == isInUse || p == isInstalling && !adopted(r), Open: r.Open(),
		Posted: v.Posted, Because: line(v.Because, 200),
		Who: line(v.Who, 400), Help: line(v.Help, 200), At: v.stamp(v.Now),
	}
	d.Subject = d.Title
	switch {
	case d.Urgent:
		d.Subject = "[action needed] " + d.Title
	case d.NeedsYou:
		d.Subject = "[decision needed] " + d.Title
	}
	for _, n := range s.never {
		d.Never = append(d.Never, unmrkdwn(n))
	}
	return d
}

// pressing finds the buttons that our mrkdwn names.
var pressing = regexp.MustCompile(`\b(press(?:es)?) \*([^*\n]+)\*`)

// unmrkdwn turns our own mrkdwn into a single line of plain text for a mail.
func unmrkdwn(s string) string {
	s = pressing.ReplaceAllString(s, `$1 "$2" in Slack`)
	s = strings.NewReplacer("`", "", ":warning: ", "", ":rotating_light: ", "", ":point_up: ", "", ":calendar: ", "", "\n• ", " ").Replace(unmark(s))
	return line(s, 1500)
}
