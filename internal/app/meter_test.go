package app

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/metric"
	"github.com/keyturn/keyturn/internal/rotation"
)

// shelf is a store of one rotation.
type shelf struct {
	Store
	r rotation.Rotation
}

func (s *shelf) GetRotation(context.Context, rotation.ID) (rotation.Rotation, error) { return s.r, nil }

func (s *shelf) SaveRotation(_ context.Context, r rotation.Rotation) (rotation.Rotation, error) {
	r.Version++
	s.r = r
	return r, nil
}

// What is saved is counted by its new lines of history, each once.
func TestFiguresOfSaves(t *testing.T) {
	now := time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)
	who := rotation.Actor{ID: "U1", Name: "Somebody", Via: rotation.ViaSlack}
	installing := rotation.Rotation{ID: "111122223333/AIDA1", Version: 3, State: rotation.Installing, Policy: rotation.DefaultPolicy(),
		Old: rotation.KeyRef{ID: "AKIAOLD"}, New: &rotation.NewKey{ID: "AKIANEW"}, DueAt: now.Add(-time.Hour)}
	for _, tc := range []struct {
		name  string
		event rotation.Event
		want  metric.Name
	}{
		{"a refusal", rotation.Denied{Actor: who, What: "approve", Why: "no"}, metric.Refusals},
		{"a failed step", rotation.Failed{Op: rotation.OpDeactivate, Error: "no"}, metric.StepFailures},
		{"a lost replacement", rotation.ReplacementLost{What: "the secret is gone"}, metric.StuckRotations},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out bytes.Buffer
			m := meter(&shelf{r: installing}, metric.New(&out, func() time.Time { return now }), func() time.Time { return now })
			r, err := m.GetRotation(t.Context(), installing.ID)
			if err != nil {
				t.Fatal(err)
			}
			next, err := rotation.Apply(r, tc.event, now)
			if err != nil {
				t.Fatal(err)
			}
			saved, err := m.SaveRotation(t.Context(), next)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := m.SaveRotation(t.Context(), saved); err != nil { // nothing new
				t.Fatal(err)
			}
			if n := strings.Count(out.String(), `"Name":"`+string(tc.want)+`"`); n != 1 {
				t.Errorf("%s was written %d times: %s", tc.want, n, out.String())
			}
		})
	}
}
