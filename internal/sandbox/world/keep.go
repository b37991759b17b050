package world

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// keptFile is where a world is kept, in its folder.
const keptFile = "world.json"

// keptVersion is of the form below. Raise it when the form changes: another version is refused, not converted.
const keptVersion = 1

// anew is what to do about a world that cannot be opened.
const anew = "remove the folder that it is in, to begin anew"

// kept is a world as it is written. The access key opens nothing but the emulated AWS.
type kept struct {
	Version   int             `json:"version"`
	Clock     time.Time       `json:"clock"`
	Ahead     string          `json:"ahead"` // by how much the protocol clock was moved
	KeyID     string          `json:"key_id"`
	KeySecret string          `json:"key_secret"`
	Addresses addresses       `json:"addresses"`
	AWS       json.RawMessage `json:"aws"`
	Slack     json.RawMessage `json:"slack"`
}

// Save writes both emulators and the clocks into dir/world.json, whole or not at all. The file is for its owner alone: it is
// the memory of the emulated AWS, whose secrets are in it. What Save of the emulators leaves out is not kept. The emulators are
// read one after the other: call it when nothing is under way.
func (w *World) Save(dir string) error {
	if err := w.save(dir); err != nil {
		return fmt.Errorf("keep the world: %w", err)
	}
	return nil
}

func (w *World) save(dir string) error {
	k := kept{Version: keptVersion, Clock: w.Clock.Now().UTC(), Ahead: w.Hands.moved().String(), KeyID: w.id, KeySecret: w.secret, Addresses: w.addresses()}
	var err error
	if k.AWS, err = w.AWS.Save(); err != nil {
		return err
	}
	if k.Slack, err = w.Slack.Save(); err != nil {
		return err
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(k); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return Replace(filepath.Join(dir, keptFile), b.Bytes())
}

// Replace puts a file in the place of another one so that there is a whole one at any time. It is for its owner alone.
func Replace(path string, content []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // with mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// Open is New with the world that Save wrote into dir, at the same addresses if they are free; ok is false if there is none
// there, and then the world is like New's.
func Open(dir string) (w *World, ok bool, err error) {
	content, err := os.ReadFile(filepath.Join(dir, keptFile))
	if errors.Is(err, fs.ErrNotExist) {
		w, err = New()
		return w, false, err
	}
	if err == nil {
		w, err = open(content)
	}
	if err != nil {
		return nil, false, fmt.Errorf("open the world that was kept: %w", err)
	}
	return w, true, nil
}

func open(content []byte) (*World, error) {
	k, err := read(content)
	if err != nil {
		return nil, err
	}
	ahead, err := time.ParseDuration(k.Ahead)
	if err != nil {
		return nil, fmt.Errorf("it is damaged: %w: %s", err, anew)
	}
	w := empty()
	w.Clock.set(k.Clock.UTC())
	w.Hands.Advance(ahead)
	w.id, w.secret = k.KeyID, k.KeySecret
	err = w.AWS.Load(k.AWS)
	if err == nil {
		err = w.Slack.Load(k.Slack)
	}
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w.listen(k.Addresses)
}

func (c *Clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

// moved is by how much the clock was moved.
func (h *Hands) moved() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ahead
}

// read looks at the version first: another one has another form.
func read(content []byte) (*kept, error) {
	var of struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(content, &of); err != nil {
		return nil, fmt.Errorf("it is damaged: %w: %s", err, anew)
	}
	if of.Version != keptVersion {
		return nil, fmt.Errorf("it has version %d, and this program reads version %d: use the program that kept it, or %s", of.Version, keptVersion, anew)
	}
	var k kept
	d := json.NewDecoder(bytes.NewReader(content))
	d.DisallowUnknownFields()
	err := d.Decode(&k)
	if err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return &k, nil
		}
		err = errors.New("more follows it")
	}
	return nil, fmt.Errorf("it is damaged: %w: %s", err, anew)
}
