package iampolicy

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestGlobIsARegularExpression compares the matcher with the standard library's.
func TestGlobIsARegularExpression(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[abA:\x{e9}]{0,12}`).Draw(t, "text")
		pattern := rapid.StringMatching(`[abA:*?\x{e9}]{0,8}`).Draw(t, "pattern")
		fold := rapid.Bool().Draw(t, "fold")
		var b strings.Builder
		for _, r := range pattern {
			switch r {
			case '*':
				b.WriteString(`.*`)
			case '?':
				b.WriteString(`.`)
			default:
				b.WriteString(regexp.QuoteMeta(string(r)))
			}
		}
		flags := "(?s)"
		if fold {
			flags = "(?si)"
		}
		want := regexp.MustCompile(flags + "^" + b.String() + "$").MatchString(text)
		p, err := grammar{wild: true}.compile(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.match(nil, text, fold); got != want {
			t.Fatalf("%q against %q: got %v, want %v", pattern, text, got, want)
		}
	})
}

// TestOperatorsAreEachOthersOpposite: where a key has one value, a negated operator holds exactly where the other does not.
func TestOperatorsAreEachOthersOpposite(t *testing.T) {
	pairs := map[string]string{
		"StringEquals": "StringNotEquals", "StringEqualsIgnoreCase": "StringNotEqualsIgnoreCase", "StringLike": "StringNotLike",
		"NumericEquals": "NumericNotEquals", "ArnLike": "ArnNotLike", "ArnEquals": "ArnNotEquals",
		"ForAllValues:StringLike": "ForAnyValue:StringNotLike", "ForAnyValue:StringEquals": "ForAllValues:StringNotEquals",
		"NumericLessThan": "NumericGreaterThanEquals", "NumericGreaterThan": "NumericLessThanEquals",
	}
	rapid.Check(t, func(t *rapid.T) {
		for positive, negative := range pairs {
			value := rapid.SampledFrom([]string{"a", "A", "ab", "1", "2.0"})
			if strings.HasPrefix(positive, "Arn") {
				value = rapid.SampledFrom([]string{"arn:aws:iam::1:role/a", "arn:aws:iam::*:role/*", "arn:aws:sts::1:role/a"})
			}
			if strings.HasPrefix(positive, "Numeric") {
				value = rapid.SampledFrom([]string{"1", "2", "2.0"})
			}
			have := rapid.SliceOfN(value, 1, 1).Draw(t, "have")
			if strings.HasPrefix(positive, "For") {
				have = rapid.SliceOfN(value, 0, 3).Draw(t, "have")
			}
			many := 2
			if strings.HasPrefix(positive, "NumericL") || strings.HasPrefix(positive, "NumericG") {
				many = 1
			}
			want := `"` + strings.Join(rapid.SliceOfN(value, 1, many).Draw(t, "want"), `","`) + `"`
			holds := func(operator string) bool {
				doc := `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"` + operator + `":{"x":[` + want + `]}}}}`
				p, err := ParsePermissions([]byte(doc), func(string) (Key, bool) { return Key{}, true })
				if err != nil {
					t.Fatal(err)
				}
				d, _ := p.Decide(Request{Context: Context{"x": have}})
				return d == Allowed
			}
			if holds(positive) == holds(negative) {
				t.Fatalf("%s and %s of %s agree on %v", positive, negative, want, have)
			}
		}
	})
}
