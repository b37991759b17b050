package templates

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/keyturn/keyturn/internal/rotation"
)

// footer says who decided last, who can decide, and as of when all this holds.
func footer(r rotation.Rotation, v View) string {
	var parts []string
	if s := approvals(r, v); s != "" {
		parts = append(parts, s)
	} else if s := Decided(r, v); s != "" {
		parts = append(parts, s)
	}
	if v.Who != "" && r.Open() {
		parts = append(parts, "Can decide: "+mention(esc(v.Who, 400))+".")
	}
	if r.Reminders > 0 && r.Open() {
		parts = append(parts, fmt.Sprintf("This is reminder %d.", r.Reminders))
	}
	if v.Help != "" {
		parts = append(parts, esc(v.Help, 200))
	}
	return strings.Join(append(parts, "As of "+v.when(v.Now)+"."), " ")
}

// approvals says who approved so far where that is not enough, or that approvals do not count any more; else "".
func approvals(r rotation.Rotation, v View) string {
	h, ok := deed(r)
	switch undecided := r.State == rotation.Upcoming || r.State == rotation.Awaiting; {
	case !undecided || len(r.Approvals) == 0 && (!ok || h.Event != "approve"):
		return ""
	case len(r.Approvals) == 0:
		return fmt.Sprintf("*The approval by %s on %s does not count any more*, because something has changed since.", v.by(h.Actor), v.when(h.At))
	}
	var names []string
	for _, a := range r.Approvals[:min(len(r.Approvals), 10)] {
		how := ""
		if a.BreakGlass {
			how = ", alone by break-glass"
		}
		names = append(names, fmt.Sprintf("%s (%s%s)", v.by(a.Actor), v.when(a.At), how))
	}
	return "*Approved so far* by " + strings.Join(names, ", ") + "; it takes more people."
}

// deed is what a person decided last.
func deed(r rotation.Rotation) (rotation.Entry, bool) {
	for i := len(r.History) - 1; i >= 0; i-- {
		if h := r.History[i]; deeds[h.Event] != "" && h.Actor.Via != rotation.ViaSystem {
			return h, true
		}
	}
	return rotation.Entry{}, false
}

// Decided says in mrkdwn what a person decided last, who it was and when, or "".
func Decided(r rotation.Rotation, v View) string {
	h, ok := deed(r)
	if !ok {
		return ""
	}
	amount, why := "", h.Note
	if h.Event == "open" {
		why = r.RequestedWhy
	} else if m := amountOf.FindStringSubmatch(h.Note); m != nil && amounts[h.Event] {
		amount, why = " "+m[1]+" "+m[2], m[3]
		if d, err := rotation.ParseDuration(m[2]); err == nil {
			amount = " " + m[1] + " " + span(d)
		}
	}
	return fmt.Sprintf("*%s%s* by %s on %s%s", deeds[h.Event], amount, v.by(h.Actor), v.when(h.At), because(why))
}

// amountOf reads how much was asked for out of a note: "for 3d: the reason".
var amountOf = regexp.MustCompile(`^(for|by|until) ([0-9a-z-]{2,20})(?:: ([\s\S]*))?$`)

var amounts = map[string]bool{"snooze": true, "hold": true, "extend": true, "exempt": true}

// deeds names what people do, by the names of the events in the history.
var deeds = map[string]string{
	"open": "Asked for", "approve": "Approved", "snooze": "Snoozed", "reject": "Rejected", "exempt": "Exempted", "cancel": "Approval taken back",
	"hold": "Put on hold", "release": "Released", "extend": "Extended", "confirm": "New key confirmed", "restore": "Restore asked for",
	"retry": "Retry asked for", "deactivate_anyway": "Deactivation insisted on", "leaked": "Reported as leaked",
}
