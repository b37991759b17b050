package approval

import "github.com/keyturn/keyturn/internal/rotation"

// Able counts how many of these people, each as Slack knows them just now, could approve under the rule. Two of them who
// are the same person count once. A rule that requires more than that can never be met.
func Able(rule Rule, s Subject, people []Person) int {
	var able []rotation.Actor
next:
	for _, p := range people {
		if !Decide(rule, s, p, nil).Allowed {
			continue
		}
		who := p.Actor()
		for _, a := range able {
			if a.Same(who) {
				continue next
			}
		}
		able = append(able, who)
	}
	return len(able)
}
