package templates

import (
	"fmt"

	"github.com/keyturn/keyturn/internal/rotation"
)

func (t teller) leaked() story {
	r, l := t.r, *t.r.Leaked
	s := story{title: "Leaked access key"}
	s.lead = fmt.Sprintf("*%s reported key %s as leaked* on %s%s", t.v.by(l.By), code(r.Old.ID), t.v.when(l.At), because(l.Why))
	s.aloud = fmt.Sprintf("%s was reported as leaked by %s and is deactivated at once, even if it is in use", t.what, t.v.name(l.By))
	if isOff(r.Old) {
		s.title = "Leaked access key deactivated"
		s.lead += fmt.Sprintf("\nIt has been inactive %s.", t.since(r.Old))
		s.aloud = fmt.Sprintf("%s was reported as leaked by %s and is deactivated", t.what, t.v.name(l.By))
	} else {
		s.next = append(s.next, "keyturn deactivates the key at once, *even if it is in use*.")
	}
	s.lead += t.refused()
	if t.wasRefused() && !isOff(r.Old) {
		_, said := t.gate()
		s.title = "Leaked access key not deactivated"
		s.lead += "\n*Deactivate it in AWS if it is still active.*"
		s.aloud = fmt.Sprintf("%s was reported as leaked by %s, but was not deactivated so far: %s Deactivate it in AWS if it is still active", t.what, t.v.name(l.By), said)
		s.next = []string{"keyturn keeps trying to deactivate the key, *even if it is in use*."}
	}
	issue := "A new key is issued and stored in AWS Secrets Manager."
	if r.Held != nil {
		issue = "When the hold has ended, a new key is issued and stored in AWS Secrets Manager."
	}
	switch {
	case r.Kind == rotation.Retire:
		s.next = append(s.next, "No new key is issued.")
	case r.New != nil:
		s.title = "Leaked access key replaced"
		if !isOff(r.Old) {
			s.title = "Leaked access key"
		}
		s.lead += fmt.Sprintf("\n*Install the new key %s now.* It is in AWS Secrets Manager and can be read with\n%s", code(r.New.ID), fetch(r))
		s.aloud = sentence(s.aloud) + fmt.Sprintf(" The new key %s is in AWS Secrets Manager as %s: install it now", plainKey(r.New.ID), clip(r.New.SecretName, 200))
	case waits(r) && !isOff(*r.Evict):
		s.next = append(s.next, t.first(), "Then a new key is issued and stored in AWS Secrets Manager.")
	default:
		if waits(r) {
			s.next = append(s.next, t.first())
		}
		s.next = append(s.next, issue+" Until it is installed, the user may be without a working key.")
		s.never = []string{theSecret}
	}
	if r.State == rotation.Recovering {
		s.next = append(s.next, t.deleted(r.Old.ID, r.DeleteAt, ""))
	} else {
		s.next = append(s.next, fmt.Sprintf("The leaked key is deleted %s after its deactivation.", t.grace()))
	}
	return s
}

func (t teller) closed() story {
	r := t.r
	old := code(r.Old.ID)
	s := story{}
	again := ""
	if !r.ReopenAt.IsZero() {
		s.next = []string{fmt.Sprintf("The key may come up again from %s on.", t.v.when(r.ReopenAt))}
		again = fmt.Sprintf(". It may come up again from %s on", t.v.day(r.ReopenAt))
	}
	switch r.Outcome {
	case rotation.OutcomeRotated:
		s.title = "Access key replaced"
		s.lead = fmt.Sprintf("*Done.* The old key %s is gone%s.", old, onDay(t.v, r.Old))
		s.aloud = t.what + " is replaced and gone. The rotation is done"
		if r.New != nil {
			s.lead += fmt.Sprintf(" %s has key %s in its place, in AWS Secrets Manager as %s.", code(r.UserName), code(r.New.ID), code(r.New.SecretName))
		}
	case rotation.OutcomeRetired:
		s.title = "Access key removed"
		s.lead = fmt.Sprintf("*Done.* Key %s is gone%s. No new key was issued.", old, onDay(t.v, r.Old))
		s.aloud = t.what + " is removed. Nothing more happens"
	case rotation.OutcomeRejected:
		s.title = "Rejected"
		s.lead = fmt.Sprintf("*Rejected.* Key %s stays as it is.", old)
		if e := r.Evict; e != nil && !e.Deleted.IsZero() {
			s.lead += fmt.Sprintf(" Key %s, which had to make room, is gone%s.", code(e.ID), onDay(t.v, *e))
		}
		s.aloud = fmt.Sprintf("the rotation of %s was rejected%s", t.what, again)
	case rotation.OutcomeExpired:
		s.title = "Nobody decided"
		s.lead = fmt.Sprintf("*Nobody decided in time.* Key %s stays as it is.", old)
		s.aloud = fmt.Sprintf("nobody decided in time about %s, so it stays as it is%s", t.what, again)
	case rotation.OutcomeExempted:
		s.title = "Exempted"
		s.lead = fmt.Sprintf("*Exempted.* keyturn leaves %s, with key %s, alone.", code(r.UserName), old)
		s.aloud = fmt.Sprintf("IAM user %s in account %s, with key %s, is exempted", userName(r), account(r), plainKey(r.Old.ID))
		if !r.ReopenAt.IsZero() {
			s.lead = fmt.Sprintf("*Exempted.* keyturn leaves %s, with key %s, alone until %s.", code(r.UserName), old, t.v.when(r.ReopenAt))
			s.aloud += " until " + t.v.day(r.ReopenAt)
			s.next = []string{"After that, keyturn looks at the user's keys again."}
		}
	case rotation.OutcomeGone:
		s.title = "Access key gone"
		s.lead = fmt.Sprintf("*Key %s, or its user, is not there any more.* keyturn has nothing left to do.", old)
		s.aloud = t.what + " is not there any more, so keyturn has nothing left to do"
	case rotation.OutcomeSuperseded:
		s.title = "Plan replaced"
		s.lead = fmt.Sprintf("*Another plan has taken the place of this one for key %s.* If there is something to decide, a newer notice asks for it.", old)
		s.aloud = fmt.Sprintf("another plan for %s has taken the place of this one", t.what)
	default:
		s.title = "Closed"
		s.lead = fmt.Sprintf("*Closed.* How the rotation of key %s ended is not known to this version of keyturn.", old)
		s.aloud = t.what + " is closed"
	}
	return s
}

func onDay(v View, k rotation.KeyRef) string {
	if k.Deleted.IsZero() {
		return ""
	}
	return " (" + v.when(k.Deleted) + ")"
}
