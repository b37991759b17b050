package page

import (
	"os"
	"testing"
)

// pictures is the folder of the screenshots: KEYTURN_PICTURES names one, else they are gone with the test.
func pictures(t *testing.T) string {
	if dir := os.Getenv("KEYTURN_PICTURES"); dir != "" {
		return dir
	}
	return t.TempDir()
}
