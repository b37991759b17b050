package bot

import (
	"context"
	"slices"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/templates"
)

// person asks Slack who somebody is. A lookup that failed is somebody who is not known, and who may do nothing.
func (b *Bot) person(ctx context.Context, id string) approval.Person {
	ctx, cancel := context.WithTimeout(ctx, b.lookup)
	defer cancel()
	p, err := b.o.Slack.UserByID(ctx, id)
	if err != nil {
		b.o.Log.Warn("person not looked up", "actor", id, "error", err.Error())
		return approval.Person{SlackID: id}
	}
	if p.SlackID != id {
		b.o.Log.Warn("Slack answered with somebody else", "actor", id, "answered", p.SlackID)
		return approval.Person{SlackID: id}
	}
	return p
}

// mayRead: reading is for every full member of a configured team. The answer is empty, or a sentence that says why not.
func (b *Bot) mayRead(p approval.Person) string {
	self := approval.Rule{AnyOf: []approval.Circle{{Kind: approval.SlackUser, ID: p.SlackID}}, Required: 1}
	if v := approval.Decide(self, approval.Subject{Teams: b.o.Teams}, p, nil); !v.Allowed {
		return v.Why
	}
	return ""
}

// turnedAway notes that somebody may not even read, and returns what to answer.
func (b *Bot) turnedAway(p approval.Person, what, why string) templates.Message {
	b.o.Log.Info("denied", "actor", p.SlackID, "what", what, "why", why)
	return templates.AnswerStranger(why)
}

// ruling is what today's configuration says of a person and a target.
type ruling struct {
	policy  rotation.Policy
	rule    approval.Rule
	covered bool
	verdict approval.Verdict
}

// rule asks today's rules whether the person may do what; self-approval concerns approvals alone.
func (b *Bot) rule(what string, t approval.Target, s approval.Subject, p approval.Person, have []rotation.Approval) ruling {
	policy, rule, ok := b.o.Rules.For(t)
	if !ok {
		policy, rule = rotation.Policy{}, approval.Rule{}
	}
	asked := rule
	if what != templates.ActApprove {
		asked.SelfApproval = true
	}
	return ruling{policy: policy, rule: rule, covered: ok, verdict: approval.Decide(asked, s, p, have)}
}

func (b *Bot) ruleFor(what string, r rotation.Rotation, p approval.Person) ruling {
	return b.rule(what, approval.TargetOf(r), approval.SubjectOf(r, b.o.Teams), p, r.Approvals)
}

// ruleForUser is ruleFor where there is no rotation.
func (b *Bot) ruleForUser(what string, s rotation.Snapshot, u rotation.User, p approval.Person) ruling {
	subject := approval.Subject{Owner: b.ownerOf(s, u), AccountEmail: s.Email, Teams: b.o.Teams}
	return b.rule(what, targetOf(s, u), subject, p, nil)
}

func targetOf(s rotation.Snapshot, u rotation.User) approval.Target {
	return approval.Target{Account: s.Account, OUPath: s.OUPath, UserName: u.Name, UserPath: u.Path, Tags: u.Tags}
}

// ownerOf is whom the user's owner tag names, else the account's e-mail address.
func (b *Bot) ownerOf(s rotation.Snapshot, u rotation.User) string {
	if o := u.Tags[b.o.OwnerTag]; o != "" {
		return o
	}
	return s.Email
}

// names lists by which owners' names the person's rotations are found.
func names(p approval.Person) []string {
	return slices.DeleteFunc([]string{p.Email, p.SlackID}, func(s string) bool { return s == "" })
}
