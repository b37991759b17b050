package slackemu

import "time"

// Posting is limited to about one message a second and channel, with short bursts (Slack, rate limits).
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
		return s.spend(name+" "+s.resolve(p.get("channel")), postBurst, postBurst*postEvery)
	}
	if perMinute == 0 {
		return 0
	}
	return s.spend(name, perMinute, time.Minute)
}

// spend allows most calls within any window.
func (s *Server) spend(key string, most int, window time.Duration) time.Duration {
	now := s.real()
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
