package main

import (
	"fmt"

	"github.com/keyturn/keyturn/internal/app"
	"github.com/keyturn/keyturn/internal/app/config"
)

type configCmd struct {
	Check checkCmd `cmd:"" help:"Check the configuration file and say every error with its key and line."`
	Test  testCmd  `cmd:"" help:"Ask the configuration what cases written in YAML ask (this key, this person), and compare."`
}

type checkCmd struct{}

// Run checks the configuration file.
func (checkCmd) Run(e *environment) error {
	cfg, err := app.Load(e.cli.Config)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.out, "%s is valid: %d rules, secrets %q, store %s\n", e.cli.Config, len(cfg.Rules), cfg.Secrets.Name, storeOf(cfg))
	return err
}

// storeOf names the store of a configuration.
func storeOf(c config.Config) string {
	if c.Store.DynamoDB != "" {
		return "table " + c.Store.DynamoDB
	}
	return c.Store.SQLite
}
