package bot

import (
	"strings"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
)

// dated is rules that know a calendar.
type dated struct{ *someRules }

func (dated) When(r rotation.Rotation, _ bool, now time.Time) (time.Time, string) {
	return now.Add(days(2)), "keys of " + string(r.UserName) + " are not deactivated at a weekend"
}

var _ Calendar = dated{}

func TestWhyExplainsRights(t *testing.T) {
	for _, c := range []struct {
		name   string
		groups map[string][]string
		user   string
		rule   func(*approval.Rule)
		change func(*rotation.Rotation)
		says   []string
		not    string
	}{
		{"the owner", map[string][]string{"S0PLATFORM": {named}, "S0BROKEN": {}}, owner, nil, nil,
			[]string{"Rule policy[0]", "You may decide*: As owner", "✗ group:S0PLATFORM: not among its 1 members", "An approval takes 1 person", "As Slack knows people today, 2 could", "You may report that it has leaked*: As owner", "Nobody may approve alone"}, "can never"},
		{"a member", map[string][]string{"S0PLATFORM": {other}}, other, nil, nil, []string{"You may decide*: As group:S0PLATFORM", "✓ group:S0PLATFORM: yes, a member"}, ""},
		{"a group that cannot be read", nil, other, nil, nil, []string{"You may not decide", "✗ group:S0BROKEN: Slack knows no such group, or it is disabled", "Who can: the owner (owner@acme.example)"}, ""},
		{"not known how many could", nil, owner, func(r *approval.Rule) { r.Required = 2 }, nil, []string{"An approval takes 2 different people", "How many people could approve is not known just now"}, "could not be met"},
		{"too few", map[string][]string{"S0PLATFORM": {owner}, "S0BROKEN": {guest}}, owner, func(r *approval.Rule) { r.Required = 2 }, nil, []string{"only 1 could, so the rule cannot be met"}, ""},
		{"approved by one", nil, owner, func(r *approval.Rule) { r.Required = 2 }, func(r *rotation.Rotation) {
			r.Approvals = []rotation.Approval{{Actor: everybody()[2].Actor(), At: start}}
		}, []string{"approved by The named one", "1 of 2 approved"}, ""},
		{"rights of their own", nil, other, func(r *approval.Rule) {
			r.Leaked = []approval.Circle{{Kind: approval.SlackUser, ID: other}}
			r.BreakGlass = []approval.Circle{{Kind: approval.SlackUser, ID: named}}
		}, nil, []string{"You may report that it has leaked*: As user:U0OTHER1", "You may not approve alone (break glass)", "Who can: <@U0NAMED1>"}, ""},
		{"escalated", nil, other, func(r *approval.Rule) { r.Escalate = []approval.Circle{{Kind: approval.SlackUser, ID: other}} },
			func(r *rotation.Rotation) {
				r.Escalation = &rotation.Escalation{At: start, Why: "nobody answered for 10d"}
			},
			[]string{"You may decide*: As user:U0OTHER1", "the next circle may decide too. Nobody answered for 10d", "Where nobody answers for 10 days, user:U0OTHER1 may decide too"}, ""},
		{"under way", nil, owner, nil, func(r *rotation.Rotation) { r.State = rotation.Installing }, []string{"You may report"}, "An approval takes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := grouped(t, c.groups)
			if c.rule != nil {
				c.rule(&e.rules.rule)
			}
			r := opened(rotation.Awaiting)
			if c.change != nil {
				c.change(&r)
			}
			e.kept(r)
			got := textOf(e.says(c.user, "why "+string(oldKey)).Blocks.BlockSet)
			wants(t, got, c.says...)
			if c.not != "" && strings.Contains(got, c.not) {
				t.Errorf("%q is in\n%s", c.not, got)
			}
		})
	}
}

func TestWhyKnowsTheCalendar(t *testing.T) {
	e := newBench(t, func(o *Options) { o.Rules = dated{o.Rules.(*someRules)} })
	e.kept(at(rotation.Installing))
	wants(t, e.says(owner, "why "+string(oldKey)).Text, "The next moment at which the calendar lets a key be deactivated is 3 June 2026, 08:00 UTC. Keys of billing-export are not deactivated at a weekend.")
	e = newBench(t)
	e.kept(at(rotation.Installing))
	if got := e.says(owner, "why "+string(oldKey)).Text; strings.Contains(got, "calendar") {
		t.Errorf("it knows none: %s", got)
	}
}
