package slackapi

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/keyturn/keyturn/internal/notify"
)

// ErrNoGroup: Slack does not know such a user group, or it is disabled.
var ErrNoGroup = notify.ErrNoGroup

// mostGroups bounds the memory; when it is full it starts afresh.
const mostGroups = 1000

// groups remembers for minutes who is a member. Failures are not remembered, and what is older is never used: who left a
// group decides no more.
type groups struct {
	mu    sync.Mutex
	keep  time.Duration
	now   func() time.Time
	known map[string]membership
}

type membership struct {
	members []string
	until   time.Time
}

func newGroups(keep time.Duration, now func() time.Time) *groups {
	return &groups{keep: keep, now: now, known: map[string]membership{}}
}

func (g *groups) get(id string) ([]string, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	m, ok := g.known[id]
	if !ok || !g.now().Before(m.until) {
		return nil, false
	}
	return slices.Clone(m.members), true
}

func (g *groups) put(id string, members []string) {
	if g.keep <= 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.known) >= mostGroups {
		g.known = map[string]membership{}
	}
	g.known[id] = membership{slices.Clone(members), g.now().Add(g.keep)}
}

// GroupMembers returns the Slack user IDs of the members of a user group. ErrNoGroup; ErrAuth without the scope
// usergroups:read.
func (c *Client) GroupMembers(ctx context.Context, groupID string) ([]string, error) {
	if members, ok := c.groups.get(groupID); ok {
		return members, nil
	}
	var members []string
	err := c.call(ctx, "usergroups.users.list", "", repeatable, func(ctx context.Context) (err error) {
		members, err = c.api.GetUserGroupMembersContext(ctx, groupID)
		return err
	})
	if e, ok := errors.AsType[*Error](err); ok && e.Code == "not_found" {
		e.kind = ErrNoGroup
	}
	if err != nil {
		return nil, err
	}
	c.groups.put(groupID, members)
	return members, nil
}
