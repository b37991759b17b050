package dynamo

import (
	"container/list"
	"sync"

	"github.com/keyturn/keyturn/internal/rotation"
)

// stored is a rotation as it is stored in one version. A version is written by exactly one save, so what was once read or
// written of it is true for ever; only whether it is still the present one has to be asked, and the condition of a write
// asks that. Nobody changes it.
type stored struct {
	rotation rotation.Rotation // with its whole history
	pieces   []piece           // where the older lines of the history lie
	size     int               // bytes, roughly
}

// lines is how many lines of the history lie in pieces.
func (v *stored) lines() int { return linesOf(v.pieces) }

// Bounds of the cache.
const (
	mostKnown     = 500
	mostKnownSize = 2 << 20 // bytes
)

// cache remembers the last known version of rotations, so that a save need not read what it continues. What was used
// longest ago goes first.
type cache struct {
	mu    sync.Mutex
	byID  map[rotation.ID]*list.Element // of *stored
	order *list.List                    // the front was used last
	size  int
}

func newCache() *cache { return &cache{byID: map[rotation.ID]*list.Element{}, order: list.New()} }

// get returns a version, or nil if it is not known.
func (c *cache) get(id rotation.ID, version int64) *stored {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.byID[id]
	if e == nil || e.Value.(*stored).rotation.Version != version {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*stored)
}

// put remembers a version in the place of every other.
func (c *cache) put(v *stored) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(c.byID[v.rotation.ID])
	if v.size > mostKnownSize/8 {
		return
	}
	c.byID[v.rotation.ID] = c.order.PushFront(v)
	c.size += v.size
	for c.size > mostKnownSize || len(c.byID) > mostKnown {
		c.remove(c.order.Back())
	}
}

// drop forgets a rotation.
func (c *cache) drop(id rotation.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(c.byID[id])
}

func (c *cache) remove(e *list.Element) {
	if e == nil {
		return
	}
	v := c.order.Remove(e).(*stored)
	delete(c.byID, v.rotation.ID)
	c.size -= v.size
}
