package slackemu

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// listening is the HTTP server behind Start; its zero value does not listen.
type listening struct {
	http   *http.Server
	url    string
	served chan struct{}
}

// Start listens on a free loopback port and returns the server's URL.
func (s *Server) Start() (string, error) { return s.StartAt("127.0.0.1:0") }

// StartAt listens on addr and returns the server's URL.
func (s *Server) StartAt(addr string) (string, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", fmt.Errorf("listen for the emulated Slack: %w", err)
	}
	h := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan struct{})
	s.mu.Lock()
	if s.listener.http != nil {
		s.mu.Unlock()
		return "", errors.Join(errors.New("the emulated Slack listens already"), l.Close())
	}
	s.listener = listening{http: h, url: "http://" + l.Addr().String(), served: served}
	url := s.listener.url
	s.mu.Unlock()
	go func() {
		defer close(served)
		_ = h.Serve(l) // always an error, ErrServerClosed after Close
	}()
	return url, nil
}

// Close stops listening and lets hanging calls go. A closed server cannot be started again.
func (s *Server) Close() error {
	s.mu.Lock()
	l := s.listener
	select {
	case <-s.done:
	default:
		close(s.done)
	}
	s.mu.Unlock()
	s.client.CloseIdleConnections()
	if l.http == nil {
		return nil
	}
	err := l.http.Close()
	<-l.served
	return err
}

// URL returns the server's base URL, empty before Start.
func (s *Server) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.listener.url
}

// APIURL returns what slack.OptionAPIURL takes.
func (s *Server) APIURL() string { return s.URL() + "/api/" }

// BotURL returns where the bot listens.
func (s *Server) BotURL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.botURL
}

// SetBotURL says where the bot listens.
func (s *Server) SetBotURL(url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.botURL = strings.TrimSuffix(url, "/")
}
