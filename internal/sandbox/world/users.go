package world

import (
	"fmt"
	"time"

	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
)

const day = 24 * time.Hour

// Telling users of the production account.
const (
	Billing   = "billing-export" // the hero: due, used every day, owner tagged
	Unused    = "report-mailer"  // due and never used
	TwoActive = "etl-nightly"    // two active keys, both in use
	Conflict  = "sftp-gateway"   // due, and an inactive key fills the second slot
	Leftover  = "legacy-sync"    // an inactive key that nothing accounts for
	Exempt    = "metrics-agent"  // member of the exemption group
	NoSlack   = "vendor-feed"    // due; its owner is not in Slack
	Soon      = "image-resizer"  // will be due in five days
)

// reads is what every user may do with its key: list buckets, above all.
var reads = []string{"arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}

// Seed fills the accounts with about forty users in telling situations.
func (w *World) Seed() {
	w.hero()
	now, a := w.Clock.Now(), w.AWS
	ago := func(days int) time.Time { return now.Add(-time.Duration(days) * day) }
	user := func(account, name string, tags map[string]string, groups ...string) {
		a.AddUser(account, awsemu.User{Name: name, Path: "/", Tags: tags, Groups: groups, PolicyARNs: reads, CreatedAt: ago(500)})
	}
	user(Prod, Unused, nil)
	a.AddKey(Prod, Unused, awsemu.Key{Created: ago(140)})
	a.AddGroup(Prod, "Engineers")
	a.SetGroupPolicies(Prod, "Engineers", "arn:aws:iam::aws:policy/PowerUserAccess")
	user(Prod, TwoActive, nil, "Engineers")
	a.AddKey(Prod, TwoActive, awsemu.Key{Created: ago(210), LastUsed: ago(1), LastUsedService: "s3", LastUsedRegion: Region})
	a.AddKey(Prod, TwoActive, awsemu.Key{Created: ago(100), LastUsed: ago(0), LastUsedService: "dynamodb", LastUsedRegion: Region})
	user(Prod, Conflict, nil)
	a.AddKey(Prod, Conflict, awsemu.Key{Created: ago(120), LastUsed: ago(2), LastUsedService: "s3", LastUsedRegion: Region})
	a.AddKey(Prod, Conflict, awsemu.Key{Created: ago(300), Inactive: true, LastUsed: ago(130), LastUsedService: "s3", LastUsedRegion: Region})
	user(Prod, Leftover, nil)
	a.AddKey(Prod, Leftover, awsemu.Key{Created: ago(400), Inactive: true})
	user(Prod, Exempt, nil, "IAMKeyRotationExemptionGroup")
	a.AddKey(Prod, Exempt, awsemu.Key{Created: ago(700), LastUsed: ago(0), LastUsedService: "monitoring", LastUsedRegion: Region})
	user(Prod, NoSlack, map[string]string{"owner": "integration@vendor.example"})
	a.AddKey(Prod, NoSlack, awsemu.Key{Created: ago(95), LastUsed: ago(3), LastUsedService: "sqs", LastUsedRegion: Region})
	user(Prod, Soon, map[string]string{"owner": "billing@acme.example"})
	a.AddKey(Prod, Soon, awsemu.Key{Created: ago(85), LastUsed: ago(0), LastUsedService: "s3", LastUsedRegion: Region})
	for i := range 18 {
		name := fmt.Sprintf("service-%02d", i+1)
		user(Prod, name, nil)
		a.AddKey(Prod, name, awsemu.Key{Created: ago(10 + i), LastUsed: ago(0), LastUsedService: "s3", LastUsedRegion: Region})
	}
	for i := range 10 {
		name := fmt.Sprintf("dev-tool-%02d", i+1)
		user(Dev, name, nil)
		a.AddKey(Dev, name, awsemu.Key{Created: ago(60 + 10*i), LastUsed: ago(i), LastUsedService: "ec2", LastUsedRegion: Region})
	}
	user(Management, "org-automation", nil)
	a.AddKey(Management, "org-automation", awsemu.Key{Created: ago(30), LastUsed: ago(1), LastUsedService: "organizations", LastUsedRegion: "us-east-1"})
	user(Old, "forgotten", nil)
	a.AddKey(Old, "forgotten", awsemu.Key{Created: ago(900)})
}

// hero is the user whom the story is about.
func (w *World) hero() {
	now := w.Clock.Now()
	w.AWS.AddUser(Prod, awsemu.User{Name: Billing, Path: "/jobs/", Tags: map[string]string{"owner": "billing@acme.example"}, PolicyARNs: reads, CreatedAt: now.Add(-400 * day)})
	w.AWS.AddKey(Prod, Billing, awsemu.Key{Created: now.Add(-95 * day), LastUsed: now.Add(-6 * time.Hour), LastUsedService: "s3", LastUsedRegion: Region})
}

// SeedHero fills the production account with the hero alone.
func (w *World) SeedHero() { w.hero() }
