// Package metric writes figures in CloudWatch's embedded metric format: lines of the log that CloudWatch Logs turns into
// metrics, so that no call is made and no permission needed. It owns the names of keyturn's metrics and knows nothing of what
// they count.
package metric

import (
	"encoding/json"
	"io"
	"slices"
	"sync"
	"time"
)

// Namespace is where CloudWatch shows the metrics.
const Namespace = "keyturn"

// Name is the name of a metric.
type Name string

// The metrics. Those with a dimension are written without it too, so that one alarm covers all its values.
const (
	KeysByAge           Name = "KeysByAge"           // active keys of the organization after a scan; by Band
	KeysInactive        Name = "KeysInactive"        // inactive keys after a scan
	KeysOverAge         Name = "KeysOverAge"         // active keys past the age of their policy after a scan
	RotationsByState    Name = "RotationsByState"    // open rotations after a scan; by State
	StuckRotations      Name = "StuckRotations"      // rotations that wait for a person because something was unclear
	ApprovalsWaiting    Name = "ApprovalsWaiting"    // rotations that wait for a decision, after a scan
	OldestApprovalHours Name = "OldestApprovalHours" // how long the oldest of them has waited
	DueToRotatedHours   Name = "DueToRotatedHours"   // from the day a key was due to its new key
	Refusals            Name = "Refusals"            // decisions that were refused
	StepFailures        Name = "StepFailures"        // steps on AWS that failed; by Step
	ScanFailures        Name = "ScanFailures"        // accounts that could not be scanned
	ScanSeconds         Name = "ScanSeconds"         // duration of the scan of one account
	ScanCalls           Name = "ScanCalls"           // calls of AWS that the scan of one account made
	Deliveries          Name = "Deliveries"          // messages that Slack or the mail service took; by Target
	DeliveryFailures    Name = "DeliveryFailures"    // messages that it did not take; by Target
	UnknownRecords      Name = "UnknownRecords"      // events and records that this version does not understand
	StoreErrors         Name = "StoreErrors"         // calls of the store that failed
	Anchors             Name = "Anchors"             // anchors of the audit history that were made, one a day
)

// Names lists every metric.
var Names = []Name{
	KeysByAge, KeysInactive, KeysOverAge, RotationsByState, StuckRotations, ApprovalsWaiting, OldestApprovalHours, DueToRotatedHours,
	Refusals, StepFailures, ScanFailures, ScanSeconds, ScanCalls, Deliveries, DeliveryFailures, UnknownRecords, StoreErrors, Anchors,
}

// Dimension narrows a metric.
type Dimension struct{ Name, Value string }

// unit is CloudWatch's unit of a metric.
func (n Name) unit() string {
	if n == ScanSeconds {
		return "Seconds"
	}
	if n == OldestApprovalHours || n == DueToRotatedHours {
		return "None" // CloudWatch has no hours
	}
	return "Count"
}

// Meter writes metrics. A nil Meter writes none. It is safe for concurrent use.
type Meter struct {
	mu  sync.Mutex
	out io.Writer
	now func() time.Time
}

// New returns a meter that writes one line for each figure. now is the protocol clock.
func New(out io.Writer, now func() time.Time) *Meter { return &Meter{out: out, now: now} }

// Put writes a figure. The format is that of CloudWatch's embedded metric format specification.
func (m *Meter) Put(name Name, value float64, dims ...Dimension) {
	if m == nil {
		return
	}
	sets := [][]string{{}}
	line := map[string]any{string(name): value}
	if len(dims) > 0 {
		var set []string
		for _, d := range dims {
			set = append(set, d.Name)
			line[d.Name] = d.Value
		}
		slices.Sort(set)
		sets = append(sets, set)
	}
	line["_aws"] = map[string]any{
		"Timestamp": m.now().UnixMilli(),
		"CloudWatchMetrics": []any{map[string]any{
			"Namespace": Namespace, "Dimensions": sets, "Metrics": []any{map[string]string{"Name": string(name), "Unit": name.unit()}},
		}},
	}
	b, err := json.Marshal(line)
	if err != nil {
		return // a figure that is not a number: the log must not fail for it
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	_, _ = m.out.Write(append(b, '\n'))
}
