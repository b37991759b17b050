package audit

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/internal/store"
)

func TestExport(t *testing.T) {
	m := seeded(4)
	m.chains["person/U9/2026-11"] = []rotation.Entry{rotation.NewEntry(nil, start, rotation.Actor{ID: "U9", Name: "=HYPERLINK(1)", Via: rotation.ViaSlack}, "read", "+status \"x\"\nnew line")}
	var out bytes.Buffer
	n, err := Export(context.Background(), m, Query{}, JSONLines, &out, nil)
	if err != nil || n != 33 || strings.Count(out.String(), "\n") != n {
		t.Fatalf("%d lines, %v", n, err)
	}
	for line := range strings.Lines(out.String()) {
		var l Line
		if err := json.Unmarshal([]byte(line), &l); err != nil || l.Chain == "" || l.Hash == "" {
			t.Fatalf("%s: %v", line, err)
		}
	}
	for name, c := range map[string]struct {
		q    Query
		want int
	}{
		"an account":  {Query{Account: "111122223333"}, 20},
		"a key":       {Query{Key: "akiaiosfodnn7example"}, 20},
		"an actor":    {Query{Actor: "OWNER@example.com"}, 32},
		"by ID":       {Query{Actor: "U9"}, 1},
		"an event":    {Query{Event: "approve"}, 0},
		"from a time": {Query{From: start.Add(3 * time.Hour)}, 8},
		"until one":   {Query{Until: start.Add(time.Minute)}, 7},
		"both":        {Query{From: start.Add(time.Hour), Until: start.Add(2 * time.Hour)}, 8},
	} {
		out.Reset()
		if n, err := Export(context.Background(), m, c.q, CSV, &out, nil); err != nil || n != c.want {
			t.Errorf("%s: %d lines, want %d: %v", name, n, c.want, err)
		}
	}
	out.Reset()
	if _, err := Export(context.Background(), m, Query{Actor: "U9"}, CSV, &out, nil); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil || len(rows) != 2 || rows[1][8] != "'=HYPERLINK(1)" || rows[1][14] != "'+status \"x\"\nnew line" {
		t.Errorf("%q %v", rows, err)
	}
	m.unread = []rotation.ID{"111122223333/AIDA9"}
	if n, err := Export(context.Background(), m, Query{}, JSONLines, &out, nil); n != 33 || err == nil || !strings.HasPrefix(err.Error(), "1 chain could not be read") || !strings.HasSuffix(err.Error(), "rotation/111122223333/AIDA9: "+store.ErrNewer.Error()) {
		t.Errorf("%d %v", n, err)
	}
	if _, err := Export(context.Background(), m, Query{}, "xml", &out, nil); err == nil {
		t.Error("a format that is none was accepted")
	}
}

// TestSafe: no field begins as a formula does, and what is no formula is as it was.
func TestSafe(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "ann@example.com": "ann@example.com", "a=1": "a=1", "=1": "'=1", "+1": "'+1", "-1": "'-1", "@SUM": "'@SUM", "\t=1": "'\t=1", "\r=1": "'\r=1", "\n=1": "'\n=1",
		"＝1": "'＝1", "＋1": "'＋1", "－1": "'－1", "＠SUM": "'＠SUM", "\xff": "\xff", "'=1": "'=1",
	} {
		if got := safe(in); got[0] != want {
			t.Errorf("%q: %q, want %q", in, got[0], want)
		}
	}
}

// failing is a writer that is full.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestExportCannotBeWritten(t *testing.T) {
	for _, f := range []Format{JSONLines, CSV} {
		if _, err := Export(context.Background(), seeded(2), Query{}, f, failing{}, nil); err == nil {
			t.Errorf("%s: a full disk is no error", f)
		}
	}
}
