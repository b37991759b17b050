package scheduler

import (
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
)

// Bands are the bands of age in which keys are counted: each begins at an age in days.
var Bands = []struct {
	Name string
	From time.Duration
}{
	{"0-30d", 0}, {"30-60d", 30 * rotation.Day}, {"60-90d", 60 * rotation.Day}, {"90-180d", 90 * rotation.Day}, {"180d-", 180 * rotation.Day},
}

// Stock is how many keys and open rotations an account has, of which kind: figures for graphs.
type Stock struct {
	Active    map[string]int         `json:"active,omitempty"` // active keys by the name of their band
	Inactive  int                    `json:"inactive"`
	Rotations map[rotation.State]int `json:"rotations,omitempty"` // open ones
	Stuck     int                    `json:"stuck"`
	Waiting   int                    `json:"waiting"`        // for a decision
	Oldest    time.Duration          `json:"oldest_waiting"` // for so long the oldest of these waits
}

// band returns the name of the band of an age.
func band(age time.Duration) string {
	name := Bands[0].Name
	for _, b := range Bands {
		if age >= b.From {
			name = b.Name
		}
	}
	return name
}

func (s *Stock) key(k rotation.Key, now time.Time) {
	switch {
	case k.Status == rotation.Inactive:
		s.Inactive++
	case k.Status == rotation.Active && !k.Created.IsZero():
		if s.Active == nil {
			s.Active = map[string]int{}
		}
		s.Active[band(now.Sub(k.Created))]++
	}
}

func (s *Stock) rotation(r rotation.Rotation, now time.Time) {
	if !r.Open() {
		return
	}
	if s.Rotations == nil {
		s.Rotations = map[rotation.State]int{}
	}
	s.Rotations[r.State]++
	if r.Stuck != nil {
		s.Stuck++
	}
	if r.State == rotation.Awaiting {
		s.Waiting++
		s.Oldest = max(s.Oldest, now.Sub(r.Since))
	}
}

// figures takes over from the report what the part of a run carries.
func (x *result) figures() {
	rep := x.report
	x.Changed = 0 // what an attempt before this one changed counts too, if it died before it said so
	for _, all := range [][]rotation.Rotation{rep.Open, rep.Closed} {
		for _, r := range all {
			if r.Untold() {
				x.Changed++
			}
		}
	}
	if x.Failed == "" {
		x.Users, x.Keys, x.OverAge, x.Findings = rep.Users, rep.Keys, rep.OverAge, len(rep.Findings)
	}
	x.RootKeys, x.Stock = rep.RootKeys, rep.Stock
	x.Rotated, x.Removed = 0, 0
	for _, r := range rep.Closed {
		switch r.Outcome {
		case rotation.OutcomeRotated:
			x.Rotated++
		case rotation.OutcomeRetired:
			x.Removed++
		}
	}
	for _, r := range rep.Open {
		x.Stock.rotation(r, rep.At)
	}
}
