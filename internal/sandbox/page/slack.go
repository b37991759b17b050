package page

import (
	"encoding/json"
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/keyturn/keyturn/bot"
	"github.com/keyturn/keyturn/internal/sandbox/blockkit"
	"github.com/keyturn/keyturn/internal/sandbox/slackemu"
	"github.com/keyturn/keyturn/internal/sandbox/world"
)

// people are whom one can act as, in the order of the story.
var people = []struct{ ID, Part string }{
	{world.Owner, "owns billing-export"},
	{world.AccountOwner, "owns the account acme-prod"},
	{world.OnCall, "on call, named as an approver"},
	{world.Second, "second approver"},
	{world.Newcomer, "has no rights"},
	{world.Guest, "guest of the workspace"},
	{world.Outsider, "from another workspace"},
}

// mostMessages is how many messages a screen shows; earlier ones are a click away.
const mostMessages = 30

type link struct {
	Name, Note string
	URL        template.URL
	Current    bool
}

type message struct {
	Key, TS, Channel                  string
	Author                            string
	App, Edited, Ephemeral, Broadcast bool
	Time, ISO                         string
	Body                              template.HTML
	Replies                           []message
	Count                             int
	Thread                            template.URL // opens or closes the thread
	Open                              bool
	Shortcut                          bool
	At                                string
}

type window struct {
	ID, Title, Submit, Close string
	Body                     template.HTML
}

type slackPane struct {
	At            string
	Me            slackemu.User
	Zone          string
	Conversations []link
	InHome        bool
	Title         string
	Messages      []message
	Earlier       template.URL
	Alert         string
	Refused       []string
	Home          *window
	Window        *window
	Commands      []command
	Newest        string // for whoever does not see it
}

type command struct{ Line, Does string }

// commands are what the box completes: the words of commands, and after them whoever types goes on.
func commands() []command {
	var out []command
	for _, s := range bot.Specs() {
		words := s.Usage
		if i := strings.IndexFunc(words, func(r rune) bool { return r != ' ' && r != '-' && !unicode.IsLower(r) }); i >= 0 {
			words = words[:i]
		}
		line := "/keys " + strings.TrimSpace(words) + " "
		if !slices.ContainsFunc(out, func(c command) bool { return c.Line == line }) {
			out = append(out, command{line, s.Usage + ": " + s.Does})
		}
	}
	return out
}

// reader is how a person's client shows names and dates.
func (p *Server) reader(who *slackemu.Person) blockkit.Reader {
	user, channel, group := p.stage.Slack.Names()
	return blockkit.Reader{Zone: who.Zone(), Now: p.stage.Clock.Now(), User: user, Channel: channel, Group: group}
}

// channel is the ID of the conversation that is open: a public channel, or else the person's own direct message.
func (at place) channel(p *Server) string {
	for _, c := range p.stage.Slack.Channels() {
		if c.ID == at.Get(pIn) {
			return c.ID
		}
	}
	return p.stage.Slack.DM(at.Get(pAs))
}

func (p *Server) slackPane(at place) slackPane {
	who := p.stage.Slack.As(at.Get(pAs))
	out := slackPane{At: at.Str(), Zone: who.Zone().String(), InHome: at.Get(pIn) == inHome, Commands: commands()}
	for _, u := range p.stage.Slack.Users() {
		if u.ID == who.ID() {
			out.Me = u
		}
	}
	for _, c := range p.stage.Slack.Channels() {
		n := len(who.Visible(c.ID))
		if n == 0 && c.ID != world.Channel && c.ID != at.Get(pIn) {
			continue // nobody was ever sent there
		}
		out.Conversations = append(out.Conversations, link{"# " + c.Name, count(n), at.Conversation(c.ID).URL(), at.Get(pIn) == c.ID})
		if at.Get(pIn) == c.ID {
			out.Title = "#" + c.Name
		}
	}
	out.Conversations = append(out.Conversations, link{"keyturn", count(len(who.Visible(who.ID()))), at.Conversation(inDM).URL(), at.Get(pIn) == inDM})
	reader := p.reader(who)
	told := p.lastHeard(who.ID())
	out.Alert = p.alert(who.ID(), inSlack)
	out.Refused = p.refusals()
	if ws := who.Windows(); len(ws) > 0 {
		out.Window = windowOf(ws[len(ws)-1], "w-", reader, told)
	}
	if out.InHome {
		out.Title = "keyturn, Home"
		if h, ok := who.HomeTab(); ok {
			out.Home = windowOf(h, "h-", reader, heard{})
		}
		return out
	}
	if out.Title == "" {
		out.Title = "keyturn, direct message"
	}
	p.conversation(&out, at, who, reader)
	return out
}

func count(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// conversation fills in the messages of the open conversation, the newest ones last.
func (p *Server) conversation(out *slackPane, at place, who *slackemu.Person, reader blockkit.Reader) {
	all := who.Visible(at.channel(p))
	threads := map[string][]slackemu.Message{}
	there := map[string]bool{}
	for _, m := range all {
		there[m.TS] = true
		if m.ThreadTS != "" {
			threads[m.ThreadTS] = append(threads[m.ThreadTS], m)
		}
	}
	main := slices.DeleteFunc(slices.Clone(all), func(m slackemu.Message) bool { return m.ThreadTS != "" && !m.Broadcast && there[m.ThreadTS] })
	older := at.number(pOlder, 0)
	if most := mostMessages * (older + 1); len(main) > most {
		main = main[len(main)-most:]
		out.Earlier = at.With(pOlder, strconv.Itoa(older+1)).URL()
	}
	for _, m := range main {
		v := p.message(m, at, reader)
		if replies := threads[m.TS]; len(replies) > 0 && !m.Broadcast {
			v.Count = len(replies)
			v.Open = at.Get(pThread) == m.TS
			open := m.TS
			if v.Open {
				open = ""
				for _, r := range replies {
					reply := p.message(r, at, reader)
					reply.Key = "r-" + reply.Key // a broadcast stands in the channel, too
					reply.Body = body(r.Text, r.RawBlocks, blockkit.Options{Reader: reader, ID: reply.Key})
					v.Replies = append(v.Replies, reply)
				}
			}
			v.Thread = at.With(pThread, open).URL()
		}
		out.Messages = append(out.Messages, v)
	}
	if n := len(out.Messages); n > 0 {
		last := out.Messages[n-1]
		out.Newest = fmt.Sprintf("%d messages. The newest is from %s at %s.", len(all), last.Author, last.Time)
	}
}

func (p *Server) message(m slackemu.Message, at place, reader blockkit.Reader) message {
	v := message{
		Key: "m-" + strings.ReplaceAll(m.TS, ".", "-"), TS: m.TS, Channel: m.Channel, Author: m.From, App: m.From == slackemu.BotUserID,
		Edited: m.Edits > 0, Ephemeral: m.Ephemeral, Broadcast: m.Broadcast, Shortcut: !m.Ephemeral, At: at.Str(),
	}
	if name := reader.User(m.From); name != "" {
		v.Author = name
	}
	if seconds, err := strconv.ParseFloat(m.TS, 64); err == nil {
		when := time.Unix(int64(seconds), 0).In(reader.Zone)
		v.Time, v.ISO = when.Format("Mon 2 Jan, 15:04"), when.Format(time.RFC3339)
	}
	v.Body = body(m.Text, m.RawBlocks, blockkit.Options{Reader: reader, ID: v.Key})
	return v
}

// body is a message's blocks, or its text if it has none.
func body(text string, blocks json.RawMessage, o blockkit.Options) template.HTML {
	if len(blocks) == 0 || string(blocks) == "null" || string(blocks) == "[]" {
		return `<div class="bk-section">` + blockkit.Mrkdwn(text, o.Reader) + `</div>`
	}
	return blockkit.Blocks(blocks, o)
}

func windowOf(v slackemu.Shown, prefix string, reader blockkit.Reader, told heard) *window {
	o := blockkit.Options{Reader: reader, ID: prefix + v.ID, Values: v.Values}
	if told.view == v.ID {
		o.Errors = told.errors
	}
	return &window{ID: v.ID, Title: v.Title, Submit: v.Submit, Close: v.Close, Body: blockkit.Blocks(v.Blocks, o)}
}

// refusals are the calls of keyturn that Slack refused within the last day, latest first. To find nobody is an answer and no refusal.
func (p *Server) refusals() []string {
	var out []string
	all := p.stage.Slack.Refusals()
	for _, r := range slices.Backward(all) {
		if r.Code == "users_not_found" || len(out) == 3 || p.stage.Clock.Now().Sub(r.At) > 24*time.Hour {
			continue
		}
		text := fmt.Sprintf("Slack refused %s with %s", r.Method, r.Code)
		if len(r.Messages) > 0 {
			text += ": " + strings.Join(r.Messages, "; ")
		}
		out = append(out, text)
	}
	return out
}
