package templates

import (
	"fmt"
	"slices"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

// sampleMany are the rotations of one person who has many.
func sampleMany(n int) []rotation.Rotation {
	var out []rotation.Rotation
	for i := range n {
		t := oneKey()
		switch i % 4 {
		case 1:
			t = scanned(sampleKey(sampleOld, 85, 1, rotation.Active))
		case 2:
			t = scanned(sampleKey(sampleOld, 95, 0, rotation.Active))
		case 3:
			t = scanned(sampleKey(sampleOld, 95, 1, rotation.Active), sampleKey(sampleSecond, 60, 30, rotation.Active))
		}
		t.r.UserName = rotation.UserName(fmt.Sprintf("batch-job-%02d", i+1))
		t.r.UserID = rotation.UserID(fmt.Sprintf("AIDAIEXAMPLEUSERID%03d", i+1))
		t.r.ID = rotation.MakeID(t.r.Account, t.r.UserID)
		out = append(out, t.r)
	}
	return out
}

func sampleSummary() SummaryView {
	return SummaryView{
		Started: sampleNow, Ended: sampleNow.Add(95 * time.Second), Accounts: 42, Users: 380, Keys: 415, OverAge: 17, Opened: 5, Refreshed: 9, Closed: 3, Findings: 2,
		Skipped:  []Place{{ID: "444455556666", Name: "Old sandbox", Why: "the account is SUSPENDED"}},
		Failed:   []Place{{ID: "777788889999", Name: "Research", Why: "the role keyturn-member cannot be assumed; deploy the StackSet to this account"}},
		RootKeys: []rotation.AccountID{"111122223333"},
	}
}

// sampleAccount is an account in which everything happens that can.
func sampleAccount() AccountView {
	a := AccountView{
		ID: "111122223333", Name: "Production", OUPath: "r-ab12/ou-ab12-prod", At: sampleNow.Add(20 * rotation.Day), Since: sampleNow.Add(-rotation.Day),
		Failures: []string{"user legacy-sync: its keys could not be read (Throttling); the next run tries again"},
		Exempt:   2, RootKeys: 1, Users: 31, Keys: 38, OverAge: 4,
	}
	for i, s := range noticeSamples() {
		if !slices.Contains([]string{"awaiting", "upcoming", "installing", "recovering", "stuck", "closed, rotated", "closed, rejected"}, s.name) {
			continue
		}
		s.r.UserName = rotation.UserName(fmt.Sprintf("batch-job-%02d", i+1))
		if s.r.Open() {
			a.Open = append(a.Open, s.r)
		} else {
			a.Closed = append(a.Closed, s.r)
		}
	}
	return a
}

// sampleAudit is an account in mode audit.
func sampleAudit() AccountView {
	a := AccountView{ID: "222233334444", Name: "Staging", OUPath: "r-ab12/ou-ab12-stage", At: sampleNow, Exempt: 1, Users: 12, Keys: 14, OverAge: 3,
		Failures: []string{"user old-deploy: its keys could not be read (Throttling); the next run tries again"}}
	p := rotation.DefaultPolicy()
	for i, keys := range [][]rotation.Key{
		{sampleKey(sampleOld, 95, 1, rotation.Active)},
		{sampleKey(sampleOld, 120, 0, rotation.Active)},
		{sampleKey(sampleOld, 95, 1, rotation.Active), sampleKey(sampleSecond, 200, 60, rotation.Inactive)},
		{sampleKey(sampleOld, 95, 1, rotation.Active), sampleKey(sampleSecond, 20, 2, rotation.Active)},
	} {
		name := rotation.UserName(fmt.Sprintf("stage-job-%02d", i+1))
		u := rotation.User{Account: a.ID, ID: "AIDAIEXAMPLEUSERID001", Name: name, Keys: keys}
		for _, q := range rotation.Plan(u, p, nil, false, sampleNow) {
			k, _ := rotation.Find(keys, q.Old)
			a.Findings = append(a.Findings, FindingView{User: name, Owner: "owner@example.com", Policy: p, Proposal: q,
				Key: rotation.KeyRef{ID: k.ID, Created: k.Created, LastUse: k.LastUse}})
		}
	}
	return a
}
