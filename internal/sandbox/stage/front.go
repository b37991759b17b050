package stage

import (
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// front is a loopback address whose handler may change.
type front struct {
	url    string
	server *http.Server
	done   chan struct{}

	mu      sync.Mutex
	handler http.Handler
}

func newFront() (*front, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen on loopback: %w", err)
	}
	f := &front{url: "http://" + l.Addr().String(), done: make(chan struct{})}
	f.server = &http.Server{Handler: f, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		defer close(f.done)
		_ = f.server.Serve(l) // always an error, ErrServerClosed after Close
	}()
	return f, nil
}

func (f *front) serve(h http.Handler) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.handler = h
}

// ServeHTTP implements http.Handler. Where nothing runs, nobody answers.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	h := f.handler
	f.mu.Unlock()
	if h == nil {
		panic(http.ErrAbortHandler)
	}
	h.ServeHTTP(w, r)
}

func (f *front) close() error {
	err := f.server.Close()
	<-f.done
	return err
}
