//go:build unix

package lambdaemu

import (
	"os"
	"runtime"
	"syscall"
)

// rusagePeak is the peak memory in bytes of a process that has ended. It is an upper bound (see peakRSS) and the only figure
// for a process that ended by itself.
func rusagePeak(s *os.ProcessState) int64 {
	if s == nil {
		return 0
	}
	usage, ok := s.SysUsage().(*syscall.Rusage)
	switch {
	case !ok:
		return 0
	case runtime.GOOS == "darwin": // in bytes there, in KiB elsewhere
		return int64(usage.Maxrss)
	}
	return int64(usage.Maxrss) * 1024
}

func freeze(p *os.Process) { _ = p.Signal(syscall.SIGSTOP) }

func thaw(p *os.Process) { _ = p.Signal(syscall.SIGCONT) }
