package approval

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAble(t *testing.T) {
	rule := Rule{AnyOf: []Circle{{Kind: Owner}, {Kind: AccountOwner}, {Kind: UserGroup, ID: "S1"}}, Escalate: []Circle{{Kind: SlackUser, ID: "U9"}}, Required: 3}
	p := func(id, mail string) Person { return with(member, func(p *Person) { p.SlackID, p.Email = id, mail }) }
	people := []Person{
		member, with(member, func(p *Person) { p.Name = "the same again" }), p("U2", "account@example.com"),
		with(p("U3", ""), func(p *Person) { p.Guest = true }), p("U4", ""), p("U9", ""),
	}
	s := theirs
	s.Groups = Groups{"S1": {Members: []string{"U3", "U4"}}}
	if n := Able(rule, s, people); n != 3 {
		t.Errorf("%d people are able, want the owner, the account's owner and one member", n)
	}
	s.Escalated = true
	if n := Able(rule, s, people); n != 4 {
		t.Errorf("%d people are able once it was escalated", n)
	}
	if n := Able(Rule{}, s, people); n != 0 {
		t.Errorf("%d people are able under no rule", n)
	}
}

func TestRights(t *testing.T) {
	u := func(id string) Circle { return Circle{Kind: SlackUser, ID: id} }
	g := Circle{Kind: UserGroup, ID: "S1"}
	r := Rule{Name: "policy[0]", AnyOf: []Circle{u("U1"), g}, Escalate: []Circle{u("U2"), g}, BreakGlass: []Circle{u("U3")}, Required: 2, Justification: true}
	for name, c := range map[string]struct {
		got  Rule
		who  []Circle
		many int
	}{
		"before it was escalated":        {r.At(false), []Circle{u("U1"), g}, 2},
		"escalated":                      {r.At(true), []Circle{u("U1"), g, u("U2")}, 2},
		"leaks, nothing said":            {r.Leak(), []Circle{u("U1"), g, u("U2")}, 1},
		"leaks":                          {Rule{AnyOf: r.AnyOf, Leaked: []Circle{g}, Required: 2}.Leak(), []Circle{g}, 1},
		"break-glass":                    {r.Glass(), []Circle{u("U3")}, 1},
		"break-glass, nobody":            {Rule{AnyOf: r.AnyOf, Required: 2}.Glass(), nil, 2},
		"what takes nothing away":        {r.Own(), []Circle{u("U1"), g}, 1},
		"leaks where nobody may decide":  {Rule{}.Leak(), nil, 0},
		"break-glass is never escalated": {r.Glass().At(true), []Circle{u("U3")}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.who, c.got.AnyOf); diff != "" || c.got.Required != c.many {
				t.Errorf("%d of %s", c.got.Required, diff)
			}
		})
	}
	if diff := cmp.Diff([]string{"S1"}, r.GroupIDs()); diff != "" {
		t.Error(diff)
	}
	if !r.Glass().Justification || r.Leak().Justification || !r.Glass().SelfApproval {
		t.Error("break-glass needs a reason, a leak none")
	}
}
