package slackemu

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/sandbox/blockjson"
)

// Limits of views (Slack, view objects). mostView counts bytes.
const (
	mostViewTitle = 24
	mostMetadata  = 3000
	mostView      = 250_000
	mostStack     = 3
)

// view is an open modal or a published Home.
type view struct {
	id, user, root, previous string
	hash                     string
	body                     node   // as the app gave it, with missing IDs filled in
	state                    inputs // what the person has filled in
	closed                   bool
}

// viewStore holds views. Server.mu guards it.
type viewStore struct {
	byID   map[string]*view
	stacks map[string][]*view // by user, the visible one last
	homes  map[string]*view   // by user
}

func newViewStore() viewStore {
	return viewStore{byID: map[string]*view{}, stacks: map[string][]*view{}, homes: map[string]*view{}}
}

func (v *viewStore) top(user string) *view {
	stack := v.stacks[user]
	if len(stack) == 0 {
		return nil
	}
	return stack[len(stack)-1]
}

// pop closes the visible view of a person; all closes the whole stack.
func (v *viewStore) pop(user string, all bool) {
	stack := v.stacks[user]
	for len(stack) > 0 {
		stack[len(stack)-1].closed = true
		stack = stack[:len(stack)-1]
		if !all {
			break
		}
	}
	v.stacks[user] = slices.Clip(stack)
}

// validView checks a view and fills in missing IDs.
func validView(raw json.RawMessage, kind surface, fresh func() int) (node, *apiError) {
	if len(raw) == 0 {
		return nil, refusal("invalid_arguments", "[ERROR] missing required field: view")
	}
	if len(raw) > mostView {
		return nil, refusal("view_too_large")
	}
	var n node
	if err := blockjson.Decode(raw, &n); err != nil || n == nil {
		return nil, refusal("invalid_arguments", "[ERROR] the view is not a JSON object")
	}
	c := &check{where: kind, fresh: fresh}
	if blockjson.Str(n, "type") != string(kind) {
		c.report("/view/type", "must be %s", kind)
	}
	if kind == surfaceModal {
		c.modal(n)
	}
	c.length(n, "private_metadata", mostMetadata, "/view")
	c.length(n, "callback_id", mostID, "/view")
	c.length(n, "external_id", mostID, "/view")
	blocks, ok := n["blocks"].([]any)
	if !ok {
		c.report("/view/blocks", "missing required field")
	}
	c.blocks(blocks, "/view/blocks")
	if len(c.wrong) > 0 {
		return nil, refusal("invalid_arguments", c.wrong...)
	}
	return n, nil
}

func (c *check) modal(n node) {
	c.text(n["title"], "plain_text", mostViewTitle, "/view/title")
	for _, key := range []string{"submit", "close"} {
		if t, ok := n[key]; ok && t != nil {
			c.text(t, "plain_text", mostViewTitle, "/view/"+key)
		}
	}
	inputs := slices.ContainsFunc(blockjson.Nodes(n, "blocks"), func(b node) bool { return blockjson.Str(b, "type") == "input" })
	if inputs && blockjson.Sub(n, "submit") == nil {
		c.report("/view/submit", "a modal with input blocks must have a submit button")
	}
}

// show makes a view of a valid body. It needs mu.
func (s *Server) show(user string, body node) *view {
	v := &view{id: fmt.Sprintf("V%d", s.next()), user: user}
	v.root = v.id
	s.views.byID[v.id] = v
	s.fill(v, body)
	return v
}

// fill gives a view new content and a new hash; what was filled in stays where block_id and action_id stay. It needs mu.
func (s *Server) fill(v *view, body node) {
	v.body = body
	v.hash = fmt.Sprintf("%d.h%d", s.real().Unix(), s.next())
	v.state = startingInputs(blockjson.Objects(blockjson.List(body, "blocks"))).keeping(v.state)
	s.changed.Broadcast()
}

// push puts a view on top of a person's stack. It needs mu.
func (s *Server) push(user string, body node) *view {
	below := s.views.top(user)
	v := s.show(user, body)
	if below != nil {
		v.root, v.previous = below.root, below.id
	}
	s.views.stacks[user] = append(s.views.stacks[user], v)
	return v
}

// viewNode is a view as Slack shows it to an app.
func (s *Server) viewNode(v *view) node {
	n := clone(v.body)
	n["id"], n["team_id"], n["app_id"], n["bot_id"] = v.id, s.opt.TeamID, AppID, BotID
	n["app_installed_team_id"], n["hash"], n["root_view_id"] = s.opt.TeamID, v.hash, v.root
	n["previous_view_id"] = nil
	if v.previous != "" {
		n["previous_view_id"] = v.previous
	}
	for _, key := range []string{"private_metadata", "callback_id", "external_id"} {
		n[key] = blockjson.Str(v.body, key)
	}
	for _, key := range []string{"clear_on_close", "notify_on_close"} {
		n[key] = blockjson.IsSet(v.body, key)
	}
	n["state"] = node{"values": v.state.node()}
	return n
}

// asSlack reads a view as the client library does. The JSON is our own, made of what passed validation.
func (s *Server) asSlack(v *view) *slack.View {
	if v == nil {
		return nil
	}
	var out slack.View
	if err := json.Unmarshal(encode(s.viewNode(v)), &out); err != nil {
		return nil
	}
	return &out
}
