package lambdaemu

import "time"

// run is one invocation on an idle process or on a new one.
func (f *Function) run(event []byte) (Result, error) {
	inv := &invocation{id: newRequestID(), trace: newTraceID(), event: event, done: make(chan struct{})}
	r := Result{RequestID: inv.id}
	var log transcript

	e := f.checkout()
	var why *failure
	if r.Cold = e == nil; r.Cold {
		log.initStart()
		limit, stop := f.opts.Timer(f.opts.InitTimeout)
		var err error
		e, why, err = f.initialize(&log, "init", f.opts.InitTimeout, limit)
		stop()
		if err != nil {
			return Result{}, err
		}
	}

	expired, stop := f.opts.Timer(f.opts.Timeout)
	defer stop()
	begun := time.Now()
	inv.deadline = begun.Add(f.opts.Timeout)
	if e == nil {
		// Lambda initializes once more, on the time of the invocation, before it gives up.
		var err error
		if e, why, err = f.initialize(&log, "invoke", f.opts.Timeout, expired); err != nil {
			return Result{}, err
		}
	}
	if e != nil {
		log.add(e.log.take()) // of the initialization, or of what went on between invocations
	}
	log.start(inv.id)
	var a answer
	switch {
	case e == nil:
		a = answer{failure: why}
	default:
		if r.Cold {
			r.InitToNext, _ = e.ready()
		}
		var err error
		if a, err = f.deliver(e, inv, expired, &log); err != nil {
			return Result{}, err
		}
		r.MaxRSS = e.measure()
	}
	r.Duration = time.Since(begun)
	r.Payload = a.payload
	if a.failure != nil {
		r.FunctionError = "Unhandled"
		r.Payload = a.failure.answer(inv.id)
	}
	log.end(inv.id, a.failure, r, f.opts)
	r.Log = log.String()
	f.finish(e, r)
	return r, nil
}

// finish makes the process free before the caller hears of the end, so that the caller's next event finds it.
func (f *Function) finish(e *environment, r Result) {
	f.write(r.Log)
	if r.FunctionError != "" {
		f.mu.Lock()
		f.stats.Errors++
		f.mu.Unlock()
	}
	if e == nil {
		return
	}
	if f.opts.Freeze && e.alive() {
		freeze(e.cmd.Process)
	}
	f.checkin(e)
}

// initialize starts a process and waits until it asks for an invocation. The failure says why there is none; the error is
// one of the emulator.
func (f *Function) initialize(log *transcript, name string, allowed time.Duration, limit <-chan time.Time) (*environment, *failure, error) {
	began := time.Now()
	e, why, err := f.start()
	if err != nil {
		return nil, nil, err
	}
	if e != nil {
		late := false
		select {
		case <-e.initialized:
		case <-e.exited:
		case <-limit:
			late = true
		case <-f.closing:
		}
		if _, ok := e.ready(); ok {
			return e, nil, nil
		}
		e.kill()
		log.add(e.log.take())
		failed := e.initFailure()
		if late {
			failed = timedOut(allowed)
		}
		why = &failed
	}
	select {
	case <-f.closing:
		return nil, nil, ErrClosed
	default:
	}
	log.initReport(time.Since(began), name, why)
	return nil, why, nil
}

// deliver hands an invocation to a process and waits until the process asks for the next one, ends, or is out of time.
func (f *Function) deliver(e *environment, inv *invocation, expired <-chan time.Time, log *transcript) (answer, error) {
	if f.opts.Freeze {
		thaw(e.cmd.Process)
	}
	late := false
	select {
	case e.work <- inv:
		select {
		case <-inv.done:
		case <-e.exited:
		case <-expired:
			late = true
		case <-f.closing:
		}
	case <-e.exited:
	case <-expired:
		late = true
	case <-f.closing:
	}
	select {
	case <-inv.done:
		log.add(e.log.take())
		return *e.answerTo(inv), nil
	default:
	}
	e.abandon()
	posted := e.answerTo(inv)
	state := e.kill()
	log.add(e.log.take())
	select {
	case <-f.closing:
		return answer{}, ErrClosed
	default:
	}
	switch {
	case late: // also if it had answered: the invocation lasts until the process asks again
		why := timedOut(f.opts.Timeout)
		return answer{failure: &why}, nil
	case posted != nil:
		return *posted, nil
	}
	why := ended(state)
	return answer{failure: &why}, nil
}
