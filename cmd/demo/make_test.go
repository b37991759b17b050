//go:build unix

package main

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// TestMakeDemo: Ctrl-C on the terminal of make demo, which goes to make and to the demo, reads as an end and not as an error.
func TestMakeDemo(t *testing.T) {
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("no make here")
	}
	var failed bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "make", "--no-print-directory", "-C", "../..", "demo", "ARGS=-listen 127.0.0.1:0")
	cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=") // of the make that runs the tests
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.Stderr = &failed
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	said, line, lines := "", "", bufio.NewReader(out)
	for err == nil && !strings.Contains(line, "Ctrl-C") {
		line, err = lines.ReadString('\n')
		said += line
	}
	if err == nil {
		err = syscall.Kill(-cmd.Process.Pid, syscall.SIGINT)
	}
	last, _ := io.ReadAll(lines)
	_ = cmd.Wait() // make ends by the signal, as every make
	if err != nil || !strings.Contains(string(last), "Ending.") || strings.Contains(failed.String(), "Error") {
		t.Errorf("%v; it said:\n%s%s\nand:\n%s", err, said, last, &failed)
	}
}
