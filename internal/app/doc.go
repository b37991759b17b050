// Package app wires keyturn together from a valid configuration: it is the only importer of adapters. It owns the queue
// between a saved change and the rotator, the loops of serve, and the checks of doctor. It must not decide anything about a
// rotation: that is the core's, and it does not know that emulators exist.
package app
