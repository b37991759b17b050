package metric

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func at() time.Time { return time.UnixMilli(1_780_000_000_123) }

func TestPut(t *testing.T) {
	for _, tc := range []struct {
		name string
		put  func(*Meter)
		want string
	}{
		{"plain", func(m *Meter) { m.Put(ScanSeconds, 1.5) },
			`{"ScanSeconds":1.5,"_aws":{"CloudWatchMetrics":[{"Dimensions":[[]],"Metrics":[{"Name":"ScanSeconds","Unit":"Seconds"}],"Namespace":"keyturn"}],"Timestamp":1780000000123}}`},
		{"with a dimension, and without it", func(m *Meter) { m.Put(StepFailures, 1, Dimension{"Step", "issue"}) },
			`{"Step":"issue","StepFailures":1,"_aws":{"CloudWatchMetrics":[{"Dimensions":[[],["Step"]],"Metrics":[{"Name":"StepFailures","Unit":"Count"}],"Namespace":"keyturn"}],"Timestamp":1780000000123}}`},
		{"no number", func(m *Meter) { m.Put(ScanSeconds, math.NaN()) }, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out bytes.Buffer
			tc.put(New(&out, at))
			if diff := cmp.Diff(tc.want, strings.TrimSuffix(out.String(), "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
	var none *Meter
	none.Put(ScanSeconds, 1) // writes nothing
}

// Every line is one JSON object, whoever else writes.
func TestLinesStayWhole(t *testing.T) {
	var out bytes.Buffer
	m := New(&out, at)
	done := make(chan bool)
	for range 8 {
		go func() {
			for range 50 {
				m.Put(Deliveries, 1, Dimension{"Target", "slack"})
			}
			done <- true
		}()
	}
	for range 8 {
		<-done
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 400 {
		t.Fatalf("%d lines", len(lines))
	}
	for _, l := range lines {
		if !json.Valid([]byte(l)) {
			t.Fatal(l)
		}
	}
}

func TestNames(t *testing.T) {
	seen := map[Name]bool{}
	for _, n := range Names {
		if seen[n] || n == "" {
			t.Errorf("%q stands twice", n)
		}
		seen[n] = true
	}
}
