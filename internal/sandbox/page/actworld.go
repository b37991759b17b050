package page

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/keyturn/keyturn/internal/sandbox/stage"
)

// passes are the steps of the clock.
var passes = []struct {
	Name string
	D    time.Duration
}{{"+1 hour", time.Hour}, {"+1 day", 24 * time.Hour}, {"+10 days", 240 * time.Hour}}

func (d deed) scan() (place, error) { return d.at, d.once(d.stage.Scan) }

func (d deed) pass() (place, error) {
	for _, p := range passes {
		if p.Name == d.form.Get("d") {
			return d.at, d.once(func() error { return d.stage.Pass(p.Name, p.D) })
		}
	}
	return d.at, errors.New("the clock has no such step")
}

// errLate answers a click on what was drawn before the last long action: the second one of a double click, or somebody else's.
var errLate = errors.New("the world has gone on since you looked. Press again if you still want it")

// once starts a long action if none was started since its button was drawn.
func (d deed) once(start func() error) error {
	d.pressing.Lock() // or a second click would look before the first one's action starts, and start another after it
	defer d.pressing.Unlock()
	switch last := d.stage.Job(); {
	case d.form.Get("after") == strconv.Itoa(last.Number):
		return start()
	case last.Running:
		return stage.ErrBusy
	default:
		return errLate
	}
}

// key lets a workload use a key, or gives it to the user's workload.
func (d deed) key() (place, error) {
	key := d.form.Get("key")
	switch d.form.Get("do") {
	case "use":
		if err := d.stage.Use(context.Background(), key); err != nil {
			d.stage.SetNote(noteUse, fmt.Sprintf("%s was refused: %s. S3 says the same of a key that is inactive and of one that never was.", key, err))
			return d.at, nil
		}
		d.stage.SetNote(noteUse, fmt.Sprintf("AWS took %s: it counts as used now.", key))
		return d.at, nil
	case "install":
		return d.at, d.stage.Install(context.Background(), key)
	case "dismiss":
		d.stage.Dismiss(d.form.Get("account"), d.form.Get("user"))
		return d.at, nil
	default:
		return d.at, errors.New("a key can be used or installed")
	}
}

// noteUse is what AWS said to the last use of a key by hand.
const noteUse = "use"

func (d deed) trouble() (place, error) {
	for _, t := range stage.Troubles {
		if string(t) == d.form.Get("name") {
			d.stage.Switch(t, d.form.Get("on") == "true")
			return d.at, nil
		}
	}
	return d.at, errors.New("there is no such switch")
}

func (d deed) kill() (place, error) {
	d.stage.Kill(d.form.Get("on") == "true")
	return d.at, nil
}

// start starts keyturn again after it was killed.
func (d deed) start() (place, error) {
	_, err := d.stage.App(context.Background()) // it lives on when the click is over
	return d.at, err
}

// skip takes a step of the tour for done.
func (d deed) skip() (place, error) {
	d.stage.SetNote(noteTour, strconv.Itoa(min(d.reached(context.Background())+1, len(tour))))
	return d.at, nil
}
