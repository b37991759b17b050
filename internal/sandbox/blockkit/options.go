package blockkit

import "time"

// Reader is who looks: names and zone as that person's client shows them. The zero value knows nobody and shows dates as
// their fallback.
type Reader struct {
	Zone *time.Location // nil: a date shows its fallback
	Now  time.Time      // for {date_pretty}: today, yesterday, tomorrow; zero: dates are never relative

	User, Channel, Group func(id string) string // name without @ or #; "" or nil: unknown
}

// Options says for whom and in what state blocks are rendered.
type Options struct {
	Reader Reader
	ID     string                               // prefix of all element ids, unique on the page
	Values map[string]map[string]map[string]any // state.values: what inputs hold now, by block_id and action_id; missing: their initial value
	Errors map[string]string                    // by block_id of an input: shown below it
	Inert  bool                                 // controls are shown disabled
}

// named asks who has an ID.
func named(who func(string) string, id string) string {
	if who == nil {
		return ""
	}
	return who(id)
}
