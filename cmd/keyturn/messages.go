package main

import (
	"fmt"

	"github.com/keyturn/keyturn/templates"
)

type messagesCmd struct{}

// Run prints the catalogue of messages.
func (messagesCmd) Run(e *environment) error {
	for _, s := range templates.Catalogue() {
		fmt.Fprintf(e.out, "━━ %s\n\n%s\n\n", s.Name, s.Plain())
	}
	return nil
}
