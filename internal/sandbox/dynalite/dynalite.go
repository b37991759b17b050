// Package dynalite starts a real server of DynamoDB's protocol for tests: dynalite from npm, pinned in this folder's
// lockfile, in memory, on a free loopback port. It knows no table and no product. What dynalite does not do: streams, TTL,
// transactions, ReturnValuesOnConditionCheckFailure; its indexes never lag.
package dynalite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// Server is a running dynalite. Its methods are safe for concurrent use.
type Server struct {
	url    string
	cmd    *exec.Cmd
	stdin  io.Closer // the process ends with it, also if this one is killed
	stderr *tail
	once   sync.Once
	ended  chan struct{} // closed when the process has ended
	err    error         // of Close
}

// mostStart ends a start whose context does not; installing is part of it.
const mostStart = 2 * time.Minute

// Start starts a server and waits until it answers. ctx limits the start alone. Where node_modules is missing it is installed
// first, which needs the network; make tools does that, too.
func Start(ctx context.Context) (*Server, error) {
	s, err := start(ctx)
	if err != nil {
		return nil, fmt.Errorf("start dynalite: %w", err)
	}
	return s, nil
}

func start(ctx context.Context) (*Server, error) {
	ctx, cancel := context.WithTimeout(ctx, mostStart)
	defer cancel()
	dir, err := folder()
	if err != nil {
		return nil, err
	}
	if err := install(ctx, dir); err != nil {
		return nil, err
	}
	out := &firstLine{line: make(chan string, 1)}
	s := &Server{cmd: exec.Command("node", "serve.js"), stderr: &tail{}, ended: make(chan struct{})}
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = dir, out, s.stderr
	if s.stdin, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(s.ended)
		_ = s.cmd.Wait() // how it ended is told by what it wrote
	}()
	if err := s.answers(ctx, out.line); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// answers waits for the server's port and asks it for its tables.
func (s *Server) answers(ctx context.Context, port <-chan string) error {
	select {
	case p := <-port:
		if _, err := strconv.ParseUint(p, 10, 16); err != nil {
			return fmt.Errorf("it names no port: %q", p)
		}
		s.url = "http://127.0.0.1:" + p
	case <-s.ended:
		return errors.New("it ended at once")
	case <-ctx.Done():
		return ctx.Err()
	}
	if _, err := s.Client().ListTables(ctx, &dynamodb.ListTablesInput{}); err != nil {
		return fmt.Errorf("ask it for its tables: %w", err)
	}
	return nil
}

// URL is where the server listens.
func (s *Server) URL() string { return s.url }

// Close ends the server and waits until it has ended. It is an error if the server had ended before, with what it said.
func (s *Server) Close() error {
	s.once.Do(func() {
		select {
		case <-s.ended:
			s.err = fmt.Errorf("dynalite had ended by itself: %s", s.stderr)
		default:
			_ = s.cmd.Process.Kill() // it may be ending just now
			<-s.ended
		}
		_ = s.stdin.Close()
	})
	return s.err
}

// firstLine passes the first line that is written to it on, and forgets the rest.
type firstLine struct {
	line chan string
	buf  []byte
	done bool
}

// Write implements io.Writer, for one writer.
func (f *firstLine) Write(p []byte) (int, error) {
	if f.done {
		return len(p), nil
	}
	f.buf = append(f.buf, p...)
	if line, _, ok := bytes.Cut(f.buf, []byte("\n")); ok {
		f.line <- strings.TrimSpace(string(line))
		f.done, f.buf = true, nil
	}
	return len(p), nil
}

// tail keeps the end of what is written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const mostTail = 4000

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	t.buf = t.buf[max(0, len(t.buf)-mostTail):]
	return len(p), nil
}

// String returns what was kept.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.buf))
}
