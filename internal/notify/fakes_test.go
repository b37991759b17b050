package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/templates"
)

var errOutage = errors.New("slack is down")

// workspace is a Slack in memory. fail may let a call fail: method, and the user, address, channel or user of the direct
// messages that it is about.
type workspace struct {
	mu     sync.Mutex
	people []approval.Person
	groups map[string][]string
	msgs   []message
	serial int
	calls  map[string]int
	fail   func(method, about string) error
	after  func(method string) // called when a call was performed
}

type message struct {
	in, ts, text string
	actions      []string
	edits        int

	thread string // the message that it replies to
	calls  bool   // it mentions somebody, or the channel shows it too
	said   string // its blocks
}

func newWorkspace(people ...approval.Person) *workspace {
	return &workspace{people: people, calls: map[string]int{}}
}

func member(id, email string) approval.Person {
	return approval.Person{SlackID: id, TeamID: "T1", Name: strings.ToLower(id), Email: email, Known: true}
}

func (w *workspace) call(ctx context.Context, method, about string) error {
	w.calls[method]++
	if err := ctx.Err(); err != nil {
		return err
	}
	if w.fail != nil {
		return w.fail(method, strings.TrimPrefix(about, "D-"))
	}
	return nil
}

func (w *workspace) find(ctx context.Context, method, about string, is func(approval.Person) bool) (approval.Person, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.call(ctx, method, about); err != nil {
		return approval.Person{}, err
	}
	for _, p := range w.people {
		if is(p) {
			return p, nil
		}
	}
	return approval.Person{}, fmt.Errorf("%s %s: %w", method, about, ErrNoUser)
}

func (w *workspace) UserByID(ctx context.Context, id string) (approval.Person, error) {
	return w.find(ctx, "UserByID", id, func(p approval.Person) bool { return p.SlackID == id })
}

func (w *workspace) UserByEmail(ctx context.Context, email string) (approval.Person, error) {
	return w.find(ctx, "UserByEmail", email, func(p approval.Person) bool { return p.Email == email })
}

func (w *workspace) OpenDM(ctx context.Context, user string) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return "D-" + user, w.call(ctx, "OpenDM", user)
}

func (w *workspace) Post(ctx context.Context, channel, text string, blocks []slack.Block) (string, string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.call(ctx, "Post", channel); err != nil {
		return "", "", err
	}
	w.serial++
	said, _ := json.Marshal(blocks)
	m := message{in: channel, ts: fmt.Sprintf("%d.0", w.serial), text: text, actions: actionsOf(blocks), said: string(said)}
	w.msgs = append(w.msgs, m)
	if w.after != nil {
		w.after("Post")
	}
	return channel, m.ts, nil
}

func (w *workspace) PostIn(ctx context.Context, channel, thread, text string, blocks []slack.Block, broadcast bool) (string, string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.call(ctx, "Post", channel); err != nil {
		return "", "", err
	}
	if !slices.ContainsFunc(w.msgs, func(m message) bool { return m.in == channel && m.ts == thread }) {
		return "", "", fmt.Errorf("reply: %w", ErrGone)
	}
	w.serial++
	said, _ := json.Marshal(blocks)
	m := message{in: channel, ts: fmt.Sprintf("%d.0", w.serial), text: text, actions: actionsOf(blocks), thread: thread, said: string(said)}
	m.calls = broadcast || strings.Contains(string(said), `\u003c@`) || strings.Contains(string(said), "subteam^")
	w.msgs = append(w.msgs, m)
	if w.after != nil {
		w.after("Post")
	}
	return channel, m.ts, nil
}

func (w *workspace) GroupMembers(ctx context.Context, id string) ([]string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.call(ctx, "GroupMembers", id); err != nil {
		return nil, err
	}
	members, ok := w.groups[id]
	if !ok {
		return nil, fmt.Errorf("group %s: %w", id, ErrNoGroup)
	}
	return members, nil
}

func (w *workspace) Update(ctx context.Context, channel, ts, text string, blocks []slack.Block) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.call(ctx, "Update", channel); err != nil {
		return err
	}
	for i, m := range w.msgs {
		if m.in == channel && m.ts == ts {
			w.msgs[i] = message{in: channel, ts: ts, text: text, actions: actionsOf(blocks), edits: m.edits + 1}
			return nil
		}
	}
	return fmt.Errorf("update: %w", ErrGone)
}

func actionsOf(blocks []slack.Block) []string {
	var out []string
	for _, b := range blocks {
		switch b := b.(type) {
		case *slack.ActionBlock:
			for _, e := range b.Elements.ElementSet {
				switch e := e.(type) {
				case *slack.ButtonBlockElement:
					out = append(out, e.ActionID)
				case *slack.OverflowBlockElement:
					out = append(out, e.ActionID)
				}
			}
		case *slack.SectionBlock:
			if b.Accessory != nil && b.Accessory.ButtonElement != nil {
				out = append(out, b.Accessory.ButtonElement.ActionID)
			}
		}
	}
	return out
}

// in returns what stands in a channel, or in the direct messages of a user.
func (w *workspace) in(where string) []message {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []message
	for _, m := range w.msgs {
		if m.in == where || m.in == "D-"+where {
			out = append(out, m)
		}
	}
	return out
}

func (w *workspace) remove(where string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.msgs = slices.DeleteFunc(w.msgs, func(m message) bool { return m.in == where || m.in == "D-"+where })
}

func (w *workspace) count(method string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls[method]
}

// postbox is a mailer in memory.
type postbox struct {
	mu   sync.Mutex
	sent []letter
	fail map[string]error
}

type letter struct {
	to string
	templates.Mail
}

func (p *postbox) Send(_ context.Context, to string, m templates.Mail) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.fail[to]; err != nil {
		return err
	}
	p.sent = append(p.sent, letter{to, m})
	return nil
}

func (p *postbox) to() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for _, l := range p.sent {
		out = append(out, l.to)
	}
	slices.Sort(out)
	return out
}

// shelf is a store in memory with the conditional save of the real ones. before may change it, or refuse, before a save.
type shelf struct {
	mu     sync.Mutex
	all    map[rotation.ID]rotation.Rotation
	saves  int
	before func(n int, r rotation.Rotation) error // called without the lock
}

func newShelf() *shelf { return &shelf{all: map[rotation.ID]rotation.Rotation{}} }

func (s *shelf) GetRotation(_ context.Context, id rotation.ID) (rotation.Rotation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.all[id]
	if !ok {
		return r, store.ErrNotFound
	}
	return r.Clone(), nil
}

func (s *shelf) SaveRotation(_ context.Context, r rotation.Rotation) (rotation.Rotation, error) {
	s.mu.Lock()
	s.saves++
	n, before := s.saves, s.before
	s.mu.Unlock()
	if before != nil {
		if err := before(n, r); err != nil {
			return r, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all[r.ID].Version != r.Version {
		return r, store.ErrConflict
	}
	r = r.Clone()
	r.Version++
	s.all[r.ID] = r
	return r.Clone(), nil
}

func (s *shelf) get(t *testing.T, id rotation.ID) rotation.Rotation {
	t.Helper()
	r, err := s.GetRotation(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
