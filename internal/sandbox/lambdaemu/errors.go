package lambdaemu

import (
	"errors"
	"fmt"
)

// ErrClosed is what calls get when the function was closed before or while they ran.
var ErrClosed = errors.New("the function is closed")

// APIError is a refusal of the Invoke API. An error of the function itself is no APIError: it is in Result.FunctionError.
type APIError struct {
	Status        int
	Code, Message string
	Reason        string // only throttling has one
}

func (e *APIError) Error() string { return fmt.Sprintf("%s (%d): %s", e.Code, e.Status, e.Message) }

// Throttled says whether err is Lambda's TooManyRequestsException.
func Throttled(err error) bool {
	var api *APIError
	return errors.As(err, &api) && api.Code == "TooManyRequestsException"
}

// What Lambda takes, in bytes: the request of a synchronous and of an asynchronous invocation, and the response. The limit
// of responses is 100 above 6 MiB, as its error message says.
const (
	maxRequest  = 6 * 1024 * 1024
	maxAsync    = 1024 * 1024
	maxResponse = 6*1024*1024 + 100
)

var errThrottled = &APIError{Status: 429, Code: "TooManyRequestsException", Message: "Rate Exceeded.",
	Reason: "ReservedFunctionConcurrentInvocationLimitExceeded"}

func errTooLarge(limit int) *APIError {
	return &APIError{Status: 413, Code: "RequestTooLargeException",
		Message: fmt.Sprintf("Request must be smaller than %d bytes for the InvokeFunction operation", limit)}
}

func errNotJSON(err error) *APIError {
	return &APIError{Status: 400, Code: "InvalidRequestContentException",
		Message: "Could not parse request body into json: " + err.Error()}
}
