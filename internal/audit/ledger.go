package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// buckets is into how many groups chains are sorted, so that a mismatch says which chains to look at.
const buckets = 256

// notRead stands in an anchor for a bucket with a chain that could not be read when it was made.
const notRead = ""

// ledger remembers what the heads of chains were at some times, and digests them.
type ledger struct {
	times  []time.Time // ascending
	chains []heads
	unread [buckets]bool // a chain of the bucket could not be read
}

// heads are what the head of one chain was: lines[i] from times[from[i]] on, until the next.
type heads struct {
	name   string
	bucket int
	from   []int
	lines  []string
}

func newLedger(times ...time.Time) *ledger { return &ledger{times: times} }

// add takes, for each time, the last entry of the chain that is not younger.
func (l *ledger) add(c Chain) {
	h := heads{name: c.Name, bucket: bucketOf(c.of)}
	if c.Err != nil {
		l.unread[h.bucket] = true
	}
	head := -1
	for i, t := range l.times {
		moved := false
		for n := head + 1; n < len(c.Entries); n++ {
			if !c.Entries[n].At.After(t) {
				head, moved = n, true
			}
		}
		if moved {
			e := c.Entries[head]
			h.from, h.lines = append(h.from, i), append(h.lines, fmt.Sprintf("%s %d %s", c.Name, e.Seq, e.Hash))
		}
	}
	if len(h.from) > 0 {
		l.chains = append(l.chains, h)
	}
}

// at is the line of the chain at the i-th time, or "".
func (h heads) at(i int) string {
	line := ""
	for n, from := range h.from {
		if from <= i {
			line = h.lines[n]
		}
	}
	return line
}

// bucketOf sorts by what chains belong to: those of one user stay together, so that one which cannot be read leaves one bucket
// out, whichever episodes it hides.
func bucketOf(of string) int {
	sum := sha256.Sum256([]byte(of))
	return int(sum[0])
}

// digests returns how many chains had a head at the i-th time, and the digest of each bucket: 128 bits, so that nobody finds
// other heads that fit.
func (l *ledger) digests(i int) (chains int, out []string) {
	var lines [buckets][]string
	for _, h := range l.chains {
		if line := h.at(i); line != "" {
			chains++
			lines[h.bucket] = append(lines[h.bucket], line)
		}
	}
	for _, b := range lines {
		slices.Sort(b)
		out = append(out, digest(strings.Join(b, "\n"))[:32])
	}
	return chains, out
}

// names lists the chains of a bucket.
func (l *ledger) names(bucket int) (out []string) {
	for _, h := range l.chains {
		if h.bucket == bucket {
			out = append(out, h.name)
		}
	}
	slices.Sort(out)
	return out
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
