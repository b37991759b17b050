package templates

import (
	"fmt"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

// inUse is the story after the gate refused to deactivate a key.
func (t teller) inUse() story {
	r := t.r
	at := r.DeactivateAt
	if r.State == rotation.Evicting {
		at = r.EvictAt
	}
	s := story{title: "Access key not deactivated", never: []string{notInUse}}
	if t.busy() {
		s.title = "Access key still in use"
	}
	where := fmt.Sprintf("key %s of IAM user %s in account %s", plainKey(t.k.ID), userName(r), account(r))
	seen, said := t.gate()
	s.lead = fmt.Sprintf("*Key %s was not deactivated:*\n%s", code(t.k.ID), seen)
	s.aloud = fmt.Sprintf("%s was not deactivated: %s", where, said)
	s.next = []string{t.again("deactivates", at)}
	switch {
	case r.Anyway != nil:
		s.title = "Deactivating access key anyway"
		s.next = []string{"keyturn deactivates the key now, if nothing but its use stands in the way."}
		s.never = []string{"No other key is touched."}
		s.lead += fmt.Sprintf("\n*%s decided to deactivate it anyway*%s", t.v.by(r.Anyway.By), because(r.Anyway.Why))
		s.aloud = fmt.Sprintf("%s is deactivated now although it may be in use, as %s decided", where, t.v.name(r.Anyway.By))
	case r.State == rotation.Installing && r.New != nil && t.busy():
		s.lead += fmt.Sprintf("\nInstall the new key %s wherever the old one is still used. It can be read with\n%s", code(r.New.ID), fetch(r))
	}
	s.next = append(s.next, t.afterOff())
	if r.State == rotation.Evicting {
		s.next = append(s.next, fmt.Sprintf("Then keyturn issues a new key, which replaces %s.", code(r.Old.ID)))
	}
	if r.Escalated && r.Anyway == nil {
		ways := "put right what stands in the way, or put the rotation on hold."
		if overruling(r) {
			ways = "find out what still uses the key and change that, put the rotation on hold, or deactivate the key anyway."
		}
		s.lead += "\n*A person has to decide:* " + ways
		s.aloud = sentence(s.aloud) + " A person has to decide what happens now"
	}
	return s
}

// busy reports whether the gate saw the key in use.
func (t teller) busy() bool {
	for _, b := range t.r.GateSeen {
		if b.Why == rotation.BlockInUse {
			return true
		}
	}
	return false
}

// gate says what the gate saw, in mrkdwn and in plain words.
func (t teller) gate() (shown, aloud string) {
	const most = 4
	var lines, words []string
	for i, b := range t.r.GateSeen {
		if i == most {
			lines = append(lines, fmt.Sprintf("• and %d more", len(t.r.GateSeen)-most))
			break
		}
		line, word := esc(b.Sentence, 300), sentence(clip(b.Sentence, 300))
		if b.Why == rotation.BlockInUse && b.Service != "" {
			how, need := "It is still in use", fmt.Sprintf(" It has to be idle for %s.", t.quietFor())
			if isOff(t.k) {
				how, need = "It was used after its deactivation", ""
			}
			line = fmt.Sprintf("%s: %s in %s, %s.%s", how, short(b.Service), short(b.Region), t.v.when(b.At), need)
			word = fmt.Sprintf("%s, with %s in %s on %s.", strings.ToLower(how[:1])+how[1:], clip(b.Service, 60), clip(b.Region, 60), t.v.day(b.At))
		}
		lines, words = append(lines, "• "+line), append(words, word)
	}
	if len(lines) == 0 {
		return "• What stood in the way was not noted.", "what stood in the way was not noted."
	}
	return strings.Join(lines, "\n"), strings.Join(words, " ")
}

// refused says what has kept the leaving key from being deactivated or deleted, and what a person can do about it; else "".
func (t teller) refused() string {
	if !t.wasRefused() {
		return ""
	}
	did, ways := "deactivated", "put right what stands in the way, or deactivate the key in AWS; keyturn notices."
	if isOff(t.k) {
		did, ways = "deleted", "restore the key if it is still needed. If it is not, delete it in AWS; keyturn notices."
	}
	seen, _ := t.gate()
	s := fmt.Sprintf("\n*Key %s was not %s so far:*\n%s", code(t.k.ID), did, seen)
	if t.r.Escalated {
		s += "\n*A person has to look:* " + ways
	}
	return s
}

// wasRefused reports whether the gate has refused what comes next. What it said about another key, or before the key was
// deactivated, stays in the record for a while.
func (t teller) wasRefused() bool {
	for _, b := range t.r.GateSeen {
		for _, k := range []*rotation.KeyRef{&t.r.Old, t.r.Evict} {
			if k != nil && k.ID != t.k.ID && strings.Contains(b.Sentence, string(k.ID)) {
				return false
			}
		}
		if b.Why == rotation.BlockInUse && isOff(t.k) && b.At.Before(t.k.InactiveSince) {
			return false
		}
	}
	return t.r.GateRefusals > 0
}

// again says when the gate is asked again.
func (t teller) again(do string, at time.Time) string {
	return fmt.Sprintf("On %s keyturn looks again, and %s key %s if nothing stands in the way then. So far it has looked %s.", t.v.when(at), do, code(t.k.ID), times(t.r.GateRefusals))
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
