package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/app"
	"github.com/keyturn/keyturn/internal/audit"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/sandbox/awsemu"
	"github.com/keyturn/keyturn/internal/store/sqlite"
)

// journal appends what people asked to a chain.
func journal(t *testing.T, s interface {
	AppendEntry(ctx context.Context, chain string, e rotation.Entry) error
}, notes ...string) {
	t.Helper()
	var prev *rotation.Entry
	for i, note := range notes {
		e := rotation.NewEntry(prev, start.Add(time.Duration(i-20)*time.Hour), rotation.Actor{ID: "U0ANN", Name: "Ann", Email: "ann@example.com", Via: rotation.ViaSlack}, "command", note)
		must(t, s.AppendEntry(t.Context(), "person/U0ANN/2026-05", e))
		prev = &e
	}
}

// withKey returns the configuration of a store in a file that signs anchors with a key of an emulated KMS, and the store.
func withKey(t *testing.T) (path string, s *sqlite.Store, aws *awsemu.Server) {
	t.Helper()
	const account = "444455556666"
	db := filepath.Join(t.TempDir(), "keyturn.db")
	path = cfgOf(t, fmt.Sprintf("sqlite: %q", db))
	b, err := os.ReadFile(path)
	must(t, err)
	must(t, os.WriteFile(path, append(b, "audit: {mac_key: alias/keyturn-audit}\n"...), 0o600))
	aws = awsemu.New(awsemu.Options{Region: "eu-central-1"})
	url, err := aws.Start()
	must(t, err)
	t.Cleanup(func() { _ = aws.Close() })
	aws.AddRoot("r-ab12")
	aws.AddAccount(awsemu.Account{ID: account, Name: "central", Email: "central@example.com", ParentID: "r-ab12", Management: true})
	aws.AddKMSKey(account, awsemu.KMSKey{ID: "11111111-2222-3333-4444-555555555555", Aliases: []string{"alias/keyturn-audit"}, HMAC: true})
	id, secret := aws.Bootstrap(account)
	t.Setenv("AWS_ENDPOINT_URL", url)
	t.Setenv("AWS_ACCESS_KEY_ID", id)
	t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
	s, err = sqlite.Open(db)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	cfg, err := app.Load(path)
	must(t, err)
	fill(t, s, cfg)
	journal(t, s, "+status \"all\"", "why AKIAWAITWAITWAIT0001")
	return path, s, aws
}

// setState changes what the store keeps of anchors behind keyturn's back.
func setState(t *testing.T, s *sqlite.Store, key string, change func(string) string) {
	t.Helper()
	was, err := s.GetState(t.Context(), key)
	must(t, err)
	must(t, s.SetState(t.Context(), key, change(was)))
}

// TestAudited holds what the commands of the audit print against golden files.
func TestAudited(t *testing.T) {
	path, s, aws := withKey(t)
	for _, c := range []struct {
		golden, args string
		status       int
		before       func()
	}{
		{"audit-verify-none.txt", "audit verify", exitOK, nil},
		{"audit-export.jsonl", "audit export", exitOK, nil},
		{"audit-export.csv", "audit export --format csv --actor ann@example.com", exitOK, nil},
		{"audit-export-key.csv", "audit export --format csv --key " + waiting + " --event snooze --owner OWNER@example.com --account 111122223333", exitOK, nil},
		{"audit-export-period.jsonl", "audit export --from 2026-05-26 --until 2026-05-27T00:00:00Z", exitOK, nil},
		{"audit-export-nothing.txt", "audit export --event nothing", exitOK, nil},
		{"audit-anchor.txt", "audit anchor", exitOK, nil},
		{"audit-anchor-again.txt", "audit anchor", exitOK, nil},
		{"audit-verify.txt", "audit verify", exitOK, nil},
		{"audit-verify.json", "audit verify --json", exitOK, nil},
		{"audit-verify-denied.txt", "audit verify", exitFailed, func() { aws.SetKMSKeyState("444455556666", "alias/keyturn-audit", "Disabled") }},
		{"audit-verify-forged.txt", "audit verify", exitFailed, func() {
			aws.SetKMSKeyState("444455556666", "alias/keyturn-audit", "Enabled")
			setState(t, s, "anchor/2026-06-01", func(was string) string { return strings.Replace(was, `"chains":6`, `"chains":5`, 1) })
		}},
		{"audit-verify-taken.txt", "audit verify", exitFailed, func() {
			setState(t, s, "anchor/2026-06-01", func(string) string { return "" })
		}},
		{"audit-verify-taken.json", "audit verify --json", exitFailed, nil},
	} {
		t.Run(c.golden, func(t *testing.T) {
			if c.before != nil {
				c.before()
			}
			out, errOut, status := says(t, path, strings.Fields(c.args)...)
			if status != c.status {
				t.Errorf("exit %d, want %d", status, c.status)
			}
			if !strings.HasSuffix(c.golden, ".json") && errOut != "" {
				out += "--- standard error\n" + errOut
			}
			golden(t, c.golden, steady(out))
		})
	}
}

var (
	someHash  = regexp.MustCompile(`\b[0-9a-f]{64}\b`)
	requestID = regexp.MustCompile(` \(request [^)]*\)`)
)

// steady takes out what is another one each time, or hangs on every word of a history.
func steady(text string) string {
	return someHash.ReplaceAllString(requestID.ReplaceAllString(text, " (request ID)"), "HASH")
}

// TestAuditMistakes: each has its exit status and a sentence that says what to do.
func TestAuditMistakes(t *testing.T) {
	path := inSQLite(t)
	there := filepath.Join(t.TempDir(), "there.csv")
	must(t, os.WriteFile(there, []byte("kept"), 0o600))
	for _, c := range []struct {
		args   string
		status int
		says   string
	}{
		{"audit", exitUsage, "expected one of"},
		{"audit verify --since yesterday", exitUsage, `--since "yesterday" is no day like 2026-01-31`},
		{"audit verify --since 2026-07-01", exitUsage, "--since 2026-07-01 has not come yet"},
		{"audit export --from 2026-13-01", exitUsage, `--from "2026-13-01" is no day`},
		{"audit export --from 2026-06-01 --until 2026-06-01", exitUsage, "--from 2026-06-01 is not before --until 2026-06-01"},
		{"audit export --account 12", exitUsage, "--account: "},
		{"audit export --key AKIA", exitUsage, "--key: "},
		{"audit export --format xml", exitUsage, `must be one of "jsonl","csv"`},
		{"audit export -o " + there, exitFailed, "there.csv exists, and an export never overwrites a file"},
		{"audit export -o " + filepath.Join(there, "x.csv"), exitFailed, "export: open "},
		{"audit anchor", exitFailed, "no key is configured to sign anchors with (audit.mac_key). Make an HMAC key"},
	} {
		t.Run(c.args, func(t *testing.T) {
			out, errOut, status := says(t, path, strings.Fields(c.args)...)
			if status != c.status || out != "" || !strings.Contains(errOut, c.says) {
				t.Errorf("exit %d, want %d\nout: %s\nerr: %s", status, c.status, out, errOut)
			}
		})
	}
	if b, err := os.ReadFile(there); err != nil || string(b) != "kept" {
		t.Errorf("%q %v", b, err)
	}
}

// TestExportToFile: the file is its owner's alone, and what machines read is whole.
func TestExportToFile(t *testing.T) {
	path, _, _ := withKey(t)
	file := filepath.Join(t.TempDir(), "all.csv")
	out, errOut, status := says(t, path, "audit", "export", "--format", "csv", "-o", file)
	if status != exitOK || out != "" || !strings.Contains(errOut, "entries written to "+file) {
		t.Fatalf("exit %d\n%s%s", status, out, errOut)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	f, err := os.Open(file)
	must(t, err)
	defer f.Close() //nolint:errcheck // it is read
	rows, err := csv.NewReader(f).ReadAll()
	must(t, err)
	lines, _, _ := says(t, path, "audit", "export")
	all := strings.Split(strings.TrimSuffix(lines, "\n"), "\n")
	if len(all) != len(rows)-1 {
		t.Fatalf("%d lines and %d rows", len(all), len(rows)-1)
	}
	for i, line := range all {
		var l audit.Line
		must(t, json.Unmarshal([]byte(line), &l))
		if row := rows[i+1]; row[0] != l.Chain || row[len(row)-1] != l.Hash || strings.TrimPrefix(row[14], "'") != l.Note {
			t.Errorf("%q is not %s", row, line)
		}
	}
}

// TestVerifyInTable: both stores hold the same chains.
func TestVerifyInTable(t *testing.T) {
	in := func(path string) string {
		out, errOut, status := says(t, path, "audit", "verify")
		if status != exitOK {
			t.Fatalf("exit %d\n%s", status, errOut)
		}
		return out
	}
	file := in(inSQLite(t))
	if table := in(inTable(t)); table != file {
		t.Errorf("the table:\n%s\nthe file:\n%s", table, file)
	}
}

// TestVerifyShown: what stands in the store controls no terminal, and one finding is enough to fail.
func TestVerifyShown(t *testing.T) {
	var b strings.Builder
	must(t, verifyCmd{}.print(&b, audit.Result{Chains: 1, Entries: 1, Findings: []audit.Finding{{Chain: "person/\x1b[2J", What: "a\x1b[31m\nb"}}, Open: []string{"c\x07"}}))
	if got, want := b.String(), "1 chain with 1 entry was walked.\n✗ person/[2J: a[31m b\n! c\n"; got != want {
		t.Errorf("%q", got)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("interrupted"))
	e := &environment{ctx: ctx, cli: &cli{Config: inSQLite(t)}, out: &b, err: &b, now: clock}
	if err := (verifyCmd{}).Run(e); err == nil {
		t.Error("a walk that was interrupted found nothing wrong")
	}
}
