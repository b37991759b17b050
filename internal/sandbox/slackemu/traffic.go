package slackemu

import (
	"maps"
	"mime"
	"net/url"
	"slices"
	"sync"
)

// traffic keeps every body that passed, in either direction. Its zero value is ready.
type traffic struct {
	mu     sync.Mutex
	bodies [][]byte
}

// record keeps a body. Of a form it also keeps the decoded values, so that a search finds text that percent-encoding hides.
func (t *traffic) record(contentType string, body []byte) {
	if len(body) == 0 {
		return
	}
	kept := [][]byte{slices.Clone(body)}
	if mediaType(contentType) == "application/x-www-form-urlencoded" {
		if form, err := url.ParseQuery(string(body)); err == nil {
			for _, values := range form {
				for _, v := range values {
					kept = append(kept, []byte(v))
				}
			}
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bodies = append(t.bodies, kept...)
}

func mediaType(contentType string) string {
	m, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return ""
	}
	return m
}

// AllTraffic returns every body received and sent since the start, and the decoded values of forms. Nothing is dropped, so
// memory grows with the traffic. The bodies are shared: treat them as read-only.
func (s *Server) AllTraffic() [][]byte {
	s.traffic.mu.Lock()
	defer s.traffic.mu.Unlock()
	return slices.Clone(s.traffic.bodies)
}

// Counters returns how often each Web API method was called, answered or not. Posts to response URLs count as
// "response_url".
func (s *Server) Counters() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.counts)
}

// ResetCounters starts counting anew.
func (s *Server) ResetCounters() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.counts)
	clear(s.tooMany)
}
