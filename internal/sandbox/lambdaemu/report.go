package lambdaemu

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// transcript is the log of one invocation in the form of CloudWatch's log stream.
type transcript struct{ b strings.Builder }

func (t *transcript) String() string { return t.b.String() }

// add takes what the process wrote and ends its last line.
func (t *transcript) add(s string) {
	t.b.WriteString(s)
	if s != "" && !strings.HasSuffix(s, "\n") {
		t.b.WriteString("\n")
	}
}

func (t *transcript) initStart() {
	t.add("INIT_START Runtime Version: provided:al2023")
}

// initReport is written only when an initialization failed.
func (t *transcript) initReport(took time.Duration, name string, why *failure) {
	status := "error\tError Type: " + why.kind
	if why.kind == typeTimeout {
		status = "timeout"
	}
	t.add(fmt.Sprintf("INIT_REPORT Init Duration: %.2f ms\tPhase: %s\tStatus: %s", ms(took), name, status))
}

func (t *transcript) start(id string) {
	t.add("START RequestId: " + id + " Version: " + version)
}

// end writes why Lambda itself failed the invocation, and the figures. Initialization is billed (since August 2025).
func (t *transcript) end(id string, why *failure, r Result, o Options) {
	status := ""
	if why != nil && why.payload == nil {
		switch why.kind {
		case typeTimeout:
			t.add(fmt.Sprintf("%s %s %s\n\n", time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), id, why.message))
			status = "\tStatus: timeout"
		default:
			t.add("RequestId: " + id + " Error: " + why.message + "\n" + why.kind)
			status = "\tStatus: error\tError Type: " + why.kind
		}
	}
	t.add("END RequestId: " + id)
	line := fmt.Sprintf("REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %.0f ms\tMemory Size: %d MB\tMax Memory Used: %d MB",
		id, ms(r.Duration), math.Ceil(ms(r.Duration+r.InitToNext)), o.MemoryMB, (r.MaxRSS+1<<20-1)>>20)
	if r.InitToNext > 0 {
		line += fmt.Sprintf("\tInit Duration: %.2f ms", ms(r.InitToNext))
	}
	t.add(line + status)
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
