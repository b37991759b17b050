package page

import (
	"context"
	"html/template"
	"slices"
	"strconv"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/sandbox/world"
)

// noteTour is the stage's note of how many steps of the tour are behind whoever takes it.
const noteTour = "tour"

// seen is what the tour looks at.
type seen struct {
	hero    *rotation.Rotation // of billing-export; nil: none yet
	refused bool               // the guest was told something
}

// happened says whether an event is in the hero's history.
func (s seen) happened(event string) bool {
	return s.hero != nil && slices.ContainsFunc(s.hero.History, func(e rotation.Entry) bool { return e.Event == event })
}

// tourStep is one step: what to do, where that is, and how it shows that it was done.
type tourStep struct {
	Title string
	Text  string
	Show  string // what the link to the place says
	Place func(place) place
	Done  func(seen) bool
}

func as(person, in string) func(place) place {
	return func(at place) place { return at.With(pAs, person).Conversation(in) }
}

func heroKeys(at place) place {
	return at.Side(sideAccounts, pAccount, world.Prod, pUser, world.Billing)
}

// tour is the life of one key, from the notice to the deletion.
var tour = []tourStep{
	{
		Title: "Find the old keys",
		Text:  "billing-export in acme-prod exports invoices with a key that is 95 days old; the policy says 90. Press “Scan now” in the clock: keyturn looks through the organization and asks the owner.",
		Show:  "Show the owner's messages", Place: as(world.Owner, inDM),
		Done: func(s seen) bool { return s.hero != nil && !s.hero.Untold() },
	},
	{
		Title: "Not everybody may decide",
		Text:  "vendor-feed has an owner whom Slack does not know, so its notice stands in #aws-keys, where also guests see it. Act as the guest and press Approve.",
		Show:  "Act as the guest in #aws-keys", Place: as(world.Guest, world.Channel),
		Done: func(s seen) bool { return s.refused },
	},
	{
		Title: "One click",
		Text:  "Act as the owner of billing-export and press Approve. keyturn makes a new key, stores it in Secrets Manager and proves that it works. The timeline counts the calls.",
		Show:  "Act as the owner", Place: func(at place) place {
			return as(world.Owner, inDM)(at).Side(sideTimeline)
		},
		Done: func(s seen) bool { return s.happened("issued") },
	},
	{
		Title: "A key in use is not cut off",
		Text:  "Nobody has installed the new key; the export still runs with the old one every six hours. Press “+10 days”. The day of the deactivation comes, keyturn asks AWS first, and leaves the key alone.",
		Show:  "Show the keys of billing-export", Place: heroKeys,
		Done: func(s seen) bool { return s.happened("gate_refused") },
	},
	{
		Title: "Install the new key",
		Text:  "In the accounts, press “Install” beside the new key: the export uses it from now on. Then press “New key is in use” in the owner's message.",
		Show:  "Show both", Place: func(at place) place { return heroKeys(as(world.Owner, inDM)(at)) },
		Done: func(s seen) bool { return s.happened("confirm") },
	},
	{
		Title: "Idle, so deactivated",
		Text:  "Press “+1 day” twice. The old key has been idle for a day, which is enough once the owner has confirmed. It is deactivated, not deleted: one click brings it back.",
		Show:  "Show the keys of billing-export", Place: heroKeys,
		Done: func(s seen) bool { return s.happened("deactivated") },
	},
	{
		Title: "Three in the morning",
		Text:  "A job that nobody remembered still has the old key: press “Use this key” beside it and see what AWS says. Then act as the on-call engineer, who finds in #aws-keys what was cut off, and press Restore.",
		Show:  "Act as the on-call engineer", Place: func(at place) place { return heroKeys(as(world.OnCall, world.Channel)(at)) },
		Done: func(s seen) bool { return s.happened("restored") },
	},
	{
		Title: "The end of a key",
		Text:  "Act as the owner and press Release. Then press “+10 days” until the old key, idle again, is deactivated and ten days later deleted. Type /keys history with its ID to read what happened.",
		Show:  "Act as the owner", Place: func(at place) place { return as(world.Owner, inDM)(at).Side(sideTimeline) },
		Done: func(s seen) bool { return s.hero != nil && s.hero.Outcome == rotation.OutcomeRotated },
	},
}

type tourView struct {
	Off     bool
	Toggle  template.URL // leaves the tour, or comes back to it
	Steps   []tourRow
	Reached int
	Of      int
	Over    bool
}

type tourRow struct {
	Number        int
	Title, Text   string
	Show          string
	URL           template.URL
	Done, Current bool
}

// tourView shows how far the tour is, which goes on by itself and never back.
func (p *Server) tourView(ctx context.Context, at place) tourView {
	out := tourView{Off: at.Get(pTour) == "off", Of: len(tour), Toggle: at.With(pTour, "off").URL()}
	if out.Off {
		out.Toggle = at.With(pTour, "").URL()
	}
	out.Reached = p.reached(ctx)
	out.Over = out.Reached == len(tour)
	for i, s := range tour {
		out.Steps = append(out.Steps, tourRow{
			Number: i + 1, Title: s.Title, Text: s.Text, Show: s.Show, URL: s.Place(at).URL(), Done: i < out.Reached, Current: i == out.Reached,
		})
	}
	return out
}

// reached is how many steps are done, in their order.
func (p *Server) reached(ctx context.Context) int {
	noted, err := strconv.Atoi(p.stage.Note(noteTour))
	if err != nil || noted < 0 {
		noted = 0
	}
	n := behind(p.seen(ctx), noted)
	if n > noted {
		p.stage.SetNote(noteTour, strconv.Itoa(n))
	}
	return n
}

// behind is how many steps are behind whoever takes the tour: those that were noted, and all up to the last one that is done. A
// step that somebody went past in another order holds up nothing.
func behind(s seen, noted int) int {
	n := min(max(noted, 0), len(tour))
	for i := n; i < len(tour); i++ {
		if tour[i].Done(s) {
			n = i + 1
		}
	}
	return n
}

func (p *Server) seen(ctx context.Context) (s seen) {
	for _, k := range p.stage.AWS.Users(world.Prod) {
		if k.Name != world.Billing {
			continue
		}
		r, err := p.stage.Store().GetRotation(ctx, rotation.MakeID(world.Prod, rotation.UserID(k.UserID)))
		if err == nil {
			s.hero = &r
		}
	}
	guest := p.stage.Slack.As(world.Guest)
	for _, c := range p.stage.Slack.Channels() {
		for _, m := range guest.Visible(c.ID) {
			s.refused = s.refused || m.Ephemeral
		}
	}
	return s
}
