package infra

import (
	"fmt"
	"strings"
	"testing"

	"github.com/keyturn/keyturn/internal/metric"
)

// TestAnchorsAlarm: that the history is not signed is told, where it should be and nowhere else.
func TestAnchorsAlarm(t *testing.T) {
	const key = "arn:aws:kms:eu-central-1:444455556666:key/audit"
	for name, c := range map[string]struct {
		params []string
		want   bool
	}{
		"no key":              {[]string{"ScheduleState", "ENABLED"}, false},
		"a region that waits": {[]string{"AuditMacKeyArn", key, "ScheduleState", "DISABLED"}, false},
		"signed daily":        {[]string{"AuditMacKeyArn", key, "ScheduleState", "ENABLED", "AlarmTopicArn", "arn:aws:sns:eu-central-1:444455556666:oncall"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			a, ok := resolve(t, "keyturn.yaml", c.params...)["AnchorsAlarm"]
			if ok != c.want {
				t.Fatalf("the alarm is there: %t", ok)
			}
			if !ok {
				return
			}
			if got := fmt.Sprint(a.Get("Namespace"), " ", a.Get("MetricName"), " ", a.Get("AlarmActions")); got != "keyturn "+string(metric.Anchors)+" [arn:aws:sns:eu-central-1:444455556666:oncall]" {
				t.Error(got)
			}
			if a.Get("TreatMissingData") != "breaching" {
				t.Error("a scheduler that signs nothing writes no figure, and that has to ring")
			}
			if row := fmt.Sprintf("| `%s` | ", a.Get("AlarmName")); strings.Count(runbook(t), row) != 1 {
				t.Errorf("no row of the table of alarms begins with %s", row)
			}
		})
	}
}
