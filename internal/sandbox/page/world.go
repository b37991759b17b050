package page

import (
	"net/http"

	"github.com/keyturn/keyturn/internal/sandbox/slackemu"
)

type worldView struct {
	Run      string // of this process: what was typed in another one is not brought back
	Version  int
	At       string
	Me       slackemu.User
	People   []link
	Tour     tourView
	Clock    clockView
	Said     string // of the last long action
	Trouble  troubleView
	Alert    map[string]string // by pane, beside Slack's own
	Slack    slackPane
	Side     string
	Sides    []link
	Accounts *accountsPane
	Inbox    *inboxPane
	Timeline *timelinePane
	Log      []string
}

// mostLog is how many lines of keyturn's log are shown.
const mostLog = 60

// world shows everything on one page.
func (p *Server) world(w http.ResponseWriter, r *http.Request) {
	at := placeOf(r.URL.Query())
	v := worldView{Run: p.run, At: at.Str(), Side: at.Get(pSide)}
	v.Version, _ = p.stage.Version() // what changes from here on is told by an event
	name, _, _ := p.stage.Slack.Names()
	for _, x := range people {
		v.People = append(v.People, link{name(x.ID), x.Part, at.With(pAs, x.ID, pThread, "", pOlder, "").URL(), at.Get(pAs) == x.ID})
	}
	v.Tour = p.tourView(r.Context(), at)
	v.Clock, v.Trouble, v.Slack = p.clockView(at), p.troubleView(at), p.slackPane(at)
	v.Alert = map[string]string{}
	for _, in := range []pane{inTour, inClock, inTrouble, inSide} {
		v.Alert[string(in)] = p.alert(at.Get(pAs), in)
	}
	v.Said = jobSaid(v.Clock.Job)
	v.Me = v.Slack.Me
	for _, s := range []struct{ name, title string }{{sideAccounts, "Accounts"}, {sideInbox, "Inbox"}, {sideTimeline, "Timeline"}, {sideLog, "Log"}} {
		v.Sides = append(v.Sides, link{Name: s.title, URL: at.Side(s.name).URL(), Current: s.name == v.Side})
	}
	switch v.Side {
	case sideInbox:
		x := p.inboxPane(at)
		v.Inbox = &x
	case sideTimeline:
		x := p.timelinePane(r.Context(), at)
		v.Timeline = &x
	case sideLog:
		v.Log = p.stage.Log()
		v.Log = v.Log[max(0, len(v.Log)-mostLog):]
	default:
		v.Side = sideAccounts
		x := p.accountsPane(at)
		v.Accounts = &x
	}
	p.show(w, "world.html", v)
}
