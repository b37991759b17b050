package sqlite

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/internal/store/record"
)

// A cursor is the last key of the page before, so that what is written between pages neither repeats nor hides the rest. It
// begins with the name of the list, and only that one takes it.
func encodeCursor(list string, parts ...string) string {
	b, err := json.Marshal(append([]string{list}, parts...))
	if err != nil {
		return "" // strings always encode
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// mostCursor bounds what is decoded, in bytes.
const mostCursor = 10_000

// decodeCursor returns n parts; they are empty for the first page and only then. store.ErrCursor.
func decodeCursor(s, list string, n int) ([]string, error) {
	if s == "" {
		return make([]string, n), nil
	}
	if len(s) > mostCursor {
		return nil, store.ErrCursor
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, store.ErrCursor
	}
	var got []string
	if json.Unmarshal(b, &got) != nil || len(got) != n+1 || got[0] != list || slices.Contains(got, "") {
		return nil, store.ErrCursor
	}
	return got[1:], nil
}

// pageOf cuts the entry that was read beyond the page, and returns the cursor of the next one.
func pageOf[T any](all []T, page store.Page, cursor func(T) string) ([]T, string) {
	if len(all) <= page.Size() {
		return all, ""
	}
	all = all[:page.Size()]
	return all, cursor(all[len(all)-1])
}

// mostRead bounds how many rotations one page reads where most of them do not belong to the list. The page is then short.
const mostRead = 2000

// ListRotations returns the present rotations that the filter lets through. *store.Unread comes together with a page.
func (s *Store) ListRotations(ctx context.Context, f store.Filter, page store.Page) ([]rotation.Rotation, string, error) {
	out, next, err := s.rotations(ctx, f, page)
	return out, next, typed("list rotations", err)
}

func (s *Store) rotations(ctx context.Context, f store.Filter, page store.Page) (out []rotation.Rotation, next string, err error) {
	after, err := decodeCursor(page.After, "rotations", 1)
	if err != nil {
		return nil, "", err
	}
	limit := page.Size() + 1
	if f.OU != "" || f.OlderThan > 0 { // no column has it
		limit = max(limit, mostRead)
	}
	query, args := rotationsQuery(f, after[0], limit)
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, "", err
	}
	defer rows.Close() //nolint:errcheck // rows.Err says what went wrong
	var unread *store.Unread
	last, read, full := "", 0, false
	for !full && rows.Next() {
		var id string
		var body []byte
		if err := rows.Scan(&id, &body); err != nil {
			return nil, "", err
		}
		read++
		r, err := record.DecodeRotation(body)
		switch {
		case err == nil && !f.Match(r):
		case len(out) == page.Size(): // it begins the next page
			full = true
			continue
		case err != nil:
			unread = unread.Add(rotation.ID(id), err)
		default:
			out = append(out, r)
		}
		last = id
	}
	if err := rows.Err(); err != nil {
		return nil, "", err
	}
	if full || read == limit {
		next = encodeCursor("rotations", last)
	}
	return out, next, unread.AsError()
}

func rotationsQuery(f store.Filter, after string, limit int) (query string, args []any) {
	where, args := []string{"id > ?"}, []any{after}
	and := func(cond string, arg ...any) { where, args = append(where, cond), append(args, arg...) }
	if f.OpenOnly {
		and("state <> ?", string(rotation.Closed))
	}
	if f.Account != "" {
		and("account = ?", string(f.Account))
	}
	if f.Owner != "" {
		and("owner = ?", f.Owner)
	}
	if len(f.States) > 0 {
		and("state IN (?" + strings.Repeat(", ?", len(f.States)-1) + ")")
		for _, st := range f.States {
			args = append(args, string(st))
		}
	}
	return "SELECT id, body FROM rotations WHERE " + strings.Join(where, " AND ") + " ORDER BY id LIMIT ?", append(args, limit)
}

// RotationsByOwner returns the present rotations whose owner is this e-mail address or Slack user ID. *store.Unread as of
// ListRotations.
func (s *Store) RotationsByOwner(ctx context.Context, owner string, page store.Page) ([]rotation.Rotation, string, error) {
	if owner == "" {
		return nil, "", nil
	}
	return s.ListRotations(ctx, store.Filter{Owner: owner}, page)
}

// RotationsByAccount returns the present rotations of an account. *store.Unread as of ListRotations.
func (s *Store) RotationsByAccount(ctx context.Context, account rotation.AccountID, page store.Page) ([]rotation.Rotation, string, error) {
	if account == "" {
		return nil, "", nil
	}
	return s.ListRotations(ctx, store.Filter{Account: account}, page)
}

// Due returns the rotations whose next_at has come, the longest due first.
func (s *Store) Due(ctx context.Context, now time.Time, page store.Page) ([]rotation.ID, string, error) {
	const what = "find what is due"
	after, err := decodeCursor(page.After, "due", 2)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", what, err)
	}
	at := int64(math.MinInt64)
	if after[0] != "" {
		if at, err = strconv.ParseInt(after[0], 10, 64); err != nil {
			return nil, "", fmt.Errorf("%s: %w", what, store.ErrCursor)
		}
	}
	if now.IsZero() {
		return nil, "", nil
	}
	rows, err := s.db.QueryContext(ctx, dueQuery, nanos(now), at, after[1], page.Size()+1)
	if err != nil {
		return nil, "", typed(what, err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err says what went wrong
	type due struct {
		id string
		at int64
	}
	var all []due
	for rows.Next() {
		var d due
		if err := rows.Scan(&d.id, &d.at); err != nil {
			return nil, "", typed(what, err)
		}
		all = append(all, d)
	}
	if err := rows.Err(); err != nil {
		return nil, "", typed(what, err)
	}
	all, next := pageOf(all, page, func(d due) string { return encodeCursor("due", strconv.FormatInt(d.at, 10), d.id) })
	var out []rotation.ID
	for _, d := range all {
		out = append(out, rotation.ID(d.id))
	}
	return out, next, nil
}

const dueQuery = `SELECT id, next_at FROM rotations WHERE next_at <> 0 AND next_at <= ? AND (next_at, id) > (?, ?)
	ORDER BY next_at, id LIMIT ?`
