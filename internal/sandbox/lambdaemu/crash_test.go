package lambdaemu

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
)

// TestStreamKilled kills the process in the middle of a batch: the batch comes again, to a new process.
func TestStreamKilled(t *testing.T) {
	g := newGate(t)
	f := newFunction(t, withEnv("STREAM="+g.url))
	m := offered(t, StreamOptions{Target: f, MaximumRetryAttempts: 5, ReportBatchItemFailures: true, BisectBatchOnFunctionError: true}, 2)
	polled := make(chan error)
	poll := func() {
		_, err := m.Poll(t.Context())
		polled <- err
	}
	go poll()
	if got := <-g.arrived; got != "1" {
		t.Errorf("the handler is at record %s", got)
	}
	g.open <- struct{}{}
	if got := <-g.arrived; got != "2" {
		t.Errorf("the handler is at record %s", got)
	}
	if n := f.Kill(); n != 1 {
		t.Errorf("%d killed", n)
	}
	if err := <-polled; err != nil {
		t.Fatal(err)
	}
	// The batch is split: first one record and then the other.
	for _, want := range []string{"1", "2"} {
		go poll()
		if got := <-g.arrived; got != want {
			t.Errorf("the handler is at record %s, want %s", got, want)
		}
		g.open <- struct{}{}
		if err := <-polled; err != nil {
			t.Fatal(err)
		}
	}
	if s := m.Stats(); s.Done != 2 || s.Waiting != 0 || f.Stats().Starts != 2 || f.Stats().Invocations != 3 {
		t.Errorf("%+v %+v", s, f.Stats())
	}
}

// TestQueueThrottled lets two batches wait for the one slot that the function has, and counts no failure.
func TestQueueThrottled(t *testing.T) {
	g := newGate(t)
	f := newFunction(t, func(o *Options) { o.Concurrency = 1 })
	q := newQueue()
	for i := range 3 {
		body := fmt.Sprintf("m%d", i)
		q.visible = append(q.visible, Message{ID: body, Receipt: body, Body: body})
	}
	m := must(NewQueueMapping(QueueOptions{Target: throughGate{f, g}, Source: q, ARN: queueARN, BatchSize: 1}))
	polled := make(chan int)
	go func() {
		n, err := m.Poll(t.Context())
		if err != nil {
			t.Error(err)
		}
		polled <- n
	}()
	for range 3 {
		<-g.arrived
		g.open <- struct{}{}
	}
	if n := <-polled; n != 3 || len(q.returned) != 0 || f.Stats().Starts != 1 || f.Stats().Invocations != 3 {
		t.Errorf("%d done, %v came back, %+v", n, q.returned, f.Stats())
	}
}

// throughGate sends every event through a gate, whatever the mapping made of it.
type throughGate struct {
	*Function
	gate *gate
}

func (f throughGate) InvokeWhenFree(ctx context.Context, _ []byte) (Result, error) {
	return f.Function.InvokeWhenFree(ctx, must(json.Marshal(order{Do: "gate", Text: f.gate.url})))
}
