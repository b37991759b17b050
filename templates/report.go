package templates

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/rotation"
)

// SummaryView is what one run of the scan did.
type SummaryView struct {
	Started, Ended time.Time
	DryRun         bool
	Accounts       int // scanned
	Skipped        []Place
	Failed         []Place
	Users, Keys    int
	OverAge        int // active keys past their age
	Opened         int
	Refreshed      int
	Closed         int
	Findings       int
	RootKeys       []rotation.AccountID
}

// Place is an account of which something is said.
type Place struct {
	ID   rotation.AccountID
	Name string
	Why  string // what happened and what to do, a sentence
}

// RunSummary is the message of a run, for the channel.
func RunSummary(s SummaryView, v View) Message {
	title, nothing, would := "Daily scan", "", ""
	if s.DryRun {
		title, nothing, would = "Dry run of the scan", " Nothing was opened or changed.", " would be"
	}
	mark := "✅"
	if len(s.Failed) > 0 {
		mark = "⚠️"
	}
	say := fmt.Sprintf("%s: %s with %s and %s, %d of them active and too old; %s%s opened, %d%s closed.%s",
		title, countOf(s.Accounts, "account"), countOf(s.Users, "user"), countOf(s.Keys, "key"), s.OverAge, countOf(s.Opened, "rotation"), would, s.Closed, would, nothing)
	if n := len(s.Failed); n > 0 {
		say += fmt.Sprintf(" %s could not be scanned.", countOf(n, "account"))
	}
	if n := len(s.RootKeys); n > 0 {
		say += fmt.Sprintf(" The root user has access keys in %s.", countOf(n, "account"))
	}
	opened, refreshed, closed := "Rotations opened", "Notices brought up to date", "Rotations closed"
	if s.DryRun {
		opened, refreshed, closed = "Rotations to open", "Notices to bring up to date", "Rotations to close"
	}
	blocks := []slack.Block{
		header(mark + " " + title),
		section(fmt.Sprintf("Started on %s, took %s.%s", v.when(s.Started), took(s.Ended.Sub(s.Started)), nothing)),
		fieldsOf(
			fmt.Sprintf("*Accounts scanned*\n%d", s.Accounts), fmt.Sprintf("*Users*\n%d", s.Users),
			fmt.Sprintf("*Keys*\n%d", s.Keys), fmt.Sprintf("*Active keys that are too old*\n%d", s.OverAge),
			fmt.Sprintf("*%s*\n%d", opened, s.Opened), fmt.Sprintf("*%s*\n%d", refreshed, s.Refreshed),
			fmt.Sprintf("*%s*\n%d", closed, s.Closed), fmt.Sprintf("*Reported only (mode audit)*\n%d", s.Findings),
		),
	}
	if len(s.Failed) > 0 {
		blocks = append(blocks, section(list(":warning: Not scanned, because something failed", places(s.Failed))))
	}
	if len(s.Skipped) > 0 {
		blocks = append(blocks, section(list("Skipped on purpose", places(s.Skipped))))
	}
	if len(s.RootKeys) > 0 {
		var ids []string
		for _, id := range s.RootKeys {
			ids = append(ids, code(id))
		}
		blocks = append(blocks, section(list(":rotating_light: Access keys of the root user", ids)+"\nkeyturn never touches these. Sign in as the root user and delete them: nothing limits what they may do."))
	}
	return Message{Text: say, Blocks: blocks}
}

func places(ps []Place) []string {
	var out []string
	for _, p := range ps {
		name := esc(p.Name, 60)
		if name != "" {
			name += " "
		}
		out = append(out, fmt.Sprintf("%s%s: %s", name, code(p.ID), sentence(esc(p.Why, 300))))
	}
	return out
}

// list writes a heading and as many points as fit into a section, and counts the rest.
func list(heading string, points []string) string {
	const most = 2200
	b := &strings.Builder{}
	fmt.Fprintf(b, "*%s (%d)*", heading, len(points))
	n := utf8.RuneCountInString(b.String())
	for i, p := range points {
		n += utf8.RuneCountInString(p) + 3
		if n > most {
			fmt.Fprintf(b, "\n• and %d more; `keyturn status` shows them", len(points)-i)
			break
		}
		b.WriteString("\n• " + p)
	}
	return b.String()
}

func took(d time.Duration) string {
	if d < time.Minute {
		return countOf(max(int(d.Round(time.Second)/time.Second), 0), "second")
	}
	return span(d)
}

// AccountView is what one run knows of one account, for the audit report and the mails.
type AccountView struct {
	ID       rotation.AccountID
	Name     string
	OUPath   string
	At       time.Time
	Since    time.Time           // the run before, zero for the first
	Open     []rotation.Rotation // still open
	Closed   []rotation.Rotation // closed since the run before
	Findings []FindingView       // mode audit: what would be proposed
	Failures []string            // what went wrong with single users, sentences
	Exempt   int                 // users left alone
	RootKeys int                 // active access keys of the root user
	Users    int
	Keys     int
	OverAge  int // active keys past their age
}

// FindingView is a proposal that only gets reported.
type FindingView struct {
	User     rotation.UserName
	Owner    string
	Policy   rotation.Policy
	Proposal rotation.Proposal
	Key      rotation.KeyRef // the one that the proposal is about
}

func (f FindingView) would() string {
	switch {
	case f.Proposal.Act == rotation.ActRemind:
		return "remind people of it"
	case len(f.Proposal.Choices) > 0:
		return "replace a key, after a person has chosen which of the two goes first"
	case f.Proposal.Kind == rotation.Retire && f.Proposal.LastActive:
		return "remove it without a replacement, although it is the user's last active key"
	case f.Proposal.Kind == rotation.Retire:
		return "remove it without a replacement"
	case f.Proposal.Evict != "":
		return fmt.Sprintf("replace it, after key %s has made room", clip(string(f.Proposal.Evict), 128))
	default:
		return "replace it"
	}
}

// AuditReport is the message about an account in mode audit: what would be proposed, and that nothing is done.
func AuditReport(a AccountView, v View) Message {
	where := clip(a.Name, 60)
	if where == "" {
		where = string(a.ID)
	}
	say := fmt.Sprintf("Audit of account %s: %s would be proposed. Nothing was changed and nobody was asked.", where, countOf(len(a.Findings), "step"))
	blocks := []slack.Block{
		header("📋 Audit of account " + where),
		section(fmt.Sprintf("*%s would be proposed.* This account is in mode audit: nothing was changed, and nobody was asked.", countOf(len(a.Findings), "step"))),
		fieldsOf("*Account*\n"+code(a.ID), "*Users*\n"+fmt.Sprint(a.Users), "*Keys*\n"+fmt.Sprint(a.Keys), "*Active keys that are too old*\n"+fmt.Sprint(a.OverAge),
			"*Exempt users*\n"+fmt.Sprint(a.Exempt), "*Active keys of the root user*\n"+fmt.Sprint(a.RootKeys)),
	}
	var points []string
	for _, f := range a.Findings {
		owner := "nobody is known"
		if f.Owner != "" {
			owner = mentionUser(esc(f.Owner, 100))
		}
		points = append(points, fmt.Sprintf("%s, %s (%s old, last used: %s): %s %s. Owner: %s.", code(f.User), code(f.Key.ID), v.age(f.Key.Created), v.used(f.Key),
			Esc(reason(f.Proposal.Reason, f.Policy)), Esc("keyturn would "+f.would()), owner))
	}
	if len(points) > 0 {
		blocks = append(blocks, section(list("What would be proposed", points)))
	}
	if len(a.Failures) > 0 {
		var lines []string
		for _, f := range a.Failures {
			lines = append(lines, sentence(esc(f, 300)))
		}
		blocks = append(blocks, section(list(":warning: What went wrong", lines)))
	}
	return Message{Text: esc(say, mostText), Blocks: append(blocks, contextLine("As of "+v.when(a.At)+"."))}
}
