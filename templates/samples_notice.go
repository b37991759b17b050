package templates

import (
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

// noticeSamples shows the notice in every state and with every flag.
func noticeSamples() []noticeSample {
	active, inactive := rotation.Active, rotation.Inactive
	off := sampleKey(sampleSecond, 200, 60, inactive)
	off.InactiveSince = sampleNow.Add(-4 * rotation.Day)
	long := off
	long.InactiveSince = sampleNow.Add(-40 * rotation.Day)
	unknown := sampleKey(sampleOld, 95, -1, active)
	ancient := sampleKey(sampleOld, 4300, 0, active)
	busy := func() *tale {
		return scanned(sampleKey(sampleOld, 95, 1, active), sampleKey(sampleSecond, 20, 2, active))
	}
	crowded := func() *tale {
		return scanned(sampleKey(sampleOld, 95, 1, active), sampleKey(sampleSecond, 60, 30, active))
	}
	conflict := func() *tale { return scanned(sampleKey(sampleOld, 95, 1, active), off) }
	installing := func() *tale { return oneKey().approve().issue() }
	recovering := func() *tale { return installing().deactivate() }
	deleted := func(t *tale) *tale {
		c := t.wait().claim()
		return t.do(rotation.Deleted{Token: c, Key: t.r.Old.ID})
	}
	makingRoom := func(t *tale) *tale { return t.approve().do(rotation.BeginEvict{}) }
	auto := func() *tale {
		t := oneKey()
		t.r.Policy.Mode = rotation.ModeAuto
		return t
	}

	leak := rotation.Leaked{Actor: sampleOther, Why: "found in a public repository"}
	hold := rotation.HoldOn{Actor: sampleOther, For: 7 * rotation.Day, Why: "audit week"}
	retired := func() *tale {
		return scanned(sampleKey(sampleOld, 95, 0, active), sampleKey(sampleSecond, 20, 1, active)).approve()
	}

	return []noticeSample{
		scanned(sampleKey(sampleOld, 85, 1, active)).sample("upcoming"),
		scanned(sampleKey(sampleOld, 85, 0, active), sampleKey(sampleSecond, 20, 1, active)).sample("upcoming, an unused key"),
		scanned(sampleKey(sampleOld, 85, 1, active), sampleKey(sampleSecond, 20, 2, active)).sample("upcoming, two keys in use to choose from"),
		oneKey().sample("awaiting"),
		oneKey().do(rotation.Approve{Actor: sampleOther, Digest: oneKey().r.Digest(), Required: 2}).sample("awaiting, one of two approved"),
		scanned(unknown).sample("awaiting, last use not known"),
		scanned(ancient).sample("awaiting, older than AWS's records"),
		begin(sampleOther, "the laptop it was on is lost", sampleKey(sampleOld, 30, 1, active)).sample("awaiting, asked for by a person"),
		begin(sampleOther, "the laptop it was on is lost", sampleKey(sampleOld, 30, 1, active), off).sample("awaiting, asked for, and an inactive key has to go first"),
		replanned(oneKey(), off).sample("awaiting, the plan changed after an approval"),
		auto().sample("awaiting, mode auto"),
		auto().told().sample("awaiting, mode auto, the notice was delivered"),
		escalated().sample("awaiting, escalated because nobody decided"),
		oneKey().do(rotation.Escalate{Why: "The rule asks for 2 people, and only 1 can decide."}).sample("awaiting, escalated because the rule cannot be met"),
		escalated().pass(20*rotation.Day).do(rotation.Remind{}, rotation.TimeIsUp{}).sample("awaiting, its time is over"),
		timed(rotation.TimeoutApprove).told().sample("awaiting, approved if nobody decides"),
		timed(rotation.TimeoutApprove).told().pass(5 * rotation.Day).do(rotation.TimeIsUp{}).sample("approved, nobody decided in time"),
		timed(rotation.TimeoutExpire).sample("awaiting, ends if nobody decides"),
		timed(rotation.TimeoutExpire).pass(5 * rotation.Day).do(rotation.TimeIsUp{}).sample("closed, expired"),
		oneKey().do(rotation.Approve{Actor: sampleOther, Digest: oneKey().r.Digest(), Required: 1, BreakGlass: true, Why: "the auditor is here today"}).sample("approved, break-glass"),
		administrator().sample("awaiting, an administrator's key that a CI job uses"),
		crowded().do(rotation.Leaked{Actor: sampleOther, Key: sampleSecond, Why: "pasted into a public chat"}).sample("awaiting, the key that has to go first leaked"),
		installing().do(rotation.Leaked{Actor: sampleOther, Key: sampleNew, Why: "printed by a build"}).sample("installing, the new key leaked"),
		installing().do(rotation.Leaked{Actor: sampleOther, Key: sampleNew, Why: "printed by a build"}).cut().sample("evicting, the new key leaked and is off"),
		frozenUntil(installing()).sample("installing, a freeze puts the deactivation off"),
		auto().do(rotation.Snooze{Actor: sampleOwner, For: 3 * rotation.Day, Why: "release on Thursday"}).sample("snoozed, mode auto"),
		auto().told().pass(8 * rotation.Day).do(rotation.NoticePassed{}).sample("approved, nobody objected"),
		conflict().sample("awaiting, an inactive key has to go first"),
		scanned(sampleKey(sampleOld, 95, 1, active), long).sample("awaiting, a long inactive key has to go first"),
		crowded().sample("awaiting, an active key has to go first"),
		busy().sample("awaiting, two keys in use to choose from"),
		scanned(sampleKey(sampleOld, 95, 0, active), sampleKey(sampleSecond, 20, 1, active)).sample("awaiting, an unused key to remove"),
		scanned(sampleKey(sampleOld, 95, 0, active)).sample("awaiting, the last active key to remove"),
		scanned(off).sample("awaiting, a leftover key to remove"),
		oneKey().wait().do(rotation.Remind{}).sample("awaiting, reminded"),
		oneKey().do(rotation.Snooze{Actor: sampleOwner, For: 3 * rotation.Day, Why: "release on Thursday"}).sample("snoozed"),
		oneKey().approve().sample("approved"),
		retired().refuse(1).sample("approved, removal refused by the gate"),
		retired().sample("approved, a key to remove"),
		crowded().approve().sample("approved, an active key has to go first"),
		makingRoom(crowded()).sample("evicting, the key is active"),
		makingRoom(crowded()).refuse(1).sample("evicting, the key is still in use"),
		makingRoom(crowded()).deactivate().sample("evicting, the key is deactivated"),
		makingRoom(crowded()).refuse(10).sample("evicting, escalated"),
		makingRoom(conflict()).sample("evicting, the key was inactive before"),
		makingRoom(crowded()).deactivate().pass(time.Hour).do(rotation.Restore{Actor: sampleOwner, Why: "the report stopped"}).sample("restoring, the key that goes first"),
		makingRoom(crowded()).deactivate().do(rotation.HoldOn{Actor: sampleOther, For: 7 * rotation.Day, Why: "audit week"}).sample("held, while a key makes room"),
		makingRoom(scanned(sampleKey(sampleOld, 95, 1, active), long)).evict().sample("evicting, there is room"),
		issuing(oneKey().approve()).sample("issuing"),
		installing().sample("installing"),
		installing().pass(rotation.Day).do(rotation.Used{Use: rotation.LastUse{Kind: rotation.UseSeen, At: sampleNow.Add(20 * time.Hour), Service: "s3", Region: "eu-west-1"}}).sample("installing, the new key was seen in use"),
		installing().pass(rotation.Day).do(rotation.Confirm{Actor: sampleOwner}).sample("installing, confirmed"),
		installing().do(rotation.Extend{Actor: sampleOwner, For: 5 * rotation.Day, Why: "freeze over the holidays"}).sample("installing, extended"),
		installing().refuse(1).sample("installing, the old key is still in use"),
		installing().refuse(10).sample("installing, escalated"),
		installing().blocked(10, rotation.BlockNew, "Replicas of the secret keyturn/111122223333/billing-export are not in sync.").sample("installing, escalated for another reason than a use"),
		installing().refuse(10).do(rotation.DeactivateAnyway{Actor: sampleOther, Why: "the use is a forgotten cron job"}).sample("installing, deactivate anyway"),
		recovering().sample("recovering"),
		retired().deactivate().sample("recovering, a removed key"),
		scanned(off).approve().sample("recovering, a leftover key"),
		recovering().refuse(10).sample("recovering, escalated"),
		recovering().do(hold).sample("held, while the old key is deactivated"),
		installing().pass(rotation.Day).do(rotation.ObservedDeactivated{Key: sampleOld}).sample("recovering, deactivated by hand"),
		recovering().refuse(1).sample("recovering, deletion refused by the gate"),
		recovering().pass(2 * time.Hour).do(rotation.Restore{Actor: sampleOwner, Why: "the nightly export failed"}).sample("restoring"),
		again(recovering()).sample("restored and on hold"),
		installing().do(hold).sample("held"),
		oneKey().do(hold).sample("held, before a decision"),
		again(retired().deactivate()).sample("restored and on hold, a key to remove"),
		stuck(oneKey().approve()).sample("stuck"),
		recovering().do(rotation.ReplacementLost{What: "The secret keyturn/111122223333/billing-export is gone."}).sample("stuck, the replacement is lost"),
		helpless(recovering().do(rotation.Restore{Actor: sampleOwner, Why: "the nightly export failed"})).sample("stuck, restoring failed"),
		recovering().do(rotation.Restore{Actor: sampleOwner, Why: "the nightly export failed"}, rotation.Freeze{Why: "the role keyturn-member cannot be assumed in 111122223333"}).sample("frozen, restoring"),
		oneKey().do(leak, rotation.Freeze{Why: "the role keyturn-member cannot be assumed in 111122223333"}).sample("frozen, and the key leaked"),
		installing().do(rotation.Freeze{Why: "the role keyturn-member cannot be assumed in 111122223333"}).sample("frozen"),
		oneKey().do(leak).sample("leaked"),
		oneKey().do(leak).deactivate().sample("leaked, deactivated"),
		oneKey().do(leak).deactivate().issue().sample("leaked, replaced"),
		oneKey().do(leak).blocked(1, rotation.BlockUnknown, "The keys of billing-export could not be read.").sample("leaked, not deactivated so far"),
		oneKey().do(leak).deactivate().do(hold).sample("leaked, and on hold"),
		makingRoom(crowded()).do(leak).deactivate().sample("leaked, and another key has to go first"),
		failing(oneKey().approve()).sample("a step failed and is tried again"),
		deleted(recovering()).sample("closed, rotated"),
		deleted(scanned(sampleKey(sampleOld, 95, 0, active), sampleKey(sampleSecond, 20, 1, active)).approve().deactivate()).sample("closed, retired"),
		oneKey().do(rotation.Reject{Actor: sampleOwner, Why: "the user goes away next week"}).sample("closed, rejected"),
		oneKey().do(rotation.Exempt{Actor: sampleOther, Until: sampleNow.Add(90 * rotation.Day), Why: "appliance that takes no other credentials"}).sample("closed, exempted"),
		oneKey().do(rotation.Absent{What: "the user is gone"}).pass(15 * time.Minute).do(rotation.Absent{What: "the user is gone"}).sample("closed, gone"),
		oneKey().do(rotation.Superseded{Why: "another key came first"}).sample("closed, superseded"),
	}
}

// evict takes the key away that has to make room, as far as its state and the dates allow.
func (t *tale) evict() *tale {
	c := t.wait().claim()
	return t.do(rotation.Evicted{Token: c})
}

func issuing(t *tale) *tale {
	c := t.claim()
	return t.do(rotation.Begin{Token: c, Journal: rotation.Journal{Token: "8f14e45fceea167a5a36dedd4bea2543", SecretARN: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:keyturn/111122223333/billing-export-AbCdEf", SecretName: "keyturn/111122223333/billing-export"}})
}

func stuck(t *tale) *tale {
	c := t.claim()
	return t.do(rotation.GotStuck{Token: c, Op: rotation.OpIssue, Seen: "The user has a second key, AKIAISOMEBODYEXAMPLE, that keyturn did not make. Remove it, or make it the one to be replaced."})
}

func failing(t *tale) *tale {
	for range 2 {
		c := t.wait().claim()
		t.do(rotation.Failed{Token: c, Op: rotation.OpIssue, Error: "Throttling: Secrets Manager asked keyturn to slow down"})
	}
	return t
}

// replanned has an approval that the plan of a later scan made void.
func replanned(t *tale, second rotation.Key) *tale {
	t.do(rotation.Approve{Actor: sampleOther, Digest: t.r.Digest(), Required: 2}).pass(rotation.Day)
	keys := []rotation.Key{sampleKey(t.r.Old.ID, 95, 1, rotation.Active), second}
	s := sampleSubject(keys...)
	for _, q := range rotation.Plan(s.User, s.Policy, &t.r, false, t.now) {
		t.do(rotation.Replan{Subject: s, Proposal: q})
	}
	return t
}

// again restores the key that is off.
func again(t *tale) *tale {
	t.pass(2 * time.Hour).do(rotation.Restore{Actor: sampleOwner, Why: "the nightly export failed"})
	c := t.claim()
	return t.do(rotation.Restored{Token: c, Key: restored(t.r).ID})
}

// helpless fails to restore until it is stuck.
func helpless(t *tale) *tale {
	for range rotation.MaxAttempts {
		c := t.wait().claim()
		t.do(rotation.Failed{Token: c, Op: rotation.OpRestore, Error: "AccessDenied: update the key"})
	}
	return t
}
