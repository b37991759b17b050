//go:build !functions

package app

import (
	"fmt"

	"github.com/keyturn/keyturn/internal/store/sqlite"
)

var _ Store = (*sqlite.Store)(nil)

// openSQLite opens the store of one process.
func openSQLite(path string) (Store, error) {
	db, err := sqlite.Open(path)
	if err != nil {
		return nil, fmt.Errorf("the store: %w", err)
	}
	return db, nil
}
