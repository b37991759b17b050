package lambdaemu

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"
)

// version is the only one there is: what was deployed last.
const version = "$LATEST"

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// newRequestID is a random UUID (version 4).
func newRequestID() string {
	b := make([]byte, 16)
	rand.Read(b)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func newTraceID() string {
	return fmt.Sprintf("Root=1-%08x-%s;Parent=%s;Sampled=0", time.Now().Unix(), randomHex(12), randomHex(8))
}

func logStream() string {
	return time.Now().UTC().Format("2006/01/02") + "/[" + version + "]" + randomHex(16)
}
