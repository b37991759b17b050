package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// member is a file of the archive.
type member struct {
	name string
	path string // where its content is read
	mode fs.FileMode
}

// epoch is the time of every member: the beginning of the format's own calendar.
var epoch = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

// pack returns an archive of the members in their order. Owners, times and the modes of the files themselves leave no trace
// in it.
func pack(members []member) ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	w.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) { return flate.NewWriter(out, flate.BestCompression) })
	for _, m := range members {
		data, err := os.ReadFile(m.path)
		if err != nil {
			return nil, fmt.Errorf("pack %s: %w", m.name, err)
		}
		if len(data) == 0 {
			return nil, fmt.Errorf("pack %s: %s is empty", m.name, m.path)
		}
		h := &zip.FileHeader{Name: m.name, Method: zip.Deflate, Modified: epoch}
		h.SetMode(m.mode)
		f, err := w.CreateHeader(h)
		if err != nil {
			return nil, fmt.Errorf("pack %s: %w", m.name, err)
		}
		if _, err := f.Write(data); err != nil {
			return nil, fmt.Errorf("pack %s: %w", m.name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("close the archive: %w", err)
	}
	return b.Bytes(), nil
}

// folder returns the files of a folder as members below a name, in the order of their names. Hidden files, which editors and
// desktops leave behind, are not among them.
func folder(path, name string) ([]member, error) {
	if path == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("pack %s: %w", name, err)
	}
	var out []member
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if !e.Type().IsRegular() {
			return nil, fmt.Errorf("pack %s: %s is not a file", name, filepath.Join(path, e.Name()))
		}
		out = append(out, member{name: name + "/" + e.Name(), path: filepath.Join(path, e.Name()), mode: 0o644})
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("pack %s: there is no file in %s", name, path)
	}
	return out, nil
}
