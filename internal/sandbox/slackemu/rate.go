package slackemu

import (
	"maps"
	"time"
)

// Posting is limited to about one message a second and channel, with short bursts (Slack, rate limits): a channel saves up
// to postBurst messages, and gets another one each postEvery.
const (
	postEvery = time.Second
	postBurst = 4
)

// over counts a call against its limits and returns how long to wait if it is beyond them. It needs mu.
func (s *Server) over(name string, perMinute int, p params) time.Duration {
	if !s.opt.RateLimits {
		return 0
	}
	if name == "chat.postMessage" {
		return s.post1(name + " " + s.resolve(p.get("channel")))
	}
	if perMinute == 0 {
		return 0
	}
	return s.spend(name, perMinute, time.Minute)
}

// spend allows most calls within any window.
func (s *Server) spend(key string, most int, window time.Duration) time.Duration {
	now := s.opt.RateClock()
	recent := s.rates[key]
	for len(recent) > 0 && now.Sub(recent[0]) >= window {
		recent = recent[1:]
	}
	if len(recent) >= most {
		s.rates[key] = recent
		return window - now.Sub(recent[0])
	}
	s.rates[key] = append(recent, now)
	return 0
}

// post1 takes one of the messages that a channel has saved. The times that it keeps are when each one that was taken is back.
func (s *Server) post1(key string) time.Duration {
	now := s.opt.RateClock()
	back := s.rates[key]
	for len(back) > 0 && !now.Before(back[0]) {
		back = back[1:]
	}
	if len(back) >= postBurst {
		s.rates[key] = back
		return back[0].Sub(now)
	}
	next := now
	if n := len(back); n > 0 {
		next = back[n-1]
	}
	s.rates[key] = append(back, next.Add(postEvery))
	return 0
}

// LimitRates makes the server refuse calls beyond Slack's limits from now on, as Options.RateLimits does; nil is the real clock.
func (s *Server) LimitRates(clock func() time.Time) {
	if clock == nil {
		clock = time.Now
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opt.RateLimits, s.opt.RateClock = true, clock
	clear(s.rates) // they were measured on another clock, or not at all
}

// Usage is how often a method was called, and how many of the calls were refused because there were too many. A refusal that
// a fault ordered is not among them.
type Usage struct{ Calls, Refused int }

// Limits returns the usage of every method that was called.
func (s *Server) Limits() map[string]Usage {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]Usage{}
	for name, n := range s.counts {
		out[name] = Usage{Calls: n, Refused: s.tooMany[name]}
	}
	return out
}

// WithinLimits fails a test, which is what a *testing.T does with Errorf, if a call was beyond Slack's limits, or if nobody
// looked because they are switched off.
func (s *Server) WithinLimits(t interface {
	Helper()
	Errorf(format string, args ...any)
}) {
	t.Helper()
	s.mu.Lock()
	on := s.opt.RateLimits
	s.mu.Unlock()
	if !on {
		t.Errorf("the limits are switched off: nobody knows whether they were kept")
	}
	for name, n := range s.TooMany() {
		t.Errorf("%d calls of %s were beyond Slack's limit", n, name)
	}
}

// TooMany returns how many calls of each method were refused because there were too many.
func (s *Server) TooMany() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.tooMany)
}
