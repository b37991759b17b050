// Package report counts: what the keys of an organization look like, what became of rotations in a period, and how the
// number of old keys fell from day to day. It is pure: what it counts is handed to it, one by one.
package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Point is how an organization stood at the end of a scan. There is one a day.
type Point struct {
	Day     string `json:"d"`           // 2006-01-02, UTC
	Active  int    `json:"a"`           // active keys
	OverAge int    `json:"o"`           // of them past their age
	Open    int    `json:"r"`           // open rotations
	Rotated int    `json:"x,omitempty"` // keys replaced since the point before
	Removed int    `json:"y,omitempty"` // keys removed for good since the point before
}

// StateKey is where the store keeps the points, as AddPoint writes them.
const StateKey = "burndown"

// MostPoints is for how many days points are kept.
const MostPoints = 400

// ErrPoints says that what the store has are no points. It is left as it is.
var ErrPoints = errors.New("the burn-down's points cannot be read")

// ParsePoints reads points, the oldest first. Nothing is no points.
func ParsePoints(state string) ([]Point, error) {
	if state == "" {
		return nil, nil
	}
	var all []Point
	if err := json.Unmarshal([]byte(state), &all); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPoints, err)
	}
	for _, p := range all {
		if _, err := time.Parse(time.DateOnly, p.Day); err != nil {
			return nil, fmt.Errorf("%w: %q is no day", ErrPoints, p.Day)
		}
	}
	slices.SortStableFunc(all, func(a, b Point) int { return strings.Compare(a.Day, b.Day) })
	return all, nil
}

// AddPoint returns the state with a point added. One of the same day takes its place, and what was rotated and removed that
// day is added up; the oldest ones fall off.
func AddPoint(state string, p Point) (string, error) {
	all, err := ParsePoints(state)
	if err != nil {
		return state, err
	}
	if n := len(all); n > 0 && all[n-1].Day == p.Day {
		p.Rotated, p.Removed = p.Rotated+all[n-1].Rotated, p.Removed+all[n-1].Removed
		all = all[:n-1]
	}
	all = append(all, p)
	if more := len(all) - MostPoints; more > 0 {
		all = all[more:]
	}
	b, err := json.Marshal(all)
	if err != nil {
		return state, fmt.Errorf("write the burn-down's points: %w", err)
	}
	return string(b), nil
}
