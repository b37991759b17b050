package templates

import (
	"fmt"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

// late is a decision that waits for its first reminder.
func late() *tale { return oneKey().told().wait() }

// escalated is a decision that nobody took, and that others can take too.
func escalated() *tale {
	t := oneKey().told().pass(10 * rotation.Day)
	return t.do(t.r.Unanswered(t.now))
}

// timed is a decision with a time of five days, and with what happens then.
func timed(out rotation.Timeout) *tale {
	s := sampleSubject(sampleKey(sampleOld, 95, 1, rotation.Active))
	s.Policy.OnTimeout, s.Policy.AnswerWithin, s.Policy.EscalateAfter = out, 5*rotation.Day, 0
	s.Policy.RemindAfter, s.Policy.RemindMost = 7*rotation.Day, 7*rotation.Day
	t := &tale{now: sampleNow}
	for _, q := range rotation.Plan(s.User, s.Policy, nil, false, t.now) {
		if r, err := rotation.Open(s, q, nil, rotation.System, "", t.now); err == nil {
			t.r = r
		}
	}
	return t
}

// administrator is a key that is worth a lot, of a user whose name says what it is.
func administrator() *tale {
	s := sampleSubject(sampleKey(sampleOld, 120, 1, rotation.Active))
	s.User.Name, s.User.Console, s.User.Admin = "github-deploy", true, &rotation.AdminPolicies{Names: []string{"AdministratorAccess"}}
	t := &tale{now: sampleNow}
	for _, q := range rotation.Plan(s.User, s.Policy, nil, false, t.now) {
		if r, err := rotation.Open(s, q, nil, rotation.System, "", t.now); err == nil {
			t.r = r
		}
	}
	return t
}

// cut lets the rotator deactivate a leaked key that is not the old one.
func (t *tale) cut() *tale {
	c := t.claim()
	return t.do(rotation.LeakCut{Token: c, Key: t.r.LeakedKey.Key})
}

// frozenUntil lets a change freeze put the next step off.
func frozenUntil(t *tale) *tale {
	step, _ := t.wait().r.Next()
	return t.do(rotation.Postpone{Op: rotation.OpOf(step), Until: t.now.Add(10 * rotation.Day), Why: "change freeze, year end"})
}

// sampleNews are rotations of which there is news of each kind that a digest tells.
func sampleNews() []rotation.Rotation {
	all := []*tale{
		late().do(rotation.Remind{}), escalated(), timed(rotation.TimeoutApprove).told(), oneKey().approve().issue(), oneKey().approve().issue().deactivate(),
		oneKey().approve().issue().do(rotation.Leaked{Actor: sampleOther, Key: sampleNew, Why: "printed by a build"}),
	}
	var out []rotation.Rotation
	for i, t := range all {
		t.r.UserName = rotation.UserName(fmt.Sprintf("batch-job-%02d", i+1))
		out = append(out, t.r)
	}
	return out
}

func sampleEndings() []Ending {
	at := func(d int) time.Time { return sampleNow.Add(time.Duration(d) * rotation.Day) }
	return []Ending{
		{Account: "Production", Exemption: rotation.Exemption{Account: "111122223333", UserID: "AIDAIEXAMPLEUSERID001", UserName: "billing-export", By: sampleOther, Why: "the vendor cannot change it before the release", From: at(-80), Until: at(7)}},
		{Account: "Staging", Exemption: rotation.Exemption{Account: "444455556666", UserID: "AIDAIEXAMPLEUSERID002", UserName: "mail-relay", By: sampleOwner, Why: "replaced in January", From: at(-20), Until: at(6)}},
	}
}
