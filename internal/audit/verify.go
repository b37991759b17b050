package audit

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Finding is something wrong with a chain, or with an anchor.
type Finding struct {
	Chain string `json:"chain"` // or anchor/DAY
	What  string `json:"what"`  // a sentence
}

// Result is what a verification found.
type Result struct {
	At       time.Time `json:"at"`
	Chains   int       `json:"chains"`
	Entries  int       `json:"entries"`
	Findings []Finding `json:"findings"`
	Anchors  int       `json:"anchors"`         // that were checked
	First    string    `json:"first,omitempty"` // day of the first anchor
	Last     string    `json:"last,omitempty"`  // day of the last one
	// Digests of the anchors, by their day, to be compared with what Head said then.
	Digests map[string]string `json:"digests,omitempty"`
	// Open says what the verification cannot show, as sentences.
	Open []string `json:"open"`
}

// OK reports whether nothing is wrong.
func (r Result) OK() bool { return len(r.Findings) == 0 }

// Since leaves out what is only about anchors of days before this one, and says so. What is wrong with a chain stays.
func (r Result) Since(day time.Time) Result {
	first, left := day.UTC().Format(time.DateOnly), 0
	r.Findings = slices.DeleteFunc(slices.Clone(r.Findings), func(f Finding) bool {
		of, is := strings.CutPrefix(f.Chain, stateAnchor)
		if is && of < first {
			left++
			return true
		}
		return false
	})
	if left > 0 {
		r.Open = append(slices.Clone(r.Open), fmt.Sprintf("%s about anchors before %s left out.", count(left, "finding", "findings"), first))
	}
	return r
}

// Verify checks every chain, and every anchor against what the chains say now. mac is nil where there is no key: signatures
// are then not checked. progress is called now and then with the number of chains that are through; it may be nil.
func Verify(ctx context.Context, s Store, mac MAC, now time.Time, progress func(chains int)) (Result, error) {
	res := Result{At: now.UTC(), Findings: []Finding{}, Digests: map[string]string{}}
	anchors, err := readAnchors(ctx, s)
	if err != nil {
		return res, err
	}
	heads := anchors.ledger()
	err = Walk(ctx, s, func(c Chain) error {
		res.Chains++
		res.Entries += len(c.Entries)
		for _, err := range c.Faults() {
			res.Findings = append(res.Findings, Finding{c.Name, sentence(err.Error())})
		}
		heads.add(c)
		if progress != nil && res.Chains%progressEvery == 0 {
			progress(res.Chains)
		}
		return nil
	})
	if err != nil {
		return res, err
	}
	if err := anchors.check(ctx, mac, heads, now.UTC(), &res); err != nil {
		return res, err
	}
	res.Open = append(res.Open, anchors.open(mac)...)
	return res, nil
}

const progressEvery = 500

func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}
