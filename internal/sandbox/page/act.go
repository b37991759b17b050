package page

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/keyturn/keyturn/internal/sandbox/blockkit"
	"github.com/keyturn/keyturn/internal/sandbox/slackemu"
	"github.com/keyturn/keyturn/internal/sandbox/stage"
)

// deed is one click of somebody: where it was made and what the form said. It returns where the browser goes next.
type deed struct {
	*Server
	at     place
	person *slackemu.Person
	form   url.Values
}

// mostForm bounds what a form may send, in bytes.
const mostForm = 256 << 10

// answerWithin bounds how long a click waits for what the product shows after its acknowledgement. What comes later comes as
// an event.
const answerWithin = 2 * time.Second

// act performs a deed and shows the page again: a browser without scripts is sent there, too.
func (p *Server) act(where pane, do func(deed) (place, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, mostForm)
		if err := r.ParseForm(); err != nil {
			http.Error(w, "the form could not be read", http.StatusBadRequest)
			return
		}
		at := placeAt(r.PostForm.Get("at"))
		d := deed{p, at, p.stage.Slack.As(at.Get(pAs)), r.PostForm}
		p.hear(d.person, heard{})
		next, err := do(d)
		if err != nil {
			h := heard{alert: sentence(err), pane: where}
			if where != inSlack {
				h.moment = p.moment()
			}
			p.hear(d.person, h)
		}
		p.settle(r.Context())
		p.stage.Changed()
		http.Redirect(w, r, next.Str(), http.StatusSeeOther)
	}
}

// settle waits a moment for what the product shows after its acknowledgement.
func (p *Server) settle(ctx context.Context) {
	if life, _ := p.stage.Life(); life == stage.Dead {
		return
	}
	ctx, stop := context.WithTimeout(ctx, answerWithin)
	defer stop()
	if a, err := p.stage.App(ctx); err == nil {
		_ = a.Answered(ctx) // whatever is late comes as an event
	}
}

func (p *Server) hear(who *slackemu.Person, h heard) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if h.alert == "" && h.errors == nil {
		delete(p.heard, who.ID())
		return
	}
	p.heard[who.ID()] = h
}

func (p *Server) lastHeard(who string) heard {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.heard[who]
}

// pane is a part of the page that says what went wrong in it.
type pane string

const (
	inSlack   pane = "slack"
	inTour    pane = "tour"
	inClock   pane = "clock"
	inTrouble pane = "trouble"
	inSide    pane = "side"
)

// moment is a state of the world: between two long actions, or within one.
func (p *Server) moment() string {
	j := p.stage.Job()
	return fmt.Sprint(j.Number, j.Running)
}

// alert is what a pane has to tell a person.
func (p *Server) alert(who string, in pane) string {
	h := p.lastHeard(who)
	if h.pane != in || h.moment != "" && h.moment != p.moment() {
		return ""
	}
	return h.alert
}

// sentence is an error as a person reads it.
func sentence(err error) string {
	text := err.Error()
	switch {
	case errors.Is(err, slackemu.ErrTimeout):
		text = "Slack shows: operation_timeout. The app did not answer within three seconds; the click was not taken"
	case errors.Is(err, slackemu.ErrStatus):
		text = "Slack shows an error: " + text
	case strings.Contains(text, "send to the bot"):
		text = "Slack shows: keyturn is not responding. It does not run just now: start it again, or let the clock go on"
	}
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + strings.TrimSuffix(text[size:], ".") + "."
}

// acts are all the deeds, by the pane that they are done in and the last part of their address.
var acts = map[pane]map[string]func(deed) (place, error){
	inSlack: {
		"use": deed.use, "view": deed.view, "submit": deed.submit, "close": deed.close, "say": deed.say,
		"shortcut": deed.shortcut, "home": deed.home,
	},
	inTour:    {"skip": deed.skip},
	inClock:   {"scan": deed.scan, "pass": deed.pass},
	inTrouble: {"trouble": deed.trouble, "kill": deed.kill, "start": deed.start},
	inSide:    {"key": deed.key},
}

// message finds the message that a form names among those which the person sees: nobody reads another one's direct messages.
func (d deed) message() (slackemu.Message, error) {
	channel, ts := d.form.Get("channel"), d.form.Get("ts")
	if at := d.at.Conversation(channel); at.channel(d.Server) != channel {
		channel = ""
	}
	for _, m := range d.person.Visible(channel) {
		if m.TS == ts {
			return m, nil
		}
	}
	return slackemu.Message{}, errors.New("that message is not there any more: it was deleted or replaced")
}

// errGone: a second browser, or an earlier click, has closed it.
var errGone = errors.New("that window is not open any more")

// use presses what stands in a message.
func (d deed) use() (place, error) {
	m, err := d.message()
	if err != nil {
		return d.at, err
	}
	u, err := blockkit.ParseUse(d.form.Get("use"))
	if err != nil {
		return d.at, err
	}
	value, err := d.chosen(u, m.RawBlocks)
	if err != nil {
		return d.at, err
	}
	return d.at, d.person.Choose(m, u.Block+"/"+u.Action, value).Err
}

// view presses what stands in the open window, or in the Home, with what was typed there so far.
func (d deed) view() (place, error) {
	u, err := blockkit.ParseUse(d.form.Get("use"))
	if err != nil {
		return d.at, err
	}
	shown, ok := d.shown()
	if !ok {
		return d.at, errGone
	}
	values, err := d.entered(shown)
	if err == nil {
		err = d.person.Enter(values)
	}
	if err != nil {
		return d.at, err
	}
	value, err := d.chosen(u, shown.Blocks)
	if err != nil {
		return d.at, err
	}
	return d.at, d.person.ChooseView(u.Block+"/"+u.Action, value).Err
}

// submit sends the open window.
func (d deed) submit() (place, error) {
	top, ok := d.shown()
	if !ok {
		return d.at, errGone
	}
	values, err := d.entered(top)
	if err != nil {
		return d.at, err
	}
	r := d.person.Submit(values)
	if len(r.Errors) > 0 {
		d.hear(d.person, heard{view: top.ID, errors: r.Errors})
	}
	return d.at, r.Err
}

// close closes the open window.
func (d deed) close() (place, error) {
	if _, ok := d.shown(); !ok {
		return d.at, errGone
	}
	return d.at, d.person.CloseModal().Err
}

// shown is the window, or the Home, that the form was in: the one that the person sees, or none if that is another one by now.
func (d deed) shown() (v slackemu.Shown, ok bool) {
	if open := d.person.Windows(); len(open) > 0 {
		v, ok = open[len(open)-1], true
	} else {
		v, ok = d.person.HomeTab()
	}
	return v, ok && v.ID == d.form.Get("view")
}

// typed is how Slack keeps what a person types: no mark of its own can be made of it.
var typed = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// say posts a message, or types a command.
func (d deed) say() (place, error) {
	text := strings.TrimSpace(d.form.Get("text"))
	channel := d.at.channel(d.Server)
	rest, command := strings.CutPrefix(text, "/keys")
	switch {
	case text == "":
		return d.at, nil
	case command && (rest == "" || rest[0] == ' '):
		return d.at, d.person.CommandIn(channel, strings.TrimSpace(rest)).Err
	case strings.HasPrefix(text, "/"):
		return d.at, fmt.Errorf("%s is not a valid command. This workspace has /keys", strings.Fields(text)[0])
	default:
		d.person.Say(channel, typed.Replace(text))
		return d.at, nil
	}
}

// shortcut uses a message shortcut.
func (d deed) shortcut() (place, error) {
	m, err := d.message()
	if err != nil {
		return d.at, err
	}
	return d.at, d.person.Shortcut(m, d.form.Get("callback")).Err
}

// home opens the app's Home, which tells the app by an event.
func (d deed) home() (place, error) { return d.at.Conversation(inHome), d.person.OpenHome().Err }
