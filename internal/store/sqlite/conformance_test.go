package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/keyturn/keyturn/internal/store/sqlite"
	"github.com/keyturn/keyturn/internal/store/storetest"
)

var _ storetest.Store = (*sqlite.Store)(nil)

func TestConformance(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) storetest.Store {
		return open(t, filepath.Join(t.TempDir(), "keyturn.db"), sqlite.Pragma("synchronous(OFF)")) // no power is lost here
	})
}

// open opens a file that is closed with the test, or before.
func open(t *testing.T, path string, opts ...sqlite.Option) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(path, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
