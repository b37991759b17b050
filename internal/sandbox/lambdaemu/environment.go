package lambdaemu

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"time"
)

// phase is what the process of an environment is doing, as the Runtime API sees it.
type phase int

const (
	initializing phase = iota
	initFailed         // it has reported /init/error
	waiting            // it asks for the next invocation
	running            // it has an invocation
	responded          // it has answered and not asked again: the invocation goes on until it does
)

// environment is an execution environment: one process with a Runtime API of its own, so that it is known who asks.
type environment struct {
	arn    string
	cmd    *exec.Cmd
	server *http.Server
	log    *logFile

	work        chan *invocation // unbuffered: the process that waits takes it
	initialized chan struct{}    // closed at the first request for an invocation, or at /init/error
	exited      chan struct{}    // closed when the process has ended
	gone        chan struct{}    // closed when its server and log have ended too

	mu        sync.Mutex
	phase     phase
	started   time.Time
	toNext    time.Duration // from the start to the first request
	current   *invocation   // while running or responded
	initError *failure
	peak      int64
	over      bool           // no more requests are served
	requests  sync.WaitGroup // Add only under mu while over is false
}

// invocation is one event on its way through a process. The answer is guarded by the environment's mu.
type invocation struct {
	id, trace string
	event     []byte
	deadline  time.Time
	answer    *answer
	done      chan struct{} // closed when the process asks again after an answer
}

type answer struct {
	payload []byte
	failure *failure
}

// start makes a process. A failure is one of the function (there is no such executable), an error one of the emulator.
func (f *Function) start() (*environment, *failure, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, fmt.Errorf("listen for the Runtime API: %w", err)
	}
	log, err := newLogFile()
	if err != nil {
		_ = listener.Close()
		return nil, nil, err
	}
	e := &environment{
		arn: f.ARN(), log: log, work: make(chan *invocation), initialized: make(chan struct{}),
		exited: make(chan struct{}), gone: make(chan struct{}),
		cmd: exec.Command(f.opts.Path, f.opts.Args...),
	}
	e.cmd.Dir = f.opts.TaskRoot
	e.cmd.Env = f.environ(listener.Addr().String())
	e.cmd.Stdout, e.cmd.Stderr = log.file, log.file
	e.server = &http.Server{Handler: e.api()}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = e.server.Serve(listener)
	}()
	e.mu.Lock()
	e.started = time.Now()
	e.mu.Unlock()
	if err := e.cmd.Start(); err != nil {
		_ = e.server.Close()
		<-served
		log.close()
		return nil, &failure{kind: typeEntrypoint, message: err.Error()}, nil
	}
	f.work.Go(func() { f.reap(e, served) })
	if !f.register(e) {
		e.kill()
		return nil, nil, ErrClosed
	}
	f.opts.OnProcess(e.cmd.Process.Pid)
	return e, nil, nil
}

// reap waits for the end of the process and then for everything that served it.
func (f *Function) reap(e *environment, served <-chan struct{}) {
	_ = e.cmd.Wait() // how it ended is in ProcessState
	close(e.exited)
	_ = e.server.Close()
	<-served
	e.mu.Lock()
	e.over = true
	if e.peak == 0 {
		e.peak = rusagePeak(e.cmd.ProcessState)
	}
	e.mu.Unlock()
	e.requests.Wait()
	e.log.close()
	f.forget(e)
	close(e.gone)
}

// kill ends the process with SIGKILL and waits until nothing of it is left.
func (e *environment) kill() *os.ProcessState {
	e.measure()
	_ = e.cmd.Process.Kill() // an error means that it has ended
	<-e.gone
	return e.cmd.ProcessState
}

// measure reads the peak memory while the process lives.
func (e *environment) measure() int64 {
	select {
	case <-e.exited:
	default:
		peak := peakRSS(e.cmd.Process.Pid)
		e.mu.Lock()
		e.peak = max(e.peak, peak)
		e.mu.Unlock()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.peak
}

func (e *environment) alive() bool {
	select {
	case <-e.exited:
		return false
	default:
		return true
	}
}

// ready says whether the process got through its initialization, and how long that took.
func (e *environment) ready() (time.Duration, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.toNext, e.phase != initializing && e.phase != initFailed
}

// answerTo gives what was posted for an invocation, nil if nothing was.
func (e *environment) answerTo(inv *invocation) *answer {
	e.mu.Lock()
	defer e.mu.Unlock()
	return inv.answer
}

// initFailure says why a process that is gone never became ready.
func (e *environment) initFailure() failure {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.initError != nil {
		return *e.initError
	}
	return ended(e.cmd.ProcessState)
}
