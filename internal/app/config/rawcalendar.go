package config

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

// rawCalendars are calendars by name, in the file's order.
type rawCalendars struct{ list []rawCalendar }

type rawCalendar struct {
	Zone         text   `yaml:"zone"`
	Days         []text `yaml:"days"`
	Hours        text   `yaml:"hours"`
	LastDayUntil text   `yaml:"last_day_until"`
	name         string
	line         int
}

// UnmarshalYAML keeps the order and checks names and keys.
func (c *rawCalendars) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: calendars is a mapping from names to calendars", n.Line)
	}
	type plain rawCalendar
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if err := known(v, "a calendar", "zone", "days", "hours", "last_day_until"); err != nil {
			return err
		}
		if seen[k.Value] {
			return fmt.Errorf("line %d: %q stands twice in calendars", k.Line, k.Value)
		}
		seen[k.Value] = true
		var one plain
		if err := v.Decode(&one); err != nil {
			return err
		}
		one.name, one.line = k.Value, k.Line
		c.list = append(c.list, rawCalendar(one))
	}
	return nil
}

type rawFreeze struct {
	From  text      `yaml:"from"`
	Until text      `yaml:"until"`
	Why   text      `yaml:"why"`
	Zone  text      `yaml:"zone"`
	Match *rawMatch `yaml:"match"`
	line  int
}

// UnmarshalYAML checks the keys and keeps the line.
func (f *rawFreeze) UnmarshalYAML(n *yaml.Node) error {
	type plain rawFreeze
	if err := known(n, "a freeze", "from", "until", "why", "zone", "match"); err != nil {
		return err
	}
	if err := n.Decode((*plain)(f)); err != nil {
		return err
	}
	f.line = n.Line
	return nil
}
