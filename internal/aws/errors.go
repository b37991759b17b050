package aws

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/keyturn/keyturn/rotator"
	"github.com/keyturn/keyturn/scheduler"
)

// callError is a call that failed. errors.As finds smithy.APIError in it, errors.Is the sentinels of the ports.
type callError struct {
	doing string
	err   error
	kinds []error
}

// failed says what was being done. kinds are the sentinels that the error also is; they are not part of the text.
func failed(doing string, err error, kinds ...error) error { return &callError{doing, err, kinds} }

// Error implements error.
func (e *callError) Error() string { return e.doing + ": " + brief(e.err) }

// Unwrap lets errors.Is and errors.As see cause and kinds.
func (e *callError) Unwrap() []error { return append([]error{e.err}, e.kinds...) }

// brief is AWS's code, sentence and request ID, without the layers of the SDK around them.
func brief(err error) string {
	switch err.(type) {
	case *smithy.OperationError, *awshttp.ResponseError:
	default:
		return err.Error()
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		text := api.ErrorCode()
		if m := api.ErrorMessage(); m != "" {
			text += ": " + m
		}
		var re *awshttp.ResponseError
		if errors.As(err, &re) && re.ServiceRequestID() != "" {
			text += " (request " + re.ServiceRequestID() + ")"
		}
		return text
	}
	var ue *url.Error
	if errors.As(err, &ue) {
		return ue.Error()
	}
	return err.Error()
}

// failedSecretly is failed for a call whose request or answer carries key material. It keeps AWS's code, sentence and request
// ID and drops the SDK's errors, which hold copies of answers that could not be read. What of material stands in the sentence,
// which may repeat what was sent, is cut out.
func failedSecretly(doing string, err error, material string, kinds ...error) error {
	for _, e := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, e) {
			kinds = append(kinds, e)
		}
	}
	var api smithy.APIError
	var bad *smithy.DeserializationError
	switch {
	case errors.As(err, &api):
		text := cut(brief(err), material)
		return failed(doing, &secretAPIError{text, smithy.GenericAPIError{Code: api.ErrorCode(), Message: cut(api.ErrorMessage(), material), Fault: api.ErrorFault()}}, kinds...)
	case errors.As(err, &bad):
		return failed(doing, errUnreadable, kinds...)
	default:
		return failed(doing, errors.New(cut(brief(err), material)), kinds...)
	}
}

// secretAPIError is AWS's error with another text.
type secretAPIError struct {
	text string
	smithy.GenericAPIError
}

// Error implements error.
func (e *secretAPIError) Error() string { return e.text }

var (
	errUnreadable = errors.New("the answer cannot be read")
	errNoUser     = errors.New("no user has this ID")
)

// cut takes every piece of material out of a text: runs of window characters and more that stand in both, so that one which
// AWS shortened or quoted is found too.
func cut(text, material string) string {
	const window = 12
	var out strings.Builder
	for i := 0; i < len(text); {
		n := 0
		for n = window; i+n <= len(text) && strings.Contains(material, text[i:i+n]); n++ {
		}
		if n == window {
			out.WriteByte(text[i])
			i++
			continue
		}
		out.WriteString("[secret]")
		i += n - 1
	}
	return out.String()
}

// code returns AWS's error code, or "".
func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// vague are codes that say nothing about whether a call was performed, whatever the status.
var vague = map[string]bool{
	"": true, "UnknownError": true, "RequestTimeout": true, "RequestTimeoutException": true, "ServiceFailure": true,
	"InternalFailure": true, "InternalError": true, "InternalServerError": true, "InternalServiceError": true, "ServiceUnavailable": true,
}

// refused reports whether AWS answered that it did not perform the call: a client error that it names.
func refused(err error) bool {
	var api smithy.APIError
	var re *awshttp.ResponseError
	if !errors.As(err, &api) || !errors.As(err, &re) || api.ErrorFault() == smithy.FaultServer || vague[api.ErrorCode()] {
		return false
	}
	status := re.HTTPStatusCode()
	return status >= 400 && status < 500 && status != http.StatusRequestTimeout
}

// neverSent reports whether no connection was made, so that AWS cannot have seen the call.
func neverSent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect")
}

// kindsOf returns the sentinels of a failed IAM call.
func kindsOf(err error) []error {
	switch {
	case code(err) != "NoSuchEntity":
		return nil
	case aboutUser(err):
		return []error{rotator.ErrNoSuchUser, scheduler.ErrNoSuchUser}
	default:
		return []error{rotator.ErrNoSuchKey, scheduler.ErrNoSuchKey}
	}
}

// aboutUser tells IAM's two NoSuchEntity apart, which have one code and only different sentences: "The user with name X
// cannot be found." and "The Access Key with id X cannot be found."
func aboutUser(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && strings.HasPrefix(strings.ToLower(api.ErrorMessage()), "the user with name")
}

// definite returns the sentinel for a write that AWS refused and that is not worth repeating. A throttled one is: it was not
// performed, and it will be.
func definite(err error) []error {
	_, throttled := retry.DefaultThrottleErrorCodes[code(err)]
	if refused(err) && !throttled {
		return []error{rotator.ErrDefinite}
	}
	return nil
}
