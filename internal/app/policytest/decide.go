package policytest

import (
	"fmt"
	"strings"

	"github.com/keyturn/keyturn/internal/app/config"
	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
)

// decision is what becomes of what the person of a case does.
type decision struct {
	approval.Verdict
	enough bool // the approvals are complete
}

// decide asks whether the person may. An approval is given for a rotation, after those that were given before.
func (s Suite) decide(c config.Config, one Case, policy rotation.Policy, rule approval.Rule) (decision, error) {
	subject := s.subject(c, one)
	who := s.People[one.Person].person(one.Person, c)
	if !one.Does.counts() {
		return decision{Verdict: approval.Decide(one.Does.of(rule), subject, who, nil)}, nil
	}
	r, err := s.rotation(c, one, policy)
	if err != nil {
		return decision{}, err
	}
	for _, name := range one.ApprovedBy {
		before := s.People[name].person(name, c)
		if v := approval.Decide(rule, subject, before, r.Approvals); !v.Allowed {
			return decision{}, fmt.Errorf("%s cannot have approved: %s", name, v.Why)
		} else if r, err = approve(r, ActApprove, before, v); err != nil {
			return decision{}, fmt.Errorf("%s cannot have approved: %w", name, err)
		}
	}
	d := decision{Verdict: approval.Decide(one.Does.of(rule), subject, who, r.Approvals), enough: r.State == rotation.Approved}
	if !d.Allowed {
		return d, nil
	}
	if after, err := approve(r, one.Does, who, d.Verdict); err != nil {
		d.Allowed, d.Why = false, err.Error()
		d.Tree.Children = append(d.Tree.Children, approval.Node{What: "an approval that counts", Detail: err.Error()})
		d.Tree.OK, d.Tree.Detail = false, err.Error()
	} else {
		d.enough = after.State == rotation.Approved
	}
	return d, nil
}

// of is the right that an act asks for.
func (a Act) of(r approval.Rule) approval.Rule {
	switch a {
	case ActLeaked:
		return r.Leak()
	case ActGlass:
		return r.Glass()
	case ActDecide:
		return r.Own()
	case ActApprove:
		return r
	default:
		return approval.Rule{} // a file with other acts is refused; nobody has the right to them
	}
}

// rotation is one of the key that waits for a decision. In mode audit there is none: then it is as if there were, because
// approvers are written down before a rule leaves that mode.
func (s Suite) rotation(c config.Config, one Case, policy rotation.Policy) (rotation.Rotation, error) {
	k := s.Keys[one.Key]
	if policy.Mode == rotation.ModeAudit || policy.Mode == "" {
		policy.Mode = rotation.ModeApprove
	}
	by := rotation.System
	if one.RequestedBy != "" {
		by = s.People[one.RequestedBy].person(one.RequestedBy, c).Actor()
	}
	q := rotation.Proposal{Reason: rotation.ForcedRotation, Act: rotation.ActOpen, Kind: rotation.Rotate, State: rotation.Awaiting, Old: exampleKey, At: noon}
	about := rotation.Subject{User: k.user(noon), AccountEmail: k.accountEmail(), OUPath: k.OU, Owner: k.owner(c.OwnerTag), Policy: policy}
	r, err := rotation.Open(about, q, nil, by, "", noon)
	if err != nil {
		return r, fmt.Errorf("open a rotation: %w", err)
	}
	return r, nil
}

// reason goes with every approval: whether one is needed is a question of its own.
const reason = "a case of a test"

func approve(r rotation.Rotation, a Act, who approval.Person, v approval.Verdict) (rotation.Rotation, error) {
	return rotation.Apply(r, rotation.Approve{Actor: who.Actor(), Digest: r.Digest(), Required: v.Required, BreakGlass: a == ActGlass, Why: reason}, noon)
}

func (s Suite) subject(c config.Config, one Case) approval.Subject {
	k := s.Keys[one.Key]
	sub := approval.Subject{Owner: k.owner(c.OwnerTag), AccountEmail: k.accountEmail(), Teams: c.Slack.Teams, Escalated: one.Escalated, Groups: approval.Groups{}}
	if one.RequestedBy != "" {
		sub.Requester = s.People[one.RequestedBy].person(one.RequestedBy, c).Actor()
	}
	for _, id := range c.Groups() { // a group that nobody of the file is in has members all the same
		sub.Groups[id] = approval.Group{}
	}
	for _, p := range s.People {
		for _, id := range p.Groups {
			g := sub.Groups[id]
			g.Members = append(g.Members, p.Slack)
			sub.Groups[id] = g
		}
	}
	for _, id := range one.UnknownGroups {
		sub.Groups[id] = approval.Group{Problem: "Slack does not know this group"}
	}
	return sub
}

// person is somebody as the rules know them.
func (p Person) person(name string, c config.Config) approval.Person {
	if p.Unknown {
		return approval.Person{SlackID: p.Slack, Name: name}
	}
	team := p.Team
	if team == "" && len(c.Slack.Teams) > 0 {
		team = c.Slack.Teams[0]
	}
	return approval.Person{SlackID: p.Slack, TeamID: team, Name: name, Email: strings.ToLower(p.Email), Known: true,
		Guest: p.Guest, Bot: p.Bot, Deleted: p.Deleted, Outside: p.Outside}
}
