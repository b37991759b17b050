package sqlite

import (
	"database/sql"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

// Pragma sets one more pragma on every connection.
func Pragma(p string) Option { return func(o *options) { o.pragmas = append(o.pragmas, p) } }

// DB returns the pool of a store.
func DB(s *Store) *sql.DB { return s.db }

// FirstTables are those of layout 1.
const FirstTables = firstTables

// Conns is how many connections a store has at most.
const Conns = conns

// Writing says whether a write of this process is under way, or waits for another process.
func Writing(s *Store) bool { return len(s.writer) == 1 }

// Queries are the statements that have to stay fast, with as many arguments as they take.
func Queries() map[string]string {
	filter := func(f store.Filter) string {
		q, _ := rotationsQuery(f, "", 1)
		return q
	}
	return map[string]string{
		"due": dueQuery, "present by key": presentByKey, "episode by key": episodeByKey, "forget keys": forgetKeys, "episodes": episodesQuery,
		"rotations":             filter(store.Filter{}),
		"by owner":              filter(store.Filter{Owner: "a"}),
		"by account":            filter(store.Filter{Account: "a"}),
		"open by account":       filter(store.Filter{Account: "a", OpenOnly: true}),
		"by owner and states":   filter(store.Filter{Owner: "a", States: []rotation.State{rotation.Awaiting, rotation.Closed}}),
		"exemptions":            exemptionsQuery,
		"chains":                chainsQuery,
		"entries":               entriesQuery,
		"last entry":            lastEntryQuery,
		"exemptions by account": accountExemptionsQuery,
	}
}
