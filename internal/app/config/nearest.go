package config

import (
	"fmt"
	"slices"
	"strings"
)

func contains(names []string, s string) bool { return slices.Contains(names, s) }

func list(names []string) string { return strings.Join(names, ", ") }

// didYouMean names the nearest of names, or all of them if none is near.
func didYouMean(s string, names []string) string {
	best, least := "", len(s)/2+1
	for _, n := range names {
		if d := distance(s, n); d <= least {
			best, least = n, d-1
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	return "it may have " + list(names)
}

// distance is the Levenshtein distance of two short ASCII words.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
