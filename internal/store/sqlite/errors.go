package sqlite

import (
	"errors"
	"fmt"

	"modernc.org/sqlite" // registers the driver; pure Go, so that one static binary is enough

	"github.com/keyturn/keyturn/internal/store"
)

// Primary result codes of SQLite (https://www.sqlite.org/rescode.html); extended ones have them in their low byte.
const (
	codeBusy     = 5
	codeLocked   = 6
	codeReadOnly = 8
	codeFull     = 13
	codeCantOpen = 14
	codeNotADB   = 26
)

// typed says what was done when SQLite failed, and which of the store's errors it is.
func typed(what string, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		switch e.Code() & 0xff {
		case codeBusy, codeLocked:
			return fmt.Errorf("%s: %w: %w", what, store.ErrBusy, err)
		case codeFull:
			return fmt.Errorf("%s: %w: %w", what, store.ErrFull, err)
		case codeReadOnly, codeCantOpen:
			return fmt.Errorf("%s: %w. %s", what, err, needs)
		case codeNotADB:
			return fmt.Errorf("%s: the file is not a SQLite database. Name another one by store.sqlite: %w", what, err)
		}
	}
	return fmt.Errorf("%s: %w", what, err)
}
