package lambdaemu

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Function is a Lambda function. Its methods are safe for concurrent use.
type Function struct {
	opts    Options
	slots   chan struct{} // one for each invocation that reserved concurrency allows
	closing chan struct{}
	work    sync.WaitGroup // Add only under mu while closed is false, or by one that is counted

	mu     sync.Mutex
	idle   []*environment // the last one was used last
	live   map[*environment]bool
	busy   map[*environment]bool
	stats  Stats
	closed bool

	logMu sync.Mutex // around opts.Log
}

// Stats counts what a function did since it was made.
type Stats struct {
	Invocations int // handed to a process, or tried to be
	Errors      int // of them, how many ended with a FunctionError
	Throttles   int // refused for want of concurrency
	Starts      int // processes started
	Live        int // processes there are now
}

// Result is what an invocation gave.
type Result struct {
	Payload       []byte // the response, or the error as JSON
	FunctionError string // "" or "Unhandled"
	RequestID     string
	Log           string        // the lines of this invocation with Lambda's own around them
	Cold          bool          // a process was started for it
	InitToNext    time.Duration // from the start of that process to its first request for an invocation
	Duration      time.Duration // from the hand-over until the process asked for the next one
	MaxRSS        int64         // the process's peak memory until then, in bytes; 0 where the system does not tell
}

// New makes a function. Nothing is started until it is invoked.
func New(o Options) (*Function, error) {
	o, err := o.complete()
	if err != nil {
		return nil, fmt.Errorf("make the function %s: %w", o.Name, err)
	}
	return &Function{opts: o, slots: make(chan struct{}, o.Concurrency), closing: make(chan struct{}),
		live: map[*environment]bool{}, busy: map[*environment]bool{}}, nil
}

// ARN names the function.
func (f *Function) ARN() string {
	return fmt.Sprintf("arn:%s:lambda:%s:%s:function:%s", f.opts.Partition, f.opts.Region, f.opts.Account, f.opts.Name)
}

// Invoke is a synchronous invocation. Where all concurrency is in use it is refused with TooManyRequestsException. When ctx
// ends first the caller gets its error, and the function goes on, as it does when a client hangs up.
func (f *Function) Invoke(ctx context.Context, event []byte) (Result, error) {
	event, err := checkEvent(event)
	if err != nil {
		return Result{}, err
	}
	select {
	case f.slots <- struct{}{}:
		return f.begin(ctx, event)
	default:
		f.throttled()
		return Result{}, errThrottled
	}
}

// InvokeWhenFree is Invoke for those who try again until they are let in: event source mappings and asynchronous invocations.
func (f *Function) InvokeWhenFree(ctx context.Context, event []byte) (Result, error) {
	event, err := checkEvent(event)
	if err != nil {
		return Result{}, err
	}
	select {
	case f.slots <- struct{}{}:
		return f.begin(ctx, event)
	default:
		f.throttled()
	}
	select {
	case f.slots <- struct{}{}:
		return f.begin(ctx, event)
	case <-ctx.Done():
		return Result{}, ctx.Err()
	case <-f.closing:
		return Result{}, ErrClosed
	}
}

func (f *Function) throttled() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stats.Throttles++
}

func checkEvent(event []byte) ([]byte, error) {
	if len(event) == 0 {
		return []byte("{}"), nil
	}
	if len(event) > maxRequest {
		return nil, errTooLarge(maxRequest)
	}
	var v json.RawMessage
	if err := json.Unmarshal(event, &v); err != nil {
		return nil, errNotJSON(err)
	}
	return event, nil
}

// begin runs an invocation whose slot is taken, and gives the slot back.
func (f *Function) begin(ctx context.Context, event []byte) (Result, error) {
	type outcome struct {
		result Result
		err    error
	}
	ended := make(chan outcome, 1)
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		<-f.slots
		return Result{}, ErrClosed
	}
	f.stats.Invocations++
	f.work.Go(func() {
		r, err := f.run(event)
		<-f.slots
		ended <- outcome{r, err}
	})
	f.mu.Unlock()
	select {
	case o := <-ended:
		return o.result, o.err
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
}

// Stats counts what happened so far.
func (f *Function) Stats() Stats {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.stats
	s.Live = len(f.live)
	return s
}

// Kill ends the processes of all running invocations with SIGKILL, each by its own ID, and waits for their end. It says how
// many there were.
func (f *Function) Kill() int {
	f.mu.Lock()
	var hit []*environment
	for e := range f.busy {
		hit = append(hit, e)
	}
	f.mu.Unlock()
	for _, e := range hit {
		e.kill()
	}
	return len(hit)
}

// Recycle ends all idle processes, so that the next invocations start cold. It says how many there were.
func (f *Function) Recycle() int {
	f.mu.Lock()
	idle := f.idle
	f.idle = nil
	f.mu.Unlock()
	for _, e := range idle {
		e.kill()
	}
	return len(idle)
}

// Close ends every process by its own ID and waits for all of them. Running invocations get ErrClosed.
func (f *Function) Close() error {
	f.mu.Lock()
	if !f.closed {
		f.closed = true
		close(f.closing)
	}
	live := make([]*environment, 0, len(f.live))
	for e := range f.live {
		live = append(live, e)
	}
	f.mu.Unlock()
	for _, e := range live {
		e.kill()
	}
	f.work.Wait()
	return nil
}

// register counts a new process as busy; false: the function was closed meanwhile.
func (f *Function) register(e *environment) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stats.Starts++
	if f.closed {
		return false
	}
	f.live[e], f.busy[e] = true, true
	return true
}

// checkout takes the idle process that was used last; nil: there is none.
func (f *Function) checkout() *environment {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.idle) > 0 {
		e := f.idle[len(f.idle)-1]
		f.idle = f.idle[:len(f.idle)-1]
		if e.alive() {
			f.busy[e] = true
			return e
		}
	}
	return nil
}

// checkin makes a process idle. One that ends in this moment is left out by checkout.
func (f *Function) checkin(e *environment) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.busy, e)
	if !f.closed && e.alive() {
		f.idle = append(f.idle, e)
	}
}

func (f *Function) forget(e *environment) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.live, e)
	delete(f.busy, e)
	f.idle = slices.DeleteFunc(f.idle, func(i *environment) bool { return i == e })
}

// write gives the log of one invocation to the log's reader in one piece.
func (f *Function) write(log string) {
	f.logMu.Lock()
	defer f.logMu.Unlock()
	_, _ = f.opts.Log.Write([]byte(log))
}
