package templates

import (
	"fmt"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

func (t teller) approved() story {
	r := t.r
	s := story{title: "Approved", next: t.plan(), never: []string{notInUse}}
	act, verb := "replaces", "replaced"
	if r.Kind == rotation.Retire {
		act, verb = "removes", "removed"
	} else {
		s.never = append(s.never, theSecret)
	}
	s.lead = fmt.Sprintf("*Approved.* keyturn now %s key %s of %s.", act, code(r.Old.ID), code(r.UserName))
	s.aloud = fmt.Sprintf("%s is approved to be %s, and keyturn begins now", t.what, verb)
	if len(r.Approvals) == 0 { // mode auto, or a timeout
		s.title = "Nobody objected"
		s.lead = fmt.Sprintf("*Nobody objected to the notice.* keyturn now %s key %s of %s. %s", act, code(r.Old.ID), code(r.UserName), t.passed())
		s.aloud = fmt.Sprintf("nobody objected, so %s is %s. keyturn begins now", t.what, verb)
	}
	return s
}

func (t teller) evicting() story {
	r := t.r
	s := story{title: "Making room for a new access key"}
	if !isOff(r.Old) {
		s.never = []string{fmt.Sprintf("Key %s is not touched meanwhile.", code(r.Old.ID))}
	}
	if !waits(r) {
		s.lead = "*There is room for the new key.* keyturn issues it now and stores it in AWS Secrets Manager."
		s.aloud = fmt.Sprintf("there is room for a new key now, and keyturn issues it: it replaces %s", t.what)
		s.next, s.never = t.bothKeys(), append(s.never, theSecret)
		return s
	}
	e := *r.Evict
	after := fmt.Sprintf("Then keyturn issues a new key, which replaces %s.", code(r.Old.ID))
	where := fmt.Sprintf("key %s of IAM user %s in account %s", plainKey(e.ID), userName(r), account(r))
	switch {
	case isOff(e):
		s.lead = fmt.Sprintf("*Key %s was deactivated* on %s, to make room for the new key. If something stopped working, press *Restore*: the key is active again within minutes.", code(e.ID), t.v.when(e.InactiveSince))
		s.aloud = fmt.Sprintf("%s was deactivated to make room for a new key. It is deleted on %s. Restore it if something stopped working", where, t.v.day(r.EvictAt))
		if e.ByHand {
			s.lead = fmt.Sprintf("*Key %s has been inactive* %s and is deleted to make room for the new key. If it is needed after all, press *Restore*.", code(e.ID), t.since(e))
			s.aloud = fmt.Sprintf("%s is inactive and is deleted on %s to make room for a new key. Restore it if it is needed after all", where, t.v.day(r.EvictAt))
		}
		s.lead += t.refused()
		s.next = []string{t.deleted(e.ID, r.EvictAt, ""), after}
	default:
		s.lead = fmt.Sprintf("*Key %s has to go first*, because AWS allows two keys per user. Then a new key replaces %s.", code(e.ID), code(r.Old.ID))
		s.aloud = fmt.Sprintf("before %s can be replaced, key %s has to go. It is deactivated as soon as it has been idle for %s", t.what, plainKey(e.ID), t.quietFor())
		s.next = []string{fmt.Sprintf("Key %s is deactivated as soon as it has been idle for %s.", code(e.ID), t.quietFor()), t.afterOff(), after}
		s.never = append(s.never, notInUse)
	}
	return s
}

// deleted says when a key is deleted, and on which conditions.
func (t teller) deleted(k rotation.KeyID, at time.Time, also string) string {
	if t.wasRefused() {
		return t.again("deletes", at) + " Until it is deleted, one click restores it."
	}
	on, until := "On "+t.v.when(at)+", key "+code(k)+" is deleted", " Until then, one click restores it."
	if !at.After(t.v.Now) {
		on, until = "Key "+code(k)+" is deleted now", ""
	}
	return fmt.Sprintf("%s, if AWS has recorded no use of it since its deactivation%s.%s", on, also, until)
}

func (t teller) issuing() story {
	s := story{
		title: "Issuing a new access key",
		lead:  fmt.Sprintf("*A new key for %s is being made, stored in AWS Secrets Manager and tried out.*", code(t.r.UserName)),
		aloud: fmt.Sprintf("a new key is being issued that replaces %s", t.what),
		next:  append([]string{"As soon as the new key works, this message says where to find it."}, t.bothKeys()...),
		never: []string{theSecret},
	}
	if t.r.Trouble == nil {
		s.lead += " This takes about a minute."
	}
	if !isOff(t.r.Old) {
		s.never = append([]string{"The old key is not touched meanwhile."}, s.never...)
	}
	return s
}

func (t teller) installing() story {
	r := t.r
	s := story{title: "Install the new access key", next: []string{t.goes(), t.afterOff()}, never: []string{"The old key is not cut off while it is in use, unless a person says so."}}
	if r.New == nil { // no rotation comes here without one; a record of another version might
		s.lead, s.aloud = "*A new key was issued.*", "a new key was issued that replaces "+t.what
		return s
	}
	if leaking(r) && r.LeakedKey.Key == r.New.ID {
		s.title = "New access key leaked"
		s.lead = fmt.Sprintf("*Do not install the new key %s.* It was reported as leaked. The old key %s still works.", code(r.New.ID), code(r.Old.ID))
		s.aloud = fmt.Sprintf("do not install the new key %s that was to replace %s: it was reported as leaked. The old key still works", plainKey(r.New.ID), t.what)
		s.next = []string{fmt.Sprintf("Key %s is deactivated, and deleted %s later. Then another new key is issued.", code(r.New.ID), span(rotation.MinRecoveryGrace))}
		return s
	}
	sooner := fmt.Sprintf("If somebody presses *New key is in use*, the old key goes sooner: as soon as it has been idle for %s.", span(min(r.Policy.ConfirmedQuiet, r.Policy.QuietPeriod)))
	switch u := r.New.InUse; {
	case r.Confirmed != nil:
		s.title = "New access key in use"
		s.lead = fmt.Sprintf("*%s confirmed that the new key %s is in use.* The old one is on its way out.", t.v.by(r.Confirmed.By), code(r.New.ID))
		s.aloud = fmt.Sprintf("%s confirmed that the new key %s is in use. It replaces %s, which is deactivated as soon as it has been idle for %s", t.v.name(r.Confirmed.By), plainKey(r.New.ID), t.what, t.quietFor())
	case u.Kind == rotation.UseSeen:
		s.title = "New access key in use"
		s.lead = fmt.Sprintf("*The new key %s was seen in use:* %s in %s, %s. If it is installed everywhere, press *New key is in use*.", code(r.New.ID), short(u.Service), short(u.Region), t.v.when(u.At))
		s.aloud = fmt.Sprintf("the new key %s was seen in use. It replaces %s. If it is installed everywhere, please confirm that", plainKey(r.New.ID), t.what)
		s.next = []string{t.goes(), sooner, t.afterOff()}
	default:
		s.lead = fmt.Sprintf("*The new key %s works and is in AWS Secrets Manager.* Both keys work now. Install the new one, then press *New key is in use*. It can be read with\n%s", code(r.New.ID), fetch(r))
		s.aloud = fmt.Sprintf("the new key %s that replaces %s works and is in AWS Secrets Manager as %s. Please install it by %s", plainKey(r.New.ID), t.what, clip(r.New.SecretName, 200), t.v.day(r.DeactivateAt))
		s.next = []string{t.goes(), sooner, t.afterOff()}
	}
	return s
}

// goes says when the old key is deactivated.
func (t teller) goes() string {
	if !t.r.DeactivateAt.After(t.v.Now) {
		return fmt.Sprintf("The old key %s is deactivated as soon as it has been idle for %s.", code(t.r.Old.ID), t.quietFor())
	}
	return fmt.Sprintf("On %s the old key %s is deactivated, if it has been idle for %s by then. If not, keyturn looks again every day and says so.", t.v.when(t.r.DeactivateAt), code(t.r.Old.ID), t.quietFor())
}

// fetch shows how to read the new key. The value itself is never known here. A secret of another account is named by ARN.
func fetch(r rotation.Rotation) string {
	id, region := r.New.SecretName, ""
	if p := strings.Split(r.New.SecretARN, ":"); len(p) > 6 {
		if p[4] != string(r.Account) {
			id = r.New.SecretARN
		}
		if p[3] != "" {
			region = " --region " + p[3]
		}
	}
	return codeOf("aws secretsmanager get-secret-value --secret-id "+id+region, 800)
}

func (t teller) recovering() story {
	r := t.r
	s := story{title: "Old access key deactivated"}
	also := " and the new key still works"
	if r.Kind == rotation.Retire {
		s.title, also = "Access key deactivated", ""
	}
	who := "*Key %s of %s was deactivated* on %s."
	if r.Old.ByHand {
		who = "*Key %s of %s was deactivated by somebody, not by keyturn*, which first saw it on %s."
	}
	s.lead = fmt.Sprintf(who+" If something stopped working, press *Restore*: the key is active again within minutes.", code(r.Old.ID), code(r.UserName), t.v.when(r.Old.InactiveSince))
	s.aloud = fmt.Sprintf("%s is deactivated and will be deleted on %s. Restore it if something stopped working", t.what, t.v.day(r.DeleteAt))
	s.lead += t.refused()
	s.next = []string{t.deleted(r.Old.ID, r.DeleteAt, also)}
	s.never = []string{"The key is not deleted earlier. Once it is deleted, it cannot come back."}
	if t.wasRefused() {
		_, said := t.gate()
		s.title = "Old access key not deleted"
		if r.Kind == rotation.Retire {
			s.title = "Access key not deleted"
		}
		s.aloud = fmt.Sprintf("%s is deactivated, but was not deleted: %s Restore it if it is still needed", t.what, said)
	}
	return s
}
