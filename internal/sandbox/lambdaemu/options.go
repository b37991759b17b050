package lambdaemu

import (
	"fmt"
	"io"
	"path/filepath"
	"time"
)

// Options is how a function is made. Name and Path are required; everything else has Lambda's default.
type Options struct {
	Name string
	Path string   // the executable
	Args []string // none in Lambda; for tests that run themselves as the handler
	Env  []string // KEY=value, as a template would set them; reserved names are refused, as Lambda refuses them
	// TaskRoot is LAMBDA_TASK_ROOT and the working directory. Empty: the folder of Path, as if the zip lay there.
	TaskRoot string
	// Credentials gives the execution role's credentials to each new process. Nil: none are set.
	Credentials func() Credentials

	Timeout     time.Duration // default 3 s, at most 15 minutes
	InitTimeout time.Duration // how long a process may take to its first request; default 10 s
	MemoryMB    int           // announced and reported, not enforced; default 128
	Concurrency int           // reserved concurrency; 0: 1000
	Account     string        // default 123456789012
	Region      string        // default us-east-1
	Partition   string        // default aws

	Log       io.Writer     // gets the log of each invocation when it has ended; nil: nowhere
	OnProcess func(pid int) // called when a process was started, before it gets its first event
	// Freeze stops idle processes with SIGSTOP, as Lambda freezes them: what a handler left running goes on only in the next
	// invocation. A test that dies without Close leaves such processes behind, so it is off unless a test is about that.
	Freeze bool
	// Timer is how a timeout is waited for; stop is called when it is needed no more. Nil: real time. A test that fires
	// timeouts by hand tells Timeout and InitTimeout apart by their length.
	Timer func(time.Duration) (fired <-chan time.Time, stop func())
}

// Credentials are what a process finds in its environment.
type Credentials struct{ AccessKeyID, SecretAccessKey, SessionToken string }

func (o Options) complete() (Options, error) {
	if o.Name == "" || o.Path == "" {
		return o, fmt.Errorf("a function needs a name and the path of an executable")
	}
	path, err := filepath.Abs(o.Path)
	if err != nil {
		return o, fmt.Errorf("find %s: %w", o.Path, err)
	}
	o.Path = path
	o.TaskRoot = or(o.TaskRoot, filepath.Dir(path))
	o.Timeout = or(o.Timeout, 3*time.Second)
	o.InitTimeout = or(o.InitTimeout, 10*time.Second)
	o.MemoryMB = or(o.MemoryMB, 128)
	o.Concurrency = or(o.Concurrency, 1000)
	o.Account = or(o.Account, "123456789012")
	o.Region = or(o.Region, "us-east-1")
	o.Partition = or(o.Partition, "aws")
	if o.Log == nil {
		o.Log = io.Discard
	}
	if o.OnProcess == nil {
		o.OnProcess = func(int) {}
	}
	if o.Timer == nil {
		o.Timer = realTimer
	}
	switch {
	case o.Timeout < 0 || o.Timeout > 15*time.Minute:
		return o, fmt.Errorf("a timeout of %s: Lambda allows up to 15 minutes", o.Timeout)
	case o.MemoryMB < 128 || o.MemoryMB > 10240:
		return o, fmt.Errorf("%d MB of memory: Lambda allows 128 to 10,240", o.MemoryMB)
	case o.Concurrency < 0 || o.InitTimeout < 0:
		return o, fmt.Errorf("concurrency and timeouts must not be negative")
	}
	return o, checkEnv(o.Env)
}

func realTimer(d time.Duration) (<-chan time.Time, func()) {
	t := time.NewTimer(d)
	return t.C, func() { t.Stop() }
}

func or[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}
