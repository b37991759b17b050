// Package store holds what every implementation of keyturn's store shares: its errors, its paging, its filter and what it
// asks of a save. It knows neither SQLite nor DynamoDB. Consumers declare the methods they need beside their own code.
package store

import "errors"

// Sentinel errors of every store.
var (
	// ErrNotFound: there is no such record.
	ErrNotFound = errors.New("not found in the store")
	// ErrConflict: somebody else saved in between; read again and decide again.
	ErrConflict = errors.New("changed in the store since it was read")
	// ErrNewer: the record was written by a newer version of keyturn, and this one must not touch it.
	ErrNewer = errors.New("written by a newer version of keyturn")
	// ErrBusy: the store is locked by somebody else for longer than we wait.
	ErrBusy = errors.New("the store is busy")
	// ErrFull: the store cannot write because its disk or quota is full.
	ErrFull = errors.New("the store is full")
	// ErrCursor: the cursor of a page makes no sense, or another list made it.
	ErrCursor = errors.New("the page's cursor is not valid")
	// ErrHistory: a save would lose or change lines of the history that is stored, or an entry is not as it was written.
	ErrHistory = errors.New("the history would not continue the stored one")
	// ErrEpisode: a save would skip an episode, go back to an earlier one, or begin one while the stored one is open.
	ErrEpisode = errors.New("the episode does not follow the stored one")
	// ErrChain: a chain of entries cannot have that name.
	ErrChain = errors.New("the chain's name is not valid: it takes 1 to 120 printable ASCII characters without #")
	// ErrUnnamed: a record lacks the names under which it would be found again.
	ErrUnnamed = errors.New("the record has no name to be found by")
)

// Page asks for a part of a list. The zero value asks for the first DefaultPage entries. The list ends where the returned
// cursor is empty: a page with a cursor may hold fewer entries than asked for, or none. What exists while a list is read,
// and does not change, is returned once, whatever is written between its pages.
type Page struct {
	After string // the cursor that the page before returned
	Limit int    // at most MaxPage; 0 means DefaultPage
}

// Sizes of pages.
const (
	DefaultPage = 100
	MaxPage     = 1000
)

// Size returns the number of entries that the page asks for.
func (p Page) Size() int {
	if p.Limit <= 0 {
		return DefaultPage
	}
	return min(p.Limit, MaxPage)
}
