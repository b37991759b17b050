package bot

import (
	"fmt"
	"html"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/keyturn/keyturn/internal/report"
	"github.com/keyturn/keyturn/internal/rotation"
	"github.com/keyturn/keyturn/templates"
)

// mostText is how much of a command is read, in bytes; Slack allows about 4,000 characters.
const mostText = 16 << 10

// Parse reads a slash command. It is pure and total. What is wrong comes back as an answer that says how the command goes.
func Parse(prefix, command, text string) Parsed {
	if command != prefix {
		return Parsed{Ignore: true}
	}
	words := split(text)
	if len(words) == 0 {
		words = []string{"help"}
	}
	name := strings.ToLower(words[0])
	if slices.Contains(notYet, name) {
		return result(templates.AnswerNotYet(prefix, name))
	}
	spec, ok := specOf(name)
	if !ok {
		return unknown(prefix, words[0])
	}
	c := Command{Name: name, Page: 1}
	rest := words[1:]
	for _, a := range spec.args {
		var err error
		if rest, err = a(&c, rest); err != nil {
			return result(templates.AnswerUsage(prefix, err.Error(), spec.HelpLine))
		}
	}
	if len(rest) > 0 {
		return result(templates.AnswerUsage(prefix, fmt.Sprintf("%q is more than %s takes", clip(strings.Join(rest, " ")), name), spec.HelpLine))
	}
	if name == "help" {
		return help(prefix, c.Target)
	}
	return Parsed{Command: &c}
}

func result(m templates.Message) Parsed { return Parsed{Result: &m} }

func help(prefix, about string) Parsed {
	if spec, ok := specOf(strings.ToLower(about)); ok {
		return result(templates.AnswerUsage(prefix, strings.ToUpper(spec.Name[:1])+spec.Name[1:]+": "+spec.Does, spec.HelpLine))
	}
	if slices.Contains(notYet, strings.ToLower(about)) {
		return result(templates.AnswerNotYet(prefix, strings.ToLower(about)))
	}
	if about != "" {
		return unknown(prefix, about)
	}
	var lines []templates.HelpLine
	for _, s := range Specs() {
		lines = append(lines, s.HelpLine)
	}
	return result(templates.AnswerHelp(prefix, lines))
}

func unknown(prefix, typed string) Parsed {
	var names []string
	for _, s := range Specs() {
		names = append(names, s.Name)
	}
	spec, _ := specOf(nearest(strings.ToLower(typed), names))
	return result(templates.AnswerUsage(prefix, fmt.Sprintf("there is no command %q. Did you mean %s?", clip(typed), spec.Name), spec.HelpLine))
}

// arg takes words for one argument into the command and returns the rest, or says what is wrong.
type arg func(c *Command, words []string) ([]string, error)

func argKey(c *Command, words []string) ([]string, error) {
	if len(words) == 0 {
		return nil, fmt.Errorf("which key? %s needs an access key ID", c.Name)
	}
	id, err := rotation.ParseKeyID(words[0])
	c.Key = id
	return words[1:], err
}

// argPick takes a second key, if there is one.
func argPick(c *Command, words []string) ([]string, error) {
	if len(words) == 0 || !strings.HasPrefix(strings.ToUpper(words[0]), "AKIA") {
		return words, nil
	}
	id, err := rotation.ParseKeyID(words[0])
	c.Pick = id
	return words[1:], err
}

func argFor(c *Command, words []string) ([]string, error) {
	if len(words) == 0 {
		return nil, fmt.Errorf("for how long? %s needs a duration, like 3d or 1d12h", c.Name)
	}
	d, err := rotation.ParseDuration(words[0])
	if err == nil && d <= 0 {
		err = fmt.Errorf("%s is no time at all; write it like 3d or 1d12h", words[0])
	}
	c.For = d
	return words[1:], err
}

func argWithin(c *Command, words []string) ([]string, error) {
	if len(words) == 0 {
		return words, nil
	}
	d, err := rotation.ParseDuration(words[0])
	if err != nil {
		err = fmt.Errorf("%w%s", err, c.hint())
	}
	c.For = d
	return words[1:], err
}

// longestPeriod is how far back a report goes: for so long the points of the burn-down are kept.
const longestPeriod = report.MostPoints * rotation.Day

func argPeriod(c *Command, words []string) ([]string, error) {
	rest, err := argWithin(c, words)
	switch {
	case err != nil:
	case len(words) == 0:
		c.For = 30 * rotation.Day
	case c.For < rotation.Day || c.For > longestPeriod:
		err = fmt.Errorf("a report is about 1d to %s; %s is not", rotation.FormatDuration(longestPeriod), clip(words[0]))
	}
	return rest, err
}

// argPlain takes the word plain, wherever it stands.
func argPlain(c *Command, words []string) ([]string, error) {
	rest := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return strings.EqualFold(w, "plain") })
	c.Plain = len(rest) < len(words)
	return rest, nil
}

// hint says, where a word was none of what a command with filters takes, how filters look.
func (c *Command) hint() string {
	if spec, _ := specOf(c.Name); !strings.Contains(spec.Usage, "FILTERS") {
		return ""
	}
	return "; a filter looks like " + filterNames[0].example
}

func argUntil(c *Command, words []string) ([]string, error) {
	if len(words) > 0 && strings.EqualFold(words[0], "until") {
		words = words[1:]
	}
	if len(words) == 0 {
		return nil, fmt.Errorf("until when? %s needs a date, like 2027-01-31", c.Name)
	}
	t, err := parseDay(words[0])
	c.Until = t
	return words[1:], err
}

// parseDay reads a date as midnight UTC.
func parseDay(s string) (time.Time, error) {
	t, err := time.Parse("2006-01-02", s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not a date: write it like 2027-01-31", clip(s))
	}
	return t, nil
}

func argUser(c *Command, words []string) ([]string, error) {
	if len(words) == 0 {
		return nil, fmt.Errorf("which user? %s needs USER@ACCOUNT", c.Name)
	}
	if at := strings.LastIndexByte(words[0], '@'); at < 1 || at == len(words[0])-1 {
		return nil, fmt.Errorf("%q does not name a user and an account: write USER@ACCOUNT, the account by ID or name", clip(words[0]))
	}
	c.User = words[0]
	return words[1:], nil
}

func argPage(c *Command, words []string) ([]string, error) {
	if len(words) == 0 {
		return words, nil
	}
	n, err := strconv.Atoi(words[0])
	if err != nil || n < 1 || n > 10_000 {
		return nil, fmt.Errorf("%q is not the number of a page%s", clip(words[0]), c.hint())
	}
	c.Page = n
	return words[1:], nil
}

func argTarget(c *Command, words []string) ([]string, error) {
	c.Target = strings.Join(words, " ")
	return nil, nil
}

// argReason takes all that is left as a reason, which may be empty.
func argReason(c *Command, left []string) ([]string, error) {
	c.Reason = reasonIn(strings.Join(left, " "))
	if n := utf8.RuneCountInString(c.Reason); n > templates.MostWhy {
		return nil, fmt.Errorf("the reason has %d characters, and %d are possible", n, templates.MostWhy)
	}
	return nil, nil
}

// argWhy is argReason where a reason is needed.
func argWhy(c *Command, left []string) ([]string, error) {
	if reasonIn(strings.Join(left, " ")) == "" {
		return nil, fmt.Errorf("why? %s needs a reason, which others will read in the history", c.Name)
	}
	return argReason(c, left)
}

// split cuts the text of a command into words. Quotation marks hold words together; what Slack made of addresses
// (<mailto:a@b|a@b>), of people (<@U0123|ann>) and of &, < and > becomes what was typed, or the ID.
func split(text string) []string {
	if len(text) > mostText {
		text = strings.ToValidUTF8(text[:mostText], "")
	}
	var words []string
	var word strings.Builder
	quoted, any := false, false
	flush := func() {
		if any {
			words = append(words, html.UnescapeString(unlink(word.String())))
		}
		word.Reset()
		any = false
	}
	for _, r := range text {
		switch {
		case r == '"' || r == '“' || r == '”':
			quoted, any = !quoted, true
		case unicode.IsSpace(r) && !quoted:
			flush()
		case unicode.IsControl(r):
		default:
			word.WriteRune(r)
			any = true
		}
	}
	flush()
	return slices.DeleteFunc(words, func(w string) bool { return w == "" })
}

// unlink turns every <mailto:x|y> and <https://x|y> of a word into y.
func unlink(s string) string {
	var out strings.Builder
	for {
		open := strings.IndexByte(s, '<')
		if open < 0 {
			break
		}
		end := strings.IndexByte(s[open:], '>')
		if end < 0 {
			break
		}
		inside := s[open+1 : open+end]
		out.WriteString(s[:open])
		id, label, labelled := strings.Cut(inside, "|")
		switch {
		case strings.HasPrefix(id, "@"): // a person, by whatever name
			out.WriteString(id[1:])
		case labelled:
			out.WriteString(label)
		default:
			out.WriteString(strings.TrimPrefix(id, "mailto:"))
		}
		s = s[open+end+1:]
	}
	return out.String() + s
}

func clip(s string) string { return templates.Cut(s, 60) }
