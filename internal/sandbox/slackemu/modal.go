package slackemu

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/keyturn/keyturn/internal/sandbox/blockjson"
)

var errNoView = errors.New("no view is open")

// ClickView uses the element with an action_id in the open modal, or in the Home if no modal is open.
func (p *Person) ClickView(actionID string) Result {
	return p.actInView(func(all []use) (use, error) {
		i := slices.IndexFunc(all, func(u use) bool { return u.named(actionID) && blockjson.Str(u.element, "type") == "button" })
		if i < 0 {
			return use{}, fmt.Errorf("no button %q", actionID)
		}
		return all[i], nil
	})
}

// ClickViewButton uses what carries this text in the open modal, or in the Home if no modal is open.
func (p *Person) ClickViewButton(text string) Result {
	return p.actInView(func(all []use) (use, error) {
		u, ok := byText(all, text)
		if !ok {
			return use{}, fmt.Errorf("nothing reads %q", text)
		}
		return u, nil
	})
}

// ChooseView is Choose in the open modal, or in the Home if no modal is open.
func (p *Person) ChooseView(actionID, value string) Result {
	return p.actInView(func(all []use) (use, error) { return pick(all, actionID, value) })
}

// visible is the modal, or else the Home. It needs mu.
func (p *Person) visible() *view {
	if v := p.s.views.top(p.id); v != nil {
		return v
	}
	return p.s.views.homes[p.id]
}

func (p *Person) actInView(choose func([]use) (use, error)) Result {
	payload, err := p.viewAction(choose)
	if err != nil {
		return Result{Err: err}
	}
	return p.s.sendPayload(payload)
}

func (p *Person) viewAction(choose func([]use) (use, error)) (node, error) {
	s := p.s
	s.mu.Lock()
	defer s.mu.Unlock()
	v := p.visible()
	if v == nil {
		return nil, errNoView
	}
	u, err := choose(usesIn(blockjson.Nodes(v.body, "blocks")))
	if err != nil {
		return nil, fmt.Errorf("in the view %s: %w", v.id, err)
	}
	a, err := u.action(s.stamp())
	if err != nil {
		return nil, err
	}
	v.state = v.state.copy()
	v.state.apply(a)
	n := p.payload("block_actions")
	n["container"] = node{"type": "view", "view_id": v.id}
	n["view"], n["actions"] = s.viewNode(v), []node{a}
	return n, nil
}

// Submit fills in the open modal and submits it. values are keyed by block_id or "block_id/action_id": a string for text, an
// option's value or text, a number or a date; []string for several. What is not given keeps its initial or earlier value.
func (p *Person) Submit(values map[string]any) Result {
	s := p.s
	s.mu.Lock()
	v := s.views.top(p.id)
	if v == nil {
		s.mu.Unlock()
		return Result{Err: errNoView}
	}
	if err := v.enter(values); err != nil {
		s.mu.Unlock()
		return Result{Err: err}
	}
	if bad := v.incomplete(); len(bad) > 0 {
		s.mu.Unlock()
		return Result{Errors: bad}
	}
	n := p.payload("view_submission")
	n["view"], n["response_urls"] = s.viewNode(v), []any{}
	s.mu.Unlock()

	res := s.sendPayload(n)
	if res.Err == nil {
		p.afterSubmit(&res, v)
	}
	return res
}

// enter notes what the person filled in.
func (v *view) enter(values map[string]any) error {
	state := v.state.copy()
	for key, given := range values {
		block, action, both := strings.Cut(key, "/")
		found := false
		for _, u := range usesIn(blockjson.Nodes(v.body, "blocks")) {
			id := blockjson.Str(u.element, "action_id")
			if b := blockjson.Str(u.block, "block_id"); b != key && (!both || b != block || id != action) {
				continue
			}
			found = true
			val, ok := valueFor(u.element, given)
			if !ok {
				return fmt.Errorf("the input %s does not take %v", key, given)
			}
			state.set(blockjson.Str(u.block, "block_id"), id, val)
		}
		if !found {
			return fmt.Errorf("the view %s has no input %s", v.id, key)
		}
	}
	v.state = state
	return nil
}

// incomplete is what Slack itself finds wrong with what was filled in.
func (v *view) incomplete() map[string]string {
	bad := map[string]string{}
	for _, b := range blockjson.Nodes(v.body, "blocks") {
		e := blockjson.Sub(b, "element")
		if blockjson.Str(b, "type") != "input" || e == nil {
			continue
		}
		val := v.state[blockjson.Str(b, "block_id")][blockjson.Str(e, "action_id")]
		if empty(val) {
			if !blockjson.IsSet(b, "optional") {
				bad[blockjson.Str(b, "block_id")] = "Please complete this required field."
			}
			continue
		}
		text, _ := val["value"].(string)
		if least, ok := e["min_length"].(json.Number); ok && chars(text) < int(number(least)) {
			bad[blockjson.Str(b, "block_id")] = "Please use at least " + least.String() + " characters."
		}
		if most, ok := e["max_length"].(json.Number); ok && chars(text) > int(number(most)) {
			bad[blockjson.Str(b, "block_id")] = "Please use at most " + most.String() + " characters."
		}
	}
	return bad
}

// number reads a number that validation has seen.
func number(n json.Number) int64 {
	i, err := n.Int64()
	if err != nil {
		return 0
	}
	return i
}

// afterSubmit does what the bot's answer to a submission says.
func (p *Person) afterSubmit(res *Result, v *view) {
	s := p.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(bytes.TrimSpace(res.Body)) == 0 {
		s.closeView(v)
		return
	}
	var raw struct {
		Action string            `json:"response_action"`
		View   json.RawMessage   `json:"view"`
		Errors map[string]string `json:"errors"`
	}
	if err := json.Unmarshal(res.Body, &raw); err != nil {
		res.Err = fmt.Errorf("the answer to the submission is neither empty nor JSON: %s", quote(res.Body))
		return
	}
	res.Action = raw.Action
	switch raw.Action {
	case "":
		s.closeView(v)
	case "clear":
		s.views.pop(p.id, true)
		s.changed.Broadcast()
	case "errors":
		res.Errors = raw.Errors
		res.Err = v.refuseErrors(raw.Errors)
	case "update", "push":
		res.Err = p.nextView(v, raw.Action, raw.View)
	default:
		res.Err = fmt.Errorf("unknown response_action %q", raw.Action)
	}
}

// closeView takes a view off its stack, with what lies above it. It needs mu.
func (s *Server) closeView(v *view) {
	for !v.closed && len(s.views.stacks[v.user]) > 0 {
		s.views.pop(v.user, false)
	}
	s.changed.Broadcast()
}

// refuseErrors says why Slack would not show the errors: they must name input blocks.
func (v *view) refuseErrors(errs map[string]string) error {
	if len(errs) == 0 {
		return errors.New("response_action errors without errors")
	}
	for block := range errs {
		if !slices.ContainsFunc(blockjson.Nodes(v.body, "blocks"), func(b node) bool {
			return blockjson.Str(b, "block_id") == block && blockjson.Str(b, "type") == "input"
		}) {
			return fmt.Errorf("response_action errors names %q, which is not an input block", block)
		}
	}
	return nil
}

func (p *Person) nextView(v *view, action string, raw json.RawMessage) error {
	s := p.s
	body, err := validView(raw, surfaceModal, s.next)
	if err != nil {
		return fmt.Errorf("response_action %s: %w", action, err)
	}
	if action == "update" {
		s.fill(v, body)
		return nil
	}
	if len(s.views.stacks[p.id]) >= mostStack {
		return fmt.Errorf("response_action push: %w", refusal("push_limit_reached"))
	}
	s.push(p.id, body)
	return nil
}

// CloseModal closes the visible modal, which tells the bot only if the view asks for it.
func (p *Person) CloseModal() Result {
	s := p.s
	s.mu.Lock()
	v := s.views.top(p.id)
	if v == nil {
		s.mu.Unlock()
		return Result{Err: errNoView}
	}
	s.views.pop(p.id, blockjson.IsSet(v.body, "clear_on_close"))
	s.changed.Broadcast()
	n := p.payload("view_closed")
	n["view"], n["is_cleared"] = s.viewNode(v), blockjson.IsSet(v.body, "clear_on_close")
	delete(n, "trigger_id")
	s.mu.Unlock()
	if !blockjson.IsSet(v.body, "notify_on_close") {
		return Result{}
	}
	return s.sendPayload(n)
}
