package rotation

import (
	"fmt"
	"slices"
	"strings"
)

// AccountID is the twelve digits of an AWS account.
type AccountID string

// UserID is IAM's stable identifier of a user (AIDA...). It survives a rename; a user made again under an old name has
// another one.
type UserID string

// UserName is the name of an IAM user: letters, digits and +=,.@_- (IAM and STS quotas).
type UserName string

// KeyID is the ID of an access key (AKIA...). It is not secret.
type KeyID string

// ID names a rotation: the account and the IAM UserId, so a user has at most one rotation at a time.
type ID string

// MakeID returns the ID under which the rotation of a user is stored.
func MakeID(account AccountID, user UserID) ID { return ID(string(account) + "/" + string(user)) }

// Split returns the account and the user of the ID. Both are empty when the ID is malformed.
func (id ID) Split() (AccountID, UserID) {
	a, u, ok := strings.Cut(string(id), "/")
	if !ok || a == "" || u == "" {
		return "", ""
	}
	return AccountID(a), UserID(u)
}

// ParseKeyID checks that s has the form of a long-lived access key ID: AKIA and 16 or more capital letters or digits, 128
// characters at most (IAM API, type accessKeyIdType). Lower case is accepted and corrected.
func ParseKeyID(s string) (KeyID, error) {
	s = strings.ToUpper(strings.TrimSpace(s))
	if len(s) < 16 || len(s) > 128 || !strings.HasPrefix(s, "AKIA") {
		return "", fmt.Errorf("%q is not an access key ID: it starts with AKIA and has 20 characters, like AKIAIOSFODNN7EXAMPLE", short(s))
	}
	for _, c := range s {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return "", fmt.Errorf("%q is not an access key ID: only letters and digits occur in one", short(s))
		}
	}
	return KeyID(s), nil
}

// ParseAccountID checks that s is twelve digits.
func ParseAccountID(s string) (AccountID, error) {
	if len(s) != 12 || strings.Trim(s, "0123456789") != "" {
		return "", fmt.Errorf("%q is not an AWS account ID: it has 12 digits", short(s))
	}
	return AccountID(s), nil
}

func short(s string) string {
	const most = 40
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most]) + "…"
}

// InOU reports whether an account's path (r-ab12/ou-ab12-prod/...) lies in an organizational unit, which is given by its
// path from the root or by its ID alone. Whole segments count.
func InOU(ou, path string) bool {
	ou = strings.Trim(ou, "/")
	if !strings.Contains(ou, "/") {
		return slices.Contains(strings.Split(path, "/"), ou)
	}
	return path == ou || strings.HasPrefix(path, ou+"/")
}
