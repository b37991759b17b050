package stage

import "sync"

// news tells whoever watches that something changed. Its zero value is ready.
type news struct {
	mu      sync.Mutex
	version int
	changed chan struct{} // closed at the next change
	closed  bool
}

// Changed says that something changed which somebody may look at.
func (s *Stage) Changed() {
	s.news.bump()
	s.saver.offer()
}

func (n *news) bump() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.version++
	if n.changed != nil {
		close(n.changed)
		n.changed = nil
	}
}

// Version returns a number that rises with every change, and a channel that is closed by the next one. After the end of the
// stage the channel is nil.
func (s *Stage) Version() (int, <-chan struct{}) {
	n := &s.news
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return n.version, nil
	}
	if n.changed == nil {
		n.changed = make(chan struct{})
	}
	return n.version, n.changed
}

func (n *news) close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = true
	if n.changed != nil {
		close(n.changed)
		n.changed = nil
	}
}
