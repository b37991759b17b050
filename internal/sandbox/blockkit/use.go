package blockkit

import (
	"fmt"
	"net/url"
	"strings"
)

// Use is what a person does with an element that acts at once. Value is an option's value, or the button's; empty for an
// element whose value stands in the form under its own name (see ParseName).
type Use struct{ Block, Action, Value string }

// String is the form that ParseUse reads: three parts with a slash between them, each escaped like a part of a URL's path.
func (u Use) String() string {
	return url.PathEscape(u.Block) + "/" + url.PathEscape(u.Action) + "/" + url.PathEscape(u.Value)
}

// ParseUse reads what the form field "use" holds. It takes nothing but what String writes.
func ParseUse(s string) (Use, error) {
	var u Use
	parts := strings.Split(s, "/")
	if len(parts) != 3 {
		return Use{}, fmt.Errorf("read a use: %d parts in place of three", len(parts))
	}
	for i, into := range []*string{&u.Block, &u.Action, &u.Value} {
		part, err := url.PathUnescape(parts[i])
		if err != nil {
			return Use{}, fmt.Errorf("read a use: %w", err)
		}
		*into = part
	}
	if u.String() != s {
		return Use{}, fmt.Errorf("read a use: %.60q is not as it was written", s)
	}
	return u, nil
}

const inputPrefix = "in:"

// inputName is the name of an input's form field.
func inputName(block, action string) string {
	return inputPrefix + url.PathEscape(block) + "/" + url.PathEscape(action)
}

// ParseName reads the name of an input's form field. ok is false for other fields.
func ParseName(field string) (block, action string, ok bool) {
	rest, ok := strings.CutPrefix(field, inputPrefix)
	b, a, both := strings.Cut(rest, "/")
	if !ok || !both {
		return "", "", false
	}
	block, err := url.PathUnescape(b)
	if err != nil {
		return "", "", false
	}
	if action, err = url.PathUnescape(a); err != nil || inputName(block, action) != field {
		return "", "", false
	}
	return block, action, true
}
