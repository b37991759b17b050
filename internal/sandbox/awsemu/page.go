package awsemu

import (
	"encoding/base64"
	"strings"
)

// cut takes the page of a list that follows a token, and returns the token of the next one. A token names the last item that
// was shown, so that a list which changes meanwhile neither repeats nor skips an item. ok is false for a token that the
// emulator did not make.
func cut[T any](all []T, token string, size int, key func(T) string) (items []T, next string, ok bool) {
	from := 0
	if token != "" {
		raw, err := base64.RawURLEncoding.DecodeString(token)
		last, good := strings.CutPrefix(string(raw), "after:")
		if err != nil || !good {
			return nil, "", false
		}
		from = len(all)
		for i, x := range all {
			if key(x) == last {
				from = i + 1
				break
			}
			if key(x) > last {
				from = min(from, i)
			}
		}
	}
	to := min(from+size, len(all))
	if to < len(all) && to > from {
		next = base64.RawURLEncoding.EncodeToString([]byte("after:" + key(all[to-1])))
	}
	return all[from:to], next, true
}

// size reads the page size of a request, and caps it by SetPageLimit.
func (s *Server) size(r *request, name string, otherwise, most int) (int, *failure) {
	n := r.num(name, otherwise)
	if n < 1 || n > most {
		return 0, invalid(r, "1 validation error detected: Value at '%s' failed to satisfy constraint: Member must have value between 1 and %d", lowerFirst(name), most)
	}
	if s.pageLimit > 0 {
		n = min(n, s.pageLimit)
	}
	return n, nil
}

// page cuts a list by Marker and MaxItems: 100 by default, at most 1,000.
func page[T any](s *Server, r *request, all []T, key func(T) string) ([]T, []node, *failure) {
	size, f := s.size(r, "MaxItems", 100, 1000)
	if f != nil {
		return nil, nil, f
	}
	items, next, ok := cut(all, r.str("Marker"), size, key)
	switch {
	case !ok:
		return nil, nil, invalid(r, "Invalid Marker.")
	case next != "":
		return items, []node{leaf("IsTruncated", "true"), leaf("Marker", next)}, nil
	default:
		return items, []node{leaf("IsTruncated", "false")}, nil
	}
}

// jsonPage cuts a list of Organizations by NextToken and MaxResults: at most 20.
func jsonPage(s *Server, r *request, name string, all []map[string]any) (any, *failure) {
	size, f := s.size(r, "MaxResults", 20, 20)
	if f != nil {
		return nil, f
	}
	items, next, ok := cut(all, r.str("NextToken"), size, func(m map[string]any) string { return text(m, "Id") })
	if !ok {
		return nil, failf(400, "InvalidInputException", "You provided a value for NextToken that is not valid.")
	}
	out := map[string]any{name: append([]map[string]any{}, items...)}
	if next != "" {
		out["NextToken"] = next
	}
	return out, nil
}
