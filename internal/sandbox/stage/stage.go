package stage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/keyturn/keyturn/internal/sandbox/world"
)

// Options is how a stage is built. The zero value is the world of the tour, kept in memory.
type Options struct {
	Data string             // folder that keeps the state; "": a temporary one, removed at the end
	Seed func(*world.World) // fills a new world; nil: world.Seed
}

// Stage is the running world with the running product in it. Close it.
type Stage struct {
	*world.World
	dir  string
	keep bool
	lock *os.File // while the folder is this world's alone
	logs *lines
	bot  *front

	news  news
	trail trail
	jobs  jobs
	saver saver

	starting  sync.Mutex // one process is started at a time
	mu        sync.Mutex // guards everything below
	process   *process
	killed    string // the call after which the last process died, "" if it did not
	armed     bool   // the process dies after its next change of AWS
	dead      sync.WaitGroup
	workloads []Workload
	switches  map[Trouble]bool
	notes     map[string]string
	opened    bool // what is kept was read, and may be written
	closed    bool // nothing is started any more
}

// Open starts both emulators and the whole application, on loopback. With a folder that a stage has kept its state in, the
// world goes on from there.
func Open(ctx context.Context, o Options) (s *Stage, err error) {
	s = &Stage{dir: o.Data, keep: o.Data != "", logs: &lines{}, switches: map[Trouble]bool{}, notes: map[string]string{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.keep {
		err = os.MkdirAll(s.dir, 0o700)
	} else {
		s.dir, err = os.MkdirTemp("", "keyturn-demo-")
	}
	if err != nil {
		return s, fmt.Errorf("make the folder of the world: %w", err)
	}
	if s.keep {
		if s.lock, err = lock(s.dir); err != nil {
			return s, err
		}
	}
	before := false
	if s.World, before, err = world.Open(s.dir); err != nil {
		return s, err
	}
	if before {
		err = s.load()
	} else {
		if o.Seed == nil {
			o.Seed = (*world.World).Seed
		}
		o.Seed(s.World)
		s.employ()
	}
	if err != nil {
		return s, err
	}
	s.opened = true
	s.Slack.LimitRates(s.Hands.Now)
	s.watch()
	s.saving()
	if s.bot, err = newFront(); err != nil {
		return s, err
	}
	s.Slack.SetBotURL(s.bot.url)
	return s, s.restart(ctx)
}

// Close ends everything, and removes the state unless a folder keeps it.
func (s *Stage) Close() error {
	var errs []error
	s.jobs.close()
	s.starting.Lock() // what is being started is ended, too
	s.mu.Lock()
	s.closed = true
	p := s.process
	s.mu.Unlock()
	s.starting.Unlock()
	if p != nil {
		errs = append(errs, p.app.Close())
	}
	s.dead.Wait()
	s.saver.end()
	if p != nil {
		errs = append(errs, p.store.Close())
	}
	if s.World != nil {
		if s.opened {
			errs = append(errs, s.save())
		}
		s.AWS.OnCall(nil)
		s.Slack.OnCall(nil)
	}
	if s.bot != nil {
		errs = append(errs, s.bot.close())
	}
	if s.World != nil {
		errs = append(errs, s.World.Close())
	}
	s.news.close()
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	if !s.keep && s.dir != "" {
		errs = append(errs, os.RemoveAll(s.dir))
	}
	return errors.Join(errs...)
}

func (s *Stage) database() string { return filepath.Join(s.dir, "keyturn.db") }

// Log returns the latest lines that the product has logged, oldest first.
func (s *Stage) Log() []string { return s.logs.all() }

// lines keeps the latest lines of a log.
type lines struct {
	mu   sync.Mutex
	kept []string
}

const mostLines = 2000

// Write implements io.Writer.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range bytes.Lines(p) {
		l.keep(string(bytes.TrimRight(line, "\n")))
	}
	return len(p), nil
}

func (l *lines) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keep(line)
}

// keep needs mu.
func (l *lines) keep(line string) {
	if l.kept = append(l.kept, line); len(l.kept) > mostLines {
		l.kept = append([]string(nil), l.kept[len(l.kept)-mostLines/2:]...)
	}
}

func (l *lines) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.kept...)
}

// Note returns what was noted under a name, "" if nothing was. Notes are kept with the world.
func (s *Stage) Note(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.notes[name]
}

// SetNote notes a text under a name.
func (s *Stage) SetNote(name, text string) {
	s.mu.Lock()
	s.notes[name] = text
	s.mu.Unlock()
	s.Changed()
}

// ProdCredentials returns an access key for the AWS CLI that may do everything in the production account of the world.
func (s *Stage) ProdCredentials() (id, secret string) { return s.AWS.Bootstrap(world.Prod) }
