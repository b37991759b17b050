package page

import "path/filepath"

// shot is where a test saves what it has seen, beside the binaries and as little kept. make pictures takes the README's
// pictures from there.
func shot(name string) string {
	return filepath.Join("..", "..", "..", "bin", "screenshots", name+".png")
}
