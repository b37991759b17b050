package lambdaemu

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Startup is how long a process takes from its start to its first request for an invocation.
type Startup struct {
	Samples []time.Duration // in the order of measurement
	MaxRSS  int64           // the highest peak at that request, in bytes; 0 where the system does not tell
}

// Median is the middle sample, or the mean of the two in the middle.
func (s Startup) Median() time.Duration {
	if len(s.Samples) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s.Samples))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

// ColdStarts starts each function n times and measures how long it takes to its first request. It takes turns, so that what
// else the machine does hits all of them alike; the first round is not counted, because it reads the executables from disk.
func ColdStarts(ctx context.Context, n int, functions ...Options) ([]Startup, error) {
	if n < 1 || len(functions) == 0 {
		return nil, errors.New("nothing to measure")
	}
	measured := make([]Startup, len(functions))
	for round := range n + 1 {
		for i, o := range functions {
			took, peak, err := coldStart(ctx, o)
			if err != nil {
				return nil, fmt.Errorf("start %s: %w", o.Name, err)
			}
			if round == 0 {
				continue
			}
			measured[i].Samples = append(measured[i].Samples, took)
			measured[i].MaxRSS = max(measured[i].MaxRSS, peak)
		}
	}
	return measured, nil
}

func coldStart(ctx context.Context, o Options) (took time.Duration, peak int64, err error) {
	f, err := New(o)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := ctx.Err(); err != nil {
		return 0, 0, err
	}
	limit, stop := f.opts.Timer(f.opts.InitTimeout)
	defer stop()
	var log transcript
	e, why, err := f.initialize(&log, "init", f.opts.InitTimeout, limit)
	switch {
	case err != nil:
		return 0, 0, err
	case why != nil:
		return 0, 0, fmt.Errorf("%s\n%s", why.answer("none"), log.String())
	}
	took, _ = e.ready()
	return took, e.measure(), nil
}
