// Command demo runs keyturn against a local organization and a local Slack, on loopback: as a page on which everything can be
// clicked, or with -tour as the story of one rotation, told as the people in it would live it. What runs is the product; only
// the world around it is emulated.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(errOut)
	tour := flags.Bool("tour", false, "tell the story of one rotation as text and exit")
	data := flags.String("data", "", "`folder` that keeps the world; without it everything is forgotten at the end")
	listen := flags.String("listen", "", "loopback `address` of the page; without it "+usualAddress+", or a free port if that one is taken")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(errOut, "demo: %q is no option. Try demo -help\n", flags.Arg(0))
		return 2
	}
	do := func() error { return serve(ctx, out, *data, *listen) }
	if *tour {
		do = func() error { return tell(ctx, out) }
	}
	if err := do(); err != nil {
		fmt.Fprintln(errOut, "demo:", err)
		return 1
	}
	return 0
}
