package function

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/keyturn/keyturn/internal/metric"
	"github.com/keyturn/keyturn/internal/rotation"
)

func entry(number, id string) string {
	return fmt.Sprintf(`{"eventSource":"aws:dynamodb","dynamodb":{"SequenceNumber":%q,"NewImage":{"kind":{"S":"rotation"},"id":{"S":%q}}}}`, number, id)
}

// What failed comes again, and nothing else; what is named several times is done once.
func TestStream(t *testing.T) {
	const a, b, c = "111122223333/A", "111122223333/B", "111122223333/C"
	for _, tc := range []struct {
		name    string
		records []string
		failing rotation.ID
		done    []rotation.ID
		again   []string
		unknown bool // counted
		refused bool // the whole batch comes again
	}{
		{name: "all well", records: []string{entry("1", a), entry("2", b)}, done: []rotation.ID{a, b}},
		{name: "named three times", records: []string{entry("1", a), entry("2", b), entry("3", a), entry("4", a)}, done: []rotation.ID{a, b}},
		{name: "one fails, with all its records", records: []string{entry("1", a), entry("2", b), entry("3", a)}, failing: a, done: []rotation.ID{a, b}, again: []string{"1", "3"}},
		{name: "one that is not understood", records: []string{entry("1", a), entry("2", "nonsense"), entry("3", c)}, done: []rotation.ID{a, c}, again: []string{"2"}, unknown: true},
		{name: "one without a number", records: []string{entry("1", a), entry("", b)}, unknown: true, refused: true},
		{name: "of another service", records: []string{strings.Replace(entry("1", a), "aws:dynamodb", "aws:kinesis", 1)}, unknown: true, refused: true},
		{name: "none", unknown: true, refused: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out bytes.Buffer
			h := &Handler{o: Options{Log: slog.New(slog.DiscardHandler), Meter: metric.New(&out, time.Now)}}
			var done []rotation.ID
			answer, err := stream(h, []byte(`{"Records":[`+strings.Join(tc.records, ",")+`]}`), changedRotation, func(ids []rotation.ID) map[rotation.ID]error {
				done = ids
				return map[rotation.ID]error{tc.failing: errors.New("no")}
			})
			if (err != nil) != tc.refused {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.done, done); diff != "" {
				t.Errorf("done: %s", diff)
			}
			var again []string
			if err == nil {
				for _, f := range answer.(events.DynamoDBEventResponse).BatchItemFailures {
					again = append(again, f.ItemIdentifier)
				}
			}
			if diff := cmp.Diff(tc.again, again); diff != "" {
				t.Errorf("again: %s", diff)
			}
			if counted := strings.Contains(out.String(), `"UnknownRecords":1`); counted != tc.unknown {
				t.Errorf("counted as unknown: %v\n%s", counted, out.String())
			}
		})
	}
}

// A panic is an error of what panicked.
func TestGuard(t *testing.T) {
	h := &Handler{o: Options{Log: slog.New(slog.DiscardHandler)}}
	if err := h.guard(func() error { panic("no") }); err == nil || !strings.Contains(err.Error(), "no") {
		t.Error(err)
	}
}

// Messages are read as they are written.
func TestMessageRoundTrip(t *testing.T) {
	bodies, err := add(nil, message{Run: "r", Part: 3, Close: true, Late: true})
	if err != nil || len(bodies) != 1 {
		t.Fatal(bodies, err)
	}
	var m message
	if err := json.Unmarshal([]byte(bodies[0]), &m); err != nil || m.Run != "r" || m.Part != 3 || !m.Close || !m.Late || m.Account != nil {
		t.Errorf("%+v %v", m, err)
	}
}

func FuzzEvents(f *testing.F) {
	for _, s := range []string{`{"task":"scan"}`, `{"Records":[` + entry("1", "111122223333/A") + `]}`, `{"Records":[{"eventSource":"aws:sqs","messageId":"1","body":"{}"}]}`, `[]`, `{"Records":[null]}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, event string) {
		h := &Handler{o: Options{Log: slog.New(slog.DiscardHandler)}}
		taskOf([]byte(event))
		_, _ = stream(h, []byte(event), changedRotation, func(ids []rotation.ID) map[rotation.ID]error {
			for _, id := range ids {
				if account, user := id.Split(); account == "" || user == "" {
					t.Errorf("%q", id)
				}
			}
			return nil
		})
		_, _ = stream(h, []byte(event), changedRequest, func([]rotation.ID) map[rotation.ID]error { return nil })
	})
}
