package templates

import (
	"fmt"

	"github.com/keyturn/keyturn/internal/rotation"
)

// then is a sentence about what follows on the decision, or about now where it was made.
func (t teller) then(s string) string {
	switch {
	case t.r.State != rotation.Upcoming && t.r.State != rotation.Awaiting:
		return sentence(s)
	case t.auto():
		return "After the approval, or when nobody has objected, " + s + "."
	default:
		return "After the approval, " + s + "."
	}
}

// plan says what happens from the decision on.
func (t teller) plan() []string {
	r := t.r
	switch {
	case len(r.Choices) > 0:
		var out []string
		for _, c := range r.Choices {
			out = append(out, t.choice(c))
		}
		return out
	case r.Kind == rotation.Retire && isOff(r.Old):
		return []string{t.offUntil(r.Old, code(r.Old.ID)), "No new key is issued."}
	case r.Kind == rotation.Retire:
		out := []string{
			t.then(fmt.Sprintf("the key is deactivated as soon as it has been idle for %s", t.quietFor())),
			t.afterOff(), "No new key is issued.",
		}
		if r.LastActive {
			out = append(out, fmt.Sprintf(":warning: *%s then has no working access key.*", code(r.UserName)))
		}
		return out
	case waits(r):
		return append([]string{t.first(), "Then keyturn issues a new key and stores it in AWS Secrets Manager."}, t.bothKeys()...)
	default:
		return append([]string{t.then("keyturn issues a new key within minutes and stores it in AWS Secrets Manager")}, t.bothKeys()...)
	}
}

// bothKeys says what happens once the new key is issued.
func (t teller) bothKeys() []string {
	r := t.r
	if isOff(r.Old) {
		return []string{fmt.Sprintf("The old key has been inactive %s. It is deleted when the new key works and %s have passed since then.", t.since(r.Old), t.grace())}
	}
	return []string{
		fmt.Sprintf("Both keys then work for %s: time to install the new one.", span(r.Policy.InstallGrace)),
		fmt.Sprintf("After that, the old key is deactivated as soon as it has been idle for %s. If somebody confirms that the new key is in use, it goes sooner: %s idle are then enough.", span(r.Policy.QuietPeriod), span(min(r.Policy.ConfirmedQuiet, r.Policy.QuietPeriod))),
		t.afterOff(),
	}
}

// first says what happens to the key that has to make room.
func (t teller) first() string {
	e := *t.r.Evict
	s := fmt.Sprintf("*%s has to go first*, because AWS allows two keys per user. ", code(e.ID))
	if isOff(e) {
		return s + t.offUntil(e, "It")
	}
	return s + t.then(fmt.Sprintf("it is deactivated as soon as it has been idle for %s", t.quietFor())) + " " + t.afterOff()
}

// offUntil tells when a key that is inactive already gets deleted. It begins with the key's name.
func (t teller) offUntil(k rotation.KeyRef, name string) string {
	at := k.InactiveSince.Add(t.r.Policy.RecoveryGrace)
	if !at.After(t.v.Now) {
		return fmt.Sprintf("%s has been inactive %s, for more than %s. %s", name, t.since(k), t.grace(), t.then("it is deleted at once and cannot be restored"))
	}
	return fmt.Sprintf("%s has been inactive %s. %s Until then, one click restores it.", name, t.since(k), t.then("it is deleted, but not before "+t.v.when(at)))
}

func (t teller) choice(c rotation.Choice) string {
	after := "The other key stays, and no new key is issued."
	if c.Rotate != "" {
		after = fmt.Sprintf("Then a new key is issued, which replaces %s.", code(c.Rotate))
	}
	return fmt.Sprintf("*If %s goes:* it is deactivated as soon as it has been idle for %s. For %s after its deactivation, one click restores it; then it is deleted. %s", code(c.Remove), span(t.r.Policy.QuietPeriod), t.grace(), after)
}
