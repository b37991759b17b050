package store

import "github.com/keyturn/keyturn/internal/rotation"

// A chain holds entries that belong to no rotation, each with the hash of the one before. Its name is its writer's choice:
// "person/U0123/2026-11". Entries are appended and never changed or removed.

// MostChain bounds the name of a chain, in bytes.
const MostChain = 120

// CheckChain checks the name of a chain. ErrChain.
func CheckChain(name string) error {
	if name == "" || len(name) > MostChain {
		return ErrChain
	}
	for i := range len(name) {
		if c := name[i]; c < ' ' || c > '~' || c == '#' {
			return ErrChain
		}
	}
	return nil
}

// CheckEntry checks what an entry says of itself before it is appended: its hash fits, and it is either the first of its
// chain or names the one before it. ErrHistory.
func CheckEntry(e rotation.Entry) error {
	if !e.Sound() || e.Seq < 1 || (e.Seq == 1) != (e.Prev == "") {
		return ErrHistory
	}
	return nil
}

// Appends checks that e comes right after the last entry of a chain, whose zero value says that the chain is empty.
// ErrConflict: somebody else appended since the chain was read.
func Appends(last, e rotation.Entry) error {
	if e.Seq != last.Seq+1 || e.Prev != last.Hash {
		return ErrConflict
	}
	return nil
}
