package audit

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// MAC signs and checks with a key that stays where it is. KMS keys of the usage GENERATE_VERIFY_MAC are one.
type MAC interface {
	Generate(ctx context.Context, message []byte) (mac []byte, err error)
	// Verify reports whether mac is the message's. An error means that it could not be checked.
	Verify(ctx context.Context, message, mac []byte) (bool, error)
}

// settled is how long before its making an anchor looks: an entry may be saved a little after the time that it bears.
const settled = time.Hour

// body is what is signed. Everything is text, so that it is serialized the same way for ever.
type body struct {
	Day     string    `json:"day"`     // 2006-01-02, UTC
	Until   time.Time `json:"until"`   // entries up to this time, included, are covered
	Chains  int       `json:"chains"`  // that have such entries
	Buckets []string  `json:"buckets"` // 32 hexadecimal digits each, or notRead
	Before  string    `json:"before"`  // digest of the anchor before; empty for the first
}

// anchor is what the store keeps of a day.
type anchor struct {
	Body json.RawMessage `json:"body"`
	MAC  string          `json:"mac"` // base64
}

const (
	stateAnchor = "anchor/" // + day
	stateFirst  = "anchors/first"
	stateLast   = "anchors/last"
)

// mostDays bounds how many days are looked for.
const mostDays = 20 * 366

// Errors of Anchor.
var (
	// ErrNoMAC: there is no key to sign with.
	ErrNoMAC = errors.New("no key is configured to sign anchors with (audit.mac_key)")
	// ErrDays: the store's notes of the first and the last day of anchors are not what was written.
	ErrDays = errors.New("the days of the first and the last anchor (states anchors/first and anchors/last) were changed. Ask audit verify what else was, and set them right")
)

// Anchor signs the heads of all chains, once for each day (UTC). made is false if that was done already. A chain that cannot be
// read leaves its bucket out, and the anchor says so. ErrNoMAC, ErrDays.
func Anchor(ctx context.Context, s Store, mac MAC, now time.Time) (day string, made bool, err error) {
	if mac == nil {
		return "", false, ErrNoMAC
	}
	day = now.UTC().Format(time.DateOnly)
	first, last, err := anchored(ctx, s)
	switch {
	case err != nil:
		return day, false, err
	case last > day || first > day:
		return day, false, fmt.Errorf("%w: there is one of %s already", ErrDays, max(first, last))
	case last == day:
		return day, false, nil
	}
	b := body{Day: day, Until: now.UTC().Add(-settled).Truncate(time.Second)}
	if b.Before, err = before(ctx, s, first, day); err != nil {
		return day, false, err
	}
	l := newLedger(b.Until)
	if err := Walk(ctx, s, func(c Chain) error {
		l.add(c)
		return nil
	}); err != nil {
		return day, false, err
	}
	b.Chains, b.Buckets = l.digests(0)
	for i, unread := range l.unread {
		if unread {
			b.Buckets[i] = notRead
		}
	}
	message, err := json.Marshal(b)
	if err != nil {
		return day, false, fmt.Errorf("write the anchor of %s: %w", day, err)
	}
	sig, err := mac.Generate(ctx, signed(message))
	if err != nil {
		return day, false, fmt.Errorf("sign the anchor of %s: %w", day, err)
	}
	whole, err := json.Marshal(anchor{Body: message, MAC: base64.StdEncoding.EncodeToString(sig)})
	if err != nil {
		return day, false, fmt.Errorf("write the anchor of %s: %w", day, err)
	}
	// In this order: whoever dies in between leaves an anchor that the next one finds, and never a day without one.
	for _, state := range [][2]string{{stateAnchor + day, string(whole)}, {stateFirst, cmp.Or(first, day)}, {stateLast, day}} {
		if err := s.SetState(ctx, state[0], state[1]); err != nil {
			return day, false, fmt.Errorf("save the anchor of %s: %w", day, err)
		}
	}
	return day, true, nil
}

// Head returns the day of the newest anchor and its digest, both empty if there is none. The digest covers all anchors before
// it. Whoever keeps it out of the store's reach, in a log or a ticket, sees later whether that anchor is still the same.
func Head(ctx context.Context, s Store) (day, sum string, err error) {
	if _, day, err = anchored(ctx, s); err != nil || day == "" {
		return "", "", err
	}
	whole, err := s.GetState(ctx, stateAnchor+day)
	if err != nil {
		return "", "", fmt.Errorf("read the anchor of %s: %w", day, err)
	}
	if whole == "" {
		return "", "", fmt.Errorf("there is no anchor of %s, the last day: it was taken away", day)
	}
	return day, digest(whole), nil
}

// anchored returns the days of the first and the last anchor.
func anchored(ctx context.Context, s Store) (first, last string, err error) {
	for _, state := range []struct {
		name string
		into *string
	}{{stateFirst, &first}, {stateLast, &last}} {
		if *state.into, err = s.GetState(ctx, state.name); err != nil {
			return "", "", fmt.Errorf("read the days of anchors: %w", err)
		}
		if _, err := time.Parse(time.DateOnly, *state.into); *state.into != "" && err != nil {
			return "", "", ErrDays
		}
	}
	if first == "" && last != "" || last != "" && first > last {
		return "", "", ErrDays
	}
	return first, last, nil
}

// before is the digest of the newest anchor before a day. It is not always that of the last day: whoever made one may have
// died before it was noted.
func before(ctx context.Context, s Store, first, day string) (string, error) {
	if first == "" {
		return "", nil
	}
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return "", err
	}
	for range mostDays {
		at = at.AddDate(0, 0, -1)
		d := at.Format(time.DateOnly)
		if d < first {
			break
		}
		whole, err := s.GetState(ctx, stateAnchor+d)
		if err != nil {
			return "", fmt.Errorf("read the anchor of %s: %w", d, err)
		}
		if whole != "" {
			return digest(whole), nil
		}
	}
	return "", nil
}

// signed is what is handed to the key: it takes 4,096 bytes at most (AWS KMS API, GenerateMac), so the digest of the body.
func signed(body []byte) []byte { return []byte("keyturn anchor 1 " + digest(string(body))) }
