// Package record is the one codec between the domain and stored bytes. Every record says which schema it was written in,
// so that a newer one is refused and never half understood: what a save does not know it would lose. It knows no database.
package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

// Schema is the schema that this version writes and the newest that it reads. A field that is added, renamed or removed
// makes a new one. Schema 2 has more fields than 1, each of which may be left out, and entries of chains.
const Schema = 2

// The kinds of records.
const (
	kindRotation  = "rotation"
	kindSnapshot  = "snapshot"
	kindExemption = "exemption"
	kindRequest   = "request"
	kindEntry     = "entry"
)

// envelope is what every record looks like from outside, in every schema.
type envelope struct {
	Schema int             `json:"schema"`
	Kind   string          `json:"kind"`
	Data   json.RawMessage `json:"data"`
}

// ErrCorrupt says that bytes are no record, or one of another kind.
var ErrCorrupt = errors.New("the record cannot be read")

func encode(kind string, v any) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", kind, err)
	}
	return json.Marshal(envelope{Schema: Schema, Kind: kind, Data: data})
}

// decode reads a record of a kind; on an error it returns the zero value. A field that is not known is an error: it would
// be lost by the next save.
func decode[T any](kind string, b []byte) (v T, err error) {
	var zero T
	var e envelope
	if err := json.Unmarshal(b, &e); err != nil { // not strict: a newer envelope may have more fields
		return zero, fmt.Errorf("decode %s: %w: %w", kind, ErrCorrupt, err)
	}
	switch {
	case e.Schema > Schema:
		return zero, fmt.Errorf("decode %s of schema %d (this version knows %d): %w", kind, e.Schema, Schema, store.ErrNewer)
	case e.Schema < 1 || e.Kind != kind:
		return zero, fmt.Errorf("decode %s: %w: it is a %q of schema %d", kind, ErrCorrupt, e.Kind, e.Schema)
	case len(e.Data) == 0 || string(e.Data) == "null":
		return zero, fmt.Errorf("decode %s: %w: it is empty", kind, ErrCorrupt)
	}
	if err := strict(b, &e); err != nil {
		return zero, fmt.Errorf("decode %s: %w: %w", kind, ErrCorrupt, err)
	}
	if err := strict(e.Data, &v); err != nil {
		return zero, fmt.Errorf("decode %s: %w: %w", kind, ErrCorrupt, err)
	}
	return v, nil
}

func strict(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows it")
	}
	return nil
}

// EncodeRotation writes a rotation.
func EncodeRotation(r rotation.Rotation) ([]byte, error) { return encode(kindRotation, r) }

// DecodeRotation reads a rotation. store.ErrNewer, ErrCorrupt.
func DecodeRotation(b []byte) (rotation.Rotation, error) {
	return decode[rotation.Rotation](kindRotation, b)
}

// EncodeSnapshot writes a snapshot.
func EncodeSnapshot(s rotation.Snapshot) ([]byte, error) { return encode(kindSnapshot, s) }

// DecodeSnapshot reads a snapshot; its users get the account that they stand in. store.ErrNewer, ErrCorrupt.
func DecodeSnapshot(b []byte) (rotation.Snapshot, error) {
	s, err := decode[rotation.Snapshot](kindSnapshot, b)
	for i := range s.Users {
		s.Users[i].Account = s.Account
	}
	return s, err
}

// EncodeExemption writes an exemption.
func EncodeExemption(e rotation.Exemption) ([]byte, error) { return encode(kindExemption, e) }

// DecodeExemption reads an exemption. store.ErrNewer, ErrCorrupt.
func DecodeExemption(b []byte) (rotation.Exemption, error) {
	return decode[rotation.Exemption](kindExemption, b)
}

// EncodeRequest writes a request.
func EncodeRequest(q rotation.Request) ([]byte, error) { return encode(kindRequest, q) }

// DecodeRequest reads a request. store.ErrNewer, ErrCorrupt.
func DecodeRequest(b []byte) (rotation.Request, error) {
	return decode[rotation.Request](kindRequest, b)
}

// EncodeEntry writes an entry of a chain.
func EncodeEntry(e rotation.Entry) ([]byte, error) { return encode(kindEntry, e) }

// DecodeEntry reads an entry of a chain, also one that was changed since it was written: whether its hash fits is for its
// reader to find out. store.ErrNewer, ErrCorrupt.
func DecodeEntry(b []byte) (rotation.Entry, error) { return decode[rotation.Entry](kindEntry, b) }

// EncodeAppended writes an entry that is appended to a chain, if store.CheckEntry lets it through as it is given and as it
// will be read: bytes that are no text would not come back as they were hashed. store.ErrHistory.
func EncodeAppended(e rotation.Entry) ([]byte, error) {
	if err := store.CheckEntry(e); err != nil {
		return nil, err
	}
	b, err := EncodeEntry(e)
	if err != nil {
		return nil, err
	}
	read, err := DecodeEntry(b)
	if err == nil {
		err = store.CheckEntry(read)
	}
	return b, err
}
