// Package e2e runs the whole product against the emulators, as processes of their own: the journey of a key, killed and
// stalled at every point, and the searches for secrets. It holds tests alone.
package e2e
