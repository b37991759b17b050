// Package circle finds out whom the circles of an approval rule stand for just now: the members of user groups, and the
// people behind addresses. It asks Slack through an interface of its own and decides nothing: package approval does.
//
// What could not be found out is said, and never counts for anybody.
package circle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
)

// Errors by which Slack says that there is nobody, and not that it could not tell.
var (
	// ErrNoUser: Slack does not know such a person, or nobody can write to them.
	ErrNoUser = errors.New("no such person in Slack, or nobody who can be written to")
	// ErrNoGroup: Slack does not know such a user group, or it is disabled.
	ErrNoGroup = errors.New("no such user group in Slack, or a disabled one")
)

// Slack looks people and groups up. Implementations are safe for concurrent use and remember answers for minutes.
type Slack interface {
	UserByID(ctx context.Context, id string) (approval.Person, error)       // ErrNoUser
	UserByEmail(ctx context.Context, email string) (approval.Person, error) // ErrNoUser
	GroupMembers(ctx context.Context, groupID string) ([]string, error)     // Slack user IDs. ErrNoGroup
}

// Circles finds people. It is safe for concurrent use.
type Circles struct {
	slack Slack
	teams []string
}

// New returns Circles for the members of these Slack teams.
func New(slack Slack, teams []string) *Circles { return &Circles{slack, teams} }

// Groups reads the members of every group that the rule names. A group that could not be read has a Problem.
func (c *Circles) Groups(ctx context.Context, rule approval.Rule) approval.Groups {
	ids := rule.GroupIDs()
	if len(ids) == 0 {
		return nil
	}
	groups := approval.Groups{}
	for _, id := range ids {
		members, err := c.slack.GroupMembers(ctx, id)
		switch {
		case errors.Is(err, ErrNoGroup):
			groups[id] = approval.Group{Problem: "Slack knows no such group, or it is disabled"}
		case err != nil:
			groups[id] = approval.Group{Problem: "Slack could not say who is a member"}
		default:
			groups[id] = approval.Group{Members: members}
		}
	}
	return groups
}

// mostPeople bounds how many people of one rule are looked up: more than any rule requires.
const mostPeople = 200

// People looks everybody up whom the rule lets decide on the key of s, each once. Those whom Slack does not know are left
// out; an error says who could not be looked up, beside those who were found.
func (c *Circles) People(ctx context.Context, rule approval.Rule, s approval.Subject) ([]approval.Person, error) {
	var people []approval.Person
	var errs []error
	asked := map[string]bool{}
	add := func(who string) {
		who = strings.TrimSpace(who)
		if who == "" || asked[strings.ToLower(who)] || len(asked) >= mostPeople {
			return
		}
		asked[strings.ToLower(who)] = true
		look := c.slack.UserByID
		if strings.Contains(who, "@") {
			look = c.slack.UserByEmail
		}
		p, err := look(ctx, who)
		switch {
		case errors.Is(err, ErrNoUser):
		case err != nil:
			errs = append(errs, fmt.Errorf("look %s up in Slack: %w", who, err))
		case !slices.ContainsFunc(people, func(o approval.Person) bool { return o.SlackID == p.SlackID }):
			people = append(people, p)
		}
	}
	for _, circle := range rule.At(s.Escalated).AnyOf {
		switch circle.Kind {
		case approval.Owner:
			add(s.Owner)
		case approval.AccountOwner:
			add(s.AccountEmail)
		case approval.UserGroup:
			g := s.Groups[circle.ID]
			if g.Problem != "" {
				errs = append(errs, fmt.Errorf("group %s: %s", circle.ID, g.Problem))
			}
			for _, id := range g.Members {
				add(id)
			}
		default:
			add(circle.ID)
		}
	}
	return people, errors.Join(errs...)
}

// Able counts the people who could approve the rotation under the rule, with the next circle or without it. An error means
// that it is not known: people or groups could not be looked up.
func (c *Circles) Able(ctx context.Context, rule approval.Rule, r rotation.Rotation, escalated bool) (int, error) {
	s := approval.SubjectOf(r, c.teams)
	s.Groups, s.Escalated = c.Groups(ctx, rule), escalated
	people, err := c.People(ctx, rule, s)
	n := approval.Able(rule, s, people)
	if n >= rule.Required { // enough, whoever else there is
		return n, nil
	}
	return n, err
}
