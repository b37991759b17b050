//go:build !race

package templates

// everyHostile are the hostile texts.
func everyHostile() []string { return hostile }
