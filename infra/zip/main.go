// Command zip packs a binary and its configuration for AWS Lambda: the same input always gives the same bytes, so that an
// unchanged function is not deployed again. It owns the archive's form and its limit, and knows nothing of AWS.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// budget is the most that the archive may weigh, in bytes. Lambda takes 50 MB; a larger one starts slower.
const budget = 10_000_000

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "zip:", err)
		}
		os.Exit(1)
	}
}

// run is main without the process.
func run(args []string, out, errOut io.Writer) error {
	fs := flag.NewFlagSet("zip", flag.ContinueOnError)
	fs.SetOutput(errOut)
	to := fs.String("o", "", "the archive that is written")
	config := fs.String("config", "", "the configuration that lies beside the binary, as keyturn.yaml")
	templates := fs.String("templates", "", "a folder of mail templates that lies beside the binary, as templates; none if empty")
	most := fs.Int64("most", budget, "the most bytes that the archive may have")
	fs.Usage = func() {
		fmt.Fprintln(errOut, "usage: zip -o ARCHIVE -config FILE [-templates FOLDER] BINARY")
		fs.PrintDefaults()
	}
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *to == "" || *config == "" || fs.NArg() != 1 {
		return errors.New("usage: zip -o ARCHIVE -config FILE [-templates FOLDER] BINARY")
	}
	members := []member{{name: "bootstrap", path: fs.Arg(0), mode: 0o755}, {name: "keyturn.yaml", path: *config, mode: 0o644}}
	more, err := folder(*templates, "templates")
	if err != nil {
		return err
	}
	data, err := pack(append(members, more...))
	if err != nil {
		return err
	}
	if size := int64(len(data)); size > *most {
		return fmt.Errorf("%s would have %d bytes, and the budget is %d: build with -ldflags '-s -w', and look for a large new module", *to, size, *most)
	}
	if err := write(*to, data); err != nil {
		return fmt.Errorf("write %s: %w", *to, err)
	}
	sum := sha256.Sum256(data)
	_, err = fmt.Fprintf(out, "%s  %d bytes  sha256 %s\n", *to, len(data), hex.EncodeToString(sum[:]))
	return err
}

// write replaces the file whole or not at all.
func write(to string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(to), ".zip-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Chmod(0o644), f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return os.Rename(f.Name(), to)
}
