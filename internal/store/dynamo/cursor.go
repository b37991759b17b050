package dynamo

import (
	"encoding/base64"
	"encoding/json"
	"strconv"

	"github.com/keyturn/keyturn/internal/store"
)

// position is a place in a list: a partition of it, and the sort key of the last entry that was read there. The zero value
// is the beginning.
type position struct {
	part  int
	after string
}

const (
	mostCursor  = 10_000 // bytes of a cursor that is decoded
	mostSortKey = 1024   // bytes, DynamoDB's quota
)

// encodeCursor writes a position of a list. It begins with the name of the list, and only that one takes it; a name says
// which arguments the list was made with.
func encodeCursor(list string, p position) string {
	b, err := json.Marshal([]string{list, strconv.Itoa(p.part), p.after})
	if err != nil {
		return "" // strings always encode
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// decodeCursor returns a position in a list of some partitions. store.ErrCursor.
func decodeCursor(s, list string, parts int) (p position, err error) {
	if s == "" {
		return position{}, nil
	}
	if len(s) > mostCursor {
		return position{}, store.ErrCursor
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return position{}, store.ErrCursor
	}
	var got []string
	if json.Unmarshal(b, &got) != nil || len(got) != 3 || got[0] != list || len(got[2]) > mostSortKey {
		return position{}, store.ErrCursor
	}
	n, err := strconv.Atoi(got[1])
	if err != nil || n < 0 || n >= parts {
		return position{}, store.ErrCursor
	}
	return position{n, got[2]}, nil
}
