package main

import (
	"fmt"
	"strings"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
)

// answer is what can be said without asking Slack. What was not looked up is never a yes.
type answer string

const (
	yes      answer = "yes"
	no       answer = "no"
	unknown  answer = "unknown"   // it depends on what was not looked up
	ifMember answer = "if_member" // yes, if Slack knows the person as a full member of a workspace that may decide
)

// given is a person as they were named on the command line. What is empty is not known.
type given struct {
	Email string `json:"email,omitempty"` // lower case
	Slack string `json:"slack,omitempty"`
}

// String names the person.
func (g given) String() string {
	if g.Email == "" {
		return g.Slack
	}
	return g.Email
}

func (g given) none() bool { return g == given{} }

// check is one line of an explained answer.
type check struct {
	What   string  `json:"what"`
	Answer answer  `json:"answer"`
	Detail string  `json:"detail"`
	Checks []check `json:"checks,omitempty"`
}

// The rights that a rule gives.
const (
	toApprove      = "approve"
	toApproveLater = "approve_unanswered" // once nobody answered in time
	toReport       = "report_leak"
	toBreakGlass   = "break_glass"
)

// right is who may do something, and whether one person may.
type right struct {
	Right    string   `json:"right"`
	Who      string   `json:"who"`
	Required int      `json:"required"`
	Circles  []string `json:"any_of"`

	Answer answer  `json:"answer,omitempty"` // of the person; empty: nobody was named
	Why    string  `json:"why,omitempty"`
	Checks []check `json:"checks,omitempty"`
}

// judge explains a right, and whether a person has it as far as that can be known without Slack.
func judge(what string, rule approval.Rule, s approval.Subject, who given) right {
	r := right{Right: what, Who: approval.Who(rule, s), Required: rule.Required, Circles: []string{}}
	for _, c := range rule.AnyOf {
		r.Circles = append(r.Circles, c.String())
	}
	if who.none() {
		return r
	}
	teams := strings.Join(s.Teams, " or ")
	standing := check{What: "standing in Slack", Answer: unknown, Detail: "not looked up; it takes a full member of " + teams}
	circles, own := judgeCircles(rule, s, who), judgeOwn(rule, s, who)
	r.Checks = []check{standing, circles, own}
	switch {
	case rule.Required < 1 || len(rule.AnyOf) == 0:
		r.Answer, r.Why = no, "no rule names anybody who may"
	case circles.Answer == no:
		r.Answer, r.Why = no, "the rule does not name them"
	case own.Answer == no:
		r.Answer, r.Why = no, own.Detail
	case circles.Answer == yes && own.Answer == yes:
		r.Answer, r.Why = ifMember, fmt.Sprintf("%s, if Slack knows them as a full member of %s", circles.Detail, teams)
	case circles.Answer == yes:
		r.Answer, r.Why = unknown, own.Detail
	default:
		r.Answer, r.Why = unknown, "that depends on what was not looked up in Slack"
	}
	return r
}

// notLooked stands for what was not given of a person. No circle names it.
const notLooked = "not looked up"

func judgeCircles(rule approval.Rule, s approval.Subject, who given) check {
	out := check{What: "one of " + words(circleNames(rule.AnyOf)), Answer: no, Detail: "none of them"}
	p := approval.Person{Known: true, SlackID: who.Slack, Email: who.Email}
	if len(s.Teams) > 0 {
		p.TeamID = s.Teams[0]
	}
	if p.SlackID == "" {
		p.SlackID = notLooked
	}
	for _, c := range rule.AnyOf {
		one := check{What: c.String()}
		want := c.ID
		switch c.Kind {
		case approval.Owner:
			want = s.Owner
		case approval.AccountOwner:
			want = s.AccountEmail
		}
		address := strings.Contains(want, "@")
		switch {
		case approval.Decide(approval.Rule{AnyOf: []approval.Circle{c}, Required: 1, SelfApproval: true}, s, p, nil).Allowed:
			one.Answer, one.Detail = yes, "that is them"
		case c.Kind == approval.UserGroup:
			one.Answer, one.Detail = unknown, "who is in the group was not looked up"
		case want == "":
			one.Answer, one.Detail = no, "nobody is known"
		case address && who.Email == "" || !address && who.Slack == "":
			one.Answer, one.Detail = unknown, "that is "+want+"; whether this is the same person was not looked up"
		default:
			one.Answer, one.Detail = no, "that is "+want
		}
		if one.Answer == yes && out.Answer != yes {
			out.Answer, out.Detail = yes, "as "+c.String()
		}
		if one.Answer == unknown && out.Answer == no {
			out.Answer, out.Detail = unknown, "not all of it was looked up"
		}
		out.Checks = append(out.Checks, one)
	}
	return out
}

// judgeOwn: whoever asked for a rotation may not be the one who approves it.
func judgeOwn(rule approval.Rule, s approval.Subject, who given) check {
	asked := s.Requester
	out := check{What: "not their own request", Answer: yes, Detail: "asked for by somebody else, or by nobody"}
	switch {
	case asked.ID == "" && asked.Email == "":
	case rule.SelfApproval:
		out.Detail = "whoever asked for the rotation may, too"
	case asked.Same(rotation.Actor{ID: who.Slack, Email: who.Email}):
		out.Answer, out.Detail = no, "they asked for this rotation, so somebody else has to approve it"
	case asked.ID != "" && who.Slack == "" || asked.Email != "" && who.Email == "": // one of both is enough to be the same
		out.Answer, out.Detail = unknown, "whether "+asked.String()+", who asked for it, is the same person was not looked up"
	}
	return out
}

func circleNames(cs []approval.Circle) []string {
	var out []string
	for _, c := range cs {
		out = append(out, c.String())
	}
	return out
}
