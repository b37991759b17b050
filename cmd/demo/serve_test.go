package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// running is a demo that serves its page.
type running struct {
	t     *testing.T
	page  string
	said  string // before it waits
	stop  context.CancelFunc
	ended chan int
	err   *bytes.Buffer
}

var pageAddress = regexp.MustCompile(`Open +(http://\S+)`)

func begin(t *testing.T, args ...string) *running {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	out, in := io.Pipe()
	d := &running{t: t, stop: stop, ended: make(chan int, 1), err: &bytes.Buffer{}}
	go func() {
		code := run(ctx, append([]string{"-listen", "127.0.0.1:0"}, args...), in, d.err)
		_ = in.Close() // the reader ends
		d.ended <- code
	}()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		d.said += lines.Text() + "\n"
		if strings.Contains(lines.Text(), "Ctrl-C") {
			break
		}
	}
	go io.Copy(io.Discard, out) //nolint:errcheck // what it says at the end
	m := pageAddress.FindStringSubmatch(d.said)
	if m == nil {
		stop()
		t.Fatalf("it names no address (exit %d):\n%s%s", <-d.ended, d.said, d.err)
	}
	d.page = m[1]
	return d
}

// end is Ctrl-C.
func (d *running) end() {
	d.t.Helper()
	d.stop()
	if code := <-d.ended; code != 0 {
		d.t.Errorf("exit %d: %s", code, d.err)
	}
}

func (d *running) get(path string) string {
	d.t.Helper()
	resp, err := http.Get(d.page + path)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		d.t.Fatalf("%d %v", resp.StatusCode, err)
	}
	return string(b)
}

// TestServe: the demo says where it is, serves its page, and ends in good order although a browser waits for events.
func TestServe(t *testing.T) {
	d := begin(t)
	if !strings.Contains(d.get("/"), "Guided tour") {
		t.Error("no tour on the page")
	}
	events, err := http.Get(d.page + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer events.Body.Close()
	if _, err := events.Body.Read(make([]byte, 1)); err != nil {
		t.Errorf("no event: %v", err)
	}
	d.end()
	if _, err := http.Get(d.page); err == nil {
		t.Error("it still answers")
	}
}

// TestKeepsTheWorld: with -data the world goes on where it was, at the same address of AWS.
func TestKeepsTheWorld(t *testing.T) {
	dir := t.TempDir()
	first := begin(t, "-data", dir)
	resp, err := http.PostForm(first.page+"/act/say", url.Values{"at": {"/?in=C0KEYS"}, "text": {"a word that stays"}})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	first.end()
	second := begin(t, "-data", dir)
	if !strings.Contains(second.get("/?in=C0KEYS"), "a word that stays") {
		t.Error("it was forgotten")
	}
	second.end()
}

// TestCommandLineOfAWS: where the AWS CLI is installed, the line that the demo prints works as it stands.
func TestCommandLineOfAWS(t *testing.T) {
	if _, err := exec.LookPath("aws"); err != nil {
		t.Skip("the AWS CLI is not installed; internal/sandbox/awsemu speaks to the SDK in other tests")
	}
	d := begin(t)
	defer d.end()
	_, line, _ := strings.Cut(d.said, "    AWS_ACCESS_KEY_ID")
	line, _, _ = strings.Cut("AWS_ACCESS_KEY_ID"+line, "\n\n")
	out, err := exec.Command("bash", "-c", line).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "AccessKeyMetadata") {
		t.Errorf("%v\n%s\n%s", err, line, out)
	}
}
