package templates

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/rotation"
)

// answer makes a message of mrkdwn lines; the fallback text is the same.
func answer(lines ...string) Message {
	lines = slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return strings.TrimSpace(l) == "" }) // Slack takes no empty text
	if len(lines) == 0 {
		lines = []string{"There is nothing to say."}
	}
	m := Message{Text: fit(strings.Join(lines, "\n"), mostText)}
	for _, l := range lines {
		m.Blocks = append(m.Blocks, section(l))
	}
	return m
}

// answerSentence escapes a sentence of the core, which may carry user names, and gives it a capital and a full stop.
func answerSentence(s string) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return ""
	}
	s = Cut(s, 1400)
	if first, n := utf8.DecodeRuneInString(s); !strings.HasPrefix(s, "keyturn") {
		s = string(unicode.ToUpper(first)) + s[n:]
	}
	if !strings.ContainsAny(s[len(s)-1:], ".!?") && !strings.HasSuffix(s, "…") {
		s += "."
	}
	return esc(s, 1500)
}

func answerKey(id rotation.KeyID) string { return code(id) }

// answerWhere names an account: payments (111122223333).
func answerWhere(account rotation.AccountID, name string) string {
	if name == "" {
		return esc(string(account), 40)
	}
	return fmt.Sprintf("%s (%s)", esc(name, 100), esc(string(account), 40))
}

// answerWhose names the key of a rotation, its user and account.
func answerWhose(r rotation.Rotation) string {
	return fmt.Sprintf("%s of *%s* in %s", answerKey(r.Old.ID), answerName(r.UserName), answerWhere(r.Account, r.AccountName))
}

func answerName(u rotation.UserName) string { return esc(string(u), 150) }

func answerBy(a rotation.Actor) string { return esc(a.String(), 150) }

func answerDay(t time.Time) string { return t.UTC().Format("2006-01-02") }

func answerMinute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// answerAge says an age in whole days.
func answerAge(created, now time.Time) string {
	switch n := int(max(0, now.Sub(created)) / rotation.Day); n {
	case 0:
		return "made today"
	case 1:
		return "1 day old"
	default:
		return fmt.Sprintf("%d days old", n)
	}
}

// answerUse says when a key was used last.
func answerUse(u rotation.LastUse, now time.Time) string {
	switch u.Kind {
	case rotation.UseSeen:
		return Esc(fmt.Sprintf("last used %s with %s in %s", rotation.Ago(u.At, now), Cut(u.Service, 60), Cut(u.Region, 60)))
	case rotation.UseNever:
		return "never used"
	default:
		return "last use not known"
	}
}

// answerStands says where a rotation stands and what comes next, in a sentence or two.
func answerStands(r rotation.Rotation, now time.Time) string {
	var out []string
	switch {
	case r.State == rotation.Closed:
		out = append(out, fmt.Sprintf("Closed (%s) on %s.", r.Outcome, answerDay(r.ClosedAt)))
		if !r.ReopenAt.IsZero() && now.Before(r.ReopenAt) {
			out = append(out, "It may come back on "+answerDay(r.ReopenAt)+".")
		}
		return strings.Join(out, " ")
	case r.Restoring():
		out = append(out, fmt.Sprintf("%s is being restored, as %s asked.", answerKey(restored(r).ID), answerBy(r.Restore.By)))
	case r.Stuck != nil:
		out = append(out, "keyturn cannot go on by itself: "+answerSentence(Cut(r.Stuck.Seen, 300))+" A person has to put it right.")
	default:
		out = append(out, answerState(r))
	}
	if r.Acting != nil {
		out = append(out, "A key is "+r.Acting.Op.Doing()+" right now.")
	}
	if r.Held != nil {
		out = append(out, fmt.Sprintf("On hold until %s by %s.", answerDay(r.Held.Until), answerBy(r.Held.By)))
	}
	if r.Leaked != nil {
		out = append(out, fmt.Sprintf("Reported as leaked by %s on %s.", answerBy(r.Leaked.By), answerDay(r.Leaked.At)))
	}
	if r.Frozen != nil {
		out = append(out, "The account cannot be reached, so its dates stand still since "+answerDay(r.Frozen.At)+".")
	}
	if r.Trouble != nil && r.Trouble.Attempts > 0 && r.Stuck == nil {
		out = append(out, fmt.Sprintf("The last step failed %s; it is tried again on %s.", times(r.Trouble.Attempts), answerMinute(r.Trouble.RetryAt)))
	}
	return strings.Join(out, " ")
}

func answerState(r rotation.Rotation) string {
	switch r.State {
	case rotation.Upcoming:
		if !r.SnoozedUntil.IsZero() {
			return "Snoozed until " + answerDay(r.SnoozedUntil) + "."
		}
		return "Announced; a decision is due on " + answerDay(r.DueAt) + "."
	case rotation.Awaiting:
		if !r.SnoozedUntil.IsZero() {
			return "Snoozed until " + answerDay(r.SnoozedUntil) + "."
		}
		return "Waiting for a decision since " + answerDay(r.Since) + "."
	case rotation.Approved:
		switch {
		case r.Kind == rotation.Retire:
			return "Approved: the key is deactivated as soon as it has been idle for " + span(r.Quiet()) + "."
		case waits(r):
			return "Approved: " + answerKey(r.Evict.ID) + " goes first, then a new key is issued."
		}
		return "Approved: a new key is issued next."
	case rotation.Evicting:
		if !waits(r) {
			return "There is room for the new key, which is issued next."
		}
		if r.Evict.InactiveSince.IsZero() {
			return "Making room: " + answerKey(r.Evict.ID) + " is deactivated as soon as it has been idle for " + span(r.Quiet()) + "."
		}
		return fmt.Sprintf("Making room: %s is inactive, and is deleted on %s if nothing has used it.", answerKey(r.Evict.ID), answerDay(r.EvictAt))
	case rotation.Issuing:
		return "The new key is being made and stored."
	case rotation.Installing:
		s := "Both keys work. The old one is deactivated on " + answerDay(r.DeactivateAt) + ", if it has been idle for " + span(r.Quiet()) + " by then."
		if r.New != nil {
			s += " The new key is " + answerKey(r.New.ID) + ", in the secret " + code(r.New.SecretName) + "."
		}
		return s
	case rotation.Recovering:
		return "Deactivated. It is deleted on " + answerDay(r.DeleteAt) + ", if nothing has used it, and can be restored until then."
	default:
		return answerSentence(r.State.Sentence())
	}
}

func answerButtons(elements ...slack.BlockElement) slack.Block {
	return slack.NewActionBlock("", elements...)
}
