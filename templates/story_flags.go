package templates

import (
	"fmt"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

func (t teller) restoring() story {
	i, k := *t.r.Restore, restored(t.r)
	return story{
		title: "Restoring access key",
		lead:  fmt.Sprintf("*Key %s is being restored…* %s asked for it on %s%s", code(k.ID), t.v.by(i.By), t.v.when(i.At), because(i.Why)),
		aloud: fmt.Sprintf("key %s of IAM user %s in account %s is being restored, as %s asked", plainKey(k.ID), userName(t.r), account(t.r), t.v.name(i.By)),
		next:  []string{"As soon as the key is active again, this message says so.", "The rotation is then on hold, so that nothing cuts the key off before somebody had a look."},
	}
}

func (t teller) held() story {
	h := *t.r.Held
	s := story{title: "On hold"}
	s.lead = fmt.Sprintf("*On hold until %s by %s*%s\n%s", t.v.when(h.Until), t.v.by(h.By), because(h.Why), t.standing())
	s.aloud = fmt.Sprintf("the rotation of %s is on hold until %s by %s", t.what, t.v.day(h.Until), t.v.name(h.By))
	if restoredNow(t.r) {
		s.title = "Restored and on hold"
	}
	if h.Why != "" {
		s.aloud += ": " + clip(h.Why, 300)
	}
	s.next = append([]string{fmt.Sprintf("Nothing until %s. Then, or when somebody presses *Release*, keyturn goes on.", t.v.when(h.Until))}, t.resumed()...)
	s.never = []string{"keyturn takes no step by itself while the rotation is on hold."}
	return s
}

// restoredNow reports whether the hold is the one that followed on a key becoming active again.
func restoredNow(r rotation.Rotation) bool {
	for _, h := range r.History {
		if (h.Event == "restored" || h.Event == "observed_reactivated") && r.Held != nil && h.At.Equal(r.Held.At) {
			return true
		}
	}
	return false
}

// resumed says what comes after a hold.
func (t teller) resumed() []string {
	r := t.r
	switch r.State {
	case rotation.Upcoming, rotation.Awaiting:
		return []string{"It can then be approved."}
	case rotation.Approved, rotation.Issuing:
		if r.Kind == rotation.Retire {
			return []string{fmt.Sprintf("The key is then deactivated as soon as it has been idle for %s.", t.quietFor())}
		}
		return []string{"A new key is then issued."}
	case rotation.Evicting:
		switch {
		case !waits(r):
			return []string{"A new key is then issued."}
		case isOff(*r.Evict):
			return []string{fmt.Sprintf("Key %s is then deleted%s. Until it is, one click restores it.", code(r.Evict.ID), t.notBefore(r.EvictAt))}
		}
		return []string{fmt.Sprintf("Key %s is then deactivated as soon as it has been idle for %s.", code(r.Evict.ID), t.quietFor())}
	case rotation.Installing:
		return []string{fmt.Sprintf("The old key is then deactivated as soon as it has been idle for %s%s.", t.quietFor(), t.notBefore(r.DeactivateAt))}
	case rotation.Recovering:
		return []string{fmt.Sprintf("Key %s is then deleted%s. Until it is, one click restores it.", code(r.Old.ID), t.notBefore(r.DeleteAt))}
	default:
		return nil
	}
}

// notBefore adds a date that is later than the end of the hold.
func (t teller) notBefore(at time.Time) string {
	if !at.After(t.r.Held.Until) {
		return ""
	}
	return ", but not before " + t.v.when(at)
}

// standing says where the rotation stands beside its flag.
func (t teller) standing() string {
	r := t.r
	old := code(r.Old.ID)
	switch r.State {
	case rotation.Upcoming:
		return fmt.Sprintf("Key %s is due on %s.", old, t.v.when(r.DueAt)) + t.oldOff("It")
	case rotation.Awaiting:
		return fmt.Sprintf("Key %s waits for a decision.", old) + t.oldOff("It")
	case rotation.Approved:
		if !isOff(r.Old) {
			return fmt.Sprintf("It is approved. Key %s is still active.", old)
		}
	case rotation.Evicting:
		switch {
		case !waits(r):
			return "There is room for the new key, but it is not issued yet." + t.oldOff("The old key "+old)
		case isOff(*r.Evict):
			return fmt.Sprintf("Key %s, which makes room for the new one, has been inactive %s and can be restored.", code(r.Evict.ID), t.since(*r.Evict)) + t.oldOff("The old key "+old)
		}
		return fmt.Sprintf("Key %s, which makes room for the new one, is still active.", code(r.Evict.ID)) + t.oldOff("The old key "+old)
	case rotation.Issuing:
		if !isOff(r.Old) {
			return fmt.Sprintf("A new key is not issued yet. The old key %s is still active.", old)
		}
		return "A new key is not issued yet." + t.oldOff("The old key "+old)
	case rotation.Installing:
		if r.New != nil && r.Stuck == nil {
			return fmt.Sprintf("Both keys work: the old one, %s, and the new one, %s.", old, code(r.New.ID))
		}
		return fmt.Sprintf("The old key %s is active.", old)
	}
	if isOff(r.Old) {
		s := fmt.Sprintf("Key %s has been inactive %s", old, t.since(r.Old))
		if May(r, ActRestore) {
			s += " and can be restored"
		}
		return s + "."
	}
	return fmt.Sprintf("It is about key %s.", old)
}

func (t teller) oldOff(name string) string {
	if !isOff(t.r.Old) {
		return ""
	}
	return fmt.Sprintf(" %s has been inactive %s.", name, t.since(t.r.Old))
}

func (t teller) stuck() story {
	r, x := t.r, *t.r.Stuck
	seen := Cut(sentence(Clean(x.Seen)), 1000)
	s := story{title: "keyturn needs a person", never: []string{"keyturn changes no key by itself while it is stuck."}}
	s.lead = fmt.Sprintf("*keyturn cannot go on by itself.* On %s it saw:\n> %s\n%s", t.v.when(x.At), esc(seen, 1500), t.standing())
	s.aloud = fmt.Sprintf("keyturn cannot go on with %s by itself: %s", t.what, seen)
	s.next = []string{"Nothing, until somebody has put it right and presses *Retry*. keyturn then goes on where it stopped."}
	if !May(r, ActRestore) {
		return s
	}
	k := restored(r)
	s.next = append(s.next, fmt.Sprintf("If something stopped working, press *Restore*: it makes key %s active again.", code(k.ID)))
	s.aloud = sentence(s.aloud) + fmt.Sprintf(" If something stopped working, restore key %s", plainKey(k.ID))
	if x.Op == rotation.OpRestore {
		s.title = "Access key not restored"
		s.aloud = fmt.Sprintf("keyturn could not restore key %s of IAM user %s in account %s: %s A person has to put that right", plainKey(k.ID), userName(r), account(r), seen)
		s.next = []string{fmt.Sprintf("Nothing, until somebody has put it right and presses *Restore* again. If key %s is needed at once, activate it in AWS; keyturn notices.", code(k.ID))}
	}
	return s
}

func (t teller) frozen() story {
	f := *t.r.Frozen
	return story{
		title: "Account out of reach",
		lead:  fmt.Sprintf("*keyturn has not reached account %s* since %s%s\n%s", esc(account(t.r), 200), t.v.when(f.At), because(f.Why), t.standing()),
		aloud: fmt.Sprintf("keyturn has not reached the account of %s since %s, so its rotation stands still", t.what, t.v.day(f.At)),
		next:  []string{"Nothing, until the account can be reached again. keyturn tries every few hours. All its dates then move by the time that was lost."},
		never: []string{"Nothing is deactivated, deleted or closed meanwhile."},
	}
}

// also says, in mrkdwn, what stands beside the main story: a flag is never silent because another one is louder.
func (t teller) also() []string {
	r, p := t.r, phaseOf(t.r)
	var out []string
	if !r.Open() {
		return nil
	}
	if l := r.Leaked; l != nil && p != isLeaked {
		s := fmt.Sprintf(":rotating_light: *%s reported key %s as leaked* on %s.", t.v.by(l.By), code(r.Old.ID), t.v.when(l.At))
		if !isOff(r.Old) {
			s += " keyturn cannot deactivate it now: deactivate it in AWS, at once."
		}
		out = append(out, s)
	}
	for _, s := range append([]string{t.otherLeak()}, append(t.unanswered(), t.postponed())...) {
		if s != "" {
			out = append(out, s)
		}
	}
	if i := r.Restore; r.Restoring() && p != isRestoring {
		out = append(out, fmt.Sprintf("%s asked to restore key %s: keyturn does that first, as soon as it can.", t.v.by(i.By), code(restored(r).ID)))
	}
	if x := r.Stuck; x != nil && p != isStuck {
		out = append(out, "Before that, keyturn could not go on by itself: "+sentence(esc(x.Seen, 300)))
	}
	if f := r.Frozen; f != nil && p != isFrozen {
		out = append(out, fmt.Sprintf("keyturn has not reached the account since %s%s", t.v.when(f.At), because(f.Why)))
	}
	if h := r.Held; h != nil && p != isHeld {
		s := fmt.Sprintf("*On hold until %s by %s*%s", t.v.when(h.Until), t.v.by(h.By), because(h.Why))
		if p == isLeaked && !isOff(r.Old) {
			s += " The hold does not keep a leaked key from being deactivated."
		}
		out = append(out, s)
	}
	if !r.AbsentSince.IsZero() {
		out = append(out, fmt.Sprintf("On %s keyturn did not find the key or its user in AWS. It looks once more before it closes the rotation.", t.v.when(r.AbsentSince)))
	}
	return out
}
