package templates

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/rotation"
)

// Notice is the message that shows one rotation and is updated in place: who and where, why now, what will happen and
// when, what will not happen, who decided, and the buttons that its state allows.
func Notice(r rotation.Rotation, v View) Message {
	s := storyOf(r, v)
	lead := s.lead
	if who := mentioned(v.For); who != "" && r.Open() {
		lead = who + "\n" + lead
	}
	blocks := []slack.Block{header(mark(r) + " " + s.title + ": " + userName(r)), section(lead)}
	if f := facts(r, v); len(f) > 0 {
		blocks = append(blocks, fieldsOf(f...))
	}
	if len(s.next) > 0 {
		blocks = append(blocks, section(bullets("What will happen", s.next...)))
	}
	if len(s.never) > 0 {
		blocks = append(blocks, section(bullets("What will not happen", s.never...)))
	}
	if w := (teller{r: r, v: v}).wayOut(); w != "" {
		blocks = append(blocks, contextLine(w))
	}
	if t := trouble(r, v); t != "" {
		blocks = append(blocks, section(t))
	}
	blocks = append(blocks, slack.NewActionBlock("", buttons(r, v)...))
	blocks = append(blocks, contextLine(footer(r, v)))
	return Message{Text: esc(Aloud(r, v), mostText), Blocks: blocks}
}

// mark is the sign in front of the header: how urgent it is, at a glance. The words after it say it too.
func mark(r rotation.Rotation) string {
	if r.Open() && leaking(r) {
		return "🚨"
	}
	switch phaseOf(r) {
	case isUpcoming:
		return "🔔"
	case isAwaiting, isInstalling:
		return "🔑"
	case isSnoozed:
		return "💤"
	case isApproved, isEvicting, isIssuing, isRestoring:
		return "⏳"
	case isInUse:
		return "⚠️"
	case isRecovering:
		if r.Escalated {
			return "⚠️"
		}
		return "⏸️"
	case isHeld:
		return "✋"
	case isStuck:
		return "🛑"
	case isFrozen:
		return "🧊"
	case isLeaked:
		return "🚨"
	case isClosed:
		if r.Outcome == rotation.OutcomeRotated || r.Outcome == rotation.OutcomeRetired {
			return "✅"
		}
		return "☑️"
	default:
		return "❔"
	}
}

// facts are the columns: who, where, which keys and how they were used.
func facts(r rotation.Rotation, v View) []string {
	where := esc(r.AccountName, 60)
	if where != "" {
		where += " "
	}
	out := []string{
		"*User*\n" + code(r.UserName),
		"*Account*\n" + where + code(r.Account),
		"*Organizational unit*\n" + ou(r),
		"*Owner*\n" + owner(r),
	}
	if r.State == rotation.Closed {
		return out
	}
	old := "Key"
	if r.New != nil || r.Evict != nil {
		old = "Old key"
	}
	out = append(out, "*Access*\n"+access(r), keyFact(old, r.Old, v)+overAge(r, v), "*Last known use*\n"+v.used(seenLast(r, r.Old)))
	second := r.Evict
	name := "Key that goes first"
	if second == nil && r.Other != nil {
		second, name = r.Other, "Other key"
	}
	if second != nil {
		out = append(out, keyFact(name, *second, v))
		if second.Deleted.IsZero() {
			out = append(out, "*Last known use*\n"+v.used(seenLast(r, *second)))
		}
	}
	if r.New != nil {
		out = append(out, fmt.Sprintf("*New key*\n%s, issued %s, %s", code(r.New.ID), v.when(r.New.Created), newUse(*r.New, v)), "*Secret*\n"+code(r.New.SecretName))
	}
	return out
}

// seenLast is k with the use that the gate saw, where that is later than what the scan knew.
func seenLast(r rotation.Rotation, k rotation.KeyRef) rotation.KeyRef {
	for _, b := range r.GateSeen {
		if b.Why == rotation.BlockInUse && b.Service != "" && k.ID == leaving(r).ID && b.At.After(k.LastUse.At) {
			k.LastUse = rotation.LastUse{Kind: rotation.UseSeen, At: b.At, Service: b.Service, Region: b.Region}
		}
	}
	return k
}

func keyFact(name string, k rotation.KeyRef, v View) string {
	state := fmt.Sprintf("%s old, created %s", v.age(k.Created), v.when(k.Created))
	switch {
	case !k.Deleted.IsZero():
		state = "gone" + onDay(v, k)
	case isOff(k):
		state += ", inactive " + teller{v: v}.since(k)
	}
	return fmt.Sprintf("*%s*\n%s, %s", name, code(k.ID), state)
}

func ou(r rotation.Rotation) string {
	if r.OUPath == "" {
		return "not known"
	}
	return code(r.OUPath)
}

func owner(r rotation.Rotation) string {
	switch {
	case r.Owner == "":
		return "nobody is known"
	case r.OwnerTagged:
		return mentionUser(esc(r.Owner, 200)) + " (the user's tag)"
	default:
		return mentionUser(esc(r.Owner, 200)) + " (the account's address)"
	}
}

// trouble says that a step failed and is tried again. It names times, because the message is not redrawn at each try.
func trouble(r rotation.Rotation, v View) string {
	t := r.Trouble
	if t == nil || !r.Open() || r.Stuck != nil || r.Frozen != nil {
		return ""
	}
	if t.Attempts == 0 {
		return fmt.Sprintf(":hourglass: *keyturn starts anew with %s* on %s: %s", effort(t.Op), v.when(t.RetryAt), sentence(esc(t.Error, 500)))
	}
	return fmt.Sprintf(":hourglass: *A step failed and is tried again:* %s has failed %s. %s The next try comes on %s.", effort(t.Op), times(t.Attempts), sentence(esc(t.Error, 500)), v.when(t.RetryAt))
}

// effort names what was tried.
func effort(op rotation.Op) string {
	switch op {
	case rotation.OpIssue:
		return "issuing the new key"
	case rotation.OpDeactivate:
		return "deactivating the key"
	case rotation.OpEvictDeactivate:
		return "deactivating the key that goes first"
	case rotation.OpDelete:
		return "deleting the key"
	case rotation.OpEvictDelete:
		return "deleting the key that goes first"
	case rotation.OpRestore:
		return "restoring the key"
	case rotation.OpLeakOff:
		return "deactivating the leaked key"
	default:
		return "the next step"
	}
}

// size counts the characters of all texts of blocks, as they are sent: a date takes more of them than a reader sees.
func size(blocks []slack.Block) int {
	raw, err := json.Marshal(blocks)
	var all any
	if err == nil {
		err = json.Unmarshal(raw, &all)
	}
	if err != nil {
		return mostMessage // what cannot be counted has no room beside it
	}
	return textIn(all)
}

func textIn(v any) (n int) {
	switch t := v.(type) {
	case []any:
		for _, e := range t {
			n += textIn(e)
		}
	case map[string]any:
		for k, e := range t {
			if s, ok := e.(string); ok && k == "text" {
				n += utf8.RuneCountInString(s)
				continue
			}
			n += textIn(e)
		}
	}
	return n
}
