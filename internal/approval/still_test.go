package approval

import (
	"strings"
	"testing"

	"github.com/keyturn/keyturn/internal/rotation"
)

// TestStillAsksTodaysRule: what was approved yesterday counts today only by people whom the rule names today.
func TestStillAsksTodaysRule(t *testing.T) {
	slack := func(id, mail string) rotation.Approval {
		return rotation.Approval{Actor: rotation.Actor{ID: id, Email: mail, Via: rotation.ViaSlack}}
	}
	mail := func(addr string) rotation.Approval {
		return rotation.Approval{Actor: rotation.Actor{ID: addr, Email: addr, Via: rotation.ViaMail}}
	}
	subject := Subject{Owner: "owner@example.com", AccountEmail: "account@example.com"}
	owner, account := Circle{Kind: Owner}, Circle{Kind: AccountOwner}
	user := func(id string) Circle { return Circle{Kind: SlackUser, ID: id} }
	requested := subject
	requested.Requester = rotation.Actor{ID: "U1", Via: rotation.ViaSlack}
	noOwner := Subject{}
	glass := func(a rotation.Approval) rotation.Approval { a.BreakGlass = true; return a }
	broken := Rule{AnyOf: []Circle{owner}, Required: 3, BreakGlass: []Circle{user("U9")}}
	later := subject
	later.Escalated = true
	tests := map[string]struct {
		rule    Rule
		subject Subject
		given   []rotation.Approval
		ok      bool
		why     string
	}{
		"nothing changed":                           {Rule{AnyOf: []Circle{owner}, Required: 1}, subject, []rotation.Approval{slack("U1", "owner@example.com")}, true, ""},
		"the owner by mail":                         {Rule{AnyOf: []Circle{owner}, Required: 1}, subject, []rotation.Approval{mail("owner@example.com")}, true, ""},
		"whatever the case of the address":          {Rule{AnyOf: []Circle{owner}, Required: 1}, subject, []rotation.Approval{slack("U1", "Owner@Example.com")}, true, ""},
		"another circle holds the person":           {Rule{AnyOf: []Circle{account, user("U1")}, Required: 1}, subject, []rotation.Approval{slack("U1", "owner@example.com")}, true, ""},
		"the owner is another now":                  {Rule{AnyOf: []Circle{owner}, Required: 1}, Subject{Owner: "new@example.com"}, []rotation.Approval{slack("U1", "owner@example.com")}, false, "0 of 1"},
		"there is no owner any more":                {Rule{AnyOf: []Circle{owner}, Required: 1}, noOwner, []rotation.Approval{slack("U1", "")}, false, "0 of 1"},
		"the person is not named any more":          {Rule{AnyOf: []Circle{user("U2")}, Required: 1}, subject, []rotation.Approval{slack("U1", "owner@example.com")}, false, "0 of 1"},
		"two are needed now":                        {Rule{AnyOf: []Circle{owner, user("U2")}, Required: 2}, subject, []rotation.Approval{slack("U1", "owner@example.com")}, false, "1 of 2"},
		"two approved":                              {Rule{AnyOf: []Circle{owner, user("U2")}, Required: 2}, subject, []rotation.Approval{slack("U1", "owner@example.com"), slack("U2", "")}, true, ""},
		"one of two is not named any more":          {Rule{AnyOf: []Circle{owner}, Required: 2}, subject, []rotation.Approval{slack("U1", "owner@example.com"), slack("U2", "")}, false, "1 of 2"},
		"one of them is enough now":                 {Rule{AnyOf: []Circle{owner}, Required: 1}, subject, []rotation.Approval{slack("U2", ""), slack("U1", "owner@example.com")}, true, ""},
		"nobody approved":                           {Rule{AnyOf: []Circle{owner}, Required: 1}, subject, nil, false, "0 of 1"},
		"somebody without a name":                   {Rule{AnyOf: []Circle{owner, account}, Required: 1}, noOwner, []rotation.Approval{{}}, false, "0 of 1"},
		"no rule":                                   {Rule{}, subject, []rotation.Approval{slack("U1", "owner@example.com")}, false, "no approval rule"},
		"a rule that asks for nobody":               {Rule{AnyOf: []Circle{owner}, Required: 0}, subject, []rotation.Approval{slack("U1", "owner@example.com")}, false, "no approval rule"},
		"a rule that names nobody":                  {Rule{Required: 1}, subject, []rotation.Approval{slack("U1", "owner@example.com")}, false, "no approval rule"},
		"an unknown circle":                         {Rule{AnyOf: []Circle{{Kind: "moon", ID: "U1"}}, Required: 1}, subject, []rotation.Approval{slack("U1", "")}, false, "0 of 1"},
		"one's own request, allowed":                {Rule{AnyOf: []Circle{owner}, Required: 1, SelfApproval: true}, requested, []rotation.Approval{slack("U1", "owner@example.com")}, true, ""},
		"one's own request, forbidden now":          {Rule{AnyOf: []Circle{owner}, Required: 1}, requested, []rotation.Approval{slack("U1", "owner@example.com")}, false, "0 of 1"},
		"somebody else's request":                   {Rule{AnyOf: []Circle{owner, user("U2")}, Required: 1}, requested, []rotation.Approval{slack("U2", "")}, true, ""},
		"break-glass":                               {broken, subject, []rotation.Approval{glass(slack("U9", ""))}, true, ""},
		"break-glass by somebody who may not today": {broken, subject, []rotation.Approval{glass(slack("U1", "owner@example.com"))}, false, "1 of 3"},
		"a right to break glass that was not used":  {broken, subject, []rotation.Approval{slack("U9", "")}, false, "0 of 3"},
		"by the next circle":                        {Rule{AnyOf: []Circle{owner}, Escalate: []Circle{user("U8")}, Required: 1}, later, []rotation.Approval{slack("U8", "")}, true, ""},
		"by the next circle before its time":        {Rule{AnyOf: []Circle{owner}, Escalate: []Circle{user("U8")}, Required: 1}, subject, []rotation.Approval{slack("U8", "")}, false, "0 of 1"},
		"a needed reason is asked for once":         {Rule{AnyOf: []Circle{owner}, Required: 1, Justification: true}, subject, []rotation.Approval{slack("U1", "owner@example.com")}, true, ""},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			ok, why := Still(c.rule, c.subject, c.given)
			if ok != c.ok || !strings.Contains(why, c.why) || ok != (why == "") {
				t.Fatalf("%t %q, want %t with %q", ok, why, c.ok, c.why)
			}
		})
	}
}
