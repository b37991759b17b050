package audit

import (
	"context"
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
	// Open says what the verification cannot show, as sentences.
	Open []string `json:"open"`
}

// OK reports whether nothing is wrong.
func (r Result) OK() bool { return len(r.Findings) == 0 }

// Verify checks every chain, and every anchor against what the chains say now. mac is nil where there is no key: anchors are
// then not checked. progress is called now and then with the number of chains that are through; it may be nil.
func Verify(ctx context.Context, s Store, mac MAC, now time.Time, progress func(chains int)) (Result, error) {
	res := Result{At: now.UTC()}
	anchors, err := readAnchors(ctx, s)
	if err != nil {
		return res, err
	}
	heads := anchors.ledger()
	err = Walk(ctx, s, func(c Chain) error {
		res.Chains++
		res.Entries += len(c.Entries)
		if err := c.Sound(); err != nil {
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
	if err := anchors.check(ctx, mac, heads, &res); err != nil {
		return res, err
	}
	res.Open = append(res.Open, anchors.open(mac, now)...)
	return res, nil
}

const progressEvery = 500
