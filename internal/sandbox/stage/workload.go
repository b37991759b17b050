package stage

import (
	"fmt"
	"slices"
	"time"

	"github.com/keyturn/keyturn/internal/sandbox/world"
)

// Workload is a program of the organization that calls AWS with an access key every few hours.
type Workload struct {
	Account, User, Key string
	Service, Region    string
	Failed             string    `json:",omitempty"` // what AWS said to its last call; "": it worked
	FailedAt           time.Time `json:",omitzero"`  // domain clock: since when it has failed
}

// WorkloadEvery is how often a workload runs.
const WorkloadEvery = 6 * time.Hour

// employ gives a workload to each user of the seeded world whose key is in use.
func (s *Stage) employ() {
	for _, a := range s.AWS.Accounts() {
		if a.State != "" && a.State != "ACTIVE" {
			continue
		}
		for _, u := range s.AWS.Users(a.ID) {
			for _, k := range s.AWS.Keys(a.ID, u.Name) {
				if !k.Inactive && !k.LastUsed.IsZero() && s.Clock.Now().Sub(k.LastUsed) <= 36*time.Hour {
					s.workloads = append(s.workloads, Workload{Account: a.ID, User: u.Name, Key: k.ID, Service: k.LastUsedService, Region: k.LastUsedRegion})
				}
			}
		}
	}
}

// Workloads returns the workloads of a user.
func (s *Stage) Workloads(account, user string) []Workload {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.workloads), func(w Workload) bool { return w.Account != account || w.User != user })
}

// Failing returns the workloads whose last call was refused.
func (s *Stage) Failing() []Workload {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.workloads), func(w Workload) bool { return w.Failed == "" })
}

// Use lets a workload call AWS with a key once, now. The error is AWS's.
func (s *Stage) Use(key string) error {
	defer s.Changed()
	return s.AWS.Use(key, "s3", world.Region)
}

// Install gives a key to the user's workload, which uses it from now on, and at once. A user without a workload gets one.
func (s *Stage) Install(key string) error {
	defer s.Changed()
	_, account, user, ok := s.AWS.Key(key)
	if !ok {
		return fmt.Errorf("there is no key %s any more. Reload the page", key)
	}
	s.mu.Lock()
	i := slices.IndexFunc(s.workloads, func(w Workload) bool { return w.Account == account && w.User == user })
	if i < 0 {
		s.workloads, i = append(s.workloads, Workload{Account: account, User: user, Service: "s3", Region: world.Region}), len(s.workloads)
	}
	s.workloads[i].Key = key
	s.work(&s.workloads[i])
	s.mu.Unlock()
	return nil
}

// Dismiss ends the workloads of a user.
func (s *Stage) Dismiss(account, user string) {
	s.mu.Lock()
	s.workloads = slices.DeleteFunc(s.workloads, func(w Workload) bool { return w.Account == account && w.User == user })
	s.mu.Unlock()
	s.Changed()
}

// work lets every workload run. It needs mu.
func (s *Stage) work(w *Workload) {
	err := s.AWS.Use(w.Key, w.Service, w.Region)
	switch {
	case err == nil:
		w.Failed, w.FailedAt = "", time.Time{}
	case w.Failed == "":
		w.Failed, w.FailedAt = err.Error(), s.Clock.Now()
	}
}

// workAll lets every workload run.
func (s *Stage) workAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.workloads {
		s.work(&s.workloads[i])
	}
}
