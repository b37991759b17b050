package templates

import (
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"github.com/keyturn/keyturn/internal/report"
)

// HomeView is what a person's App Home shows: everything, or one part of it alone.
type HomeView struct {
	Waiting []Row          // what waits for this person
	More    int            // how many more wait
	Mine    []Row          // this person's other keys
	MoreOf  int            // how many more there are
	Unread  int            // of so many rotations nothing can be shown, because they cannot be read
	Looked  int            // of so many open rotations it was found out whether they wait for this person; 0: of all
	Points  []report.Point // how many keys of the organization were too old, the oldest first
	Refused string

	Alone       HomePart // the part that is shown alone; empty: everything is shown
	Page, Pages int      // of it
	Prev, Next  string   // values of the buttons to its other pages

	Everything, OnlyWaiting, OnlyMine string // values of the buttons to the parts; empty: no button

	Prefix string    // of the slash command; empty: /keys
	Now    time.Time // zero: not said
}

// HomePart is a part of App Home that can be shown alone.
type HomePart string

// The parts.
const (
	HomeWaiting HomePart = "waiting"
	HomeMine    HomePart = "mine"
)

// Home shows what waits for a person, the person's keys and the organization's burn-down.
func Home(h HomeView) slack.HomeTabViewRequest {
	v := slack.HomeTabViewRequest{Type: slack.VTHomeTab, CallbackID: "home"}
	add := func(b ...slack.Block) { v.Blocks.BlockSet = append(v.Blocks.BlockSet, b...) }
	add(header("Access keys"))
	if h.Refused != "" {
		add(section(answerSentence(h.Refused)))
		return v
	}
	if h.Prefix == "" {
		h.Prefix = "/keys"
	}
	if parts := homeParts(h); parts != nil {
		add(parts)
	}
	if h.Alone != HomeMine {
		add(section("*Waiting for you*"))
		homeRows(add, h, h.Waiting, h.More, h.OnlyWaiting, "Nothing waits for you.")
		if h.Looked > 0 {
			add(contextLine(fmt.Sprintf("keyturn looked at %s to find what waits for you, and there are more: `%s list state:awaiting` shows all.", count(h.Looked, "open rotation"), h.Prefix)))
		}
	}
	if h.Unread > 0 {
		add(section(unreadText(h.Unread)))
	}
	if h.Alone != HomeWaiting {
		add(slack.NewDividerBlock(), section("*Your keys*"))
		homeRows(add, h, h.Mine, h.MoreOf, h.OnlyMine, "No other key belongs to you, as far as keyturn knows. Owners come from the owner tag of the IAM user, else from the account's e-mail address.")
	}
	if len(h.Points) > 0 {
		add(slack.NewDividerBlock(), section("*The organization's old keys*\n"+burnDown(h.Points)+"\n"+burnBars(h.Points)))
	}
	end := "`" + h.Prefix + " help` lists what you can ask and decide."
	if !h.Now.IsZero() {
		end += " As of " + answerMoment(h.Now) + "."
	}
	add(slack.NewDividerBlock(), contextLine(end))
	return v
}

// homeParts is the buttons to the parts of the page, or nil.
func homeParts(h HomeView) slack.Block {
	var bs []slack.BlockElement
	part := func(id, text, value string) {
		if value != "" {
			bs = append(bs, button(ActPage+":"+id, text, value))
		}
	}
	part("all", "Everything", h.Everything)
	part("waiting", "Waiting for you", h.OnlyWaiting)
	part("mine", "Your keys", h.OnlyMine)
	if bs == nil {
		return nil
	}
	return answerButtons(bs...)
}

// homeRows shows the rows of a part, and the way to the rest of them.
func homeRows(add func(...slack.Block), h HomeView, rows []Row, more int, alone, none string) {
	if len(rows) == 0 {
		add(section(none))
	}
	for _, r := range rows {
		add(r.block())
	}
	switch {
	case h.Alone != "" && h.Pages > 1:
		add(contextLine(fmt.Sprintf("Page %d of %d", h.Page, h.Pages)))
		if pager := answerPager(h.Prev, h.Next); pager != nil {
			add(pager)
		}
	case h.Alone == "" && more > 0 && alone != "":
		add(answerButtons(button(ActPage+":more", fmt.Sprintf("Show all %d", len(rows)+more), alone)))
	case h.Alone == "" && more > 0:
		add(contextLine(fmt.Sprintf("and %d more: `%s mine` lists them", more, h.Prefix)))
	}
}

// mostBars is how many lines a burn-down of text has, and barWidth how long the longest one is.
const (
	mostBars = 10
	barWidth = 20
)

// burnDown says in a sentence or two how the number of old keys changed.
func burnDown(points []report.Point) string {
	last := points[len(points)-1]
	say := fmt.Sprintf("On %s, %d of %s were past their age.", answerDayOf(last.Day), last.OverAge, count(last.Active, "active key"))
	if len(points) == 1 {
		return say
	}
	first, rotated, removed := points[0], 0, 0
	for _, p := range points[1:] {
		rotated, removed = rotated+p.Rotated, removed+p.Removed
	}
	return fmt.Sprintf("%s On %s there were %d. Replaced since then: %d; removed for good: %d.", say, answerDayOf(first.Day), first.OverAge, rotated, removed)
}

// burnBars draws the number of old keys over time with one line a day, the newest last.
func burnBars(points []report.Point) string {
	some, most := thinned(points, mostBars), 1
	for _, p := range some {
		most = max(most, p.OverAge)
	}
	var lines []string
	for _, p := range some {
		n := max(0, p.OverAge) * barWidth / most
		if p.OverAge > 0 {
			n = max(n, 1)
		}
		lines = append(lines, fmt.Sprintf("%s %s %d", bounded(codeEscaper, clip(p.Day, 10), 10), strings.Repeat("█", n)+strings.Repeat("░", barWidth-n), p.OverAge))
	}
	return "```" + strings.Join(lines, "\n") + "```"
}

// thinned returns at most n of the points, evenly chosen; the first and the last one are among them.
func thinned(points []report.Point, n int) []report.Point {
	if len(points) <= n {
		return points
	}
	out := make([]report.Point, 0, n)
	for i := range n {
		out = append(out, points[i*(len(points)-1)/(n-1)])
	}
	return out
}
