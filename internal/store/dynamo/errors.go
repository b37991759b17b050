package dynamo

import (
	"context"
	"errors"
	"fmt"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/keyturn/keyturn/internal/store"
)

// typed says what was done when it failed, and which of the store's errors it is. A call whose context has ended fails with
// the context's error, whatever the SDK makes of it.
func (s *Store) typed(ctx context.Context, what string, err error) error {
	if err == nil {
		return nil
	}
	op, ok := errors.AsType[*smithy.OperationError](err)
	if !ok {
		return fmt.Errorf("%s: %w", what, err)
	}
	if ended := ctx.Err(); ended != nil {
		return fmt.Errorf("%s: %w", what, ended)
	}
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return fmt.Errorf("%s: %w", what, err)
	}
	e := &callError{call: op.Operation(), api: api, err: err}
	switch api.ErrorCode() {
	case "ProvisionedThroughputExceededException", "ThrottlingException", "Throttling", "RequestLimitExceeded":
		return fmt.Errorf("%s: %w: %w", what, store.ErrBusy, e)
	case "ResourceNotFoundException":
		return fmt.Errorf("%s: %w. There is no table %s here: check store.dynamodb and the region, or deploy the stack", what, e, s.table)
	case "AccessDeniedException":
		return fmt.Errorf("%s: %w. The role's policy has to allow dynamodb:%s on table %s and its indexes", what, e, e.call, s.table)
	}
	return fmt.Errorf("%s: %w", what, e)
}

// callError is DynamoDB's code and sentence, without the layers of the SDK around them.
type callError struct {
	call string
	api  smithy.APIError
	err  error
}

// Error implements error.
func (e *callError) Error() string {
	text := e.call + ": " + e.api.ErrorCode()
	if m := e.api.ErrorMessage(); m != "" {
		text += ": " + m
	}
	if re, ok := errors.AsType[*awshttp.ResponseError](e.err); ok && re.ServiceRequestID() != "" {
		text += " (request " + re.ServiceRequestID() + ")"
	}
	return text
}

// Unwrap lets errors.Is and errors.As see the cause.
func (e *callError) Unwrap() error { return e.err }
