package slackemu

import (
	"encoding/json"
	"fmt"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/sandbox/blockjson"
)

func (l *loading) messages(in []savedMessage) (out []*record, err error) {
	for _, m := range in {
		r, err := l.message(m)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// message reads a message, with its blocks as they are kept after validation.
func (l *loading) message(m savedMessage) (*record, error) {
	if m.TS == "" || l.byTS[m.TS] != nil {
		return nil, fmt.Errorf("message %q in %s is there twice, or has no timestamp", m.TS, m.Channel)
	}
	r := &record{Message{
		Channel: m.Channel, TS: m.TS, ThreadTS: m.ThreadTS, Text: m.Text, Edits: m.Edits, Ephemeral: m.Ephemeral, For: m.For, From: m.From,
		Broadcast: m.Broadcast,
	}}
	var err error
	if r.RawBlocks, r.Blocks, err = readBlocks(m.Blocks); err != nil {
		return nil, fmt.Errorf("blocks of the message %q in %s: %w", m.TS, m.Channel, err)
	}
	l.byTS[m.TS] = r
	return r, nil
}

// readBlocks reads blocks that passed validation when they were posted.
func readBlocks(saved json.RawMessage) (raw json.RawMessage, blocks slack.Blocks, err error) {
	if len(saved) == 0 {
		return nil, blocks, nil
	}
	var all []node
	if err := blockjson.Decode(saved, &all); err != nil {
		return nil, blocks, err
	}
	if len(all) == 0 {
		return nil, blocks, nil
	}
	raw = encode(all)
	err = json.Unmarshal(raw, &blocks)
	return raw, blocks, err
}

func (l *loading) view(user string, x savedView) (*view, error) {
	if x.ID == "" || x.Body == nil || l.views.byID[x.ID] != nil {
		return nil, fmt.Errorf("view %q of %s is there twice, or is none", x.ID, user)
	}
	v := &view{id: x.ID, user: user, root: x.Root, previous: x.Previous, hash: x.Hash, body: x.Body, state: x.State}
	l.views.byID[x.ID] = v
	return v, nil
}

// answer finds the message that was clicked again. One that is gone stays gone: who answers is not told.
func (l *loading) answer(x savedAnswer) *responseURL {
	r := &responseURL{user: x.User, channel: x.Channel, issued: x.Issued.Time, uses: x.Uses}
	if m := x.Message; m != nil {
		if r.message = l.byTS[m.TS]; r.message == nil || r.message.Channel != m.Channel {
			r.message = &record{Message{Channel: m.Channel, TS: m.TS, Ephemeral: m.Ephemeral}}
		}
	}
	return r
}
