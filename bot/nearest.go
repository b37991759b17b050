package bot

// nearest returns the candidate with the smallest edit distance to s; the first one wins a tie.
func nearest(s string, candidates []string) string {
	best, least := "", -1
	for _, c := range candidates {
		if d := distance(s, c); least < 0 || d < least {
			best, least = c, d
		}
	}
	return best
}

// distance is the Levenshtein distance of two words, of which only the first 40 runes count.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	x, y = x[:min(len(x), 40)], y[:min(len(y), 40)]
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		diag := row[0]
		row[0] = i + 1
		for j := range y {
			cost := diag
			if x[i] != y[j] {
				cost++
			}
			diag = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(y)]
}
