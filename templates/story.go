package templates

import (
	"fmt"
	"strings"

	"github.com/keyturn/keyturn/internal/rotation"
)

// story is what there is to say about a rotation in its present phase.
type story struct {
	title string   // of the header, plain text; the user's name is added
	aloud string   // all of it in a sentence or two of plain text
	lead  string   // mrkdwn: what is the case, or what is asked
	next  []string // mrkdwn: what will happen, and when
	never []string // mrkdwn: what will not happen
}

// Aloud says in a sentence or two of plain text where a rotation stands and what is asked. It is the fallback of the
// notice, the line of a follow-up and what mails say.
func Aloud(r rotation.Rotation, v View) string { return storyOf(r, v).aloud }

func storyOf(r rotation.Rotation, v View) story {
	t := teller{r: r, v: v, k: leaving(r), what: subject(r)}
	s := t.tell()
	s.aloud = sentence(s.aloud)
	for _, line := range t.also() {
		s.lead += "\n" + line
		s.aloud += " " + unmrkdwn(line)
	}
	s.aloud = Cut(s.aloud, mostText)
	return s
}

// teller tells the story of one rotation.
type teller struct {
	r    rotation.Rotation
	v    View
	k    rotation.KeyRef // the key that the next step takes away
	what string          // plain: which key, whose, where
}

func (t teller) tell() story {
	switch phaseOf(t.r) {
	case isUpcoming, isAwaiting:
		return t.asked()
	case isSnoozed:
		return t.snoozed()
	case isApproved:
		return t.approved()
	case isEvicting:
		return t.evicting()
	case isIssuing:
		return t.issuing()
	case isInstalling:
		return t.installing()
	case isInUse:
		return t.inUse()
	case isRecovering:
		return t.recovering()
	case isRestoring:
		return t.restoring()
	case isHeld:
		return t.held()
	case isStuck:
		return t.stuck()
	case isFrozen:
		return t.frozen()
	case isLeaked:
		return t.leaked()
	case isClosed:
		return t.closed()
	default:
		s := fmt.Sprintf("%s is in a state that this version of keyturn does not know", t.what)
		return story{title: "Access key in an unknown state", aloud: s, lead: Esc(sentence(s))}
	}
}

// subject names the key, the user and the account in plain text.
func subject(r rotation.Rotation) string {
	return fmt.Sprintf("access key %s of IAM user %s in account %s", plainKey(r.Old.ID), userName(r), account(r))
}

func plainKey(id rotation.KeyID) string { return clip(string(id), 128) }

func userName(r rotation.Rotation) string { return clip(string(r.UserName), 64) }

// account names the account in plain text: "Production (111122223333)".
func account(r rotation.Rotation) string {
	id := clip(string(r.Account), 12)
	if name := clip(r.AccountName, 60); name != "" {
		return fmt.Sprintf("%s (%s)", name, id)
	}
	return id
}

// The promises that more than one message makes.
const (
	theSecret = "The new key's secret is never shown in Slack, in mail or in a log."
	notInUse  = "A key that is still in use is not cut off, unless a person says so."
)

// quietFor says how long a key has to be idle.
func (t teller) quietFor() string { return span(t.r.Quiet()) }

func (t teller) grace() string { return span(t.r.Policy.RecoveryGrace) }

// afterOff says what follows on a deactivation.
func (t teller) afterOff() string {
	return fmt.Sprintf("For %s after its deactivation, one click restores it. Then it is deleted.", t.grace())
}

// since tells from when a key is inactive. Where somebody else deactivated it, keyturn knows only when it first saw that.
func (t teller) since(k rotation.KeyRef) string {
	if k.ByHand {
		return "at least since " + t.v.when(k.InactiveSince)
	}
	return "since " + t.v.when(k.InactiveSince)
}

// because adds a reason that a person typed.
func because(why string) string {
	if strings.TrimSpace(why) == "" {
		return "."
	}
	return ": " + sentence(esc(why, 300))
}
