package templates

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/keyturn/keyturn/internal/rotation"
)

// The action_ids of buttons and the callback_ids of modals. A button with a choice of keys carries "approve:" and a number,
// because action_ids are unique within a block.
const (
	ActApprove = "approve"
	ActSnooze  = "snooze"
	ActReject  = "reject"
	ActExempt  = "exempt"
	ActHold    = "hold"
	ActRelease = "release"
	ActConfirm = "confirm"
	ActExtend  = "extend"
	ActRestore = "restore"
	ActRetry   = "retry"
	ActAnyway  = "anyway"
	ActCancel  = "cancel"
	ActHistory = "history"
	ActMore    = "more"   // an overflow menu: each option's value starts with its action and a space
	ActReview  = "review" // a digest's row: shows the notice
	ActPage    = "page"   // the next page of a list
	ActRenew   = "renew"  // an exemption that ends soon; its value names the user, and no episode
	ActLeaked  = "leaked" // report a key as leaked
	ActGlass   = "break-glass"
	ActEnd     = "unexempt"
)

// Value is what a button carries: which rotation, and what was shown when the button was drawn.
type Value struct {
	ID      rotation.ID    `json:"i"`
	Episode int            `json:"e"` // 0: it is about the user, and about no rotation
	Digest  string         `json:"d,omitempty"`
	Pick    rotation.KeyID `json:"p,omitempty"`
}

// ValueOf returns the value for a rotation's buttons.
func ValueOf(r rotation.Rotation) Value {
	return Value{ID: r.ID, Episode: r.Episode, Digest: r.Digest()}
}

// Encode writes the value for a button: well below the 2,000 characters that Slack allows, and below the 150 of an option.
func (v Value) Encode() string {
	b, err := json.Marshal(v)
	if err != nil {
		return "" // a struct of strings and a number always encodes
	}
	return string(b)
}

var errValue = errors.New("this button is from another version of keyturn; use /keys instead")

// ParseValue reads a button's value. It trusts nothing: Slack sends back what we drew, but anything may be drawn.
func ParseValue(s string) (Value, error) {
	var v Value
	if len(s) > 2000 {
		return Value{}, errValue
	}
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		return Value{}, fmt.Errorf("%w (%d bytes)", errValue, len(s))
	}
	if a, u := v.ID.Split(); a == "" || u == "" || v.Episode < 0 || len(v.ID) > 200 || len(v.Digest) > 64 || len(v.Pick) > 128 {
		return Value{}, errValue
	}
	return v, nil
}
