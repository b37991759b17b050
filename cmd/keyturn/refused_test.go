package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/app"
	"github.com/keyturn/keyturn/internal/report"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
	"github.com/keyturn/keyturn/internal/store/sqlite"
)

// TestMistakes: each has its exit status, nothing on standard output, and a sentence that says what to do.
func TestMistakes(t *testing.T) {
	path := inSQLite(t)
	cfg, err := app.Load(path)
	must(t, err)
	s, err := sqlite.Open(cfg.Store.SQLite)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	must(t, s.SaveSnapshot(t.Context(), rotation.Snapshot{Account: "777788889999", Name: "tools", Taken: start, Tried: start}))
	for _, c := range []struct {
		args   string
		status int
		says   string
	}{
		{"status --state stuck", exitUsage, "--state: stuck is no state but a filter of its own: --stuck"},
		{"status --state awaiting,gone", exitUsage, `there is no state "gone": the states are upcoming, awaiting`},
		{"status --age <90d", exitUsage, "--age: keys are narrowed to old ones"},
		{"status --age 0d", exitUsage, "every key is older than that"},
		{"status --age 90", exitUsage, "the unit is missing"},
		{"status --kind both", exitUsage, `--kind: "both" is no kind: write rotate or retire`},
		{"status --ou Prod!", exitUsage, `--ou: "Prod!" is no organizational unit`},
		{"due --within soon", exitUsage, `--within: "soon" is not a duration`},
		{"due 30d", exitUsage, "unexpected argument 30d"},
		{"report --since 1h", exitUsage, "--since: a report is about 1d to 400d; 1h is not"},
		{"report --since 401d", exitUsage, "a report is about 1d to 400d"},
		{"why", exitUsage, `expected "<key>"`},
		{"why billing-export", exitUsage, "is not an access key ID"},
		{"why " + waiting + " --email owner", exitUsage, `--email: "owner" is no e-mail address`},
		{"why " + waiting + " --slack ann", exitUsage, `--slack: "ann" is no Slack user ID`},
		{"why " + waiting + " --slack U0<@!>", exitUsage, "is no Slack user ID"},
		{"history", exitUsage, `expected "<key>"`},
		{"history AKIA", exitUsage, "is not an access key ID"},
		{"status --account nowhere", exitFailed, `--account: no account called "nowhere" was scanned. Write its 12 digits`},
		{"status --account tools", exitFailed, `several accounts are called "tools": 444455556666, 777788889999`},
		{"status --account 999999999999", exitFailed, "--account: 999999999999 was never scanned. keyturn scan --account 999999999999"},
		{"due --ou ou-typo", exitFailed, "--ou: no account that was scanned is in ou-typo"},
		{"report --ou ou-typo --json", exitFailed, "no account that was scanned is in ou-typo"},
		{"due --account payments --ou ou-dev", exitFailed, "no account that was scanned is both payments and in ou-dev"},
		{"why AKIANOBODYNOBODY0009", exitFailed, "keyturn knows no key AKIANOBODYNOBODY0009. Check the ID"},
		{"history AKIANOBODYNOBODY0009", exitFailed, "keyturn knows no key AKIANOBODYNOBODY0009"},
		{"history " + soon, exitFailed, "no rotation is about " + soon + ", so nothing has happened to it. keyturn why " + soon},
	} {
		t.Run(c.args, func(t *testing.T) {
			out, errOut, status := says(t, path, strings.Fields(c.args)...)
			if status != c.status || out != "" || !strings.Contains(errOut, c.says) {
				t.Errorf("exit %d, want %d\nout: %s\nerr: %s", status, c.status, out, errOut)
			}
		})
	}
}

// TestNothingScanned: an empty store is not one in which all is well.
func TestNothingScanned(t *testing.T) {
	path := cfgOf(t, fmt.Sprintf("sqlite: %q", filepath.Join(t.TempDir(), "keyturn.db")))
	for _, args := range []string{"status", "list --all", "due", "report", "status --owner owner@example.com --json", "report --json"} {
		out, errOut, status := says(t, path, strings.Fields(args)...)
		if status != exitOK || strings.Contains(out, "within its policy") || strings.Contains(out, "scanned yet") == strings.Contains(args, "json") || !strings.Contains(out+errOut, "no account was scanned yet") {
			t.Errorf("%s: exit %d\n%s%s", args, status, out, errOut)
		}
	}
}

// TestStoreOutOfReach: what stands in the way is said, whichever command is asked.
func TestStoreOutOfReach(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gone")
	path := cfgOf(t, fmt.Sprintf("sqlite: %q", filepath.Join(dir, "keyturn.db")))
	must(t, os.WriteFile(dir, nil, 0o600)) // a file where a folder should be
	for _, args := range []string{"status", "due", "report", "why " + waiting, "history " + waiting} {
		out, errOut, status := says(t, path, strings.Fields(args)...)
		if status != exitFailed || out != "" || !strings.Contains(errOut, "the store") {
			t.Errorf("%s: exit %d\n%s%s", args, status, out, errOut)
		}
	}
}

// pagesOf are pages of one rotation each, by the names of their users.
func pagesOf(names ...string) (pages [][]rotation.Rotation) {
	for i, n := range names {
		pages = append(pages, []rotation.Rotation{{
			ID: rotation.MakeID(payments, rotation.UserID(n)), Account: payments, UserName: rotation.UserName(n), State: rotation.Awaiting, Since: start, Opened: start,
			Old: rotation.KeyRef{ID: rotation.KeyID(fmt.Sprintf("AKIAPAGEPAGEPAGE%04d", i)), Created: start.Add(-90 * day)},
		}})
	}
	return pages
}

// TestStreams: a page is shown before the next one is read, and columns grow and never shrink.
func TestStreams(t *testing.T) {
	s := &shelf{pages: pagesOf("ann", "a-much-longer-name", "ben"), err: store.ErrBusy}
	v, out, _ := viewOf(t, s)
	if err := (statusCmd{}).show(v); !errors.Is(err, store.ErrBusy) {
		t.Errorf("the second page: %v", err)
	}
	if !strings.Contains(out.String(), "ann") {
		t.Error("the first page was not shown")
	}
	s.err = nil
	v, out, _ = viewOf(t, s)
	must(t, (statusCmd{}).show(v))
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 4 || strings.Index(lines[2], string(payments)) != strings.Index(lines[3], string(payments)) {
		t.Errorf("columns:\n%s", out)
	}
}

// TestUnread: what cannot be read hides nothing else, and is said with what to do.
func TestUnread(t *testing.T) {
	for cause, says := range map[error]string{store.ErrNewer: "Use the version that writes them", errors.New("damaged"): "the store's backup"} {
		s := &shelf{pages: pagesOf("ann", "ben", "cem"), err: (*store.Unread)(nil).Add("111122223333/AIDA9", cause)}
		v, out, _ := viewOf(t, s)
		err := (statusCmd{}).show(v)
		if err == nil || !strings.Contains(err.Error(), "not everything is shown: rotation 111122223333/AIDA9") || !strings.Contains(err.Error(), says) {
			t.Errorf("%v", err)
		}
		for _, name := range []string{"ann", "ben", "cem"} {
			if !strings.Contains(out.String(), name) {
				t.Errorf("%s is not shown:\n%s", name, out)
			}
		}
	}
}

// TestReportIsTooLow: a report that could not see everything is printed, says so, and fails.
func TestReportIsTooLow(t *testing.T) {
	path := inSQLite(t)
	cfg, err := app.Load(path)
	must(t, err)
	db, err := sqlite.Open(cfg.Store.SQLite)
	must(t, err)
	defer db.Close() //nolint:errcheck // the test is over
	must(t, db.SetState(t.Context(), report.StateKey, "{"))
	s := &shelf{reader: db, pages: pagesOf("ann", "ben"), err: (*store.Unread)(nil).Add("111122223333/AIDA9", store.ErrNewer)}
	v, out, _ := viewOf(t, s)
	err = reportCmd{Since: sinceFlag(30 * day)}.show(v)
	for _, want := range []string{"the figures are too low", "the burn-down is left out"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say that %s", err, want)
		}
	}
	if !strings.Contains(out.String(), "Under way: 2 rotations") {
		t.Errorf("the report:\n%s", out)
	}
}

// TestProgress: counting many accounts says on standard error how far it is.
func TestProgress(t *testing.T) {
	path := cfgOf(t, fmt.Sprintf("sqlite: %q", filepath.Join(t.TempDir(), "keyturn.db")))
	cfg, err := app.Load(path)
	must(t, err)
	s, err := sqlite.Open(cfg.Store.SQLite)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	for i := range 250 {
		must(t, s.SaveSnapshot(t.Context(), rotation.Snapshot{Account: rotation.AccountID(fmt.Sprintf("%012d", i+1)), Taken: start, Tried: start}))
	}
	out, errOut, status := says(t, path, "report", "--json")
	if status != exitOK || !strings.Contains(errOut, "counted the keys of 200 accounts") || strings.Contains(out, "counted") {
		t.Errorf("exit %d\n%s", status, errOut)
	}
}

// TestBrokenHistory: a history that was changed is shown, and the command fails.
func TestBrokenHistory(t *testing.T) {
	path := inSQLite(t)
	cfg, err := app.Load(path)
	must(t, err)
	db, err := sqlite.Open(cfg.Store.SQLite)
	must(t, err)
	defer db.Close() //nolint:errcheck // the test is over
	v, out, _ := viewOf(t, tampered{db})
	err = historyCmd{Key: waiting}.show(v)
	if err == nil || !strings.Contains(err.Error(), "this history was changed or damaged: history line 2 was changed") {
		t.Error(err)
	}
	if !strings.Contains(out.String(), "it was never known") {
		t.Errorf("the history is not shown:\n%s", out)
	}
}

// TestAges: what is not known is not young.
func TestAges(t *testing.T) {
	for want, created := range map[string]time.Time{"?": {}, "0d": start.Add(day), "1d": start.Add(-36 * time.Hour)} {
		if got := ageOf(created, start); got != want {
			t.Errorf("%s: %s, want %s", created, got, want)
		}
	}
	for want, u := range map[string]rotation.LastUse{"not known": {}, "never": {Kind: rotation.UseNever}, "2026-05-31 s3 eu-central-1": used(day)} {
		if got := useOf(u); got != want {
			t.Errorf("%v: %s, want %s", u, got, want)
		}
	}
}
