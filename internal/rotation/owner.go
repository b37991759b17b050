package rotation

import (
	"net/mail"
	"strings"
)

// Owner is whom a user and its keys belong to.
type Owner struct {
	Address string // e-mail address in lower case, or Slack user ID
	Tagged  bool   // the user's tag says so
	Useless string // what the tag says, if that is no address
}

// OwnerOf reads the owner tag of a user. A tag may say anything; only an e-mail address or a Slack user ID is an owner, and
// everything else leaves it to the account's address. IAM compares tag keys without case, and so does this.
func OwnerOf(tags map[string]string, key, accountEmail string) Owner {
	o := Owner{Address: strings.ToLower(strings.TrimSpace(accountEmail))}
	value := ""
	for k, v := range tags {
		if key != "" && strings.EqualFold(k, key) {
			value = strings.TrimSpace(v)
		}
	}
	switch {
	case value == "":
	case isSlackID(value):
		o.Address, o.Tagged = value, true
	case isAddress(value):
		o.Address, o.Tagged = strings.ToLower(value), true
	default:
		o.Useless = value
	}
	return o
}

func isAddress(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Name == "" && a.Address == s
}

// isSlackID reports whether s looks like a Slack user: U or W, then capital letters and digits. A short word in capitals
// without a digit is a word.
func isSlackID(s string) bool {
	if len(s) < 7 || s[0] != 'U' && s[0] != 'W' || strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
		return false
	}
	return len(s) >= 9 || strings.ContainsAny(s, "0123456789")
}
