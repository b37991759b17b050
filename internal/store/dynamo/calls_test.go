package dynamo_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/internal/store/storetest"
)

// TestCalls: what each thing costs. An approval in Slack, which has to be answered in three seconds, is one read and one
// write.
func TestCalls(t *testing.T) {
	t.Parallel()
	name := table(t)
	s, counted := open(t, name)
	ctx := t.Context()
	r := storetest.Rotation(1)
	r.Old.ID, r.New = "AKIAONE", &rotation.NewKey{ID: "AKIATWO"}
	request := rotation.Request{Account: "1", UserID: "2", At: storetest.Noon}
	one := storetest.Entry(nil, "one")
	two := storetest.Entry(&one, "two")
	for _, c := range []struct {
		name string
		do   func() error
		want map[string]int
	}{
		{"first save: a pointer for each key", func() (err error) { r, err = s.SaveRotation(ctx, r); return err }, map[string]int{"PutItem": 3}},
		{"read", func() (err error) { r, err = s.GetRotation(ctx, r.ID); return err }, map[string]int{"Query": 1}},
		{"save what was read", func() (err error) { r, err = s.SaveRotation(ctx, storetest.Note(r, "approved")); return err }, map[string]int{"PutItem": 1}},
		{"save what was saved", func() (err error) { r, err = s.SaveRotation(ctx, storetest.Note(r, "issued")); return err }, map[string]int{"PutItem": 1}},
		{"save by a process that never read it", func() (err error) {
			fresh, its := open(t, name)
			r, err = fresh.SaveRotation(ctx, storetest.Note(r, "elsewhere"))
			if d := cmp.Diff(map[string]int{"Query": 1, "PutItem": 1}, its.reset()); d != "" {
				t.Errorf("of the other process (-want +got):\n%s", d)
			}
			return err
		}, nil},
		{"save over what another process saved", func() (err error) { r, err = s.SaveRotation(ctx, storetest.Note(r, "back")); return err },
			map[string]int{"Query": 1, "PutItem": 1}},
		{"close", func() (err error) {
			r = storetest.Note(r, "closed")
			r.State = rotation.Closed
			r, err = s.SaveRotation(ctx, r)
			return err
		}, map[string]int{"PutItem": 1}},
		{"next episode, which begins with a known key", func() (err error) {
			r.State, r.Episode, r.History, r.Old.ID, r.New = rotation.Awaiting, 2, nil, "AKIATWO", nil
			r, err = s.SaveRotation(ctx, r)
			return err
		}, map[string]int{"PutItem": 2}},
		{"by key", func() error { _, err := s.RotationByKey(ctx, "AKIATWO"); return err }, map[string]int{"Query": 2}},
		{"by a key of the past", func() error { _, err := s.RotationByKey(ctx, "AKIAONE"); return err }, map[string]int{"Query": 3}},
		{"episodes", func() error { _, err := s.ListEpisodes(ctx, r.ID); return err }, map[string]int{"Query": 1}},
		{"of an owner", func() error { _, _, err := s.RotationsByOwner(ctx, r.Owner, store.Page{}); return err }, map[string]int{"Query": 1, "BatchGetItem": 1}},
		{"of an account", func() error { _, _, err := s.RotationsByAccount(ctx, r.Account, store.Page{}); return err }, map[string]int{"Query": 1, "BatchGetItem": 1}},
		{"all", func() error { _, _, err := s.ListRotations(ctx, store.Filter{}, store.Page{}); return err }, map[string]int{"Query": 8, "BatchGetItem": 1}},
		{"due", func() error { _, _, err := s.Due(ctx, storetest.Noon, store.Page{}); return err }, map[string]int{"Query": 8, "BatchGetItem": 1}},
		{"nothing due", func() error { _, _, err := s.Due(ctx, storetest.Noon.Add(-time.Hour), store.Page{}); return err }, map[string]int{"Query": 8}},
		{"wake", func() error { return s.Touch(ctx, r.ID) }, map[string]int{"UpdateItem": 1}},
		{"save after a wake", func() (err error) { r, err = s.SaveRotation(ctx, storetest.Note(r, "woken")); return err }, map[string]int{"PutItem": 1}},
		{"small snapshot", func() error { return s.SaveSnapshot(ctx, rotation.Snapshot{Account: "1"}) }, map[string]int{"PutItem": 1}},
		{"read it", func() error { _, err := s.GetSnapshot(ctx, "1"); return err }, map[string]int{"GetItem": 1}},
		{"request", func() error { return s.SaveRequest(ctx, request) }, map[string]int{"PutItem": 1}},
		{"requests", func() error { _, _, err := s.ListRequests(ctx, store.Page{}); return err }, map[string]int{"Query": 1}},
		{"served", func() error { return s.DeleteRequest(ctx, request) }, map[string]int{"GetItem": 1, "DeleteItem": 1}},
		{"exemptions of an account", func() error { _, _, err := s.ListExemptions(ctx, "1", store.Page{}); return err }, map[string]int{"Query": 1}},
		{"first entry of a chain", func() error { return s.AppendEntry(ctx, "chain", one) }, map[string]int{"PutItem": 2}},
		{"its end", func() error { _, err := s.LastEntry(ctx, "chain"); return err }, map[string]int{"Query": 1}},
		{"next entry", func() error { return s.AppendEntry(ctx, "chain", two) }, map[string]int{"GetItem": 1, "PutItem": 1}},
		{"entries", func() error { _, _, err := s.ListEntries(ctx, "chain", store.Page{}); return err }, map[string]int{"Query": 1}},
		{"chains", func() error { _, _, err := s.ListChains(ctx, store.Page{}); return err }, map[string]int{"Query": 1, "BatchGetItem": 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			counted.reset()
			must(t, c.do())
			if d := cmp.Diff(c.want, counted.reset()); d != "" {
				t.Errorf("calls (-want +got):\n%s", d)
			}
		})
	}
}
