package lambdaemu

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestColdStarts measures the test binary against the empty handler, as the bench does with the product.
func TestColdStarts(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "bootstrap")
	if out, err := exec.Command("go", "build", "-o", empty, "./testdata/empty").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	o := options(t)
	o.Env = append(o.Env, "INIT=print")
	got, err := ColdStarts(t.Context(), 3, o, Options{Name: "empty", Path: empty})
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range got {
		t.Logf("%d: median %s of %v, %d KB", i, s.Median(), s.Samples, s.MaxRSS>>10)
		if len(s.Samples) != 3 || s.Median() <= 0 || s.Median() > time.Minute {
			t.Errorf("%+v", s)
		}
	}
	f := newFunction(t, func(o *Options) { o.Path, o.TaskRoot = empty, "" })
	if r, err := f.Invoke(t.Context(), []byte(`{"a":[1]}`)); err != nil || string(r.Payload) != `{"a":[1]}` {
		t.Errorf("%s %v", r.Payload, err)
	}
}

func TestColdStartsFail(t *testing.T) {
	o := options(t)
	o.Env = append(o.Env, "INIT=exit")
	if _, err := ColdStarts(t.Context(), 1, o); err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "about to exit") {
		t.Errorf("got %v", err)
	}
	if _, err := ColdStarts(t.Context(), 0, o); err == nil {
		t.Error("no rounds are taken")
	}
	o.Name = ""
	if _, err := ColdStarts(t.Context(), 1, o); err == nil {
		t.Error("no name is taken")
	}
}

func TestMedian(t *testing.T) {
	for _, tc := range []struct {
		samples []time.Duration
		want    time.Duration
	}{{nil, 0}, {[]time.Duration{5}, 5}, {[]time.Duration{9, 1, 2}, 2}, {[]time.Duration{8, 1, 2, 4}, 3}} {
		if got := (Startup{Samples: tc.samples}).Median(); got != tc.want {
			t.Errorf("%v: %d", tc.samples, got)
		}
	}
}
