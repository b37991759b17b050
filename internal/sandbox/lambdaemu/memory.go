package lambdaemu

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
)

// peakRSS is the most memory that a living process has had, in bytes, and 0 where the system does not tell. It is the kernel's
// VmHWM: the maximum in rusage is known only after the end and starts at that of the parent, whose memory a new process
// shares until it executes its program.
func peakRSS(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(status) {
		value, ok := bytes.CutPrefix(line, []byte("VmHWM:"))
		if !ok {
			continue
		}
		kb, err := strconv.ParseInt(string(bytes.TrimSpace(bytes.TrimSuffix(bytes.TrimSpace(value), []byte("kB")))), 10, 64)
		if err != nil {
			return 0
		}
		return kb * 1024
	}
	return 0
}
