package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/keyturn/keyturn/internal/sandbox/page"
	sandbox "github.com/keyturn/keyturn/internal/sandbox/stage"
	"github.com/keyturn/keyturn/internal/sandbox/world"
)

// usualAddress is where the page is, unless somebody else is there.
const usualAddress = "127.0.0.1:8460"

// serve shows the world as a page until ctx ends.
func serve(ctx context.Context, out io.Writer, data, address string) (err error) {
	l, err := listenAt(address)
	if err != nil {
		return err
	}
	s, err := sandbox.Open(ctx, sandbox.Options{Data: data})
	if err != nil {
		return errors.Join(err, l.Close())
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	p, err := page.New(s)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	srv := &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	announce(out, s, l.Addr().String(), data)
	select {
	case err := <-served:
		return fmt.Errorf("serve the page: %w", err)
	case <-ctx.Done():
	}
	fmt.Fprintln(out, "\nEnding.")
	stop() // browsers that wait for events are let go
	grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := srv.Shutdown(grace); err != nil {
		return errors.Join(err, srv.Close())
	}
	return nil
}

// listenAt listens on loopback, and nowhere else: whoever reaches the page can do everything in its world.
func listenAt(address string) (net.Listener, error) {
	usual := address == ""
	if usual {
		address = usualAddress
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("-listen %s is no address: write it as 127.0.0.1:8460", address)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("-listen %s is not on loopback: whoever reaches the page can do everything in its world. Write it as 127.0.0.1:8460", address)
	}
	l, err := net.Listen("tcp", address)
	if err != nil && usual {
		l, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s (is another demo running? name another address with -listen): %w", address, err)
	}
	return l, nil
}

func announce(out io.Writer, s *sandbox.Stage, address, data string) {
	id, secret := s.ProdCredentials()
	fmt.Fprintf(out, `keyturn, in a local world

  Open       http://%s

  AWS        %s   (emulated; for the AWS CLI:)

    AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=%s AWS_DEFAULT_REGION=%s \
      aws --endpoint-url %s iam list-access-keys --user-name %s

`, address, s.AWS.URL(), id, secret, world.Region, s.AWS.URL(), world.Billing)
	if data == "" {
		fmt.Fprintln(out, "Everything is forgotten at the end; -data DIR keeps it. Ctrl-C ends it.")
	} else {
		fmt.Fprintf(out, "The world is kept in %s, whole when it is ended in good order. Ctrl-C ends it.\n", data)
	}
}
