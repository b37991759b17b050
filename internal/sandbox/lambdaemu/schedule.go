package lambdaemu

import (
	"context"
	"errors"
	"strconv"
	"time"
)

// DefaultScheduleRetries is how often EventBridge Scheduler tries again unless told otherwise.
const DefaultScheduleRetries = 185

// Schedule is a schedule of EventBridge Scheduler whose target is a function, without its pauses.
//
// Scheduler invokes asynchronously: its part is done when Lambda has accepted the event, so its retries and its dead-letter
// queue are for events that Lambda did not accept. What the function makes of the event is between Lambda's asynchronous
// queue, its two retries and its own on-failure destination.
type Schedule struct {
	ARN       string
	TargetARN string
	// Async is the function's asynchronous queue.
	Async *Async
	// MaximumRetryAttempts is how often Scheduler tries again to hand the event over, 0 to 185.
	MaximumRetryAttempts int
	// Accept stands for the Invoke API: an error refuses the event. Nil: everything is accepted.
	Accept func(attempt int) error
	// DeadLetter gets what could not be handed over. Nil: it is lost.
	DeadLetter func(DeadLetter)
}

// DeadLetter is a message in a schedule's dead-letter queue.
type DeadLetter struct {
	Body       []byte
	Attributes map[string]string // message attributes, all of type String
}

// Fire is one occurrence of the schedule: it hands the event over and waits for its end. An error says that it was not handed
// over, or that ctx ended or the function was closed.
func (s *Schedule) Fire(ctx context.Context, payload []byte) (Outcome, error) {
	at := time.Now()
	for attempt := 0; ; attempt++ {
		var o Outcome
		err := s.accept(attempt)
		if err == nil {
			o, err = s.Async.Invoke(ctx, payload)
			var refused *APIError
			if !errors.As(err, &refused) { // it was accepted
				return o, err
			}
		}
		exhausted := attempt >= s.MaximumRetryAttempts
		if permanent(err) || exhausted || ctx.Err() != nil {
			s.bury(payload, err, attempt, at, exhausted && !permanent(err))
			return Outcome{}, err
		}
	}
}

func (s *Schedule) accept(attempt int) error {
	if s.Accept == nil {
		return nil
	}
	return s.Accept(attempt)
}

// permanent says whether trying again is no use: no permission, no such function, not a request.
func permanent(err error) bool {
	var api *APIError
	return errors.As(err, &api) && api.Status >= 400 && api.Status < 500 && !Throttled(err)
}

func (s *Schedule) bury(payload []byte, why error, retries int, at time.Time, exhausted bool) {
	if s.DeadLetter == nil {
		return
	}
	code, message := "SERVICE_ERROR", why.Error()
	var api *APIError
	if errors.As(why, &api) {
		code, message = api.Code, api.Message
	}
	attributes := map[string]string{
		"ERROR_CODE": code, "ERROR_MESSAGE": message, "EXECUTION_ID": randomHex(8), "IS_PAYLOAD_TRUNCATED": "false",
		"RETRY_ATTEMPTS": strconv.Itoa(retries), "SCHEDULED_TIME": at.UTC().Format(time.RFC3339), "SCHEDULE_ARN": s.ARN,
		"TARGET_ARN": s.TargetARN,
	}
	if exhausted {
		attributes["EXHAUSTED_RETRY_CONDITION"] = "MaximumRetryAttempts"
	}
	s.DeadLetter(DeadLetter{Body: payload, Attributes: attributes})
}
