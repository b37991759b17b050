package templates

import (
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/rotation"
)

// Overview is what the last scans and the store know of the organization.
type Overview struct {
	Accounts  int
	Unscanned []rotation.Snapshot // whose last scan failed
	Users     int
	Keys      int
	OverAge   int // active keys past their age
	Exempt    int
	RootKeys  []rotation.Snapshot // accounts whose root user has active keys
	Open      map[rotation.State]int
	Stuck     int
	Held      int
	Escalated int       // nobody answered, or the old key is still in use
	Leaked    int       // reported as leaked
	Oldest    time.Time // the oldest successful scan
	Cut       bool      // there was too much to count in time
}

// AnswerOverview shows where the organization stands.
func AnswerOverview(o Overview, now time.Time) Message {
	if o.Accounts == 0 {
		return spoken("*Where everything stands*\nNo account was scanned yet. The first scan fills this in.")
	}
	lines := []string{fmt.Sprintf("*Where everything stands*\n%s with %s and %s; %d active and too old. The oldest scan is from %s.",
		count(o.Accounts, "account"), count(o.Users, "user"), count(o.Keys, "key"), o.OverAge, answerScan(o.Oldest, now))}
	var open []string
	for _, s := range rotation.States {
		if n := o.Open[s]; n > 0 {
			open = append(open, fmt.Sprintf("• %d %s", n, answerStateWord(s)))
		}
	}
	if len(open) == 0 {
		open = []string{"• none"}
	}
	lines = append(lines, "Open rotations:\n"+strings.Join(open, "\n"))
	var notes []string
	note := func(n int, format string, args ...any) {
		if n > 0 {
			notes = append(notes, fmt.Sprintf("• "+format, args...))
		}
	}
	note(o.Stuck, "%d stuck: keyturn cannot go on by itself, and a person has to look", o.Stuck)
	note(o.Leaked, "%d reported as leaked", o.Leaked)
	note(o.Escalated, "%d escalated, because nobody answered or the old key is still in use", o.Escalated)
	note(o.Held, "%d on hold", o.Held)
	note(o.Exempt, "%d exempt from rotation", o.Exempt)
	for _, s := range o.RootKeys {
		note(s.RootKeys, "%s has %s of its root user: remove them by hand", answerWhere(s.Account, s.Name), count(s.RootKeys, "active key"))
	}
	for i, s := range o.Unscanned {
		if i == 10 {
			notes = append(notes, fmt.Sprintf("• and %d more accounts whose last scan failed", len(o.Unscanned)-i))
			break
		}
		notes = append(notes, fmt.Sprintf("• %s: the last scan failed (%s): %s", answerWhere(s.Account, s.Name), answerScan(s.Tried, now), answerSentence(Cut(s.Error, 200))))
	}
	if o.Cut {
		notes = append(notes, "• There was more than could be counted in time; ask about one account instead.")
	}
	if len(notes) > 0 {
		lines = append(lines, strings.Join(notes, "\n"))
	}
	return spoken(lines...)
}

func answerStateWord(s rotation.State) string {
	switch s {
	case rotation.Upcoming:
		return "announced"
	case rotation.Awaiting:
		return "waiting for a decision"
	case rotation.Approved:
		return "approved"
	case rotation.Evicting:
		return "making room for a new key"
	case rotation.Issuing:
		return "getting a new key"
	case rotation.Installing:
		return "with both keys working"
	case rotation.Recovering:
		return "with the old key deactivated"
	default:
		return Esc(string(s))
	}
}

func answerScan(t, now time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return rotation.Ago(t, now)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// AccountStatus is what is known of one account.
type AccountStatus struct {
	Snapshot   rotation.Snapshot
	OverAge    int
	Exemptions []rotation.Exemption
	List       List // its open rotations
}

// AnswerAccount shows one account and its open rotations.
func AnswerAccount(a AccountStatus, now time.Time) Message {
	s, keys := a.Snapshot, 0
	for _, u := range s.Users {
		keys += len(u.Keys)
	}
	head := fmt.Sprintf("*%s*: %s with %s; %d active and too old. Scanned %s.", answerWhere(s.Account, s.Name),
		count(len(s.Users), "user"), count(keys, "key"), a.OverAge, answerScan(s.Taken, now))
	if s.Error != "" {
		head += "\nThe last try failed " + answerScan(s.Tried, now) + ": " + answerSentence(Cut(s.Error, 200))
	}
	if s.RootKeys > 0 {
		head += "\nThe root user has " + count(s.RootKeys, "active key") + ": remove them by hand."
	}
	for i, e := range a.Exemptions {
		if i == 10 {
			head += fmt.Sprintf("\nand %d more exemptions", len(a.Exemptions)-i)
			break
		}
		head += "\n" + answerExemption(e)
	}
	list := AnswerList(a.List)
	return Message{Text: aloudAll([]string{head, list.Text}), Blocks: append([]slack.Block{section(head)}, list.Blocks...)}
}

func answerExemption(e rotation.Exemption) string {
	return fmt.Sprintf("*%s* is exempt until %s, by %s: %s", answerName(e.UserName), answerDay(e.Until), answerBy(e.By), esc(e.Why, 300))
}

// UserStatus is what is known of one user.
type UserStatus struct {
	Snapshot  rotation.Snapshot // zero if no scan knows the user
	User      rotation.User
	Rotation  *rotation.Rotation  // the latest one, if there is any
	Exemption *rotation.Exemption // in force
	Rows      []Row               // keys that the rotation is not about
	Key       rotation.KeyID      // the one that was asked for, if one was
}

// AnswerUser shows one user, the rotation and the other keys.
func AnswerUser(u UserStatus, now time.Time) Message {
	head := fmt.Sprintf("*%s* in %s", answerName(u.User.Name), answerWhere(u.Snapshot.Account, u.Snapshot.Name))
	if !u.Snapshot.Taken.IsZero() {
		head += ", scanned " + answerScan(u.Snapshot.Taken, now)
	}
	if r := u.Rotation; r != nil && r.New != nil && u.Key == r.New.ID {
		head += "\n" + answerKey(u.Key) + " is the new key of this rotation."
	}
	if u.Exemption != nil {
		head += "\n" + answerExemption(*u.Exemption)
	}
	text, blocks := []string{head}, []slack.Block{section(head)}
	rows := u.Rows
	if u.Rotation != nil {
		rows = append([]Row{RowOf(*u.Rotation, now)}, rows...)
	}
	if len(rows) == 0 {
		none := "No access keys, and no rotation."
		text, blocks = append(text, none), append(blocks, section(none))
	}
	for _, r := range rows {
		text, blocks = append(text, "• "+r.text()), append(blocks, r.block())
	}
	return Message{Text: aloudAll(text), Blocks: blocks}
}
