package audit

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
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

// buckets is into how many groups chains are sorted, so that a mismatch says which chains to look at.
const buckets = 256

// body is what is signed. Everything is text, so that it is serialized the same way for ever.
type body struct {
	Day     string    `json:"day"`     // 2006-01-02, UTC
	Until   time.Time `json:"until"`   // entries up to this time, included, are covered
	Chains  int       `json:"chains"`  // that have such entries
	Buckets []string  `json:"buckets"` // 16 hexadecimal digits each
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

// ErrNoMAC: there is no key to sign with.
var ErrNoMAC = errors.New("no key is configured to sign anchors with (audit.mac_key)")

// Anchor signs the heads of all chains, once for each day (UTC). made is false if that was done already.
func Anchor(ctx context.Context, s Store, mac MAC, now time.Time) (day string, made bool, err error) {
	if mac == nil {
		return "", false, ErrNoMAC
	}
	day = now.UTC().Format(time.DateOnly)
	last, err := s.GetState(ctx, stateLast)
	if err != nil {
		return day, false, fmt.Errorf("read the day of the last anchor: %w", err)
	}
	if last >= day && last != "" {
		return day, false, nil
	}
	b := body{Day: day, Until: now.UTC().Add(-settled).Truncate(time.Second)}
	heads := newLedger(b.Until)
	if err := Walk(ctx, s, func(c Chain) error {
		heads.add(c)
		return nil
	}); err != nil {
		return day, false, err
	}
	b.Chains, b.Buckets = heads.digests(0)
	if last != "" {
		before, err := s.GetState(ctx, stateAnchor+last)
		if err != nil {
			return day, false, fmt.Errorf("read the anchor of %s: %w", last, err)
		}
		b.Before = digest(before)
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
	if err := s.SetState(ctx, stateAnchor+day, string(whole)); err != nil {
		return day, false, fmt.Errorf("save the anchor of %s: %w", day, err)
	}
	if last == "" {
		if err := s.SetState(ctx, stateFirst, day); err != nil {
			return day, false, fmt.Errorf("save the day of the first anchor: %w", err)
		}
	}
	if err := s.SetState(ctx, stateLast, day); err != nil {
		return day, false, fmt.Errorf("save the day of the last anchor: %w", err)
	}
	return day, true, nil
}

// signed is what is handed to the key: it takes 4,096 bytes at most (AWS KMS API, GenerateMac), so the digest of the body.
func signed(body []byte) []byte {
	sum := sha256.Sum256(body)
	return []byte("keyturn anchor 1 " + hex.EncodeToString(sum[:]))
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// ledger remembers what the heads of chains were at some times, and digests them.
type ledger struct {
	times  []time.Time // ascending
	chains []heads
}

// heads are what the head of one chain was: lines[i] from times[from[i]] on, until the next.
type heads struct {
	name  string
	from  []int
	lines []string
}

func newLedger(times ...time.Time) *ledger { return &ledger{times: times} }

// add takes, for each time, the last entry of the chain that is not younger. A chain of which nothing could be read is left
// out: it is a finding by itself.
func (l *ledger) add(c Chain) {
	h := heads{name: c.Name}
	head := -1
	for i, t := range l.times {
		moved := false
		for n, e := range c.Entries {
			if n > head && !e.At.After(t) {
				head, moved = n, true
			}
		}
		if moved {
			e := c.Entries[head]
			h.from, h.lines = append(h.from, i), append(h.lines, fmt.Sprintf("%s %d %s", c.Name, e.Seq, e.Hash))
		}
	}
	if len(h.from) > 0 {
		l.chains = append(l.chains, h)
	}
}

// at is the line of the chain at the i-th time, or "".
func (h heads) at(i int) string {
	line := ""
	for n, from := range h.from {
		if from <= i {
			line = h.lines[n]
		}
	}
	return line
}

func bucketOf(chain string) int {
	h := sha256.Sum256([]byte(chain))
	return int(h[0])
}

// digests returns how many chains had a head at the i-th time, and the digest of each bucket.
func (l *ledger) digests(i int) (chains int, out []string) {
	var lines [buckets][]string
	for _, h := range l.chains {
		if line := h.at(i); line != "" {
			chains++
			lines[bucketOf(h.name)] = append(lines[bucketOf(h.name)], line)
		}
	}
	for _, b := range lines {
		slices.Sort(b)
		out = append(out, digest(strings.Join(b, "\n"))[:16])
	}
	return chains, out
}

// names lists the chains of a bucket.
func (l *ledger) names(bucket int) (out []string) {
	for _, h := range l.chains {
		if bucketOf(h.name) == bucket {
			out = append(out, h.name)
		}
	}
	return out
}

// anchors are all that the store has.
type anchors struct {
	first, last string
	days        []string
	raw         map[string]string
	broken      []Finding
	bodies      map[string]body
	macs        map[string][]byte
}

// mostDays bounds how many days are looked for.
const mostDays = 20 * 366

func readAnchors(ctx context.Context, s Store) (*anchors, error) {
	a := &anchors{raw: map[string]string{}, bodies: map[string]body{}, macs: map[string][]byte{}}
	var err, err2 error
	a.first, err = s.GetState(ctx, stateFirst)
	a.last, err2 = s.GetState(ctx, stateLast)
	if err := errors.Join(err, err2); err != nil {
		return nil, fmt.Errorf("read the anchors' days: %w", err)
	}
	if a.last == "" && a.first == "" {
		return a, nil
	}
	from, err := time.Parse(time.DateOnly, cmp.Or(a.first, a.last))
	to, err2 := time.Parse(time.DateOnly, cmp.Or(a.last, a.first))
	if errors.Join(err, err2) != nil {
		a.broken = append(a.broken, Finding{"anchors", "The days of the first and the last anchor cannot be read; they were changed."})
		return a, nil
	}
	for n := 0; !from.After(to) && n < mostDays; n++ {
		day := from.Format(time.DateOnly)
		from = from.AddDate(0, 0, 1)
		whole, err := s.GetState(ctx, stateAnchor+day)
		if err != nil {
			return nil, fmt.Errorf("read the anchor of %s: %w", day, err)
		}
		if whole == "" {
			a.broken = append(a.broken, Finding{stateAnchor + day, "There is no anchor of this day: none was made, or it was taken away."})
			continue
		}
		var x anchor
		var b body
		if err := json.Unmarshal([]byte(whole), &x); err == nil {
			err = json.Unmarshal(x.Body, &b)
		}
		sig, serr := base64.StdEncoding.DecodeString(x.MAC)
		if err := errors.Join(err, serr); err != nil || b.Day != day || len(b.Buckets) != buckets {
			a.broken = append(a.broken, Finding{stateAnchor + day, "It cannot be read, or is that of another day; it was changed."})
			continue
		}
		a.days, a.raw[day], a.bodies[day], a.macs[day] = append(a.days, day), whole, b, sig
	}
	return a, nil
}

// ledger is an empty one for the times of the anchors.
func (a *anchors) ledger() *ledger {
	l := newLedger()
	for _, day := range a.days {
		l.times = append(l.times, a.bodies[day].Until)
	}
	return l
}

// check compares each anchor with the chains, and with its signature.
func (a *anchors) check(ctx context.Context, mac MAC, now *ledger, res *Result) error {
	res.First, res.Last = a.first, a.last
	res.Findings = append(res.Findings, a.broken...)
	find := func(day, format string, args ...any) {
		res.Findings = append(res.Findings, Finding{stateAnchor + day, fmt.Sprintf(format, args...)})
	}
	for i, day := range a.days {
		b := a.bodies[day]
		res.Anchors++
		if i > 0 && b.Before != digest(a.raw[a.days[i-1]]) {
			find(day, "It does not follow the anchor of %s: one of them was changed, or one between them is missing.", a.days[i-1])
		}
		_, got := now.digests(i)
		for n, want := range b.Buckets {
			if got[n] != want {
				find(day, "Chains do not say what they said then: an entry was cut off, or a chain written anew. One of these: %s.", some(now.names(n)))
			}
		}
		if mac == nil {
			continue
		}
		var x anchor
		if err := json.Unmarshal([]byte(a.raw[day]), &x); err != nil {
			return fmt.Errorf("read the anchor of %s: %w", day, err)
		}
		ok, err := mac.Verify(ctx, signed(x.Body), a.macs[day])
		switch {
		case err != nil:
			return fmt.Errorf("check the signature of the anchor of %s: %w", day, err)
		case !ok:
			find(day, "Its signature is not that of the key: it was written by somebody who cannot sign, or the key is another one.")
		}
	}
	return nil
}

// open says what cannot be shown.
func (a *anchors) open(mac MAC, now time.Time) []string {
	switch {
	case len(a.days) == 0:
		return []string{"There are no anchors, so a chain whose end was cut off, or that was written anew, looks sound. Set audit.mac_key, and one is made each day."}
	case mac == nil:
		return []string{"The anchors' signatures were not checked, because audit.mac_key is not set: whoever can write the store can write anchors too."}
	}
	last := a.bodies[a.days[len(a.days)-1]].Until
	return []string{fmt.Sprintf("What happened since %s is in no anchor yet: a cut end would not show.", last.UTC().Format("2006-01-02 15:04 UTC"))}
}

func some(names []string) string {
	const most = 8
	slices.Sort(names)
	if len(names) == 0 {
		return "a chain that is gone altogether"
	}
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ") + ", or one that is gone altogether"
}

func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}
