package fleet

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/metric"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
	"github.com/keyturn/keyturn/internal/sandbox/slackemu"
	"github.com/keyturn/keyturn/internal/sandbox/world"
)

// TestShipped makes the way from the schedule to the new key and its mail with the binary that is deployed, on the real clock.
// Then its log is read as an operator reads it: one rotation by its ID through all three functions, and the figures.
func TestShipped(t *testing.T) {
	s := newStage(t, plan{binary: shipped(t), at: time.Now().UTC().Truncate(time.Second), seed: (*world.World).Seed})
	old := s.hero()
	s.scan()
	if r := s.Slack.As(world.Guest).Command("approve " + old); r.Err != nil {
		t.Fatal(r.Err)
	}
	s.pump()
	s.AWS.SetFault(awsemu.Fault{Operation: "CreateAccessKey", Kind: awsemu.FaultError, Code: "ServiceFailure", Status: 500})
	s.Slack.SetFault(slackemu.Fault{Method: "chat.update", Kind: slackemu.FaultError, Code: "internal_error", Times: 20})
	if r := s.Slack.As(world.OnCall).Command("approve " + old); r.Err != nil {
		t.Fatal(r.Err)
	}
	s.pump()
	r, _ := s.find(old)
	if r.Trouble == nil && r.State != rotation.Installing {
		t.Fatalf("%s, trouble %+v\n%s", r.State, r.Trouble, s.logs.tail())
	}
	seen := map[string]bool{}
	figures := map[metric.Name]bool{}
	for line := range strings.Lines(s.logs.String()) {
		var l struct {
			Function, Rotation string
			AWS                struct {
				CloudWatchMetrics []struct {
					Namespace string
					Metrics   []struct{ Name metric.Name }
				}
			} `json:"_aws"`
		}
		if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &l) != nil {
			continue
		}
		if l.Rotation == string(r.ID) {
			seen[l.Function] = true
		}
		for _, m := range l.AWS.CloudWatchMetrics {
			for _, x := range m.Metrics {
				figures[x.Name] = true
			}
		}
	}
	for _, fn := range []string{"bot", "scheduler", "rotator"} {
		if !seen[fn] {
			t.Errorf("the log of the %s does not name rotation %s", fn, r.ID)
		}
	}
	for _, name := range []metric.Name{
		metric.KeysByAge, metric.KeysInactive, metric.KeysOverAge, metric.RotationsByState, metric.ApprovalsWaiting, metric.OldestApprovalHours,
		metric.ScanSeconds, metric.ScanCalls, metric.Deliveries, metric.Refusals, metric.StepFailures, metric.DeliveryFailures,
	} {
		if !figures[name] {
			t.Errorf("nobody wrote the figure %s", name)
		}
	}
	for _, name := range []string{world.Token, world.Signing} {
		if strings.Contains(s.logs.String(), name) {
			t.Error("a secret of Slack is in the logs")
		}
	}
}

// TestStepToNewKey is the rest of it: the failure of the test above apart, the new key is issued and its owner mailed.
func TestShippedIssues(t *testing.T) {
	s := newStage(t, plan{binary: shipped(t), at: time.Now().UTC().Truncate(time.Second), seed: (*world.World).Seed})
	key := s.AWS.Keys(world.Prod, world.NoSlack)[0].ID // its owner is not in Slack
	s.scan()
	if r := s.Slack.As(world.OnCall).Command("approve " + key); r.Err != nil {
		t.Fatal(r.Err)
	}
	s.pump()
	r, _ := s.find(key)
	if r.State != rotation.Installing || r.Untold() || len(s.AWS.Keys(world.Prod, world.NoSlack)) != 2 {
		t.Fatalf("%s, untold %v\n%s", r.State, r.Untold(), s.logs.tail())
	}
	mailed := false
	for _, m := range s.AWS.Mails() {
		mailed = mailed || strings.Contains(m.Text, string(r.New.ID)) && strings.Contains(strings.Join(m.To, " "), "integration@vendor.example")
	}
	if !mailed {
		t.Error("the owner got no mail about the new key")
	}
	if !strings.Contains(s.logs.String(), `"DueToRotatedHours"`) {
		t.Error("the figure DueToRotatedHours is missing")
	}
}
