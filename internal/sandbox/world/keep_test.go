package world

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"
	"github.com/slack-go/slack"
)

// reopen saves a world, closes it and opens what was saved.
func reopen(t *testing.T, w *World, dir string) *World {
	t.Helper()
	if err := w.Save(dir); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return opened(t, dir, true)
}

func opened(t *testing.T, dir string, want bool) *World {
	t.Helper()
	n, ok, err := Open(dir)
	if err != nil || ok != want {
		t.Fatalf("ok %v: %v", ok, err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

func TestTheWorldThatWasKept(t *testing.T) {
	w, ctx, dir := start(t), context.Background(), filepath.Join(t.TempDir(), "made", "for it")
	w.Seed()
	w.Clock.Advance(50*time.Hour + 3*time.Nanosecond)
	w.Hands.Advance(50 * time.Hour)
	made, err := w.in(Prod).CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: ptr(Billing)})
	if err != nil {
		t.Fatal(err)
	}
	w.AWS.PutForeignSecret(Prod, "theirs", "value", nil)
	if _, _, err := slack.New(Token, slack.OptionAPIURL(w.Slack.APIURL())).PostMessage(Owner, slack.MsgOptionText("<notice> & more", false)); err != nil {
		t.Fatal(err)
	}
	n := reopen(t, w, dir)

	for name, look := range map[string]func(*World) any{
		"the clock":       func(w *World) any { return w.Clock.Now() },
		"the other clock": func(w *World) any { return w.Hands.moved() },
		"credentials":     func(w *World) any { id, secret := w.Credentials(); return id + secret },
		"keys":            func(w *World) any { return w.AWS.Keys(Prod, Billing) },
		"secrets":         func(w *World) any { return w.AWS.Secrets(Prod) },
		"all secrets":     func(w *World) any { return w.AWS.SecretStrings() },
		"messages":        func(w *World) any { return w.Slack.Messages(Owner) },
		"a screen":        func(w *World) any { return w.Slack.As(Owner).Screen() },
		"group":           func(w *World) any { return w.Slack.As(Second).Conversation(Channel) },
	} {
		if diff := cmp.Diff(look(w), look(n)); diff != "" {
			t.Errorf("%s (-saved +opened):\n%s", name, diff)
		}
	}
	if _, err := sts.NewFromConfig(n.AWSConfig()).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}); err != nil {
		t.Error(err)
	}
	if _, err := n.in(Prod).UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: ptr(Billing), AccessKeyId: made.AccessKey.AccessKeyId, Status: "Inactive"}); err != nil {
		t.Error(err)
	}
}

// TestTheSameAddresses tries more than once: a port that is free may be taken by somebody else.
func TestTheSameAddresses(t *testing.T) {
	for range 5 {
		w := start(t)
		before := w.Config("x.db")
		if n := reopen(t, w, t.TempDir()); n.Config("x.db") == before && n.AWS.URL() == w.AWS.URL() {
			return
		}
	}
	t.Error("a world that is opened again listens elsewhere")
}

func ptr[T any](v T) *T { return &v }

func TestSavingAgainReplacesTheFile(t *testing.T) {
	w, dir := start(t), t.TempDir()
	for range 3 {
		if err := w.Save(dir); err != nil {
			t.Fatal(err)
		}
		w.Clock.Advance(time.Hour)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 || files[0].Name() != "world.json" {
		t.Fatalf("the folder holds %v: %v", files, err)
	}
	if info, err := files[0].Info(); err != nil {
		t.Error(err)
	} else if info.Mode() != 0o600 {
		t.Errorf("the file's mode is %v", info.Mode())
	}
	if n := opened(t, dir, true); !n.Clock.Now().Equal(Start.Add(2 * time.Hour)) {
		t.Errorf("the clock shows %s", n.Clock.Now())
	} else if n.addresses().AWS == w.addresses().AWS || n.addresses().Slack == w.addresses().Slack {
		t.Errorf("two worlds listen at %+v", n.addresses())
	}
}

func TestSavingWhereItCannotBe(t *testing.T) {
	w, dir := start(t), t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "world.json", "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := w.Save(dir); err == nil || !strings.HasPrefix(err.Error(), "keep the world: ") {
		t.Errorf("over a folder: %v", err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("the folder holds %v: %v", files, err)
	}
	if err := w.Save(filepath.Join(dir, "world.json", "in the way", "\x00")); err == nil {
		t.Error("saved where no folder can be")
	}
}

func TestNothingWasKept(t *testing.T) {
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "not there")} {
		w := opened(t, dir, false)
		id, _ := w.Credentials()
		if other, _ := start(t).Credentials(); id != other || !w.Clock.Now().Equal(Start) {
			t.Errorf("it is not like New's: %s and %s at %s", id, other, w.Clock.Now())
		}
	}
}

func TestWorldsThatAreRefused(t *testing.T) {
	w, dir := start(t), t.TempDir()
	if err := w.Save(dir); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "world.json")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ old, instead, says string }{
		"newer":             {`{"version":1`, `{"version":2`, "it has version 2, and this program reads version 1"},
		"newer AWS":         {`"aws":{"version":1`, `"aws":{"version":7`, "load the emulated AWS: the saved state has version 7"},
		"newer Slack":       {`"slack":{"version":1`, `"slack":{"version":7`, "load the emulated Slack: the saved state has version 7"},
		"no AWS":            {`"aws":{`, `"aws":null,"slack":{`, "load the emulated AWS: the saved state has version 0"},
		"an unknown field":  {`"ahead"`, `"behind"`, "it is damaged"},
		"a clock of words":  {`"ahead":"0s"`, `"ahead":"some"`, "it is damaged"},
		"a date of words":   {`"clock":"2026`, `"clock":"x`, "it is damaged"},
		"garbage":           {string(whole), "\x00", "it is damaged"},
		"nothing":           {string(whole), "", "it is damaged"},
		"more than a world": {string(whole), string(whole) + "{}", "it is damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			content := bytes.Replace(whole, []byte(c.old), []byte(c.instead), 1)
			if bytes.Equal(content, whole) {
				t.Fatalf("there is no %q", c.old)
			}
			if err := os.WriteFile(file, content, 0o600); err != nil {
				t.Fatal(err)
			}
			n, ok, err := Open(dir)
			if n != nil || ok || err == nil || !strings.HasPrefix(err.Error(), "open the world that was kept: ") {
				t.Fatalf("%v %v: %v", n, ok, err)
			}
			if !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "remove the folder") {
				t.Errorf("got %v, want %q", err, c.says)
			}
			if after, err := os.ReadFile(file); err != nil || !bytes.Equal(after, content) {
				t.Errorf("the file was changed: %v", err)
			}
		})
	}
}
