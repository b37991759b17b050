package store

import (
	"fmt"

	"github.com/keyturn/keyturn/internal/rotation"
)

// Unread is the error of a page of rotations some of which cannot be read: a newer version of keyturn wrote them, or they
// are damaged. The page came with all others and with its cursor, so that one record does not hide the rest: a caller may go
// on, and has to say what it has not seen. Whether a filter would let these through is not known. Each is named by one page.
type Unread struct {
	IDs []rotation.ID
	Err error // of the first: ErrNewer, or what is wrong with it
}

// Error implements error.
func (u *Unread) Error() string {
	if len(u.IDs) == 1 {
		return fmt.Sprintf("rotation %s cannot be read: %v", u.IDs[0], u.Err)
	}
	return fmt.Sprintf("%d rotations cannot be read, first %s: %v", len(u.IDs), u.IDs[0], u.Err)
}

// Unwrap lets errors.Is and errors.As see the cause.
func (u *Unread) Unwrap() error { return u.Err }

// Add puts a rotation to those that cannot be read, and returns them; nil is none so far.
func (u *Unread) Add(id rotation.ID, err error) *Unread {
	if u == nil {
		u = &Unread{Err: err}
	}
	u.IDs = append(u.IDs, id)
	return u
}

// AsError returns nil for none: a nil *Unread in an error would not be nil.
func (u *Unread) AsError() error {
	if u == nil {
		return nil
	}
	return u
}
