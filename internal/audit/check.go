package audit

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// anchors are all that the store has.
type anchors struct {
	first, last string
	days        []string // that can be read, ascending
	of          map[string]kept
	broken      []Finding
}

// kept is an anchor as the store has it.
type kept struct {
	raw     string
	message json.RawMessage // what was signed
	body    body
	mac     []byte
}

func readAnchors(ctx context.Context, s Store) (*anchors, error) {
	a := &anchors{of: map[string]kept{}}
	var err error
	a.first, a.last, err = anchored(ctx, s)
	if errors.Is(err, ErrDays) {
		a.broken = append(a.broken, Finding{"anchors", "The days of the first and the last anchor cannot be read; they were changed."})
		return a, nil
	}
	if err != nil || a.last == "" {
		return a, err
	}
	from, err := time.Parse(time.DateOnly, a.first)
	if err != nil {
		return nil, err
	}
	for range mostDays {
		day := from.Format(time.DateOnly)
		if day > a.last {
			break
		}
		from = from.AddDate(0, 0, 1)
		whole, err := s.GetState(ctx, stateAnchor+day)
		if err != nil {
			return nil, fmt.Errorf("read the anchor of %s: %w", day, err)
		}
		if whole == "" {
			a.broken = append(a.broken, Finding{stateAnchor + day, "There is no anchor of this day: none was made, or it was taken away."})
			continue
		}
		k, err := parse(whole)
		if err != nil || k.body.Day != day || len(k.body.Buckets) != buckets {
			a.broken = append(a.broken, Finding{stateAnchor + day, "It cannot be read, or is that of another day; it was changed."})
			continue
		}
		a.days, a.of[day] = append(a.days, day), k
	}
	return a, nil
}

// parse reads an anchor. Whoever can write the store chose what it says.
func parse(whole string) (kept, error) {
	var x anchor
	if err := json.Unmarshal([]byte(whole), &x); err != nil {
		return kept{}, err
	}
	k := kept{raw: whole, message: x.Body}
	if err := json.Unmarshal(x.Body, &k.body); err != nil {
		return kept{}, err
	}
	var err error
	k.mac, err = base64.StdEncoding.DecodeString(x.MAC)
	return k, err
}

// ledger is an empty one for the times of the anchors.
func (a *anchors) ledger() *ledger {
	l := newLedger()
	for _, day := range a.days {
		l.times = append(l.times, a.of[day].body.Until)
	}
	return l
}

// check compares the anchors with each other, with the chains and with their signatures. mac may be nil.
func (a *anchors) check(ctx context.Context, mac MAC, chains *ledger, now time.Time, res *Result) error {
	res.First, res.Last, res.Anchors = a.first, a.last, len(a.days)
	res.Findings = append(res.Findings, a.broken...)
	find := func(day, format string, args ...any) {
		res.Findings = append(res.Findings, Finding{stateAnchor + day, fmt.Sprintf(format, args...)})
	}
	for i, day := range a.days {
		res.Digests[day] = digest(a.of[day].raw)
		switch b := a.of[day].body; {
		case i == 0 && b.Before != "":
			find(day, "It is called the first one, and follows another: that was taken away.")
		case i > 0 && b.Before != digest(a.of[a.days[i-1]].raw):
			find(day, "It does not follow the anchor of %s: one of them was changed, or one between them is missing.", a.days[i-1])
		}
	}
	a.heads(chains, find)
	if mac == nil || a.last == "" {
		return nil
	}
	if at, err := time.Parse(time.DateOnly, a.last); err == nil && at.AddDate(0, 0, 2).Before(now) {
		find(a.last, "It is the last one, and one is made each day: keyturn did not run, could not sign, or later ones were taken away. The scheduler's log says which.")
	}
	for _, day := range a.days {
		ok, err := mac.Verify(ctx, signed(a.of[day].message), a.of[day].mac)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil: // most likely of all of them
			find(day, "Its signature and those after it could not be checked: %s.", strings.TrimRight(err.Error(), "."))
			return nil
		case !ok:
			find(day, "Its signature is not that of the key: it was written by somebody who cannot sign, or the key is another one.")
		}
	}
	return nil
}

// heads compares the chains with what the anchors say of them. What is not as it was is said once, at the newest anchor that
// says otherwise: it was changed after that.
func (a *anchors) heads(chains *ledger, find func(day, format string, args ...any)) {
	oldest, newest := [buckets]string{}, [buckets]string{}
	for i, day := range a.days {
		_, got := chains.digests(i)
		for n, want := range a.of[day].body.Buckets {
			if want != notRead && got[n] != want {
				newest[n] = day
				if oldest[n] == "" {
					oldest[n] = day
				}
			}
		}
	}
	for n, day := range newest {
		if day == "" {
			continue
		}
		since := ""
		if oldest[n] != day {
			since = ", nor what they said in the anchors from " + oldest[n] + " on"
		}
		find(day, "Chains do not say what they said then%s: an entry was cut off, or a chain written anew or taken away. %s", since, which(chains.names(n)))
	}
}

// open says what cannot be shown.
func (a *anchors) open(mac MAC) (out []string) {
	left := 0
	for _, day := range a.days {
		for _, b := range a.of[day].body.Buckets {
			if b == notRead {
				left++
				break
			}
		}
	}
	if left > 0 {
		out = append(out, fmt.Sprintf("Some chains could not be read when %s made; of these nothing is signed there.", count(left, "anchor was", "anchors were")))
	}
	const unseen = "so a chain whose end was cut off, or that was written anew, looks sound."
	switch {
	case len(a.days) == 0 && a.last != "":
		return append(out, "No anchor can be read, "+unseen)
	case len(a.days) == 0 && mac == nil:
		return append(out, "There are no anchors, "+unseen+" Set audit.mac_key, and one is made each day.")
	case len(a.days) == 0:
		return append(out, "There are no anchors, "+unseen+" The next scan makes one. If there were some before, they were taken away.")
	case mac == nil:
		return append(out, "The anchors' signatures were not checked, because audit.mac_key is not set: whoever can write the store can write anchors too.")
	}
	return append(out, fmt.Sprintf("What happened since %s is in no anchor yet: a cut end would not show.", a.of[a.days[len(a.days)-1]].body.Until.UTC().Format("2006-01-02 15:04 UTC")))
}

// count is a number with its word.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(n, " ", many)
}

// which says where to look.
func which(names []string) string {
	if len(names) == 0 {
		return "It is a chain that is gone altogether."
	}
	return "It is one of these, or one that is gone altogether: " + some(names) + "."
}

// some lists the first names.
func some(names []string) string {
	const most = 8
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}
