package main

import (
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keyturn/keyturn/internal/app"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store/sqlite"
)

// TestShown holds what the commands that only show something write against golden files, with both stores.
func TestShown(t *testing.T) {
	for _, in := range []struct {
		name string
		make func(*testing.T) string
	}{{"sqlite", inSQLite}, {"dynamodb", inTable}} {
		t.Run(in.name, func(t *testing.T) {
			path := in.make(t)
			for _, c := range []struct {
				golden string
				args   string
				list   bool // in the store's own order
			}{
				{"status.txt", "status", true},
				{"status-all.txt", "list --all", true},
				{"status-some.txt", "list --account payments --ou r-ab12/ou-prod --owner OWNER@example.com --state awaiting --age >90d --kind rotate", true},
				{"status-none.txt", "status --owner nobody@example.com", true},
				{"status-closed.txt", "status --state closed", true},
				{"due.txt", "due", false},
				{"due-within.txt", "due --within 30d", false},
				{"due-owner.jsonl", "due --within 30d --owner owner@example.com --json", false},
				{"due-none.txt", "due --within 5d --ou ou-prod --age 200d", false},
				{"why-waiting.txt", "why " + waiting, false},
				{"why-owner.txt", "why " + waiting + " --email Owner@example.com", false},
				{"why-asked.txt", "why " + waiting + " --email ann@example.com --slack U0ANN", false},
				{"why-slack.txt", "why " + waiting + " --slack U0CHIEF", false},
				{"why-held.txt", "why " + stuck, false},
				{"why-closed.txt", "why " + first + " --slack U0NAMED1", false},
				{"why-rejected.txt", "why " + rejected, false},
				{"why-key.txt", "why " + soon, false},
				{"why-exempt.txt", "why " + left, false},
				{"why-audit.txt", "why " + audited, false},
				{"history.txt", "history " + waiting, false},
				{"history-second.txt", "history " + second, false},
				{"history-first.jsonl", "history --json " + first, false},
				{"report.txt", "report", false},
				{"report-some.txt", "report --since 90d --account tools", false},
			} {
				t.Run(c.golden, func(t *testing.T) {
					out, errOut, status := says(t, path, strings.Fields(c.args)...)
					if status != exitOK {
						t.Fatalf("exit %d\n%s", status, errOut)
					}
					if c.list {
						out = sorted(out)
					}
					if i := strings.IndexByte(out, '\x1b'); i >= 0 && !strings.Contains(c.args, "--json") {
						t.Errorf("a tag reaches the terminal: %q", out[i:min(i+20, len(out))])
					}
					golden(t, c.golden, out)
				})
			}
		})
	}
}

// TestForMachines: what --json writes is what the tables say, and standard output has nothing else.
func TestForMachines(t *testing.T) {
	path := inSQLite(t)
	objects := func(args ...string) (all []map[string]any) {
		t.Helper()
		out, errOut, status := says(t, path, append(args, "--json")...)
		if status != exitOK {
			t.Fatalf("%v: exit %d\n%s", args, status, errOut)
		}
		d := json.NewDecoder(strings.NewReader(out))
		for {
			var o map[string]any
			switch err := d.Decode(&o); {
			case errors.Is(err, io.EOF):
				return all
			case err != nil:
				t.Fatalf("%v: %v", args, err)
			}
			all = append(all, o)
		}
	}
	var states []string
	for _, r := range objects("list", "--all") {
		states = append(states, r["user_name"].(string)+" "+r["state"].(string))
	}
	slices.Sort(states)
	if diff := cmp.Diff([]string{"billing-export awaiting", "ci awaiting", "nightly awaiting", "old-batch closed"}, states); diff != "" {
		t.Error(diff)
	}
	if none := objects("status", "--owner", "nobody@example.com"); none != nil {
		t.Errorf("nobody's rotations: %v", none)
	}
	why := objects("why", waiting, "--slack", "U0CHIEF", "--email", "chief@example.com")[0]
	got := map[string]any{}
	for _, r := range why["rights"].([]any) {
		got[r.(map[string]any)["right"].(string)] = r.(map[string]any)["answer"]
	}
	if diff := cmp.Diff(map[string]any{toApprove: "unknown", toApproveLater: "if_member", toReport: "unknown", toBreakGlass: "if_member"}, got); diff != "" {
		t.Error(diff)
	}
	rep := objects("report")[0]
	if keys := rep["keys"].(map[string]any); keys["active"] != 8.0 || keys["over_age"] != 6.0 {
		t.Errorf("report: %v", keys)
	}
}

// TestBesideServe: a command that reads sees what another process has just written, and stands in nobody's way.
func TestBesideServe(t *testing.T) {
	path := inSQLite(t)
	cfg, err := app.Load(path)
	must(t, err)
	s, err := sqlite.Open(cfg.Store.SQLite)
	must(t, err)
	defer s.Close() //nolint:errcheck // the test is over
	ann := rotation.Actor{ID: "U0ANN", Name: "Ann", Via: rotation.ViaSlack}
	for _, held := range []bool{false, true, false} {
		r, err := s.RotationByKey(t.Context(), stuck)
		must(t, err)
		var e rotation.Event = rotation.Release{Actor: ann}
		if held {
			e = rotation.HoldOn{Actor: ann, For: day, Why: "again"}
		}
		r, err = rotation.Apply(r, e, start)
		must(t, err)
		_, err = s.SaveRotation(t.Context(), r)
		must(t, err)
		out, errOut, status := says(t, path, "status", "--account", string(payments))
		if status != exitOK || strings.Contains(out, "held") != held {
			t.Fatalf("held: %t, exit %d\n%s%s", held, status, out, errOut)
		}
	}
}
