package sqlite_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/keyturn/keyturn/internal/store/sqlite"
)

// TestPlans: nothing that runs for every message, tick or scan reads a whole table, or sorts one.
func TestPlans(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "keyturn.db"))
	indexes := map[string]string{
		"due": "rotations_next", "by owner": "rotations_owner", "by owner and states": "rotations_owner",
		"by account": "rotations_account", "open by account": "rotations_account", "forget keys": "keys_rotation",
	}
	for name, query := range sqlite.Queries() {
		t.Run(name, func(t *testing.T) {
			args := make([]any, strings.Count(query, "?"))
			rows, err := sqlite.DB(s).QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args...)
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close() //nolint:errcheck // rows.Err says what went wrong
			var plan []string
			for rows.Next() {
				var id, parent, unused int
				var detail string
				if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
					t.Fatal(err)
				}
				plan = append(plan, detail)
			}
			if err := rows.Err(); err != nil {
				t.Fatal(err)
			}
			text := strings.Join(plan, "\n")
			byKey := strings.Contains(name, "by key") // one key is in a few episodes: these are sorted
			if len(plan) == 0 || strings.Contains(text, "SCAN") || strings.Contains(text, "TEMP B-TREE") && !byKey {
				t.Errorf("%s\n%s", query, text)
			}
			if want := indexes[name]; !strings.Contains(text, want) {
				t.Errorf("%s does not use %s:\n%s", query, want, text)
			}
		})
	}
}
