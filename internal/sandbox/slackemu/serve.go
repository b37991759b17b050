package slackemu

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const mostBody = 4 << 20

// answer is what a call is answered with; a nil body with status 200 is text "ok".
type answer struct {
	status     int
	retryAfter int // seconds
	body       node
	text       string
}

func okay(n node) answer {
	n["ok"] = true
	return answer{status: http.StatusOK, body: n}
}

func refuse(e *apiError) answer {
	n := node{"ok": false, "error": e.code}
	if len(e.messages) > 0 {
		n["response_metadata"] = node{"messages": e.messages}
		n["errors"] = e.messages
	}
	if e.needed != "" {
		n["needed"], n["provided"] = e.needed, e.provided
	}
	return answer{status: http.StatusOK, body: n}
}

// ServeHTTP serves the Web API below /api/ and response URLs below /response/.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostBody))
	if err != nil {
		http.Error(w, "the body is too large or was cut off", http.StatusRequestEntityTooLarge)
		return
	}
	s.traffic.record(r.Header.Get("Content-Type"), body)
	method, answerID, ok := route(r.URL.Path)
	if !ok {
		http.NotFound(w, r)
		return
	}
	p, err := parseParams(r, body)
	if err != nil {
		s.write(w, refuse(&apiError{code: "invalid_json"}))
		return
	}

	c := s.begin(method)
	if s.ask(c) == Abort {
		panic(http.ErrAbortHandler)
	}
	f := s.faultFor(method, p)
	if f.Kind != 0 && f.Kind != FaultDrop {
		s.fail(w, r, f)
		return
	}
	var a answer
	if method == responseURLMethod {
		a = s.respond(answerID, p)
	} else {
		a = s.perform(method, bearer(r, p), p)
	}
	s.noteRefusal(method, p, a)
	c.Phase = After
	if s.ask(c) == Abort || f.Kind == FaultDrop {
		panic(http.ErrAbortHandler)
	}
	s.write(w, a)
}

func route(path string) (method, answerID string, ok bool) {
	if m, found := strings.CutPrefix(path, "/api/"); found && m != "" {
		return m, "", true
	}
	if id, found := strings.CutPrefix(path, "/response/"); found && id != "" {
		return responseURLMethod, id, true
	}
	return "", "", false
}

func bearer(r *http.Request, p params) string {
	if t, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return t
	}
	return p.get("token")
}

func (s *Server) begin(method string) Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	s.counts[method]++
	return Call{Seq: s.calls, Method: method, Phase: Before}
}

// fail answers a call that a fault keeps from being performed.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, f Fault) {
	switch f.Kind {
	case FaultError:
		s.write(w, refuse(&apiError{code: or(f.Code, "internal_error")}))
	case FaultRateLimited:
		s.write(w, limited(f.RetryAfter))
	case FaultHang:
		select {
		case <-r.Context().Done():
		case <-s.done:
		}
		panic(http.ErrAbortHandler)
	case FaultStatus:
		status := f.Status
		if status == 0 {
			status = http.StatusServiceUnavailable
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "<html><body>"+http.StatusText(status)+"</body></html>")
	default: // FaultDropBefore, and a kind that nobody knows: no answer is the safe one
		panic(http.ErrAbortHandler)
	}
}

func limited(after time.Duration) answer {
	seconds := max(1, int((after+time.Second-1)/time.Second))
	return answer{status: http.StatusTooManyRequests, retryAfter: seconds, body: node{"ok": false, "error": "ratelimited"}}
}

func (s *Server) write(w http.ResponseWriter, a answer) {
	h := w.Header()
	h.Set("X-OAuth-Scopes", strings.Join(s.opt.Scopes, ","))
	if a.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(a.retryAfter))
	}
	body, kind := []byte(a.text), "text/plain; charset=utf-8"
	if a.body != nil {
		body, kind = encode(a.body), "application/json; charset=utf-8"
	}
	h.Set("Content-Type", kind)
	s.traffic.record(kind, body)
	w.WriteHeader(a.status)
	_, _ = w.Write(body) // the caller may be gone
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
