// Command demo runs keyturn against a local organization and a local Slack, on loopback, and tells one rotation from the
// notice to the deletion as the people in it would live it. What runs is the product; only the world around it is emulated.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(errOut)
	tour := flags.Bool("tour", false, "tell the story of one rotation and exit")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if !*tour {
		fmt.Fprintln(errOut, "demo: this version tells the story as text: go run ./cmd/demo -tour (or make demo)")
		return 2
	}
	if err := tell(ctx, out); err != nil {
		fmt.Fprintln(errOut, "demo:", err)
		return 1
	}
	return 0
}
