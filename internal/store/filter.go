package store

import "github.com/keyturn/keyturn/internal/rotation"

// Filter narrows a list of rotations. The zero value lets every rotation through; what is set has to match altogether.
type Filter struct {
	OpenOnly bool
	Account  rotation.AccountID
	Owner    string           // e-mail address or Slack user ID, as the rotation has it
	States   []rotation.State // any of them
}
