//go:build race

package templates

// everyHostile is every fourth of the hostile texts: the race detector watches what renderings share, which is the same for
// each. make test tries them all without it.
func everyHostile() (some []string) {
	for i := 0; i < len(hostile); i += 4 {
		some = append(some, hostile[i])
	}
	return some
}
