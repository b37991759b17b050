package policytest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/keyturn/keyturn/internal/app/config"
)

// mostBytes bounds a file.
const mostBytes = 1 << 20

// Parse reads a file of cases. All its errors come at once, as *config.Errors.
func Parse(name string, data []byte) (Suite, error) {
	errs := &config.Errors{File: name}
	if len(data) > mostBytes {
		errs.List = []config.Problem{{Text: fmt.Sprintf("the file has %d bytes; a file of cases has at most %d", len(data), mostBytes)}}
		return Suite{}, errs
	}
	var s Suite
	d := yaml.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&s); err != nil {
		if errors.Is(err, io.EOF) {
			errs.List = []config.Problem{{Text: "the file is empty. It begins like this:\n" + Example}}
		} else {
			errs.List = config.Problems(err)
		}
		return Suite{}, errs
	}
	if err := d.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		errs.List = []config.Problem{{Text: "there is more than one YAML document in the file; give each a file of its own"}}
		return Suite{}, errs
	}
	if errs.List = s.check(); len(errs.List) > 0 {
		slices.SortStableFunc(errs.List, func(a, b config.Problem) int { return a.Line - b.Line })
		return Suite{}, errs
	}
	return s, nil
}

// Example is a small file of cases, for who has none.
const Example = `people:
  ann: {slack: U0123456789, email: ann@example.com}
keys:
  billing: {account: "111122223333", user: billing-export, tags: {owner: ann@example.com}}
cases:
  - name: the owner may approve
    key: billing
    person: ann
    expect: {allowed: true, says: as owner}
`
