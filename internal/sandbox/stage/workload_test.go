package stage

import (
	"strings"
	"testing"

	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
	"github.com/keyturn/keyturn/internal/sandbox/world"
)

// TestWorkloadsCall: what workloads do with their keys are calls of AWS, and none of keyturn's.
func TestWorkloadsCall(t *testing.T) {
	s := open(t, Options{Seed: (*world.World).Seed})
	key := s.AWS.Keys(world.Prod, world.Unused)[0].ID
	buckets := func() int {
		return s.AWS.Counters()[awsemu.CallKey{Account: world.Prod, Service: "s3", Operation: "ListBuckets"}]
	}
	if err := s.Use(t.Context(), key); err != nil || buckets() != 1 {
		t.Errorf("%d calls, %v", buckets(), err)
	}
	if k, _, _, _ := s.AWS.Key(key); k.LastUsedService != "s3" || !k.LastUsed.Equal(s.Clock.Now()) {
		t.Errorf("no use of the key: %+v", k)
	}
	if err := s.Install(t.Context(), key); err != nil || buckets() != 2 || len(s.Workloads(world.Prod, world.Unused)) != 1 {
		t.Errorf("%d calls, %v", buckets(), err)
	}
	s.AWS.RemoveKey(world.Prod, key)
	s.workAll(t.Context())
	if f := s.Failing(); len(f) != 1 || f[0].User != world.Unused || !strings.HasPrefix(f[0].Failed, "InvalidAccessKeyId: ") {
		t.Errorf("failing: %+v", f)
	}
	if n := s.Called().Total(); n != 0 {
		t.Errorf("%d of them count as keyturn's", n)
	}
}

// TestWhyAWorkloadFails: a workload says why its own key is refused, and not why the one before it was.
func TestWhyAWorkloadFails(t *testing.T) {
	s := open(t, Options{})
	u := s.AWS.Users(world.Prod)[0]
	gone := s.AWS.Keys(world.Prod, u.Name)[0].ID
	next, _ := s.AWS.AddKey(world.Prod, u.Name, awsemu.Key{})
	s.AWS.RemoveKey(world.Prod, gone)
	s.workAll(t.Context())
	s.AWS.SetFault(awsemu.Fault{Service: "s3", Kind: awsemu.FaultThrottle, Times: 1})
	if err := s.Install(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	if f := s.Failing(); len(f) != 1 || f[0].Key != next || !strings.HasPrefix(f[0].Failed, "SlowDown: ") {
		t.Errorf("failing: %+v", f)
	}
}
