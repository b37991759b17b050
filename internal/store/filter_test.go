package store_test

import (
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

func TestMatch(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	const day = 24 * time.Hour
	r := rotation.Rotation{
		State: rotation.Awaiting, Account: "111122223333", Owner: "ann@example.com", OUPath: "r-ab12/ou-ab12-prod/ou-ab12-pay",
		Old: rotation.KeyRef{Created: now.Add(-90 * day)},
	}
	nowhere := r
	nowhere.OUPath = ""
	unknown := r
	unknown.Old.Created = time.Time{}
	closed := r
	closed.State = rotation.Closed
	for _, c := range []struct {
		name string
		f    store.Filter
		r    rotation.Rotation
		want bool
	}{
		{"nothing asked", store.Filter{}, r, true},
		{"nothing asked, closed", store.Filter{}, closed, true},
		{"open", store.Filter{OpenOnly: true}, r, true},
		{"open, closed", store.Filter{OpenOnly: true}, closed, false},
		{"account", store.Filter{Account: "111122223333"}, r, true},
		{"another account", store.Filter{Account: "111122223334"}, r, false},
		{"owner", store.Filter{Owner: "ann@example.com"}, r, true},
		{"an owner is written one way", store.Filter{Owner: "Ann@example.com"}, r, false},
		{"one of the states", store.Filter{States: []rotation.State{rotation.Closed, rotation.Awaiting}}, r, true},
		{"none of the states", store.Filter{States: []rotation.State{rotation.Closed}}, r, false},
		{"no state at all", store.Filter{States: []rotation.State{}}, r, true},
		{"its unit", store.Filter{OU: "ou-ab12-pay"}, r, true},
		{"a unit above", store.Filter{OU: "ou-ab12-prod"}, r, true},
		{"the root", store.Filter{OU: "r-ab12"}, r, true},
		{"another unit", store.Filter{OU: "ou-ab12-test"}, r, false},
		{"the beginning of a unit's ID", store.Filter{OU: "ou-ab12-pr"}, r, false},
		{"its path", store.Filter{OU: "r-ab12/ou-ab12-prod/ou-ab12-pay"}, r, true},
		{"a path above", store.Filter{OU: "r-ab12/ou-ab12-prod"}, r, true},
		{"a path with slashes around it", store.Filter{OU: "/r-ab12/ou-ab12-prod/"}, r, true},
		{"a path that only begins like its", store.Filter{OU: "r-ab12/ou-ab12-pr"}, r, false},
		{"a path below", store.Filter{OU: "r-ab12/ou-ab12-prod/ou-ab12-pay/ou-ab12-x"}, r, false},
		{"a path from the middle", store.Filter{OU: "ou-ab12-prod/ou-ab12-pay"}, r, false},
		{"a unit of an account whose place is not known", store.Filter{OU: "ou-ab12-prod"}, nowhere, false},
		{"older", store.Filter{OlderThan: 89 * day, Now: now}, r, true},
		{"just as old", store.Filter{OlderThan: 90 * day, Now: now}, r, true},
		{"younger", store.Filter{OlderThan: 90*day + 1, Now: now}, r, false},
		{"old later on", store.Filter{OlderThan: 91 * day, Now: now.Add(day)}, r, true},
		{"of no known age", store.Filter{OlderThan: 9999 * day, Now: now}, unknown, true},
		{"without a time", store.Filter{OlderThan: day}, r, false},
		{"without a time, of no known age", store.Filter{OlderThan: day}, unknown, false},
		{"any age", store.Filter{Now: now}, r, true},
		{"an age that makes no sense", store.Filter{OlderThan: -day, Now: now}, r, true},
		{"all of it", store.Filter{OpenOnly: true, Account: r.Account, Owner: r.Owner, States: []rotation.State{r.State}, OU: "r-ab12", OlderThan: day, Now: now}, r, true},
		{"all but one", store.Filter{OpenOnly: true, Account: r.Account, Owner: r.Owner, States: []rotation.State{r.State}, OU: "r-cd34", OlderThan: day, Now: now}, r, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.f.Match(c.r); got != c.want {
				t.Errorf("%+v: %v", c.f, got)
			}
		})
	}
}
