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
	var said bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "make", "--no-print-directory", "-C", "../..", "demo", "ARGS=-listen 127.0.0.1:0")
	cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=") // of the make that runs the tests
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.Contains(lines.Text(), "Ctrl-C") {
	}
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(io.MultiReader(strings.NewReader(lines.Text()), out))
	_ = cmd.Wait() // make ends by the signal, as every make
	if !strings.Contains(string(rest), "Ending.") || strings.Contains(said.String(), "Error") {
		t.Errorf("it said:\n%s\nand:\n%s", rest, &said)
	}
}
