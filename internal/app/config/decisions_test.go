package config

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
)

// full uses everything that a security team asks for.
const full = `organization: {member_role: keyturn-member}
policy:
  - match: {ou: ou-ab12-prod0001}
    mode: auto
    notice: 14d
    calendar: berlin
    leaked: {any_of: ["group:S0SECOPS"]}
    break_glass: {any_of: [user:U0CHIEF]}
  - match: {path: /machines/}
    approvers: {any_of: [owner, "group:S0SECOPS"], required: 2, self_approval: false, justification: true, escalate_to: [user:U0CHIEF]}
    remind_after: 1d
    remind_most: 4d
    escalate_after: 3d
    answer_within: 20d
    on_timeout: expire
    exempt: {longest: 30d, count: 2, total: 45d}
    calendar: berlin
  - {}
approvals:
  - match: {mode: auto, tags: {tier: gold}}
    approvers: {any_of: ["group:S0GOLD"], required: 2}
    break_glass: {any_of: [boss@example.com]}
  - approvers: {any_of: [owner, account_owner], escalate_to: ["group:S0SECOPS"]}
calendars:
  berlin: {zone: Europe/Berlin, days: [mon, tue, wed, thu, friday], hours: "09:00-16:00", last_day_until: "12:00"}
freezes:
  - {from: 2026-12-18, until: 2027-01-04, why: year end, zone: Europe/Berlin}
  - {from: "2026-11-25T00:00:00Z", until: 2026-11-26, match: {ou: ou-ab12-prod0001}}
slack:
  token: env:TOKEN
  signing_secret: env:SIGNING
  default_channel: C0KEYS
  teams: [T0ACME]
  digest_from: 5
  routes: [{match: {ou: ou-ab12-prod0001}, channel: C0PROD}, {match: {accounts: ["111122223333"]}, channel: C0ONE}]
email: {from: security@example.com}
audit: {mac_key: alias/keyturn-audit}
`

func TestDecisions(t *testing.T) {
	c, err := Parse("keyturn.yaml", []byte(full))
	if err != nil {
		t.Fatal(err)
	}
	prod := approval.Target{OUPath: "r-ab12/ou-ab12-prod0001"}
	gold := prod
	gold.Tags = map[string]string{"tier": "gold"}
	group := func(id string) approval.Circle { return approval.Circle{Kind: approval.UserGroup, ID: id} }
	chief := approval.Circle{Kind: approval.SlackUser, ID: "U0CHIEF"}
	owner, account := approval.Circle{Kind: approval.Owner}, approval.Circle{Kind: approval.AccountOwner}
	for name, tt := range map[string]struct {
		target approval.Target
		mode   rotation.Mode
		want   approval.Rule
	}{
		"approvers of its own": {approval.Target{UserPath: "/machines/build/"}, rotation.ModeApprove,
			approval.Rule{Name: "policy[1] (line 9)", AnyOf: []approval.Circle{owner, group("S0SECOPS")}, Required: 2, Justification: true, Escalate: []approval.Circle{chief}}},
		"by the mode and a tag, with the rights of the policy's rule": {gold, rotation.ModeAuto,
			approval.Rule{Name: "approvals[0] (line 20)", AnyOf: []approval.Circle{group("S0GOLD")}, Required: 2, SelfApproval: true, Leaked: []approval.Circle{group("S0SECOPS")}, BreakGlass: []approval.Circle{chief}}},
		"everything else": {approval.Target{}, rotation.ModeApprove,
			approval.Rule{Name: "approvals[1] (line 23)", AnyOf: []approval.Circle{owner, account}, Required: 1, SelfApproval: true, Escalate: []approval.Circle{group("S0SECOPS")}}},
	} {
		t.Run(name, func(t *testing.T) {
			p, rule, ok := c.For(tt.target)
			if diff := cmp.Diff(tt.want, rule); !ok || p.Mode != tt.mode || diff != "" {
				t.Errorf("mode %s, %v: %s", p.Mode, ok, diff)
			}
		})
	}
	p, _, _ := c.For(approval.Target{UserPath: "/machines/"})
	if p.RemindAfter != rotation.Day || p.RemindMost != 4*rotation.Day || p.EscalateAfter != 3*rotation.Day || p.AnswerWithin != 20*rotation.Day || p.OnTimeout != rotation.TimeoutExpire {
		t.Errorf("%+v", p)
	}
	if b := p.Exempts(); b != (rotation.Budget{Longest: 30 * rotation.Day, Count: 2, Total: 45 * rotation.Day}) {
		t.Errorf("%+v", b)
	}
	if p, _, _ := c.For(prod); p.Notice != 14*rotation.Day || p.Exempts() != (rotation.Budget{Longest: 365 * rotation.Day, Count: 3, Total: 730 * rotation.Day}) {
		t.Errorf("%+v", p)
	}
	if c.Channel(prod) != "C0PROD" || c.Channel(approval.Target{Account: "111122223333"}) != "C0ONE" || c.Channel(approval.Target{}) != "C0KEYS" {
		t.Error("channels")
	}
	if diff := cmp.Diff([]string{"C0KEYS", "C0PROD", "C0ONE"}, c.Channels()); diff != "" || c.Slack.DigestFrom != 5 || c.MACKey != "alias/keyturn-audit" {
		t.Error(diff)
	}
}

func TestWhen(t *testing.T) {
	c, err := Parse("keyturn.yaml", []byte(full))
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		r        rotation.Rotation
		hours    bool
		at, want string
		why      string
	}{
		"a Friday evening":               {rotation.Rotation{UserPath: "/machines/"}, true, "2026-11-27T18:00:00Z", "2026-11-30T08:00:00Z", "outside working hours"},
		"what needs no hours":            {rotation.Rotation{UserPath: "/machines/"}, false, "2026-11-27T18:00:00Z", "2026-11-27T18:00:00Z", ""},
		"a rule without a calendar":      {rotation.Rotation{}, true, "2026-11-27T18:00:00Z", "2026-11-27T18:00:00Z", ""},
		"a freeze for everybody":         {rotation.Rotation{}, true, "2026-12-20T00:00:00Z", "2027-01-03T23:00:00Z", "change freeze, year end"},
		"a freeze for one unit":          {rotation.Rotation{OUPath: "r-ab12/ou-ab12-prod0001"}, false, "2026-11-25T10:00:00Z", "2026-11-26T00:00:00Z", "change freeze"},
		"the other units have no freeze": {rotation.Rotation{}, false, "2026-11-25T10:00:00Z", "2026-11-25T10:00:00Z", ""},
	} {
		t.Run(name, func(t *testing.T) {
			at, _ := time.Parse(time.RFC3339, tt.at)
			want, _ := time.Parse(time.RFC3339, tt.want)
			if got, why := c.When(tt.r, tt.hours, at); !got.Equal(want) || why != tt.why {
				t.Errorf("%s %q", got.UTC(), why)
			}
		})
	}
}

// Whatever can never work, or is not what somebody meant, is an error with its place and what to write instead.
func TestDecisionsThatCannotBe(t *testing.T) {
	line := func(old, new string) string {
		if !strings.Contains(full, old) {
			t.Fatalf("%q is not in the file", old)
		}
		return strings.Replace(full, old, new, 1)
	}
	for name, tt := range map[string]struct{ in, want string }{
		"more people than are named":             {line("[owner, account_owner], escalate_to", "[owner, account_owner], required: 3, escalate_to"), "approvals[1].approvers.required: 3 people are asked for, and any_of names 2 at most"},
		"one person twice":                       {line(`any_of: ["group:S0GOLD"], required: 2`, `any_of: [user:U1, "user:U1"], required: 2`), "any_of names 1 at most"},
		"break-glass by a group":                 {line("break_glass: {any_of: [user:U0CHIEF]}", `break_glass: {any_of: ["group:S1"]}`), "policy[0].break_glass.any_of[0]: group:S1 is not one named person"},
		"break-glass by the owner":               {line("break_glass: {any_of: [user:U0CHIEF]}", `break_glass: {any_of: [owner]}`), "is not one named person"},
		"a misspelt right":                       {line("break_glass:", "breakglass:"), `a policy rule has no "breakglass"; did you mean "break_glass"?`},
		"no approvers at all":                    {full[:strings.Index(full, "approvals:")] + full[strings.Index(full, "calendars:"):], ":3: policy[0].approvers: is missing"},
		"approvals that leave keys out":          {line("  - approvers: {any_of: [owner, account_owner]", "  - match: {user: build-*}\n    approvers: {any_of: [owner, account_owner]"), "the last rule of approvals has a match"},
		"an approval rule that is never reached": {line("  - match: {mode: auto, tags: {tier: gold}}\n    approvers", "  - approvers"), "approvals[1]: is never reached"},
		"approvals of no use":                    {strings.Replace(good, "owner_tag", "approvals: [{approvers: {any_of: [owner]}}]\nowner_tag", 1), ""},
		"a policy rule that matches on the mode": {line("match: {path: /machines/}", "match: {path: /machines/, mode: auto}"), "a policy rule sets the mode, it cannot match on it"},
		"an unknown mode to match on":            {line("match: {mode: auto,", "match: {mode: yolo,"), `approvals[0].match.mode: "yolo" is not one of`},
		"a notice of an hour":                    {line("notice: 14d", "notice: 1h"), ":5: policy[0].notice: 1h is below the floor of 1d"},
		"a timeout of an hour":                   {line("answer_within: 20d", "answer_within: 4h"), "policy[1].answer_within: 4h is below the floor of 1d"},
		"an unknown outcome":                     {line("on_timeout: expire", "on_timeout: delete"), `policy[1].on_timeout: "delete" is not one of escalate, approve, expire`},
		"approve, and no timeout":                {line("answer_within: 20d\n    on_timeout: expire", "answer_within: 0d\n    on_timeout: approve"), "set answer_within"},
		"escalated after the end":                {line("escalate_after: 3d", "escalate_after: 20d"), "policy[1].escalate_after: 20d is not shorter than answer_within (20d)"},
		"reminders that come closer":             {line("remind_most: 4d", "remind_most: 2h"), "policy[1].remind_most: 2h is below the floor of 1d"},
		"exemptions longer than altogether":      {line("total: 45d", "total: 20d"), "policy[1].exempt: longest (30d) must not be more than total (20d)"},
		"an unknown zone":                        {line("zone: Europe/Berlin, days", "zone: Europe/Berln, days"), `calendars.berlin.zone: "Europe/Berln" is not the name of a time zone, like Europe/Berlin; did you mean "Europe/Berlin"?`},
		"a city is no zone":                      {line("zone: Europe/Berlin, days", "zone: tokio, days"), `did you mean "Asia/Tokyo"?`},
		"the machine's own zone":                 {line("zone: Europe/Berlin, days", "zone: Local, days"), `"Local" is not the name of a time zone`},
		"an unknown day":                         {line("wed,", "mid,"), `calendars.berlin.days[2]: "mid" is not a day of the week`},
		"hours that end before they begin":       {line("09:00-16:00", "16:00-09:00"), "end before they begin"},
		"hours that are none":                    {line("09:00-16:00", "9-17"), `"9-17" are no hours of a day`},
		"the last day ends before it begins":     {line(`"12:00"`, `"08:00"`), "calendars.berlin.last_day_until: 08:00 is not after the hours begin"},
		"an unknown calendar":                    {line("calendar: berlin", "calendar: berlim"), `policy[0].calendar: there is no calendar "berlim": did you mean "berlin"?`},
		"a calendar that nobody uses":            {line("calendars:\n", "calendars:\n  tokyo: {days: [mon]}\n"), "calendars.tokyo: no rule of the policy uses it"},
		"a calendar that says nothing":           {line("{zone: Europe/Berlin, days: [mon, tue, wed, thu, friday], hours: \"09:00-16:00\", last_day_until: \"12:00\"}", "{zone: UTC}"), "says neither days nor hours"},
		"a calendar twice":                       {line("calendars:\n", "calendars:\n  berlin: {days: [mon]}\n"), `"berlin" stands twice`},
		"a freeze without an end":                {line("until: 2027-01-04, ", ""), "freezes[0].until: is missing"},
		"a freeze that ends before it begins":    {line("until: 2027-01-04", "until: 2026-12-01"), "freezes[0].until: 2026-12-01 is not after 2026-12-18"},
		"a freeze of no day":                     {line("from: 2026-12-18", "from: Friday"), `freezes[0].from: "Friday" is neither a day`},
		"a freeze that never ends":               {line("until: 2027-01-04", "until: 2027-06-04"), "from 2026-12-18 until 2027-06-04 nothing could happen, for more than 60d"},
		"freezes that overlap and never end":     {line("freezes:\n", "freezes:\n  - {from: 2027-01-02, until: 2027-02-15}\n  - {from: 2027-02-15, until: 2027-02-20, match: {ou: ou-ab12-prod0001}}\n"), "from 2026-12-18 until 2027-02-20 nothing could happen"},
		"a route without a match":                {line("{match: {ou: ou-ab12-prod0001}, channel: C0PROD}", "{channel: C0PROD}"), "slack.routes[0]: has no match"},
		"a route to a name":                      {line("channel: C0PROD", "channel: prod"), `slack.routes[0].channel: "prod" is not the ID of a channel`},
		"a digest of one":                        {line("digest_from: 5", "digest_from: 1"), "slack.digest_from: 1 is below the floor of 2"},
		"a key that is no key":                   {line("alias/keyturn-audit", "keyturn-audit"), "audit.mac_key"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("keyturn.yaml", []byte(tt.in))
			if tt.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got\n%v\nwant %s", err, tt.want)
			}
		})
	}
}

// What has no value is an error: YAML drops it, and the rule would be for more keys than it shows.
func TestEmptyValues(t *testing.T) {
	for _, c := range []struct{ from, to string }{
		{"match: {path: /machines/}", "match: {path: /machines/, ou: }"}, {"required: 2, self_approval: false", "required: , self_approval: false"},
		{"any_of: [owner, account_owner]", "any_of: [owner, ~]"}, {"remind_after: 1d", "remind_after:"},
	} {
		if _, err := Parse("keyturn.yaml", []byte(strings.Replace(full, c.from, c.to, 1))); err == nil {
			t.Errorf("%s is accepted", c.to)
		}
	}
}
