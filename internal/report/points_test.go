package report

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPoints(t *testing.T) {
	state := ""
	day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range MostPoints + 5 {
		var err error
		if state, err = AddPoint(state, Point{Day: day.AddDate(0, 0, i).Format(time.DateOnly), Active: 1000, OverAge: 500 - i, Rotated: i}); err != nil {
			t.Fatal(err)
		}
	}
	all, err := ParsePoints(state)
	if err != nil || len(all) != MostPoints || all[0].OverAge != 495 {
		t.Fatalf("%d points, %v: the oldest is %+v", len(all), err, all[0])
	}
	if len(state) > 32<<10 {
		t.Errorf("%d bytes", len(state))
	}
	last := all[len(all)-1]
	if state, err = AddPoint(state, Point{Day: last.Day, Active: 7, Rotated: 2, Removed: 1}); err != nil {
		t.Fatal(err)
	}
	all, _ = ParsePoints(state)
	if diff := cmp.Diff(Point{Day: last.Day, Active: 7, Rotated: last.Rotated + 2, Removed: 1}, all[len(all)-1]); diff != "" || len(all) != MostPoints {
		t.Errorf("a second scan of the day: %s", diff)
	}
}

func TestUnreadablePointsStay(t *testing.T) {
	for _, state := range []string{"{", `{"d":1}`, `[{"d":"yesterday"}]`, fmt.Sprintf("%q", "x")} {
		got, err := AddPoint(state, Point{Day: "2026-01-01"})
		if got != state || !errors.Is(err, ErrPoints) {
			t.Errorf("%s became %s, %v", state, got, err)
		}
	}
}
