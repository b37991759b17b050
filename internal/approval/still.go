package approval

import (
	"fmt"

	"github.com/keyturn/keyturn/internal/rotation"
)

// Still reports whether approvals that were given satisfy today's rule: enough of them by people whom it names today. It
// says why not, for the people who are asked again. Whether the people are still in Slack is asked when they decide.
func Still(rule Rule, s Subject, given []rotation.Approval) (bool, string) {
	rule = rule.At(s.Escalated)
	if n := checkCount(rule, given); !n.OK {
		return false, "no approval rule covers this key any more"
	}
	yes := 0
	for _, a := range given {
		p := Person{SlackID: a.Actor.ID, Email: a.Actor.Email, Name: a.Actor.Name, Known: true}
		if a.BreakGlass && checkCircles(rule.Glass(), s, p).OK {
			return true, ""
		}
		if checkCircles(rule, s, p).OK && checkSelf(rule, s, p).OK {
			yes++
		}
	}
	if yes < rule.Required {
		return false, fmt.Sprintf("the approval rules have changed since: %d of %d approvals count now", yes, rule.Required)
	}
	return true, ""
}
