// Command keyturn turns over the long-lived access keys of an AWS Organization from Slack. This package owns the command
// line: flags, tables for people, JSON for machines, exit statuses. What the commands do is in internal/app.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"github.com/keyturn/keyturn/internal/app"
	"github.com/keyturn/keyturn/internal/app/function"
)

// Exit statuses.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// version is set by the linker.
var version = "development"

type cli struct {
	Config string `help:"The configuration file." default:"keyturn.yaml" env:"KEYTURN_CONFIG" type:"path" short:"c"`
	Log    string `help:"Form of the log on standard error: text, json or off." enum:"text,json,off" default:"text"`
	Debug  bool   `help:"Log more."`

	Serve    serveCmd    `cmd:"" help:"Answer Slack, scan daily and carry out rotations, in one process."`
	Scan     scanCmd     `cmd:"" help:"Scan accounts for aging keys once. Works beside a running serve."`
	Tick     tickCmd     `cmd:"" help:"Carry out everything that is due, once. Works beside a running serve."`
	Status   statusCmd   `cmd:"" aliases:"list" help:"Show rotations and where they stand."`
	Due      dueCmd      `cmd:"" help:"Show keys that are due for a decision, or will be within a time, soonest first."`
	Why      whyCmd      `cmd:"" help:"Say why keyturn does what it does with a key, and who may decide."`
	History  historyCmd  `cmd:"" help:"Show everything that happened to a key's rotation, the newest last."`
	Report   reportCmd   `cmd:"" help:"Show how the keys stand, what became of them, and what waits."`
	Audit    auditCmd    `cmd:"" help:"Check, export and anchor the history of everything that was done."`
	Doctor   doctorCmd   `cmd:"" help:"Check configuration, Slack, AWS and mail, and say how to mend each."`
	Cfg      configCmd   `cmd:"" name:"config" help:"Work on the configuration."`
	Messages messagesCmd `cmd:"" help:"Print every message and mail with canned data."`
	Version  versionCmd  `cmd:"" help:"Print the version."`
}

// environment is what commands get beside their flags.
type environment struct {
	ctx context.Context
	cli *cli
	out io.Writer
	err io.Writer
	log *slog.Logger
	now func() time.Time // domain clock
}

func main() {
	if function.InLambda() {
		if err := function.Start(os.Stdout); err != nil {
			os.Exit(exitFailed) // the log says why
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is main without the process: tests call it.
func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	return runAt(ctx, args, out, errOut, time.Now)
}

// newParser returns the parser of the command line, which parses into c.
func newParser(c *cli, opts ...kong.Option) (*kong.Kong, error) {
	return kong.New(c, append([]kong.Option{
		kong.Name("keyturn"), kong.Description("Turns over the long-lived IAM access keys of an AWS Organization from Slack."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	}, opts...)...)
}

// runAt is run on a clock.
func runAt(ctx context.Context, args []string, out, errOut io.Writer, now func() time.Time) int {
	var c cli
	exit := -1
	parser, err := newParser(&c, kong.Writers(out, errOut), kong.Exit(func(code int) { exit = code }))
	if err != nil {
		fmt.Fprintln(errOut, "keyturn:", err)
		return exitFailed
	}
	k, err := parser.Parse(args)
	if exit >= 0 {
		return exit // --help
	}
	if err != nil {
		fmt.Fprintf(errOut, "keyturn: %v\nkeyturn --help lists the commands, keyturn COMMAND --help their flags.\n", err)
		return exitUsage
	}
	env := &environment{ctx: ctx, cli: &c, out: out, err: errOut, log: logger(c, errOut), now: now}
	if err := k.Run(env); err != nil {
		if text := err.Error(); text != "" {
			fmt.Fprintln(errOut, "keyturn:", text)
		}
		if errors.Is(err, errUsage) {
			return exitUsage
		}
		return exitFailed
	}
	return exitOK
}

// errUsage marks a mistake on the command line.
var errUsage = errors.New("usage")

func logger(c cli, w io.Writer) *slog.Logger {
	level := slog.LevelInfo
	if c.Debug {
		level = slog.LevelDebug
	}
	switch c.Log {
	case "json":
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
	case "off":
		return slog.New(slog.DiscardHandler)
	default:
		return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
	}
}

// open reads the configuration and wires the program.
func (e *environment) open(o app.Options) (*app.App, error) {
	cfg, err := app.Load(e.cli.Config)
	if err != nil {
		return nil, err
	}
	aws, err := awsconfig.LoadDefaultConfig(e.ctx)
	if err != nil {
		return nil, fmt.Errorf("AWS configuration: %w", err)
	}
	if aws.Region == "" {
		return nil, errors.New("no AWS region is set. Set AWS_REGION to the region where secrets are to lie")
	}
	o.AWS, o.Log, o.Now = aws, e.log, e.now
	return app.New(e.ctx, cfg, o)
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(e *environment) error {
	_, err := fmt.Fprintln(e.out, "keyturn", version)
	return err
}
