package bot

import (
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/templates"
)

// Command is a slash command that was understood. Only the fields that its Spec asks for are set.
type Command struct {
	Name   string
	Key    rotation.KeyID
	Pick   rotation.KeyID // approve: the key that is removed first
	For    time.Duration
	Until  time.Time // midnight UTC
	Target string    // status: what was asked about
	User   string    // USER@ACCOUNT as it was typed: the account is ID or name
	Page   int       // from 1
	Filter Filter    // which rotations and keys a list or report is about
	Plain  bool      // report: text alone
	Reason string

	// Respond is the request's response_url, where an answer may follow that takes longer than Slack waits. Parse leaves it
	// empty: then such an answer comes as a direct message.
	Respond string
}

// Parsed is exactly one of: a command, an answer (help, or what was wrong), or nothing for us.
type Parsed struct {
	Command *Command
	Result  *templates.Message
	Ignore  bool
}

// Spec is one command with its help and example beside it.
type Spec struct {
	templates.HelpLine
	Name string
	args []arg
}

// Specs lists every command in the order of the help. It returns a fresh slice.
func Specs() []Spec {
	show := func(name, usage, does, example string, args ...arg) Spec {
		return Spec{Name: name, args: args, HelpLine: templates.HelpLine{Usage: usage, Does: does, Example: example}}
	}
	decide := func(name, usage, does, example string, args ...arg) Spec {
		s := show(name, usage, does, example, args...)
		s.Decides = true
		return s
	}
	const key = "AKIAIOSFODNN7EXAMPLE"
	return []Spec{
		show("help", "help [COMMAND]", "what you can ask and decide", "help snooze", argTarget),
		show("status", "status [USER|ACCOUNT|KEY|me|FILTERS]", "where everything stands, or one user, account or key", "status billing-export@payments", argStatus),
		show("mine", "mine [FILTERS] [PAGE]", "your keys and what waits for you", "mine", argFilters(mineFilters...), argPage),
		show("list", "list [FILTERS] [PAGE]", "open rotations", "list account:payments state:awaiting age:>90d", argFilters(), argPage),
		show("due", "due [WITHIN] [FILTERS]", "keys that are due, or will be within a time", "due 30d ou:r-ab12/ou-prod", argFilters(dueFilters...), argWithin),
		show("history", "history KEY [PAGE]", "everything that happened to a key's rotation", "history "+key, argKey, argPage),
		show("why", "why KEY", "why keyturn does what it does with a key, and who may decide", "why "+key, argKey),
		show("report", "report [PERIOD] [FILTERS] [plain]", "how the keys stand, what became of them, and what waits; plain: text alone", "report 30d account:payments", argFilters(reportFilters...), argPlain, argPeriod),
		decide("approve", "approve KEY [KEY_TO_REMOVE] [reason]", "approve the rotation; where another key has to go first, name it", "approve "+key, argKey, argPick, argReason),
		decide("snooze", "snooze KEY DURATION [reason]", "put the decision off", "snooze "+key+" 3d waiting for the release", argKey, argFor, argReason),
		decide("reject", "reject KEY reason", "leave the key as it is for now", "reject "+key+" it is replaced by a role next week", argKey, argWhy),
		decide("hold", "hold KEY DURATION reason", "let keyturn do nothing with it for a time", "hold "+key+" 5d incident under way", argKey, argFor, argWhy),
		decide("release", "release KEY [reason]", "end a hold", "release "+key, argKey, argReason),
		decide("confirm", "confirm KEY", "say that the new key is in use, so that the old one can go sooner", "confirm "+key, argKey),
		decide("restore", "restore KEY [reason]", "make a deactivated key active again", "restore "+key+" the nightly job still needs it", argKey, argReason),
		decide("retry", "retry KEY [reason]", "try again what failed", "retry "+key, argKey, argReason),
		decide("extend", "extend KEY DURATION [reason]", "move the date of the next step", "extend "+key+" 3d", argKey, argFor, argReason),
		decide("anyway", "anyway KEY reason", "deactivate a key although it is in use", "anyway "+key+" the caller was switched off", argKey, argWhy),
		decide("cancel", "cancel KEY [reason]", "take an approval back before anything was done", "cancel "+key, argKey, argReason),
		decide("rotate", "rotate USER@ACCOUNT [reason]", "ask for a rotation before its time", "rotate billing-export@payments leaving colleague", argUser, argReason),
		decide("leaked", "leaked KEY reason", "report that a key has leaked: it is cut off at once, and can be restored", "leaked "+key+" it stood in a public repository", argKey, argWhy),
		decide("break-glass", "break-glass KEY [KEY_TO_REMOVE] reason", "approve alone, where a rule lets you; it is announced in the channel", "break-glass "+key+" nobody else can be reached and the vendor was breached", argKey, argPick, argWhy),
		decide("exempt", "exempt USER@ACCOUNT until DATE reason", "leave a user's keys alone until a day", "exempt billing-export@payments until 2027-01-31 vendor cannot change it earlier", argUser, argUntil, argWhy),
		decide("unexempt", "unexempt USER@ACCOUNT reason", "end an exemption before its day", "unexempt billing-export@payments the vendor can change it now", argUser, argWhy),
	}
}

// notYet are commands of the design that a later version brings.
var notYet = []string{"kms"}

func specOf(name string) (Spec, bool) {
	for _, s := range Specs() {
		if s.Name == name {
			return s, true
		}
	}
	return Spec{}, false
}
