package notify

import (
	"slices"
	"strings"

	"github.com/keyturn/keyturn/internal/rotation"
)

// news reports whether something happened, since a place showed people_seq shown, that its reader must know or act on, so
// that an update in place, of which Slack tells nobody, is not enough. What the reader did is no news to them.
//
// Every event that people should hear of raised people_seq by one and is in the history, so the last events are counted.
func news(r rotation.Rotation, shown int64, reader rotation.Actor) bool {
	refusal := r.GateRefusals
	left := r.PeopleSeq - shown
	for i := len(r.History) - 1; i >= 0 && left > 0; i-- {
		e := r.History[i]
		if silent(r, e) {
			continue
		}
		left--
		if e.Event == "gate_refused" {
			if refusal == 1 || refusal == r.Policy.GateTries { // the first one, and the one that asks a person
				return true
			}
			refusal--
			continue
		}
		if calls(e) && !reader.Same(e.Actor) {
			return true
		}
	}
	return false
}

// since lists what people should hear of that happened since a place showed people_seq shown, the oldest first.
func since(r rotation.Rotation, shown int64) []rotation.Entry {
	var out []rotation.Entry
	left := r.PeopleSeq - shown
	for i := len(r.History) - 1; i >= 0 && left > 0; i-- {
		if e := r.History[i]; !silent(r, e) {
			out = append(out, e)
			left--
		}
	}
	slices.Reverse(out)
	return out
}

// silent reports whether an entry of the history is of an event that people are not told of.
func silent(r rotation.Rotation, e rotation.Entry) bool {
	switch e.Event {
	case "claim", "unclaim", "begin", "creating", "not_created", "key_created", "stored", "verified", "key_lost", "lost_removed",
		"refused", "looked", "present":
		return true
	case "failed": // tried again, unless it was tried often enough
		return r.Stuck == nil || !r.Stuck.At.Equal(e.At)
	case "gone": // missed for the first time, unless it closed the rotation
		return e.To != rotation.Closed
	default:
		return false
	}
}

// calls reports whether an event calls for somebody's attention.
func calls(e rotation.Entry) bool {
	switch e.Event {
	case "due", "wake", "remind", "cancel", "replan", "issued", "deactivated", "observed_deactivated", "restored",
		"observed_reactivated", "leaked", "leak_cut", "stuck", "replacement_lost", "failed", "escalate", "time_is_up", "notice_passed", "mode":
		return true
	case "approve":
		return strings.HasPrefix(e.Note, "break-glass")
	case "release":
		return e.Actor.Via == rotation.ViaSystem // its time is over: steps go on by themselves
	default:
		return e.To == rotation.Closed
	}
}
