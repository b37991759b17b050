package slackemu

import (
	"slices"
	"strings"

	"github.com/keyturn/keyturn/internal/sandbox/blockjson"
)

// Limits of a message's text: posting cuts at 40,000 characters, updating refuses beyond 4,000 (Slack, chat.update).
const (
	mostPostText   = 40_000
	mostUpdateText = 4_000
)

// audience finds where a message may be posted: a channel, a direct message, or a user's direct message.
func (s *Server) audience(id string) (*channel, *apiError) {
	if id == "" {
		return nil, refusal("channel_not_found")
	}
	if u, ok := s.people.users[id]; ok {
		if err := reachable(u); err != nil {
			return nil, err
		}
		return s.people.dm(id), nil
	}
	c, ok := s.people.channels[id]
	if !ok {
		return nil, refusal("channel_not_found")
	}
	if c.user != "" {
		return c, reachable(s.people.users[c.user])
	}
	if !c.botIsMember && !s.hasScope("chat:write.public") {
		return nil, refusal("not_in_channel")
	}
	return c, nil
}

func reachable(u User) *apiError {
	switch {
	case u.Deleted:
		return refusal("user_disabled")
	case u.Bot:
		return refusal("cannot_dm_bot")
	default:
		return nil
	}
}

// contentOf validates text and blocks. It needs mu.
func (s *Server) contentOf(p params, mostText int) (content, *apiError) {
	c := content{text: p.get("text")}
	if err := c.setBlocks(p.raw("blocks"), s.next); err != nil {
		return content{}, err
	}
	if c.text == "" && len(c.blocks.BlockSet) == 0 {
		return content{}, refusal("no_text")
	}
	if chars(c.text) > mostText {
		return content{}, refusal("msg_too_long")
	}
	return c, nil
}

func (s *Server) chatPostMessage(p params) (node, *apiError) {
	ch, err := s.audience(p.get("channel"))
	if err != nil {
		return nil, err
	}
	c, err := s.contentOf(p, mostPostText)
	if err != nil {
		return nil, err
	}
	thread := p.get("thread_ts")
	if err := s.replyable(ch.id, thread); err != nil {
		return nil, err
	}
	r := s.post(ch.id, thread, BotUserID, c)
	r.Broadcast = thread != "" && (blockjson.IsSet(p, "reply_broadcast") || p.get("reply_broadcast") == "true")
	return node{"channel": r.Channel, "ts": r.TS, "message": s.messageNode(r.Message)}, nil
}

func (s *Server) chatPostEphemeral(p params) (node, *apiError) {
	ch, err := s.audience(p.get("channel"))
	if err != nil {
		return nil, err
	}
	u, ok := s.people.users[p.get("user")]
	if !ok {
		return nil, refusal("user_not_found")
	}
	if u.Deleted || ch.user != "" && ch.user != u.ID {
		return nil, refusal("user_not_in_channel")
	}
	c, err := s.contentOf(p, mostPostText)
	if err != nil {
		return nil, err
	}
	return node{"message_ts": s.whisper(ch.id, u.ID, c).TS}, nil
}

// own finds a message that the app may change.
func (s *Server) own(p params, otherwise string) (*record, *apiError) {
	id := p.get("channel")
	if s.people.channels[id] == nil {
		return nil, refusal("channel_not_found")
	}
	r := s.find(id, p.get("ts"))
	if r == nil {
		return nil, refusal("message_not_found")
	}
	if r.From != BotUserID {
		return nil, refusal(otherwise)
	}
	return r, nil
}

func (s *Server) chatUpdate(p params) (node, *apiError) {
	r, err := s.own(p, "cant_update_message")
	if err != nil {
		return nil, err
	}
	c, err := s.contentOf(p, mostUpdateText)
	if err != nil {
		return nil, err
	}
	s.edit(r, c)
	return node{"channel": r.Channel, "ts": r.TS, "text": r.Text, "message": s.messageNode(r.Message)}, nil
}

func (s *Server) edit(r *record, c content) {
	r.set(c) // text without blocks takes the blocks away
	r.Edits++
	if i := slices.Index(s.shown, r); i >= 0 { // it is what came later than the answer
		s.shown = slices.Delete(s.shown, i, i+1)
		s.whispers = append(s.whispers, r)
	}
	s.changed.Broadcast()
}

func (s *Server) chatDelete(p params) (node, *apiError) {
	r, err := s.own(p, "cant_delete_message")
	if err != nil {
		return nil, err
	}
	s.remove(r)
	return node{"channel": r.Channel, "ts": r.TS}, nil
}

func (s *Server) chatGetPermalink(p params) (node, *apiError) {
	ch, ts := p.get("channel"), p.get("message_ts")
	if s.people.channels[ch] == nil {
		return nil, refusal("channel_not_found")
	}
	if s.find(ch, ts) == nil {
		return nil, refusal("message_not_found")
	}
	link := "https://" + s.domain() + ".slack.com/archives/" + ch + "/p" + strings.ReplaceAll(ts, ".", "")
	return node{"channel": ch, "permalink": link}, nil
}

// messageNode is a message as Slack shows it to an app.
func (s *Server) messageNode(m Message) node {
	n := node{"type": "message", "ts": m.TS, "user": m.From, "team": s.opt.TeamID, "text": m.Text}
	if m.From == BotUserID {
		n["bot_id"], n["app_id"] = BotID, AppID
	}
	if len(m.RawBlocks) > 0 {
		n["blocks"] = m.RawBlocks
	}
	if m.ThreadTS != "" {
		n["thread_ts"] = m.ThreadTS
	}
	if m.Broadcast {
		n["subtype"] = "thread_broadcast"
	}
	if m.Edits > 0 {
		n["edited"] = node{"user": BotUserID, "ts": m.TS}
	}
	return n
}
