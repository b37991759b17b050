package slackemu

import (
	"slices"
	"strings"
)

// Conversation shows a channel as plain text, as somebody in it would read it: messages in their order, each with its thread
// below it. A user's ID names the app's direct message with that person, who also sees what only they see.
func (s *Server) Conversation(channelOrUser string) string {
	s.mu.Lock()
	id, viewer := s.resolve(channelOrUser), ""
	if c := s.people.channels[id]; c != nil {
		viewer = c.user
	}
	s.mu.Unlock()
	return s.conversation(id, viewer)
}

// Conversation shows a channel, or the direct message of a user's ID, as this person sees it.
func (p *Person) Conversation(channelOrUser string) string {
	p.s.mu.Lock()
	id := p.s.resolve(channelOrUser)
	p.s.mu.Unlock()
	return p.s.conversation(id, p.id)
}

// Screen shows all that the app shows this person as plain text: the direct message, the Home, and the open windows, the
// visible one last. What is empty is left out.
func (p *Person) Screen() string {
	s := p.s
	s.mu.Lock()
	home := s.asSlack(s.views.homes[p.id])
	open := slices.Clone(s.views.stacks[p.id])
	s.mu.Unlock()
	parts := []string{}
	add := func(title, text string) {
		if text != "" {
			parts = append(parts, "── "+title+" ──\n"+text)
		}
	}
	add("Messages", p.Conversation(p.id))
	add("Home", p.RenderView(home))
	for _, v := range open {
		s.mu.Lock()
		shown := s.asSlack(v)
		s.mu.Unlock()
		add("Window", p.RenderView(shown))
	}
	return strings.Join(parts, "\n\n")
}

// visibleTo returns what a channel shows to a person, in order. It needs mu.
func (s *Server) visibleTo(ch, viewer string) []Message {
	out := copies(s.msgs[ch])
	for _, r := range slices.Concat(s.whispers, s.shown) {
		if r.Channel == ch && viewer != "" && r.For == viewer {
			out = append(out, r.Message)
		}
	}
	slices.SortStableFunc(out, func(a, b Message) int { return strings.Compare(a.TS, b.TS) })
	return out
}

func (s *Server) conversation(ch, viewer string) string {
	s.mu.Lock()
	all := s.visibleTo(ch, viewer)
	s.mu.Unlock()
	c := s.screenFor(viewer)
	threads, there := map[string][]Message{}, map[string]bool{}
	for _, m := range all {
		there[m.TS] = true
		if m.ThreadTS != "" {
			threads[m.ThreadTS] = append(threads[m.ThreadTS], m)
		}
	}
	var out []string
	for _, m := range all {
		switch {
		case m.ThreadTS == "":
			out = append(out, c.spoken(m, c.author(m))+c.thread(threads[m.TS]))
		case !there[m.ThreadTS]: // Slack keeps the place of what was deleted while it has replies
			out = append(out, "(a deleted message)"+c.thread(threads[m.ThreadTS]))
			there[m.ThreadTS] = true
		}
		if m.Broadcast {
			out = append(out, c.spoken(m, c.author(m)+", in a thread and here"))
		}
	}
	return strings.Join(out, "\n\n")
}

// spoken is a message below the line that says who wrote it.
func (c screen) spoken(m Message, by string) string {
	if m.Edits > 0 {
		by += " (edited)"
	}
	if m.Ephemeral {
		by += " (only visible to you)"
	}
	return by + "\n" + indent(c.message(m))
}

func (c screen) author(m Message) string {
	if u, ok := c.users[m.From]; ok {
		return or(u.RealName, u.Name)
	}
	return m.From
}

func (c screen) thread(replies []Message) string {
	var b strings.Builder
	for _, m := range replies {
		b.WriteString("\n" + indent("↳ "+c.spoken(m, c.author(m))))
	}
	return b.String()
}

func indent(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if l != "" {
			lines[i] = "    " + l
		}
	}
	return strings.Join(lines, "\n")
}
