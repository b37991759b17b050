package slackemu

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/slack-go/slack"
)

// Message is a message as its readers see it now. Blocks and RawBlocks are shared: treat them as read-only.
type Message struct {
	// ThreadTS is the message to which this one is a reply, or empty.
	Channel, TS, ThreadTS, Text string
	// Blocks are the blocks as the client library reads them; RawBlocks is what came over the wire, with missing block_ids
	// and action_ids filled in as Slack does.
	Blocks    slack.Blocks
	RawBlocks json.RawMessage
	// Edits counts updates.
	Edits int
	// Ephemeral messages are seen only by the user in For.
	Ephemeral bool
	For       string
	// From is the author's user ID.
	From string
	// Broadcast says that the channel shows a reply too.
	Broadcast bool
}

// record is a stored message.
type record struct{ Message }

// content is what may be posted: text, and blocks that have passed validation.
type content struct {
	text   string
	raw    json.RawMessage
	blocks slack.Blocks
}

func (r *record) set(c content) { r.Text, r.RawBlocks, r.Blocks = c.text, c.raw, c.blocks }

// stamp returns the next message timestamp: the domain clock's, or just after the last one. It needs mu.
func (s *Server) stamp() string {
	s.lastTS = max(s.now().UnixMicro(), s.lastTS+1)
	return fmt.Sprintf("%d.%06d", s.lastTS/1e6, s.lastTS%1e6)
}

// next numbers things. It needs mu.
func (s *Server) next() int {
	s.serial++
	return s.serial
}

// post stores a message in a channel. It needs mu.
func (s *Server) post(ch, thread, from string, c content) *record {
	r := &record{Message{Channel: ch, TS: s.stamp(), ThreadTS: thread, From: from}}
	r.set(c)
	s.msgs[ch] = append(s.msgs[ch], r)
	s.changed.Broadcast()
	return r
}

// whisper stores an ephemeral message. It needs mu.
func (s *Server) whisper(ch, user string, c content) *record {
	r := &record{Message{Channel: ch, TS: s.stamp(), From: BotUserID, Ephemeral: true, For: user}}
	r.set(c)
	s.whispers = append(s.whispers, r)
	s.changed.Broadcast()
	return r
}

// find returns a stored message or nil. It needs mu.
func (s *Server) find(ch, ts string) *record {
	if ts == "" {
		return nil
	}
	for _, r := range s.msgs[ch] {
		if r.TS == ts {
			return r
		}
	}
	return nil
}

func (s *Server) remove(r *record) {
	s.msgs[r.Channel] = slices.DeleteFunc(s.msgs[r.Channel], func(o *record) bool { return o == r })
	s.whispers = slices.DeleteFunc(s.whispers, func(o *record) bool { return o == r })
	s.shown = slices.DeleteFunc(s.shown, func(o *record) bool { return o == r })
	s.changed.Broadcast()
}

// replyable says why a thread takes no reply: its parent is not in the channel, or is a reply itself. It needs mu.
func (s *Server) replyable(ch, thread string) *apiError {
	if thread == "" {
		return nil
	}
	switch parent := s.find(ch, thread); {
	case parent == nil:
		return refusal("thread_not_found")
	case parent.ThreadTS != "":
		return refusal("cannot_reply_to_message")
	default:
		return nil
	}
}

// Replies returns the thread below a message, oldest first.
func (s *Server) Replies(parent Message) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(copies(s.msgs[parent.Channel]), func(m Message) bool { return m.ThreadTS != parent.TS })
}

// Delete takes a message away as its author or an administrator does; its replies stay, but nobody can add one.
func (s *Server) Delete(m Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.find(m.Channel, m.TS); r != nil {
		s.remove(r)
	}
}

// Messages returns what a channel shows now, oldest first and without ephemeral messages. A user's ID names the app's
// direct message with that person.
func (s *Server) Messages(channelOrUser string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return copies(s.msgs[s.resolve(channelOrUser)])
}

// resolve turns a user's ID into that of the direct message. It needs mu.
func (s *Server) resolve(id string) string {
	if _, ok := s.people.users[id]; ok {
		return dmID(id)
	}
	return id
}

func copies(rs []*record) []Message {
	out := make([]Message, len(rs))
	for i, r := range rs {
		out[i] = r.Message
	}
	return out
}
