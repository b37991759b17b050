package iampolicy

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// pattern is a text with wildcards and policy variables. * stands for any characters, ? for one.
type pattern struct {
	text  string
	parts []part
}

// part is literal text, a wildcard or a variable.
type part struct {
	wild     rune // '*', '?' or 0
	literal  string
	variable string // name of a condition key in lower case
	fallback *string
}

// grammar says what a pattern may have.
type grammar struct {
	wild bool
	vars bool // since version 2012-10-17
	keys Keys
}

var defaulted = regexp.MustCompile(`^\s*([^\s,']+)\s*,\s*'([^']*)'\s*$`)

// compile reads a pattern. A variable whose key is not known, or that may have several values, is an error.
func (g grammar) compile(text string) (pattern, error) {
	p := pattern{text: text}
	var literal strings.Builder
	flush := func() {
		if literal.Len() > 0 {
			p.parts = append(p.parts, part{literal: literal.String()})
			literal.Reset()
		}
	}
	for rest := text; rest != ""; {
		if g.vars && strings.HasPrefix(rest, "${") {
			end := strings.IndexByte(rest, '}')
			if end < 0 {
				return pattern{}, fmt.Errorf("%q has a variable without an end", text)
			}
			v, err := g.variable(rest[2:end])
			if err != nil {
				return pattern{}, fmt.Errorf("%q: %w", text, err)
			}
			flush()
			p.parts = append(p.parts, v)
			rest = rest[end+1:]
			continue
		}
		c := rest[0]
		rest = rest[1:]
		if g.wild && (c == '*' || c == '?') {
			flush()
			p.parts = append(p.parts, part{wild: rune(c)})
			continue
		}
		literal.WriteByte(c)
	}
	flush()
	return p, nil
}

// variable reads what stands between ${ and }: a key, a key and a default, or one of the characters that are special.
func (g grammar) variable(text string) (part, error) {
	switch text {
	case "*", "?", "$":
		return part{literal: text}, nil
	}
	v := part{variable: strings.ToLower(text)}
	if m := defaulted.FindStringSubmatch(text); m != nil {
		v = part{variable: strings.ToLower(m[1]), fallback: &m[2]}
	}
	k, ok := g.keys(v.variable)
	switch {
	case !ok:
		return part{}, fmt.Errorf("the policy variable ${%s} is not known", text)
	case k.Multi:
		return part{}, fmt.Errorf("the policy variable ${%s} may have several values", text)
	}
	return v, nil
}

// shape is the pattern's text with each variable as one character that is in no text.
func (p pattern) shape() string {
	var b strings.Builder
	for _, x := range p.parts {
		switch {
		case x.variable != "":
			b.WriteByte(0)
		case x.wild != 0:
			b.WriteRune(x.wild)
		default:
			b.WriteString(x.literal)
		}
	}
	return b.String()
}

// char is one character of a resolved pattern. What a variable stands for has no wildcards.
type char struct {
	r    rune
	wild bool
}

// resolve puts the values of the variables in. A variable without a value and without a default matches nothing.
func (p pattern) resolve(c Context) ([]char, bool) {
	var out []char
	for _, x := range p.parts {
		text := x.literal
		switch {
		case x.wild != 0:
			out = append(out, char{x.wild, true})
			continue
		case x.variable != "":
			switch values := c[x.variable]; {
			case len(values) == 1:
				text = values[0]
			case len(values) == 0 && x.fallback != nil:
				text = *x.fallback
			default:
				return nil, false
			}
		}
		for _, r := range text {
			out = append(out, char{r: r})
		}
	}
	return out, true
}

// match compares a whole text with the pattern.
func (p pattern) match(c Context, text string, fold bool) bool {
	chars, ok := p.resolve(c)
	return ok && glob(chars, []rune(text), fold)
}

// glob goes back to the last asterisk where it fails: its time is the product of both lengths at most.
func glob(p []char, text []rune, fold bool) bool {
	i, j, star, mark := 0, 0, -1, 0
	for j < len(text) {
		switch {
		case i < len(p) && p[i].wild && p[i].r == '*':
			star, mark = i, j
			i++
		case i < len(p) && (p[i].wild || same(p[i].r, text[j], fold)):
			i, j = i+1, j+1
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i].wild && p[i].r == '*' {
		i++
	}
	return i == len(p)
}

func same(a, b rune, fold bool) bool {
	return a == b || fold && unicode.ToLower(a) == unicode.ToLower(b)
}

// arnParts is how many parts, set off by colons, an ARN has.
const arnParts = 6

// matchARN compares part by part, so that a wildcard reaches no further than its part. The last one may have colons.
func (p pattern) matchARN(c Context, text string) bool {
	chars, ok := p.resolve(c)
	have := strings.SplitN(text, ":", arnParts)
	if !ok || len(have) != arnParts {
		return false
	}
	for i, h := range have {
		cut := len(chars)
		if i < arnParts-1 {
			if cut = slices.Index(chars, char{r: ':'}); cut < 0 {
				return false
			}
		}
		if !glob(chars[:cut], []rune(h), false) {
			return false
		}
		chars = chars[min(cut+1, len(chars)):]
	}
	return true
}

var partitions = []string{"aws", "aws-cn", "aws-us-gov"}

// checkARN is what IAM demands of an ARN: six parts, and in a Resource element the partition and the service in full.
func (p pattern) checkARN(resource bool) error {
	parts := strings.SplitN(p.shape(), ":", arnParts)
	switch {
	case len(parts) != arnParts || parts[0] != "arn":
		return fmt.Errorf("%q is no ARN", p.text)
	case !resource:
		return nil
	case !slices.Contains(partitions, parts[1]):
		return fmt.Errorf("%q has no partition that is known", p.text)
	case parts[2] == "" || strings.ContainsAny(parts[2], "*?\x00"):
		return fmt.Errorf("%q must name its service in full", p.text)
	case parts[5] == "":
		return errors.New("the ARN " + p.text + " names no resource")
	}
	return nil
}
