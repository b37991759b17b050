package templates

import (
	"fmt"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

// The canned data are made by the events that make the real thing, so that no sample shows what cannot be.

var (
	sampleNow   = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	sampleOwner = rotation.Actor{ID: "U0OWNER01", Name: "Owner of billing", Email: "owner@example.com", Via: rotation.ViaSlack}
	sampleOther = rotation.Actor{ID: "U0SECOPS1", Name: "Security on call", Email: "security@example.com", Via: rotation.ViaSlack}
)

const (
	sampleOld    rotation.KeyID = "AKIAIOSFODNN7EXAMPLE"
	sampleSecond rotation.KeyID = "AKIAI44QH8DHBEXAMPLE"
	sampleNew    rotation.KeyID = "AKIAIFRESHKEYEXAMPLE"
	sampleElse   rotation.KeyID = "AKIAISOMEBODYEXAMPLE"
)

type noticeSample struct {
	name string
	r    rotation.Rotation
	v    View
}

// tale lets a rotation live.
type tale struct {
	r      rotation.Rotation
	now    time.Time
	claims int
}

// told lets Slack accept the notice.
func (t *tale) told() *tale {
	t.r = t.r.WithTold(t.r.PeopleSeq, []rotation.MessageRef{{Channel: "D0OWNER", TS: "1", For: sampleOwner.ID, Seq: t.r.PeopleSeq, At: t.now}}, t.now)
	return t
}

func sampleKey(id rotation.KeyID, age, used int, status rotation.KeyStatus) rotation.Key {
	k := rotation.Key{ID: id, Status: status, Created: sampleNow.Add(-time.Duration(age) * rotation.Day)}
	switch {
	case used == 0:
		k.LastUse = rotation.LastUse{Kind: rotation.UseNever}
	case used > 0:
		k.LastUse = rotation.LastUse{Kind: rotation.UseSeen, At: sampleNow.Add(-time.Duration(used) * rotation.Day), Service: "s3", Region: "eu-west-1"}
	}
	return k
}

func sampleSubject(keys ...rotation.Key) rotation.Subject {
	u := rotation.User{Account: "111122223333", ID: "AIDAIEXAMPLEUSERID001", Name: "billing-export", Path: "/", ARN: "arn:aws:iam::111122223333:user/billing-export", Keys: keys}
	return rotation.Subject{User: u, AccountName: "Production", AccountEmail: "aws-production@example.com", OUPath: "r-ab12/ou-ab12-prod", Owner: "owner@example.com", OwnerTagged: true, Policy: rotation.DefaultPolicy()}
}

// begin opens the rotation that Plan proposes for the keys.
func begin(by rotation.Actor, why string, keys ...rotation.Key) *tale {
	s := sampleSubject(keys...)
	t := &tale{now: sampleNow}
	for _, q := range rotation.Plan(s.User, s.Policy, nil, by != rotation.System, t.now) {
		if r, err := rotation.Open(s, q, nil, by, why, t.now); err == nil {
			t.r = r
			break
		}
	}
	return t
}

func scanned(keys ...rotation.Key) *tale { return begin(rotation.System, "", keys...) }

func oneKey() *tale { return scanned(sampleKey(sampleOld, 95, 1, rotation.Active)) }

// do applies events; one that is refused changes nothing (the tests see that each sample is what its name says).
func (t *tale) do(events ...rotation.Event) *tale {
	for _, e := range events {
		if r, err := rotation.Apply(t.r, e, t.now); err == nil {
			t.r = r
		}
	}
	return t
}

func (t *tale) pass(d time.Duration) *tale { t.now = t.now.Add(d); return t }

// wait lets time pass until the next step.
func (t *tale) wait() *tale {
	if _, at := t.r.Next(); at.After(t.now) {
		t.now = at
	}
	return t
}

func (t *tale) approve() *tale {
	return t.do(rotation.Approve{Actor: sampleOwner, Digest: t.r.Digest(), Required: 1})
}

// claim takes the claim for the next step and returns its token.
func (t *tale) claim() string {
	t.claims++
	token := fmt.Sprint("claim-", t.claims)
	step, _ := t.r.Next()
	t.do(rotation.Claim{Op: rotation.OpOf(step), Token: token, Real: t.now, LeaseUntil: t.now.Add(time.Minute)})
	return token
}

func (t *tale) issue() *tale {
	c := t.claim()
	return t.do(
		rotation.Begin{Token: c, Journal: rotation.Journal{Token: "8f14e45fceea167a5a36dedd4bea2543", SecretARN: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:keyturn/111122223333/billing-export-AbCdEf", SecretName: "keyturn/111122223333/billing-export"}},
		rotation.Creating{Token: c}, rotation.KeyCreated{Token: c, Key: sampleNew, Created: t.now},
		rotation.Stored{Token: c}, rotation.Verified{Token: c, At: t.now}, rotation.Issued{Token: c})
}

func (t *tale) deactivate() *tale {
	c := t.wait().claim()
	return t.do(rotation.Deactivated{Token: c, Key: leaving(t.r).ID})
}

// refuse lets the gate, which sees the leaving key in use three hours before, refuse a number of times.
func (t *tale) refuse(times int) *tale {
	for range times {
		c := t.wait().claim()
		k := leaving(t.r)
		seen := rotation.Key{ID: k.ID, Status: rotation.Active, Created: k.Created, LastUse: rotation.LastUse{Kind: rotation.UseSeen, At: t.now.Add(-3 * time.Hour), Service: "s3", Region: "eu-west-1"}}
		gate := rotation.MayDeactivate
		if isOff(k) {
			seen.Status, gate = rotation.Inactive, rotation.MayDelete
		}
		f := rotation.Facts{KeysKnown: true, Keys: []rotation.Key{seen, {ID: sampleElse, Status: rotation.Active}}}
		if n := t.r.New; n != nil {
			f.Keys = append(f.Keys, rotation.Key{ID: n.ID, Status: rotation.Active})
			f.Secret = rotation.Secret{Known: true, Exists: true, Ours: true, Current: n.VersionID, ReplicasInSync: true}
		}
		t.do(rotation.GateRefused{Token: c, Blocks: gate(t.r, k.ID, f, t.now)})
	}
	return t
}

// blocked lets the gate refuse for another reason than a use.
func (t *tale) blocked(times int, why rotation.BlockWhy, sentence string) *tale {
	for range times {
		c := t.wait().claim()
		t.do(rotation.GateRefused{Token: c, Blocks: []rotation.Block{{Why: why, Sentence: sentence}}})
	}
	return t
}

func (t *tale) sample(name string) noticeSample {
	return noticeSample{name: name, r: t.r, v: View{Now: t.now, Who: "the owner (owner@example.com) or the account's owner (aws-production@example.com)"}}
}
