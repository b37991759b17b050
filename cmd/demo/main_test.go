package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

// TestTour tells the whole story on the real program and finds its chapters in order.
func TestTour(t *testing.T) {
	var out, errOut bytes.Buffer
	if status := run(context.Background(), []string{"-tour"}, &out, &errOut); status != 0 {
		t.Fatalf("exit %d: %s\n%s", status, errOut.String(), out.String())
	}
	rest := out.String()
	for _, say := range []string{
		"An organization", "The daily scan", "Replace this key of", "Not today", "Snoozed until", "Somebody else clicks", "Guests of the workspace cannot decide",
		"One click", "Both keys work now", "Ten days pass", "It is not cut off", "still in use", "Installed", "Idle, so deactivated",
		"Three in the morning", "presses Restore", "Restored and on hold", "Mended", "Deleted", "/keys history", "Mails", "Subject:", "The end",
	} {
		_, after, found := strings.Cut(rest, say)
		if !found {
			t.Errorf("the story does not come to %q", say)
			continue
		}
		rest = after
	}
	if strings.Contains(out.String(), "SANDBOXSECRET") {
		t.Error("secret material in the story")
	}
}

// TestUsage: what cannot be done is refused with what to do instead.
func TestUsage(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"-listen", "192.0.2.1:80"}, 1, "not on loopback"},
		{[]string{"-listen", "nonsense"}, 1, "127.0.0.1:8460"},
		{[]string{"-fly"}, 2, "-tour"},
		{[]string{"tour"}, 2, "is no option"},
	} {
		var out, errOut bytes.Buffer
		if code := run(t.Context(), c.args, &out, &errOut); code != c.code || !strings.Contains(errOut.String(), c.says) {
			t.Errorf("%v: exit %d: %s", c.args, code, errOut.String())
		}
	}
}
