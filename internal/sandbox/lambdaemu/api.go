package lambdaemu

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// api is the Runtime API of one process, version 2018-06-01. A path that it does not have gets 404.
func (e *environment) api() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, h http.HandlerFunc) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if !e.enter() {
				refuse(w, http.StatusServiceUnavailable, "InternalServerError", "the process has ended")
				return
			}
			defer e.requests.Done()
			h(w, r)
		})
	}
	handle("GET /2018-06-01/runtime/invocation/next", e.next)
	handle("POST /2018-06-01/runtime/invocation/{id}/response", e.respond)
	handle("POST /2018-06-01/runtime/invocation/{id}/error", e.respondError)
	handle("POST /2018-06-01/runtime/init/error", e.failInit)
	return mux
}

func (e *environment) enter() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.over {
		e.requests.Add(1)
	}
	return !e.over
}

// next completes the invocation before it and waits for another one.
func (e *environment) next(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	switch e.phase {
	case initializing:
		e.toNext = time.Since(e.started)
		close(e.initialized)
	case responded:
		if e.current != nil { // nil: it timed out meanwhile
			close(e.current.done)
		}
		e.current = nil
	case waiting: // a connection was lost and another one asks
	case running, initFailed:
		e.mu.Unlock()
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "the runtime cannot ask for an invocation now")
		return
	}
	e.phase = waiting
	e.mu.Unlock()

	select {
	case inv := <-e.work:
		e.mu.Lock()
		e.phase, e.current = running, inv
		e.mu.Unlock()
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", inv.id)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.deadline.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", e.arn)
		h.Set("Lambda-Runtime-Trace-Id", inv.trace)
		_, _ = w.Write(inv.event) // if the process is gone, its end says so
	case <-r.Context().Done():
	case <-e.exited:
	}
}

func (e *environment) respond(w http.ResponseWriter, r *http.Request) {
	if !e.mayAnswer(w, r) {
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxResponse+1))
	if err != nil {
		refuse(w, http.StatusBadRequest, "TruncatedHTTPRequest", "HTTP request detected as truncated")
		return
	}
	if len(body) > maxResponse {
		_, _ = io.Copy(io.Discard, r.Body) // so that the client reads the refusal and not a broken connection
		why := tooLarge()
		if e.answer(w, r, &answer{failure: &why}) {
			refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge",
				fmt.Sprintf("Exceeded maximum allowed payload size (%d bytes).", maxResponse))
		}
		return
	}
	if e.answer(w, r, &answer{payload: body}) {
		accept(w)
	}
}

func (e *environment) respondError(w http.ResponseWriter, r *http.Request) {
	if !e.mayAnswer(w, r) {
		return
	}
	why, ok := readFailure(w, r)
	if ok && e.answer(w, r, &answer{failure: &why}) {
		accept(w)
	}
}

func (e *environment) failInit(w http.ResponseWriter, r *http.Request) {
	why, ok := readFailure(w, r)
	if !ok {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.phase != initializing {
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "the runtime is initialized")
		return
	}
	e.phase, e.initError = initFailed, &why
	close(e.initialized)
	accept(w)
}

// mayAnswer refuses an answer before its body is read.
func (e *environment) mayAnswer(w http.ResponseWriter, r *http.Request) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.isAwaited(w, r)
}

// answer takes an answer, if the invocation still waits for one after the body was read.
func (e *environment) answer(w http.ResponseWriter, r *http.Request, a *answer) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.isAwaited(w, r) {
		return false
	}
	e.current.answer, e.phase = a, responded
	return true
}

// isAwaited refuses an answer to anything but the running invocation: one that timed out, another process's, a second one.
// The caller holds mu.
func (e *environment) isAwaited(w http.ResponseWriter, r *http.Request) bool {
	switch {
	case e.current == nil || r.PathValue("id") != e.current.id:
		refuse(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
	case e.phase != running:
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "the invocation is answered")
	default:
		return true
	}
	return false
}

// abandon makes the invocation unknown, so that an answer that comes after the timeout is refused.
func (e *environment) abandon() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.current = nil
}

// readFailure reads a posted error: the body is handed on as it is, the header names the type where there is no body.
func readFailure(w http.ResponseWriter, r *http.Request) (failure, bool) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxResponse))
	if err != nil {
		refuse(w, http.StatusBadRequest, "TruncatedHTTPRequest", "HTTP request detected as truncated")
		return failure{}, false
	}
	why := failure{kind: or(r.Header.Get("Lambda-Runtime-Function-Error-Type"), "Runtime.Unknown"), message: "Unknown application error occurred"}
	if len(body) > 0 {
		var posted struct {
			Type string `json:"errorType"`
		}
		if json.Unmarshal(body, &posted) == nil && posted.Type != "" {
			why.kind = posted.Type
		}
		why.payload = body
	}
	return why, true
}

func accept(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`+"\n")
}

func refuse(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"errorType": kind, "errorMessage": message})
}
