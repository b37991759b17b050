package templates

import (
	"fmt"
	"slices"
	"strings"

	"github.com/keyturn/keyturn/internal/rotation"
)

// Thread is a reply below the live message of a rotation: what happened to it since people were told last, in order, and
// where it stands where that calls for somebody. mentions are Slack user IDs, and user group IDs, whom Slack is to tell.
func Thread(r rotation.Rotation, happened []rotation.Entry, calls bool, mentions []string, v View) Message {
	var lines []string
	for _, h := range happened {
		if l := v.happening(h); l != "" && !slices.Contains(lines, l) {
			lines = append(lines, l)
		}
	}
	const most = 12
	if more := len(lines) - most; more > 0 {
		lines = append([]string{fmt.Sprintf("%d things more; History shows them.", more)}, lines[more:]...)
	}
	say := strings.Join(lines, "\n")
	aloud := unmrkdwn(strings.Join(lines, " "))
	if calls || say == "" {
		told := Aloud(r, v)
		say, aloud = strings.TrimSpace(mark(r)+" "+esc(told, 1500)+"\n"+say), told
	}
	if who := mentioned(mentions); who != "" {
		say = who + " " + say
	}
	m := Message{Text: esc(aloud, mostText)}
	if calls {
		m.Blocks = append(m.Blocks, row(say, button(ActReview, "Show", ValueOf(r).Encode())))
	} else {
		m.Blocks = append(m.Blocks, section(say))
	}
	return m
}

// happening says in one line of mrkdwn what an entry of the history tells people; "" for what is keyturn's own affair.
func (v View) happening(h rotation.Entry) string {
	did, ok := deeds[h.Event]
	if !ok {
		did, ok = doings[h.Event]
	}
	if !ok || h.Event == "open" {
		return ""
	}
	amount, why := "", inWords(h.Note)
	if m := amountOf.FindStringSubmatch(h.Note); m != nil && amounts[h.Event] {
		amount, why = " "+m[1]+" "+m[2], m[3]
		if d, err := rotation.ParseDuration(m[2]); err == nil {
			amount = " " + m[1] + " " + span(d)
		}
	}
	by := ""
	if h.Actor.Via != rotation.ViaSystem {
		by = " by " + v.by(h.Actor)
	}
	return fmt.Sprintf("%s *%s%s*%s%s", v.when(h.At), did, amount, by, because(why))
}

// doings names what keyturn does, by the names of the events in the history; deeds names what people do.
var doings = map[string]string{
	"due": "Due", "wake": "The snooze is over", "remind": "Reminder", "escalate": "Others can decide too", "time_is_up": "The time for a decision is over",
	"notice_passed": "Nobody objected", "mode": "The policy's mode is another one", "postpone": "Put off", "replan": "The plan changed", "superseded": "Replaced by another plan",
	"begin_evict": "Making room", "evicted": "The key that made room is gone", "issued": "New key issued", "deactivated": "Deactivated", "restored": "Active again",
	"deleted": "Deleted", "leak_cut": "Leaked key deactivated", "observed_deactivated": "Deactivated by hand", "observed_reactivated": "Activated by hand", "used": "The new key is in use",
	"gate_refused": "Not deactivated yet", "stuck": "A person is needed", "failed": "Failed for good", "replacement_lost": "The replacement is lost",
	"freeze": "Account out of reach", "thaw": "Account reached again", "gone": "Not there any more",
}
