package bot

import (
	"fmt"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

// evidence says what a rotation knows of a key when it is reported: the history keeps it.
func evidence(r rotation.Rotation, l leak, now time.Time) string {
	var k rotation.KeyRef
	switch {
	case r.Old.ID == l.key:
		k = r.Old
	case r.Evict != nil && r.Evict.ID == l.key:
		k = *r.Evict
	case r.Other != nil && r.Other.ID == l.key:
		k = *r.Other
	case r.New != nil && r.New.ID == l.key:
		k = rotation.KeyRef{Created: r.New.Created, LastUse: r.New.InUse}
	}
	return evident(k, r.Console, r.Admin, l.seen, now)
}

// evidenceOf is evidence as the last scan saw it.
func evidenceOf(u rotation.User, k rotation.Key, l leak, now time.Time) string {
	return evident(rotation.KeyRef{Created: k.Created, LastUse: k.LastUse}, u.Console, u.Admin, l.seen, now)
}

func evident(k rotation.KeyRef, console bool, admin *rotation.AdminPolicies, seen string, now time.Time) string {
	var out []string
	switch k.LastUse.Kind {
	case rotation.UseSeen:
		out = append(out, fmt.Sprintf("last known use %s in %s, %s", k.LastUse.Service, k.LastUse.Region, k.LastUse.At.UTC().Format("2006-01-02 15:04 UTC")))
	case rotation.UseNever:
		out = append(out, "no known use")
	default:
		out = append(out, "last use not known")
	}
	if !k.Created.IsZero() {
		out = append(out, fmt.Sprintf("created %s (%s)", k.Created.UTC().Format("2006-01-02"), rotation.Ago(k.Created, now)))
	}
	if console {
		out = append(out, "the user has a console password")
	}
	switch {
	case admin == nil:
	case admin.Problem != "":
		out = append(out, "administrator policies not known")
	case len(admin.Names) > 0:
		out = append(out, "administrator by "+strings.Join(admin.Names, ", "))
	}
	if seen != "" {
		out = append(out, "seen in Slack, "+seen)
	}
	return strings.Join(out, "; ")
}
