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

// TestUsage: without -tour the demo says what there is.
func TestUsage(t *testing.T) {
	var out, errOut bytes.Buffer
	if status := run(context.Background(), nil, &out, &errOut); status != 2 || !strings.Contains(errOut.String(), "-tour") {
		t.Errorf("exit %d: %s", status, errOut.String())
	}
}
