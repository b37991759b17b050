package templates

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/rotation"
)

// Digest is one message for many rotations of one person. Each row has a button that shows the notice as it is then, so a
// digest has no stale button. What has no room is counted.
func Digest(items []rotation.Rotation, v View) Message {
	items = ranked(items)
	asking := 0 // for an approval, so that nothing happens without one
	for _, r := range items {
		t := teller{r: r}
		if p := phaseOf(r); (p == isAwaiting || p == isUpcoming || p == isSnoozed) && !t.auto() && !t.byTime() && !leaking(r) {
			asking++
		}
	}
	_, wait, say := attention(items)
	lead := fmt.Sprintf("*%s* Press *Review* to see one with its choices.", wait)
	if asking == len(items) {
		lead += " No key is touched without an approval."
	}
	if who := mentioned(v.For); who != "" {
		lead = who + " " + lead
	}
	list := "/keys mine"
	if v.Shared {
		list = "/keys due"
	}
	blocks := []slack.Block{header("🔑 " + countOf(len(items), "access key") + " to look at"), section(lead)}
	shown := 0
	for _, r := range items {
		b := row(digestRow(r, v), button(ActReview, "Review", ValueOf(r).Encode()))
		if len(blocks) >= mostBlocks-2 || size(blocks)+size([]slack.Block{b}) > mostMessage-1000 {
			break
		}
		blocks = append(blocks, b)
		shown++
	}
	if left := len(items) - shown; left > 0 {
		blocks = append(blocks, section(fmt.Sprintf("*And %d more.* `%s` lists them all.", left, list)))
	}
	foot := "As of " + v.when(v.Now) + "."
	if v.Help != "" {
		foot = esc(v.Help, 200) + " " + foot
	}
	return Message{Text: say + " Open keyturn's message in Slack, or type " + list + ".", Blocks: append(blocks, contextLine(foot))}
}

// ranked sorts what needs somebody first.
func ranked(items []rotation.Rotation) []rotation.Rotation {
	items = slices.Clone(items)
	slices.SortStableFunc(items, func(a, b rotation.Rotation) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), a.DueAt.Compare(b.DueAt), cmp.Compare(a.ID, b.ID))
	})
	return items
}

// attention says how many there are, and how many wait for a decision now.
func attention(items []rotation.Rotation) (waiting int, wait, say string) {
	for _, r := range items {
		if phaseOf(r) == isAwaiting {
			waiting++
		}
	}
	wait = "None of them waits for a decision now."
	switch {
	case len(items) == 1 && waiting == 1:
		wait = "It waits for a decision now."
	case len(items) == 1:
		wait = "It does not wait for a decision now."
	case waiting == 1:
		wait = "1 of them waits for a decision now."
	case waiting > 1:
		wait = fmt.Sprintf("%d of them wait for a decision now.", waiting)
	}
	say = fmt.Sprintf("%s need attention. %s", countOf(len(items), "access key"), wait)
	if len(items) == 1 {
		say = "1 access key needs attention. " + wait
	}
	return waiting, wait, say
}

// rank puts what needs somebody first.
func rank(r rotation.Rotation) int {
	if leaking(r) {
		return 0
	}
	switch phaseOf(r) {
	case isLeaked:
		return 0
	case isStuck:
		return 1
	case isInUse, isAwaiting:
		return 2
	case isUpcoming:
		return 3
	default:
		return 4
	}
}

func digestRow(r rotation.Rotation, v View) string {
	return fmt.Sprintf("%s *%s* in %s\n%s, %s old, last used: %s\n%s", mark(r), code(r.UserName), esc(account(r), 200), code(r.Old.ID), v.age(r.Old.Created), v.used(seenLast(r, r.Old)), digestAsk(r, v))
}

func digestAsk(r rotation.Rotation, v View) string {
	t := teller{r: r, v: v, k: leaving(r)}
	ask := "To be replaced"
	switch {
	case len(r.Choices) > 0:
		ask = "To be replaced; choose which key goes first"
	case r.Kind == rotation.Retire && r.LastActive && !isOff(r.Old):
		ask = "To be removed; it is the user's last active key"
	case r.Kind == rotation.Retire:
		ask = "To be removed"
	case waits(r):
		ask = fmt.Sprintf("To be replaced; %s has to go first", code(r.Evict.ID))
	}
	if leaking(r) {
		return t.otherLeak()
	}
	switch phaseOf(r) {
	case isAwaiting:
		return ask + ". " + t.waits()
	case isUpcoming:
		return ask + fmt.Sprintf(". Due on %s.", v.when(r.DueAt))
	case isSnoozed:
		return ask + fmt.Sprintf(". Snoozed until %s.", v.when(r.SnoozedUntil))
	case isInstalling:
		return t.goes()
	case isInUse:
		return fmt.Sprintf("Key %s was not deactivated; keyturn has looked %s.", code(t.k.ID), times(r.GateRefusals))
	case isStuck:
		return "keyturn cannot go on by itself. " + t.standing()
	case isFrozen:
		return "keyturn cannot reach the account. " + t.standing()
	case isHeld:
		return fmt.Sprintf("On hold until %s. %s", v.when(r.Held.Until), t.standing())
	case isLeaked:
		return fmt.Sprintf("*Reported as leaked* on %s. %s", v.when(r.Leaked.At), t.standing())
	case isRestoring:
		return fmt.Sprintf("Key %s is being restored.", code(restored(r).ID))
	case isClosed:
		return "Done with."
	default:
		return t.standing()
	}
}

// waits says in a row for what a decision waits, and since when others can take it too.
func (t teller) waits() string {
	r, s := t.r, "Waiting for a decision."
	switch {
	case t.auto():
		s = "Unless somebody objects, keyturn goes on by itself " + t.silence() + "."
	case t.byTime():
		s = fmt.Sprintf("If nobody decides by %s, it counts as approved.", t.v.when(r.Asked().Add(r.Policy.AnswerWithin)))
	}
	if e := r.Escalation; e != nil {
		s += fmt.Sprintf(" Others can decide too since %s.", t.v.when(e.At))
	}
	if r.Reminders > 0 {
		s += fmt.Sprintf(" This is reminder %d.", r.Reminders)
	}
	return s
}

func countOf(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Refusal is the answer that says no: the sentence says why and what to do instead.
func Refusal(why string, v View) Message {
	text := esc(sentence(Clean(why)), 1500)
	if text == "" {
		text = "This is not possible."
	}
	blocks := []slack.Block{section(":no_entry: " + text)}
	var foot []string
	if v.Who != "" {
		foot = append(foot, "Can decide: "+mention(esc(v.Who, 400))+".")
	}
	if v.Help != "" {
		foot = append(foot, esc(v.Help, 200))
	}
	if len(foot) > 0 {
		blocks = append(blocks, contextLine(strings.Join(foot, " ")))
	}
	return Message{Text: text, Blocks: blocks}
}
