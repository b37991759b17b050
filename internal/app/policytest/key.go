package policytest

import (
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
)

// neverUsed is what a file says of a key that AWS knows no use of.
const neverUsed = "never"

// exampleKey and exampleUser stand for the IDs that AWS gives: nobody sees them, and rules do not ask for them. They are those
// of AWS's documentation.
const (
	exampleKey  rotation.KeyID  = "AKIAIOSFODNN7EXAMPLE"
	exampleUser rotation.UserID = "AIDACKCEVSQ6C2EXAMPLE"
)

func (k Key) target() approval.Target {
	return approval.Target{Account: rotation.AccountID(k.Account), OUPath: k.OU, UserName: rotation.UserName(k.User), UserPath: k.path(), Tags: k.Tags}
}

func (k Key) path() string {
	if k.Path == "" {
		return "/"
	}
	return k.Path
}

// owner is whom a scan takes for the owner.
func (k Key) owner(tag string) string {
	return rotation.OwnerOf(k.Tags, tag, k.AccountEmail).Address
}

func (k Key) accountEmail() string { return strings.ToLower(strings.TrimSpace(k.AccountEmail)) }

// user is the IAM user, with one active key, as a scan at the given time would see it.
func (k Key) user(now time.Time) rotation.User {
	age, _ := rotation.ParseDuration(k.Age)
	one := rotation.Key{ID: exampleKey, Status: rotation.Active, Created: now.Add(-age), LastUse: rotation.LastUse{Kind: rotation.UseUnknown}}
	if ago, err := rotation.ParseDuration(k.LastUsed); err == nil {
		one.LastUse = rotation.LastUse{Kind: rotation.UseSeen, At: now.Add(-ago)}
	} else if k.LastUsed == neverUsed {
		one.LastUse = rotation.LastUse{Kind: rotation.UseNever}
	}
	return rotation.User{Account: rotation.AccountID(k.Account), ID: exampleUser, Name: rotation.UserName(k.User), Path: k.path(), Tags: k.Tags, Keys: []rotation.Key{one}}
}

// plan is what a scan proposes for the key.
func (k Key) plan(p rotation.Policy) Plan {
	out := PlanNothing
	for _, q := range rotation.Plan(k.user(noon), p, nil, false, noon) {
		switch {
		case q.Act != rotation.ActOpen:
		case q.State == rotation.Upcoming:
			return PlanWarn
		case q.Kind == rotation.Retire:
			return PlanRetire
		default:
			return PlanRotate
		}
	}
	return out
}

// noon is the time at which everything that depends on no date happens.
var noon = time.Date(2026, 1, 7, 12, 0, 0, 0, time.UTC)
