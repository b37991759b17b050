package rotation

import "time"

// KeyStatus is the status of an access key as IAM spells it. The zero value is neither active nor inactive.
type KeyStatus string

// The statuses of an access key.
const (
	Active   KeyStatus = "Active"
	Inactive KeyStatus = "Inactive"
)

// UseKind tells never used from not known. The zero value is unknown, and unknown never counts as idle.
type UseKind string

// What is known of a key's last use.
const (
	UseUnknown UseKind = ""
	UseNever   UseKind = "never"
	UseSeen    UseKind = "used"
)

// TrackingSince is the day from which AWS records the last use of access keys; earlier uses are not known
// (IAM User Guide, "access key last used").
var TrackingSince = time.Date(2015, 4, 22, 0, 0, 0, 0, time.UTC)

// LastUse is the answer of GetAccessKeyLastUsed. At, Service and Region are set only when Kind is UseSeen.
type LastUse struct {
	Kind    UseKind   `json:"kind,omitempty"`
	At      time.Time `json:"at,omitzero"`
	Service string    `json:"service,omitempty"`
	Region  string    `json:"region,omitempty"`
}

// IdleSince returns since when a key created at created has not been used. known is false if that cannot be told: the
// last use could not be read, or the key is older than AWS's tracking and no use was recorded.
func (u LastUse) IdleSince(created time.Time) (since time.Time, known bool) {
	switch u.Kind {
	case UseSeen:
		return u.At, !u.At.IsZero()
	case UseNever:
		return created, !created.IsZero() && !created.Before(TrackingSince)
	case UseUnknown:
		return time.Time{}, false
	default:
		return time.Time{}, false
	}
}

// Key is one access key of an IAM user. Its secret is not part of it.
type Key struct {
	ID      KeyID     `json:"id"`
	Status  KeyStatus `json:"status"`
	Created time.Time `json:"created"`
	LastUse LastUse   `json:"last_use,omitzero"`

	// InactiveSince is when keyturn deactivated the key or first saw it inactive. Zero while active or not known.
	InactiveSince time.Time `json:"inactive_since,omitzero"`
}

// Age returns how old the key is. It is zero for a key from the future.
func (k Key) Age(now time.Time) time.Duration { return max(0, now.Sub(k.Created)) }

// NeverUsed reports whether AWS would know of a use and knows of none.
func (k Key) NeverUsed() bool {
	_, known := k.LastUse.IdleSince(k.Created)
	return known && k.LastUse.Kind == UseNever
}

// Find returns the key with the given ID.
func Find(keys []Key, id KeyID) (Key, bool) {
	for _, k := range keys {
		if k.ID == id {
			return k, true
		}
	}
	return Key{}, false
}
