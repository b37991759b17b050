// Package stage runs the whole product in one process against the emulated AWS and the emulated Slack, and lets its world
// go on: time that passes with ticks and daily scans, workloads that use their keys, trouble that is switched on and off, and
// the death of the program in the middle of a step. It owns what happened (the trail of steps with their calls) and what
// runs; it must not know how anybody looks at it.
package stage
