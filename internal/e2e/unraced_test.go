//go:build !race

package e2e

// raced: the race detector is on.
const raced = false
