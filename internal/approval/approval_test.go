package approval

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/keyturn/keyturn/internal/rotation"
)

var (
	teams  = []string{"T1"}
	member = Person{SlackID: "U1", TeamID: "T1", Name: "Owner", Email: "owner@example.com", Known: true}
	theirs = Subject{Owner: "owner@example.com", AccountEmail: "account@example.com", Teams: teams}
	rule   = Rule{Name: "policy[0]", AnyOf: []Circle{{Kind: Owner}, {Kind: AccountOwner}, {Kind: SlackUser, ID: "U7"}, {Kind: Email, ID: "third@example.com"}}, Required: 1}
)

var (
	group     = Rule{AnyOf: []Circle{{Kind: UserGroup, ID: "S1"}}, Required: 1}
	next      = Rule{AnyOf: []Circle{{Kind: Owner}}, Escalate: []Circle{{Kind: SlackUser, ID: "U8"}}, Required: 1}
	escalated = Subject{Owner: "owner@example.com", Teams: teams, Escalated: true}
)

func grouped(g Group) Subject { return Subject{Teams: teams, Groups: Groups{"S1": g}} }

func with(p Person, change func(*Person)) Person { change(&p); return p }

func TestDecide(t *testing.T) {
	tests := []struct {
		name    string
		rule    Rule
		subject Subject
		person  Person
		want    string // "" allowed, otherwise a part of why not
	}{
		{"the owner", rule, theirs, member, ""},
		{"the owner, other spelling", rule, theirs, with(member, func(p *Person) { p.Email = "Owner@Example.com" }), ""},
		{"the owner by Slack ID", rule, Subject{Owner: "U1", Teams: teams}, with(member, func(p *Person) { p.Email = "" }), ""},
		{"the account's owner", rule, theirs, with(member, func(p *Person) { p.Email = "account@example.com" }), ""},
		{"a named user", rule, theirs, with(member, func(p *Person) { p.SlackID, p.Email = "U7", "x@example.com" }), ""},
		{"a named e-mail address", rule, theirs, with(member, func(p *Person) { p.Email = "third@example.com" }), ""},
		{"somebody else", rule, theirs, with(member, func(p *Person) { p.Email = "x@example.com" }), "not among"},
		{"nobody has an e-mail address", rule, Subject{Teams: teams}, with(member, func(p *Person) { p.Email = "" }), "not among"},
		{"a lookup that failed", rule, theirs, with(member, func(p *Person) { p.Known = false }), "could not say who you are"},
		{"nobody", rule, theirs, Person{}, "could not say who you are"},
		{"a guest", rule, theirs, with(member, func(p *Person) { p.Guest = true }), "Guests"},
		{"a bot", rule, theirs, with(member, func(p *Person) { p.Bot = true }), "Bots"},
		{"a deactivated account", rule, theirs, with(member, func(p *Person) { p.Deleted = true }), "deactivated"},
		{"another team", rule, theirs, with(member, func(p *Person) { p.TeamID = "T9" }), "workspaces"},
		{"a stranger", rule, theirs, with(member, func(p *Person) { p.Outside = true }), "workspaces"},
		{"no team is configured", rule, Subject{Owner: "owner@example.com"}, member, "workspaces"},
		{"no rule", Rule{}, theirs, member, "No approval rule"},
		{"nobody required", Rule{AnyOf: rule.AnyOf}, theirs, member, "No approval rule"},
		{"an empty rule", Rule{Required: 1}, theirs, member, "No approval rule"},
		{"one's own request", rule, Subject{Owner: "owner@example.com", Teams: teams, Requester: rotation.Actor{ID: "U1", Via: rotation.ViaSlack}}, member, "You asked for"},
		{"one's own request, allowed", Rule{AnyOf: rule.AnyOf, Required: 1, SelfApproval: true},
			Subject{Owner: "owner@example.com", Teams: teams, Requester: rotation.Actor{ID: "U1", Via: rotation.ViaSlack}}, member, ""},
		{"a circle of a later version", Rule{AnyOf: []Circle{{Kind: "moon", ID: "S1"}}, Required: 1}, theirs, member, "not among"},
		{"a member of a group", group, grouped(Group{Members: []string{"U0", "U1"}}), member, ""},
		{"not a member of the group", group, grouped(Group{Members: []string{"U0"}}), member, "not among"},
		{"a group that could not be read", group, grouped(Group{Members: []string{"U1"}, Problem: "Slack could not say"}), member, "not among"},
		{"a group of which nothing is known", group, theirs, member, "not among"},
		{"a member of the group who has left Slack", group, grouped(Group{Members: []string{"U1"}}), with(member, func(p *Person) { p.Deleted = true }), "deactivated"},
		{"the next circle before its time", next, theirs, with(member, func(p *Person) { p.SlackID, p.Email = "U8", "x@example.com" }), "not among"},
		{"the next circle once it was escalated", next, escalated, with(member, func(p *Person) { p.SlackID, p.Email = "U8", "x@example.com" }), ""},
		{"the first circle once it was escalated", next, escalated, member, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := Decide(tt.rule, tt.subject, tt.person, nil)
			if v.Allowed != (tt.want == "") || !strings.Contains(v.Why, tt.want) {
				t.Fatalf("allowed %v: %s, want %q\n%s", v.Allowed, v.Why, tt.want, v.Tree.Text())
			}
			if v.Tree.OK != v.Allowed || v.Why == "" {
				t.Errorf("the tree does not explain the verdict:\n%s", v.Tree.Text())
			}
		})
	}
}

// A person whom nothing names is never allowed, whatever else holds.
func TestDecideRefusesByDefault(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := func(name string) bool { return rapid.Bool().Draw(t, name) }
		p := Person{SlackID: rapid.SampledFrom([]string{"", "U1", "U7"}).Draw(t, "id"), TeamID: rapid.SampledFrom([]string{"", "T1", "T2"}).Draw(t, "team"),
			Email: rapid.SampledFrom([]string{"", "owner@example.com", "x@example.com"}).Draw(t, "mail"), Known: b("known"), Guest: b("guest"), Bot: b("bot"), Deleted: b("deleted"), Outside: b("outside")}
		r := rule
		r.Required = rapid.IntRange(-1, 3).Draw(t, "required")
		v := Decide(r, theirs, p, nil)
		ok := p.Known && p.SlackID != "" && p.TeamID == "T1" && !p.Guest && !p.Bot && !p.Deleted && !p.Outside && r.Required > 0 &&
			(p.Email == "owner@example.com" || p.SlackID == "U7")
		if v.Allowed != ok {
			t.Fatalf("%+v: allowed %v\n%s", p, v.Allowed, v.Tree.Text())
		}
	})
}

func TestParseCircle(t *testing.T) {
	for in, want := range map[string]Circle{
		"owner": {Kind: Owner}, "account_owner": {Kind: AccountOwner}, "user:U0123": {Kind: SlackUser, ID: "U0123"}, "group:S0SECOPS": {Kind: UserGroup, ID: "S0SECOPS"},
		"Sec@Example.com": {Kind: Email, ID: "sec@example.com"}, "email:a@b.c": {Kind: Email, ID: "a@b.c"},
	} {
		got, err := ParseCircle(in)
		if err != nil || got != want {
			t.Errorf("ParseCircle(%q) = %v, %v", in, got, err)
		}
		if again, err := ParseCircle(got.String()); err != nil || again != got {
			t.Errorf("%v written as %q reads %v, %v", got, got.String(), again, err)
		}
	}
	for _, in := range []string{"", "group:", "group:X1", "group:S1 x", "owners", "user:", "user:X1", "a b@c", "@x", "x@"} {
		if _, err := ParseCircle(in); err == nil {
			t.Errorf("ParseCircle(%q) was accepted", in)
		}
	}
}
