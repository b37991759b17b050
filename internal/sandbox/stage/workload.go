package stage

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Workload is a program of the organization that calls AWS with an access key every few hours.
type Workload struct {
	Account, User, Key string
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
					s.workloads = append(s.workloads, Workload{Account: a.ID, User: u.Name, Key: k.ID})
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

// Use lets a workload call AWS with a key once, now. The error is AWS's answer.
func (s *Stage) Use(ctx context.Context, key string) error {
	defer s.Changed()
	return s.listBuckets(ctx, key)
}

// Install gives a key to the user's workload, which uses it from now on, and at once. A user without a workload gets one.
func (s *Stage) Install(ctx context.Context, key string) error {
	defer s.Changed()
	_, account, user, ok := s.AWS.Key(key)
	if !ok {
		return fmt.Errorf("there is no key %s any more. Reload the page", key)
	}
	err := s.listBuckets(ctx, key)
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.workloads, func(w Workload) bool { return w.Account == account && w.User == user })
	if i < 0 {
		s.workloads, i = append(s.workloads, Workload{Account: account, User: user}), len(s.workloads)
	}
	s.workloads[i].Key, s.workloads[i].Failed = key, "" // what failed was the key before
	s.workloads[i].heard(err, s.Clock.Now())
	return nil
}

// Dismiss ends the workloads of a user.
func (s *Stage) Dismiss(account, user string) {
	s.mu.Lock()
	s.workloads = slices.DeleteFunc(s.workloads, func(w Workload) bool { return w.Account == account && w.User == user })
	s.mu.Unlock()
	s.Changed()
}

// heard takes AWS's answer to a call.
func (w *Workload) heard(err error, at time.Time) {
	switch {
	case err == nil:
		w.Failed, w.FailedAt = "", time.Time{}
	case w.Failed == "":
		w.Failed, w.FailedAt = err.Error(), at
	}
}

// workAll lets every workload call AWS once.
func (s *Stage) workAll(ctx context.Context) {
	s.mu.Lock()
	all := slices.Clone(s.workloads)
	s.mu.Unlock()
	for _, w := range all {
		err := s.listBuckets(ctx, w.Key)
		if ctx.Err() != nil {
			return // the world ends
		}
		s.mu.Lock()
		for i := range s.workloads {
			if s.workloads[i].Key == w.Key {
				s.workloads[i].heard(err, s.Clock.Now())
			}
		}
		s.mu.Unlock()
	}
}
