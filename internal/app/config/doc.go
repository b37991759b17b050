// Package config turns the YAML file into a valid configuration, or into every error that it has, each with its key and
// line. It is strict: what it does not know is an error, and what a later version will bring is refused with a sentence.
// It reads no environment, no AWS and no clock; resolving secrets is somebody else's work.
package config
