package awsemu

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
)

// sameItem compares two items as DynamoDB does: the elements of a set have no order.
func sameItem(a, b map[string]any) bool {
	if (a == nil) != (b == nil) {
		return false
	}
	x, errX := json.Marshal(sorted(a))
	y, errY := json.Marshal(sorted(b))
	return errX == nil && errY == nil && string(x) == string(y)
}

// sorted copies a value with the elements of its sets in order. Names of objects are sorted when they are written.
func sorted(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, x := range v {
			if list, ok := x.([]any); ok && (k == "SS" || k == "NS" || k == "BS") && len(v) == 1 {
				set := strs(list)
				slices.Sort(set)
				out[k] = set
				continue
			}
			out[k] = sorted(x)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = sorted(x)
		}
		return out
	default:
		return v
	}
}

// itemSize is the size of attributes as DynamoDB's documentation estimates it: names and texts in bytes of UTF-8, a number
// about a byte for two digits, three bytes and one for each element of what nests.
func itemSize(attributes map[string]any) (n int) {
	for name, v := range attributes {
		n += len(name) + valueSize(v)
	}
	return n
}

func valueSize(v any) (n int) {
	m, _ := v.(map[string]any)
	for kind, x := range m {
		switch kind {
		case "S":
			s, _ := x.(string)
			n += len(s)
		case "N":
			s, _ := x.(string)
			n += numberSize(s)
		case "B":
			s, _ := x.(string)
			n += base64.RawStdEncoding.DecodedLen(len(strings.TrimRight(s, "=")))
		case "SS":
			for _, s := range strs(x) {
				n += len(s)
			}
		case "NS":
			for _, s := range strs(x) {
				n += numberSize(s)
			}
		case "BS":
			for _, s := range strs(x) {
				n += base64.RawStdEncoding.DecodedLen(len(strings.TrimRight(s, "=")))
			}
		case "L":
			list, _ := x.([]any)
			n += 3
			for _, e := range list {
				n += 1 + valueSize(e)
			}
		case "M":
			inner, _ := x.(map[string]any)
			n += 3 + len(inner) + itemSize(inner)
		default: // BOOL, NULL
			n++
		}
	}
	return n
}

func numberSize(s string) int { return len(strings.Trim(s, "-+.0"))/2 + 2 }
