package iampolicy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// member is a name and its value in a JSON object.
type member struct {
	name  string
	value any
}

// object is a JSON object in the order in which it is written. AWS refuses a name that is there twice, and so do we: the
// decoder of the standard library would silently take the last one.
type object []member

// deepest is how deep a document may nest: no policy needs more.
const deepest = 16

// decode reads a document into object, []any, string, json.Number, bool and nil.
func decode(doc []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	v, err := value(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more follows the document")
	}
	return v, nil
}

func value(d *json.Decoder, depth int) (any, error) {
	t, err := d.Token()
	if err != nil {
		return nil, fmt.Errorf("read the JSON: %w", err)
	}
	delim, ok := t.(json.Delim)
	if !ok {
		return t, nil
	}
	if depth >= deepest {
		return nil, errors.New("the document nests too deep")
	}
	if delim == '[' {
		list := []any{}
		for d.More() {
			v, err := value(d, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = d.Token()
		return list, err
	}
	out, err := members(d, depth)
	if err != nil {
		return nil, err
	}
	_, err = d.Token()
	return out, err
}

func members(d *json.Decoder, depth int) (object, error) {
	out := object{}
	for d.More() {
		name, err := value(d, depth+1)
		if err != nil {
			return nil, err
		}
		m := member{name: name.(string)} // the decoder lets no other name through
		if slices.ContainsFunc(out, func(o member) bool { return o.name == m.name }) {
			return nil, fmt.Errorf("%q is there twice", m.name)
		}
		if m.value, err = value(d, depth+1); err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// texts reads a string or a list of strings, of which there must be one at least. loose takes booleans and numbers too, as
// AWS does in conditions.
func texts(v any, loose bool) ([]string, error) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	if len(list) == 0 {
		return nil, errors.New("the list is empty")
	}
	var out []string
	for _, x := range list {
		switch x := x.(type) {
		case string:
			out = append(out, x)
		case bool:
			if !loose {
				return nil, errors.New("a boolean stands where a string must")
			}
			out = append(out, fmt.Sprint(x))
		case json.Number:
			if !loose {
				return nil, errors.New("a number stands where a string must")
			}
			out = append(out, x.String())
		default:
			return nil, fmt.Errorf("%T stands where a string must", x)
		}
	}
	return out, nil
}
