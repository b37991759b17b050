package store

import (
	"slices"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

// Filter narrows a list of rotations. The zero value lets every rotation through; what is set has to match altogether.
type Filter struct {
	OpenOnly bool
	Account  rotation.AccountID
	Owner    string           // e-mail address or Slack user ID, as the rotation has it
	States   []rotation.State // any of them

	// OU is an organizational unit: its path from the root ("r-ab12/ou-ab12-prod"), or its ID alone. Accounts of the units
	// below it are in it, too. The configuration matches units by the same rule.
	OU string
	// OlderThan lets a rotation through whose old key is at least as old at Now; 0 is any age. A key whose creation is not
	// known is old. Now has to be set with it: nothing is old at the zero time.
	OlderThan time.Duration
	Now       time.Time // domain clock. A cursor does not depend on it: pages of one list may be read at different times
}

// Match reports whether the filter lets a rotation through.
func (f Filter) Match(r rotation.Rotation) bool {
	return (!f.OpenOnly || r.Open()) && (f.Account == "" || r.Account == f.Account) && (f.Owner == "" || r.Owner == f.Owner) &&
		(len(f.States) == 0 || slices.Contains(f.States, r.State)) && (f.OU == "" || rotation.InOU(f.OU, r.OUPath)) &&
		(f.OlderThan <= 0 || f.Now.Sub(r.Old.Created) >= f.OlderThan && !f.Now.IsZero())
}
