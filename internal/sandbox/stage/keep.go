package stage

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/sandbox/world"
)

// kept is what the stage keeps beside the world and the product's store.
type kept struct {
	Version   int
	Workloads []Workload
	Notes     map[string]string
	Steps     []keptStep
	Seen      map[rotation.ID]int
	Total     []Count
	Pending   []keptCalls
}

// keptCalls are the calls for a user since its rotation was saved last with something new.
type keptCalls struct {
	Account rotation.AccountID
	User    rotation.UserName
	Calls   []Count
}

type keptStep struct {
	Rotation rotation.ID
	Entry    string // hash
	Calls    []Count
}

const keptVersion = 3

func (s *Stage) keptFile() string { return filepath.Join(s.dir, "stage.json") }

// save writes the world and the stage into the folder.
func (s *Stage) save() error {
	if !s.keep {
		return nil
	}
	k := kept{Version: keptVersion}
	s.mu.Lock()
	k.Workloads, k.Notes = append(k.Workloads, s.workloads...), map[string]string{}
	for name, text := range s.notes {
		k.Notes[name] = text
	}
	s.mu.Unlock()
	t := &s.trail
	t.mu.Lock()
	k.Seen = map[rotation.ID]int{}
	for id, n := range t.seen {
		k.Seen[id] = n
	}
	for id, entries := range t.at {
		for hash, calls := range entries {
			k.Steps = append(k.Steps, keptStep{id, hash, calls.Counts()})
		}
	}
	k.Total = t.total.Counts()
	for w, calls := range t.pending {
		k.Pending = append(k.Pending, keptCalls{w.account, w.user, calls.Counts()})
	}
	t.mu.Unlock()
	text, err := json.Marshal(k)
	if err != nil {
		return fmt.Errorf("save the stage: %w", err)
	}
	return errors.Join(s.World.Save(s.dir), world.Replace(s.keptFile(), text))
}

// load reads what save wrote. A world without it begins its trail anew.
func (s *Stage) load() error {
	text, err := os.ReadFile(s.keptFile())
	if errors.Is(err, os.ErrNotExist) {
		s.employ()
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the stage: %w", err)
	}
	var k kept
	if err := json.Unmarshal(text, &k); err != nil || k.Version != keptVersion {
		return fmt.Errorf("%s was not written by this version of the demo. Remove the folder %s, or name another one", s.keptFile(), s.dir)
	}
	s.workloads = k.Workloads
	for name, text := range k.Notes {
		s.notes[name] = text
	}
	t := &s.trail
	t.seen, t.at = k.Seen, map[rotation.ID]map[string]Calls{}
	t.total, t.pending = callsOf(k.Total), map[who]Calls{}
	for _, p := range k.Pending {
		t.pending[who{p.Account, p.User}] = callsOf(p.Calls)
	}
	for _, st := range k.Steps {
		if t.at[st.Rotation] == nil {
			t.at[st.Rotation] = map[string]Calls{}
		}
		t.at[st.Rotation][st.Entry] = callsOf(st.Calls)
	}
	return nil
}

// saver saves in the background what changed. Its zero value saves nothing.
type saver struct {
	mu     sync.Mutex
	wanted chan struct{} // nil: nothing is kept
	done   chan struct{}
}

// saving begins to save whenever something changed. What changes while it saves is in the next one.
func (s *Stage) saving() {
	if !s.keep {
		return
	}
	wanted, done := make(chan struct{}, 1), make(chan struct{})
	s.saver.mu.Lock()
	s.saver.wanted, s.saver.done = wanted, done
	s.saver.mu.Unlock()
	go func() {
		defer close(done)
		for range wanted {
			if err := s.save(); err != nil {
				s.logs.add("the world was not saved: " + err.Error())
			}
		}
	}()
}

func (v *saver) offer() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.wanted == nil {
		return
	}
	select {
	case v.wanted <- struct{}{}:
	default: // the next one sees it
	}
}

func (v *saver) end() {
	v.mu.Lock()
	wanted, done := v.wanted, v.done
	v.wanted = nil
	v.mu.Unlock()
	if wanted != nil {
		close(wanted)
		<-done
	}
}
