package bot

import (
	"context"
	"fmt"
	"slices"
	"strings"

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
func (b *Bot) turnedAway(ctx context.Context, p approval.Person, what, why string) templates.Message {
	b.o.Log.Info("denied", "actor", p.SlackID, "what", what, "why", why)
	b.note(ctx, p, noteRefused, what+": "+why)
	return templates.AnswerStranger(why)
}

// ruling is what today's configuration says of a person and a target.
type ruling struct {
	policy  rotation.Policy
	rule    approval.Rule
	covered bool
	verdict approval.Verdict
}

// rule asks today's rules whether the person may do what. Members of groups are read only where they matter: Slack takes
// twenty such questions a minute.
func (b *Bot) rule(ctx context.Context, what string, t approval.Target, s approval.Subject, p approval.Person, have []rotation.Approval, m memberships) ruling {
	policy, rule, ok := b.o.Rules.For(t)
	if !ok {
		policy, rule = rotation.Policy{}, approval.Rule{}
	}
	asked := rule
	switch what {
	case templates.ActApprove:
	case templates.ActLeaked:
		asked = rule.Leak()
	case templates.ActGlass:
		asked = rule.Glass()
	default: // self-approval concerns approvals alone
		asked.SelfApproval = true
	}
	asked = asked.At(s.Escalated)
	asked.Escalate, asked.Leaked, asked.BreakGlass = nil, nil, nil // other rights: their groups are not asked for
	g := ruling{policy: policy, rule: rule, covered: ok, verdict: approval.Decide(asked, s, p, have)}
	if g.verdict.Allowed || len(asked.GroupIDs()) == 0 || b.mayRead(p) != "" {
		return g
	}
	ctx, cancel := context.WithTimeout(ctx, b.lookup)
	defer cancel()
	s.Groups = m.of(ctx, asked)
	g.verdict = approval.Decide(asked, s, p, have)
	if !g.verdict.Allowed {
		g.verdict.Why = strings.TrimSpace(g.verdict.Why + " " + unread(asked, s, p, have))
	}
	return g
}

// unread says which groups could not be read, if the person might decide as a member of one of them.
func unread(rule approval.Rule, s approval.Subject, p approval.Person, have []rotation.Approval) string {
	var say []string
	as := approval.Groups{}
	for _, id := range rule.GroupIDs() {
		g := s.Groups[id]
		if g.Problem != "" {
			say = append(say, fmt.Sprintf("Nobody counts as a member of the group %s just now: %s.", id, g.Problem))
			g = approval.Group{Members: []string{p.SlackID}}
		}
		as[id] = g
	}
	s.Groups = as
	if len(say) == 0 || !approval.Decide(rule, s, p, have).Allowed {
		return ""
	}
	return strings.Join(say, " ") + " Try again in a minute; if it stays so, tell whoever configures keyturn."
}

func (b *Bot) ruleFor(ctx context.Context, what string, r rotation.Rotation, p approval.Person, m memberships) ruling {
	return b.rule(ctx, what, approval.TargetOf(r), approval.SubjectOf(r, b.o.Teams), p, r.Approvals, m)
}

// ruleForUser is ruleFor where there is no rotation.
func (b *Bot) ruleForUser(ctx context.Context, what string, s rotation.Snapshot, u rotation.User, p approval.Person) ruling {
	subject := approval.Subject{Owner: b.ownerOf(s, u), AccountEmail: s.Email, Teams: b.o.Teams}
	return b.rule(ctx, what, targetOf(s, u), subject, p, nil, b.memberships())
}

// deniedUser notes that somebody may not do something about a user: in the history of the user's rotation if there is one,
// and in the journal.
func (b *Bot) deniedUser(ctx context.Context, p approval.Person, what string, s rotation.Snapshot, u rotation.User, why string) {
	b.o.Log.Info("denied", "account", s.Account, "user", u.Name, "actor", p.SlackID, "what", what, "why", why)
	b.note(ctx, p, noteRefused, what+" of "+string(u.Name)+"@"+string(s.Account)+": "+why)
	b.afterAck(ctx, func(ctx context.Context) {
		b.recordDenied(ctx, decision{what: what, id: rotation.MakeID(s.Account, u.ID), person: p}, why)
	})
}

func targetOf(s rotation.Snapshot, u rotation.User) approval.Target {
	return approval.Target{Account: s.Account, OUPath: s.OUPath, UserName: u.Name, UserPath: u.Path, Tags: u.Tags}
}

// ownerOf is whom the user's owner tag names, else the account's e-mail address.
func (b *Bot) ownerOf(s rotation.Snapshot, u rotation.User) string {
	return rotation.OwnerOf(u.Tags, b.o.OwnerTag, s.Email).Address
}

// names lists by which owners' names the person's rotations are found.
func names(p approval.Person) []string {
	return slices.DeleteFunc([]string{p.Email, p.SlackID}, func(s string) bool { return s == "" })
}
