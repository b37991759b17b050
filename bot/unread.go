package bot

import (
	"context"
	"errors"
	"sync"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/templates"
)

// leftOut counts the rotations that an answer leaves out because they cannot be read. The answer has to say so: a list that is
// short in silence looks as if nothing were wrong.
type leftOut struct {
	mu  sync.Mutex
	ids map[rotation.ID]bool
}

type leftOutKey struct{}

// counting returns a context with which what cannot be read is left out and counted.
func counting(ctx context.Context) (context.Context, *leftOut) {
	l := &leftOut{ids: map[rotation.ID]bool{}}
	return context.WithValue(ctx, leftOutKey{}, l), l
}

// n is how many rotations were left out.
func (l *leftOut) n() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.ids)
}

// say adds to an answer how many rotations it leaves out.
func (l *leftOut) say(m templates.Message) templates.Message {
	if n := l.n(); n > 0 {
		return templates.WithUnread(m, n)
	}
	return m
}

// leaveOut takes the error of a page of which some rotations cannot be read: where somebody counts, it is none.
func (b *Bot) leaveOut(ctx context.Context, err error) error {
	some, partly := errors.AsType[*store.Unread](err)
	l, counts := ctx.Value(leftOutKey{}).(*leftOut)
	if !partly || !counts {
		return err
	}
	b.o.Log.Error("rotations left out of a list", "rotations", len(some.IDs), "first", some.IDs[0], "error", err.Error())
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range some.IDs {
		l.ids[id] = true
	}
	return nil
}
