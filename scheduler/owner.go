package scheduler

import (
	"net/mail"
	"strings"
)

// owner is whom a key belongs to.
type owner struct {
	address string // e-mail address in lower case, or Slack user ID
	tagged  bool   // the user's tag says so
	useless string // what the tag says, if that is no address
}

// ownerOf reads the owner tag of a user. A tag may say anything; only an e-mail address or a Slack user ID is an owner, and
// everything else leaves it to the account's address. IAM compares tag keys without case, and so does this.
func ownerOf(tags map[string]string, key, accountEmail string) owner {
	o := owner{address: strings.ToLower(strings.TrimSpace(accountEmail))}
	value := ""
	for k, v := range tags {
		if key != "" && strings.EqualFold(k, key) {
			value = strings.TrimSpace(v)
		}
	}
	switch {
	case value == "":
	case slackID(value):
		o.address, o.tagged = value, true
	case address(value):
		o.address, o.tagged = strings.ToLower(value), true
	default:
		o.useless = value
	}
	return o
}

func address(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Name == "" && a.Address == s
}

// slackID reports whether s looks like a Slack user: U or W, then capital letters and digits. A short word in capitals
// without a digit is a word.
func slackID(s string) bool {
	if len(s) < 7 || s[0] != 'U' && s[0] != 'W' || strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
		return false
	}
	return len(s) >= 9 || strings.ContainsAny(s, "0123456789")
}
