package slackapi

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/approval"
)

// mostPeople bounds the memory; when it is full it starts afresh.
const mostPeople = 10_000

// people remembers for minutes who somebody is. Failures are not remembered.
type people struct {
	mu    sync.Mutex
	keep  time.Duration
	now   func() time.Time
	known map[string]remembered
}

type remembered struct {
	person approval.Person
	until  time.Time
}

func newPeople(keep time.Duration, now func() time.Time) *people {
	return &people{keep: keep, now: now, known: map[string]remembered{}}
}

func (p *people) get(key string) (approval.Person, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r, ok := p.known[key]
	if !ok || !p.now().Before(r.until) {
		return approval.Person{}, false
	}
	return r.person, true
}

func (p *people) put(key string, who approval.Person) {
	if p.keep <= 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.known) >= mostPeople {
		p.known = map[string]remembered{}
	}
	p.known[key] = remembered{person: who, until: p.now().Add(p.keep)}
}

// UserByID returns who a Slack user ID is. ErrNoUser if nobody is.
func (c *Client) UserByID(ctx context.Context, id string) (approval.Person, error) {
	return c.user(ctx, "users.info", id, func(ctx context.Context) (*slack.User, error) {
		return c.api.GetUserInfoContext(ctx, id)
	})
}

// UserByEmail returns who has an e-mail address. ErrNoUser if nobody has.
func (c *Client) UserByEmail(ctx context.Context, email string) (approval.Person, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	return c.user(ctx, "users.lookupByEmail", email, func(ctx context.Context) (*slack.User, error) {
		return c.api.GetUserByEmailContext(ctx, email)
	})
}

func (c *Client) user(ctx context.Context, method, key string, get func(context.Context) (*slack.User, error)) (approval.Person, error) {
	if key == "" {
		return approval.Person{}, &Error{Method: method, kind: ErrNoUser}
	}
	if p, ok := c.people.get(key); ok {
		return p, nil
	}
	var u *slack.User
	err := c.call(ctx, method, "", repeatable, func(ctx context.Context) (err error) {
		u, err = get(ctx)
		return err
	})
	if err != nil {
		return approval.Person{}, err
	}
	if u == nil || u.ID == "" {
		return approval.Person{}, &Error{Method: method, kind: ErrNoUser}
	}
	p := personOf(u)
	c.people.put(key, p)
	return p, nil
}

// slackbot is the one bot that users.info does not call a bot.
const slackbot = "USLACKBOT"

func personOf(u *slack.User) approval.Person {
	p := approval.Person{
		SlackID: u.ID,
		TeamID:  u.TeamID,
		Email:   strings.ToLower(u.Profile.Email),
		Known:   true,
		Guest:   u.IsRestricted || u.IsUltraRestricted,
		Bot:     u.IsBot || u.IsWorkflowBot || u.IsConnectorBot || u.ID == slackbot,
		Deleted: u.Deleted,
		Outside: u.IsStranger || u.IsInvitedUser,
		Zone:    u.TZ,
	}
	for _, name := range []string{u.Profile.DisplayName, u.Profile.RealName, u.RealName, u.Name} {
		if p.Name = strings.TrimSpace(name); p.Name != "" {
			break
		}
	}
	return p
}
