package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/keyturn/keyturn/internal/app"
	"github.com/keyturn/keyturn/internal/app/policytest"
	"github.com/keyturn/keyturn/internal/approval"
	"github.com/keyturn/keyturn/templates"
)

type testCmd struct {
	Files []string `arg:"" optional:"" name:"cases" help:"Files of cases. Without one: the file beside the configuration, keyturn.cases.yaml for keyturn.yaml."`
	JSON  bool     `help:"Print JSON Lines: one case a line."`
}

// suite is a file of cases that was read.
type suite struct {
	file string
	policytest.Suite
}

// tested is one case for machines.
type tested struct {
	File    string                  `json:"file"`
	Line    int                     `json:"line"`
	Name    string                  `json:"name"`
	OK      bool                    `json:"ok"`
	Differs []policytest.Difference `json:"differs,omitempty"`
	Verdict *check                  `json:"verdict,omitempty"`
}

// Run asks the configuration what the cases ask. Its exit status is 1 if an answer is not the one that a case expects. It
// asks nobody else: no store, no Slack, no AWS.
func (c testCmd) Run(e *environment) error {
	cfg, err := app.Load(e.cli.Config)
	if err != nil {
		return err
	}
	suites, err := c.read(e.cli.Config)
	if err != nil {
		return err
	}
	all, wrong, enc := 0, 0, json.NewEncoder(e.out)
	for _, s := range suites {
		for _, r := range s.Run(cfg) {
			all++
			if !r.OK() {
				wrong++
			}
			one := testedOf(s.file, r)
			if c.JSON {
				err = enc.Encode(one)
			} else {
				err = one.print(e.out)
			}
			if err != nil {
				return fmt.Errorf("write the results: %w", err)
			}
		}
	}
	switch {
	case wrong > 0:
		return fmt.Errorf("%d of %s not as expected. Correct %s, or what the case expects", wrong, are(all), e.cli.Config)
	case !c.JSON:
		_, err = fmt.Fprintf(e.out, "%s as expected\n", are(all))
	}
	return err
}

// are counts cases, up to the verb.
func are(n int) string {
	if n == 1 {
		return "1 case is"
	}
	return fmt.Sprintf("%d cases are", n)
}

// read reads the files, and says what is wrong with any of them before anything is tested.
func (c testCmd) read(configFile string) (out []suite, _ error) {
	files := c.Files
	beside := strings.TrimSuffix(configFile, filepath.Ext(configFile)) + ".cases.yaml"
	if len(files) == 0 {
		files = []string{beside}
	}
	var bad []error
	for _, f := range files {
		data, err := os.ReadFile(f)
		switch {
		case errors.Is(err, os.ErrNotExist) && len(c.Files) == 0:
			return nil, fmt.Errorf("there are no cases to test. Name a file of cases, or write %s, which begins like this:\n%s", beside, policytest.Example)
		case errors.Is(err, os.ErrNotExist):
			bad = append(bad, fmt.Errorf("there is no file of cases %s. Check its name, or begin one like this:\n%s", f, policytest.Example))
		case err != nil:
			bad = append(bad, fmt.Errorf("read the cases: %w", err))
		default:
			s, err := policytest.Parse(f, data)
			if err != nil {
				bad = append(bad, err)
			}
			out = append(out, suite{f, s})
		}
	}
	return out, errors.Join(bad...)
}

func testedOf(file string, r policytest.Result) tested {
	out := tested{File: file, Line: r.Line, Name: r.Name, OK: r.OK(), Differs: r.Differs}
	if r.Verdict != nil {
		v := checkOf(*r.Verdict)
		out.Verdict = &v
	}
	return out
}

// checkOf is a node of a verdict, in the form that why has too.
func checkOf(n approval.Node) check {
	out := check{What: n.What, Answer: no, Detail: n.Detail}
	if n.OK {
		out.Answer = yes
	}
	for _, c := range n.Children {
		out.Checks = append(out.Checks, checkOf(c))
	}
	return out
}

// print writes one line for a case that went well. Of another one it says what differs, and shows the verdict.
func (t tested) print(out io.Writer) error {
	if t.OK {
		_, err := fmt.Fprintf(out, "ok    %s\n", templates.Clean(t.Name))
		return err
	}
	lines := []string{"FAIL  " + t.Name, fmt.Sprintf("      %s:%d", t.File, t.Line)}
	for _, d := range t.Differs {
		lines = append(lines, "      "+d.String())
	}
	if t.Verdict != nil {
		printChecks(func(_, format string, args ...any) { lines = append(lines, "  "+fmt.Sprintf(format, args...)) }, []check{*t.Verdict}, 1)
	}
	for _, l := range lines {
		if _, err := fmt.Fprintln(out, templates.Clean(l)); err != nil {
			return err
		}
	}
	return nil
}
