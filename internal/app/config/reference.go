package config

import (
	"fmt"
	"strings"

	"github.com/keyturn/keyturn/internal/rotation"
)

// RuleKey is one key of a rule of the policy.
type RuleKey struct {
	Name    string // as it is written: approvers.any_of
	Default string // what holds where it is left out
	Does    string // a sentence
}

// RuleKeys are all keys of a rule, in the order in which a reader needs them.
func RuleKeys() []RuleKey {
	p := rotation.DefaultPolicy()
	d := rotation.FormatDuration
	budget := func(b rotation.Budget) string {
		return fmt.Sprintf("{longest: %s, count: %d, total: %s}", d(b.Longest), b.Count, d(b.Total))
	}
	return []RuleKey{
		{"match.account", "", "Which keys the rule is for: those of this account (12 digits). Everything that is set under match has to hold; without match it is all keys."},
		{"match.accounts", "", "Those of one of these accounts."},
		{"match.ou", "", "Those of accounts in this organizational unit or below it: its ID, or its path from the root."},
		{"match.user", "", "Those of IAM users with such a name; a glob like build-*."},
		{"match.path", "", "Those of IAM users below this path, like /machines/."},
		{"match.tags", "", "Those of IAM users with these tags; * stands for any value."},
		{"match.mode", "", "In approvals only: those for which the policy has this mode."},
		{"mode", string(p.Mode), "audit only reports; approve asks people; auto goes on by itself after notice, unless somebody objects."},
		{"rotate_after", d(p.RotateAfter), "The age at which a key is due."},
		{"warn_before", d(p.WarnBefore), "How long before that people are told."},
		{"notice", d(p.Notice), "Mode auto: how long people have to object, counted from the delivery to somebody who may."},
		{"install_grace", d(p.InstallGrace), "From the new key's issue to the old one's deactivation."},
		{"quiet_period", d(p.QuietPeriod), "How long the old key has to have been idle before it is deactivated; at least 4h."},
		{"recovery_grace", d(p.RecoveryGrace), "From the deactivation to the deletion; at least 1d."},
		{"unused", string(p.Unused), "What happens to a due key that was never used: retire or rotate."},
		{"reopen_after", d(p.ReopenAfter), "When a rejected or expired rotation comes back."},
		{"gate_tries", fmt.Sprint(p.GateTries), "How often a key in use is refused before a person is asked."},
		{"remind_after", d(p.RemindAfter), "When nobody answered: the first reminder; each later one waits twice as long; 0 for none."},
		{"remind_most", d(p.RemindMost), "The longest time between two reminders."},
		{"escalate_after", d(p.EscalateAfter), "When nobody answered: the next circle may decide too, and the account's owner gets a mail; 0 for never."},
		{"answer_within", d(p.AnswerWithin), "When nobody answered: the time is up; 0 for never."},
		{"on_timeout", string(p.OnTimeout), "What then: escalate; approve, with the notice of mode auto; expire, which closes the rotation until reopen_after."},
		{"snooze", budget(p.Snooze), "How far a decision can be put off: one time, how often, and altogether."},
		{"hold", budget(p.Hold), "How long a rotation can be held."},
		{"extend", budget(p.Extend), "How far the next step can be moved."},
		{"exempt", budget(p.Exempts()), "How long a user's keys can be exempt; it asks for renewal a week before it ends."},
		{"calendar", "", "Name of a calendar under calendars: keys are deactivated and deleted in its hours only."},
		{"approvers.any_of", "the first of approvals that matches", "Who may approve: owner, account_owner, user:U..., group:S... (a Slack user group) or an e-mail address."},
		{"approvers.required", "1", "How many distinct people it takes."},
		{"approvers.self_approval", "true", "false: whoever asked for a rotation does not count."},
		{"approvers.justification", "false", "true: an approval needs a reason."},
		{"approvers.escalate_to", "", "Who may decide too, once nobody answered or nobody can."},
		{"leaked.any_of", "approvers and escalate_to", "Who may report a key as leaked, which cuts it off at once."},
		{"break_glass.any_of", "nobody", "Named people who may approve alone, with a reason, announced in the channel."},
	}
}

// RuleReference is RuleKeys as a table in Markdown, for the README.
func RuleReference() string {
	var b strings.Builder
	b.WriteString("| Key | Left out | What it does |\n|---|---|---|\n")
	for _, k := range RuleKeys() {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", k.Name, k.Default, strings.ReplaceAll(k.Does, "*", `\*`))
	}
	return b.String()
}
