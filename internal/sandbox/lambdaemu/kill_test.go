//go:build unix

package lambdaemu

import (
	"errors"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// TestKill ends a process in the middle of an invocation, as a crash test does.
func TestKill(t *testing.T) {
	g := newGate(t)
	f := newFunction(t)
	idle := replied(t, f, order{Do: "echo"}).PID
	if n := f.Kill(); n != 0 {
		t.Errorf("%d invocations were running", n)
	}
	p := begin(t.Context(), f, order{Do: "gate", Text: g.url})
	<-g.arrived
	if n := f.Kill(); n != 1 {
		t.Errorf("%d invocations were running", n)
	}
	<-p.done
	if p.err != nil || !strings.HasSuffix(string(p.result.Payload), `Error: Runtime exited with error: signal: killed"}`) {
		t.Errorf("%v %s", p.err, p.result.Payload)
	}
	if now := replied(t, f, order{Do: "echo"}).PID; now == idle {
		t.Error("the process that was killed lives on")
	}
}

// TestKillByID ends a process by the ID that OnProcess gave, also one that is idle.
func TestKillByID(t *testing.T) {
	var mu sync.Mutex
	var pids []int
	f := newFunction(t, func(o *Options) {
		o.OnProcess = func(pid int) {
			mu.Lock()
			defer mu.Unlock()
			pids = append(pids, pid)
		}
	})
	first := replied(t, f, order{Do: "echo"}).PID
	f.mu.Lock()
	e := f.idle[0]
	f.mu.Unlock()
	if err := must(os.FindProcess(pids[0])).Kill(); err != nil {
		t.Fatal(err)
	}
	<-e.gone
	second := replied(t, f, order{Do: "echo"}).PID
	mu.Lock()
	defer mu.Unlock()
	if len(pids) != 2 || pids[0] != first || pids[1] != second {
		t.Errorf("started %v, answered by %d and %d", pids, first, second)
	}
}

func TestRecycle(t *testing.T) {
	g := newGate(t)
	f := newFunction(t)
	p := begin(t.Context(), f, order{Do: "gate", Text: g.url})
	<-g.arrived
	idle := replied(t, f, order{Do: "echo"}).PID
	if n := f.Recycle(); n != 1 {
		t.Errorf("%d were idle", n)
	}
	r := replied(t, f, order{Do: "echo"})
	g.open <- struct{}{}
	if <-p.done; p.err != nil || p.result.FunctionError != "" || r.PID == idle {
		t.Errorf("the running one got %v %s; the next one met %d after %d", p.err, p.result.Payload, r.PID, idle)
	}
}

// TestClose closes while one process runs, one is idle and one initializes.
func TestClose(t *testing.T) {
	g := newGate(t)
	f := newFunction(t)
	running := begin(t.Context(), f, order{Do: "gate", Text: g.named("running")})
	<-g.arrived
	idle := replied(t, f, order{Do: "echo"}).PID
	slow := newFunction(t, withEnv("INIT=gate "+g.named("initializing")))
	starting := begin(t.Context(), slow, order{Do: "echo"})
	<-g.arrived
	for _, fn := range []*Function{f, slow} {
		for range 2 { // closing twice is fine
			if err := fn.Close(); err != nil {
				t.Error(err)
			}
		}
		if n := fn.Stats().Live; n != 0 {
			t.Errorf("%d processes are left", n)
		}
	}
	<-running.done
	<-starting.done
	if !errors.Is(running.err, ErrClosed) || !errors.Is(starting.err, ErrClosed) {
		t.Errorf("those that ran got %v and %v", running.err, starting.err)
	}
	if err := syscall.Kill(idle, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("the idle process: %v", err)
	}
	if _, err := f.Invoke(t.Context(), nil); !errors.Is(err, ErrClosed) {
		t.Errorf("a later one got %v", err)
	}
}

// TestCloseMeetsStart starts a process that the function, closed meanwhile, does not want any more.
func TestCloseMeetsStart(t *testing.T) {
	f := newFunction(t)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if e, why, err := f.start(); e != nil || why != nil || !errors.Is(err, ErrClosed) {
		t.Errorf("%v %v %v", e, why, err)
	}
}

// TestFreeze waits for the stop of an idle process; without one it would hang.
func TestFreeze(t *testing.T) {
	g := newGate(t)
	f := newFunction(t, func(o *Options) { o.Freeze = true })
	replied(t, f, order{Do: "echo"})
	f.mu.Lock()
	pid := f.idle[0].cmd.Process.Pid
	f.mu.Unlock()
	var state syscall.WaitStatus
	if _, err := syscall.Wait4(pid, &state, syscall.WUNTRACED, nil); err != nil || !state.Stopped() {
		t.Fatalf("an idle process is in state %x, want stopped: %v", state, err)
	}
	p := begin(t.Context(), f, order{Do: "gate", Text: g.url})
	<-g.arrived // it runs
	g.open <- struct{}{}
	if <-p.done; p.err != nil || p.result.Cold || p.result.FunctionError != "" {
		t.Errorf("%v, cold %v, %s", p.err, p.result.Cold, p.result.Payload)
	}
	if n := f.Recycle(); n != 1 {
		t.Errorf("%d were idle", n)
	}
}

// TestMaxRSS compares two processes of the same program, one of which takes memory.
func TestMaxRSS(t *testing.T) {
	f := newFunction(t)
	small := invoke(t, f, order{Do: "echo"}).MaxRSS
	if small == 0 {
		t.Skip("this system does not tell")
	}
	const mb = 1 << 20
	grown := invoke(t, f, order{Do: "grow", N: 64}).MaxRSS
	if grown < small+60*mb || grown > small+200*mb {
		t.Errorf("%d MB, and %d MB after taking 64", small/mb, grown/mb)
	}
	if after := invoke(t, f, order{Do: "echo"}).MaxRSS; after < grown {
		t.Errorf("the peak fell from %d to %d MB", grown/mb, after/mb)
	}
	f.Recycle()
	if again := invoke(t, f, order{Do: "echo"}).MaxRSS; again > grown-40*mb {
		t.Errorf("a new process begins at %d MB", again/mb)
	}
}
