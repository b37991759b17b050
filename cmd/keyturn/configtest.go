package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/keyturn/keyturn/internal/app"
	"github.com/keyturn/keyturn/internal/app/policytest"
)

type testCmd struct {
	Cases string `arg:"" help:"The file of cases; infra/config.cases.yaml is one to begin with." type:"path"`
	JSON  bool   `help:"One JSON object a line."`
}

// Run asks the configuration what the cases ask. Its exit status is 1 if an answer is not the one that a case expects.
func (c testCmd) Run(e *environment) error {
	cfg, err := app.Load(e.cli.Config)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(c.Cases)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("there is no file of cases %s; infra/config.cases.yaml is one to begin with", c.Cases)
	}
	if err != nil {
		return fmt.Errorf("read the cases: %w", err)
	}
	suite, err := policytest.Parse(c.Cases, data)
	if err != nil {
		return err
	}
	wrong, results, enc := 0, suite.Run(cfg), json.NewEncoder(e.out)
	for _, r := range results {
		if !r.OK() {
			wrong++
		}
		if c.JSON {
			if err := enc.Encode(r); err != nil {
				return err
			}
			continue
		}
		mark := "✓"
		if !r.OK() {
			mark = "✗"
		}
		fmt.Fprintf(e.out, "%s %s\n", mark, r.Name)
		for _, w := range r.Wrong {
			fmt.Fprintf(e.out, "    line %d: %s\n", r.Line, w)
		}
	}
	if wrong > 0 {
		return fmt.Errorf("%d of %d cases are not as expected: mend the configuration, or the case", wrong, len(results))
	}
	if !c.JSON {
		fmt.Fprintf(e.out, "%d cases, all as expected\n", len(results))
	}
	return nil
}
