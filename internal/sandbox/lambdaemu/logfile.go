package lambdaemu

import (
	"fmt"
	"io"
	"os"
	"sync"
)

// logFile is where a process writes stdout and stderr. It is a file and not a pipe, because what was written before a call of
// the Runtime API must be there when that call arrives: a reader of a pipe may lag behind.
type logFile struct {
	file *os.File

	mu   sync.Mutex
	read int64  // what take has given out
	rest []byte // what was left when the file was closed
}

func newLogFile() (*logFile, error) {
	f, err := os.CreateTemp("", "lambdaemu-*.log")
	if err != nil {
		return nil, fmt.Errorf("make a log file: %w", err)
	}
	// The process gets the file by its descriptor, so it needs no name and goes away by itself. Where a file in use cannot be
	// removed it stays in the temporary folder.
	_ = os.Remove(f.Name())
	return &logFile{file: f}, nil
}

// take gives what was written since the last time.
func (l *logFile) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		rest := l.rest
		l.rest = nil
		return string(rest)
	}
	return string(l.tail())
}

// close keeps what is left for a last take.
func (l *logFile) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return
	}
	l.rest = l.tail()
	_ = l.file.Close()
	l.file = nil
}

// tail reads at an offset of its own: the process shares the position of the descriptor.
func (l *logFile) tail() []byte {
	b, err := io.ReadAll(io.NewSectionReader(l.file, l.read, 1<<40))
	if err != nil {
		b = fmt.Appendf(b, "[the rest of the log cannot be read: %v]\n", err)
	}
	l.read += int64(len(b))
	return b
}
