package templates

import (
	"fmt"
	"strings"

	"github.com/keyturn/keyturn/internal/rotation"
)

// asked is the story of a rotation that waits for a decision, or will.
func (t teller) asked() story {
	r := t.r
	s := story{next: t.plan(), never: t.promises()}
	state := fmt.Sprintf("It is %s old and was %s.", t.v.age(r.Old.Created), t.v.usedAloud(r.Old))
	end := "Please decide"
	if r.State == rotation.Upcoming {
		s.next = append([]string{fmt.Sprintf("The key is due on %s. It can be approved before that, and keyturn then begins at once.", t.v.when(r.DueAt))}, s.next...)
		end = "It can be decided already"
	}
	switch {
	case len(r.Choices) > 0:
		s.title = "Choose which access key goes first"
		s.lead = fmt.Sprintf("*Both keys of %s are in use.* AWS allows two keys per user, so one has to go before a new one can come, and keyturn does not guess which. %s", code(r.UserName), strings.Replace(t.why(), "The key", "Key "+code(r.Old.ID), 1))
		s.aloud = fmt.Sprintf("both access keys of IAM user %s in account %s are in use, and %s %s. Choose which key is removed first: %s", userName(r), account(r), plainKey(r.Old.ID), t.due("replaced"), t.choiceNames())
	case r.Kind == rotation.Retire && r.LastActive && !isOff(r.Old):
		s.title = "Remove the last access key"
		s.lead = fmt.Sprintf("*Remove the last active key of %s without a replacement?* %s", code(r.UserName), t.why())
		s.aloud = fmt.Sprintf("%s %s. %s It is the user's last active key. %s", t.what, t.due("removed without a replacement"), state, end)
	case r.Kind == rotation.Retire:
		s.title = "Remove access key"
		s.lead = fmt.Sprintf("*Remove this key of %s without a replacement?* %s", code(r.UserName), t.why())
		s.aloud = fmt.Sprintf("%s %s. %s %s", t.what, t.due("removed without a replacement"), state, end)
	default:
		s.title = "Replace access key"
		s.lead = fmt.Sprintf("*Replace this key of %s?* %s", code(r.UserName), t.why())
		first := ""
		if waits(r) {
			first = fmt.Sprintf("Key %s has to go first. ", plainKey(r.Evict.ID))
		}
		s.aloud = fmt.Sprintf("%s %s. %s %s%s", t.what, t.due("replaced"), state, first, end)
	}
	if r.State == rotation.Upcoming && len(r.Choices) == 0 {
		s.title += " soon"
	}
	if t.auto() {
		s.lead += fmt.Sprintf("\n*Unless somebody objects, keyturn goes on by itself* %s. To object, snooze, reject or exempt it, or put it on hold.", t.silence())
		s.aloud += ". Unless somebody objects, keyturn goes on by itself " + t.silence()
	}
	s.next = append(s.next, t.otherwise()...)
	if len(r.Approvals) > 0 {
		s.aloud = sentence(s.aloud) + fmt.Sprintf(" Approved so far by %s; it takes more people", t.names())
	}
	return s
}

// due says why the key comes up, in plain words after its name.
func (t teller) due(verb string) string {
	switch r := t.r; {
	case isAsked(r):
		return fmt.Sprintf("is to be %s, because %s asked for it", verb, t.v.name(r.RequestedBy))
	case r.State == rotation.Upcoming:
		return fmt.Sprintf("is due to be %s on %s", verb, t.v.day(r.DueAt))
	case r.Reason == rotation.LeftoverInactiveKey:
		return fmt.Sprintf("is inactive and left over, and is proposed to be %s", verb)
	default:
		return fmt.Sprintf("is due to be %s now", verb)
	}
}

// isAsked reports whether a person asked for the rotation.
func isAsked(r rotation.Rotation) bool { return r.RequestedBy.ID != "" || r.RequestedBy.Email != "" }

// auto reports whether keyturn goes on by itself when nobody objects.
func (t teller) auto() bool {
	return t.r.Policy.Mode == rotation.ModeAuto && len(t.r.Choices) == 0 && !t.r.LastActive
}

// silence says when that is.
func (t teller) silence() string {
	if at, ok := t.r.NoticeEnds(); ok {
		return "on " + t.v.day(at)
	}
	s := span(t.r.Policy.Notice) + " after this notice was delivered"
	if t.r.State == rotation.Upcoming {
		s += ", but not before the key is due"
	}
	return s
}

// reason is the core's sentence with its numbers in words.
func reason(r rotation.Reason, p rotation.Policy) string {
	age := span(p.RotateAfter)
	switch r {
	case rotation.LeftoverInactiveKey:
		return "The key is inactive, and keyturn knows no reason why it is still there."
	case rotation.SlotConflictInactive:
		return fmt.Sprintf("The key is older than %s, and the user's second key is inactive.", age)
	case rotation.SlotConflictLRU:
		return fmt.Sprintf("The key is older than %s, and the user has a second active key.", age)
	default:
		return strings.ReplaceAll(r.Sentence(p), rotation.FormatDuration(p.RotateAfter), age)
	}
}

// why is the reason in mrkdwn. Who asked for a rotation did so whatever the key's age.
func (t teller) why() string {
	r := t.r
	if !isAsked(r) {
		return Esc(reason(r.Reason, r.Policy))
	}
	s := t.v.by(r.RequestedBy) + " asked for it" + because(r.RequestedWhy)
	switch r.Reason {
	case rotation.SlotConflictInactive:
		s += " The user's second key is inactive."
	case rotation.SlotConflictLRU:
		s += " The user has a second active key."
	}
	return s
}

func (t teller) names() string {
	var out []string
	for _, a := range t.r.Approvals {
		out = append(out, t.v.name(a.Actor))
	}
	return Cut(strings.Join(out, ", "), 300)
}

func (t teller) choiceNames() string {
	var out []string
	for _, c := range t.r.Choices {
		out = append(out, plainKey(c.Remove))
	}
	return strings.Join(out, " or ")
}

// promises are what will not happen.
func (t teller) promises() []string {
	r := t.r
	var out []string
	no := "No key"
	if leaking(r) {
		no = "No other key"
	}
	switch {
	case t.byTime():
		out = append(out, no+" is touched before somebody has approved, or the time for the decision is over.")
	case !t.auto():
		out = append(out, no+" is touched without an approval.")
	case !r.SnoozedUntil.IsZero():
		out = append(out, no+" is touched while the decision is snoozed, unless somebody approves.")
	default:
		out = append(out, fmt.Sprintf("%s is touched before somebody has approved, or %s have passed since this notice was delivered.", no, span(r.Policy.Notice)))
	}
	if !isOff(r.Old) || waits(r) && !isOff(*r.Evict) {
		out = append(out, notInUse)
	}
	if r.Kind == rotation.Rotate || len(r.Choices) > 0 {
		out = append(out, theSecret)
	}
	return out
}

func (t teller) snoozed() story {
	s := t.asked()
	s.title = "Snoozed"
	s.lead = fmt.Sprintf("*Snoozed until %s.* Then you are asked again; it can be decided earlier. %s", t.v.when(t.r.SnoozedUntil), t.why())
	s.aloud = fmt.Sprintf("the decision on %s is snoozed until %s. It can be made earlier", t.what, t.v.day(t.r.SnoozedUntil))
	return s
}
