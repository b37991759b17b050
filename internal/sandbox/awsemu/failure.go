package awsemu

import (
	"fmt"
	"net/http"
)

// failure is an answer that is an error, or no answer at all.
type failure struct {
	code, message string
	status        int // 0: 400
	drop          bool
}

func failf(status int, code, format string, args ...any) *failure {
	return &failure{code: code, message: fmt.Sprintf(format, args...), status: status}
}

// jsonCodes are what the services that speak JSON call the errors that all services have.
var jsonCodes = map[string]string{
	"MissingAuthenticationToken": "MissingAuthenticationTokenException",
	"IncompleteSignature":        "IncompleteSignatureException",
	"SignatureDoesNotMatch":      "InvalidSignatureException",
	"InvalidClientTokenId":       "UnrecognizedClientException",
	"ExpiredToken":               "ExpiredTokenException",
	"AccessDenied":               "AccessDeniedException",
}

// refused is an error about who calls. code is the query protocol's; JSON 1.1 has another one, and 400 as its status.
func refused(r *request, code, format string, args ...any) *failure {
	status := http.StatusForbidden
	if r.proto == jsonProtocol && (r.service != "sqs" || code != "AccessDenied") {
		status = http.StatusBadRequest
	}
	switch r.proto {
	case queryProtocol:
	case s3Protocol:
		return s3Refused(code, fmt.Sprintf(format, args...))
	default:
		code = jsonCodes[code]
	}
	return failf(status, code, format, args...)
}

// invalid is an error about a parameter that breaks a constraint of the service's model.
func invalid(r *request, format string, args ...any) *failure {
	code := "ValidationException"
	switch {
	case r.proto == queryProtocol:
		code = "ValidationError"
	case r.service == "organizations":
		code = "InvalidInputException"
	case r.service == "ses":
		code = "BadRequestException"
	case r.service == "sqs":
		code = "InvalidParameterValue"
	}
	return failf(400, code, format, args...)
}

// missing is the error for a parameter that is required.
func missing(r *request, name string) *failure {
	return invalid(r, "1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", lowerFirst(name))
}

func lowerFirst(s string) string {
	if s == "" || s[0] < 'A' || s[0] > 'Z' {
		return s
	}
	return string(s[0]+'a'-'A') + s[1:]
}

func unknownOperation(r *request) *failure {
	switch r.proto {
	case queryProtocol:
		return failf(400, "InvalidAction", "Could not find operation %s for version %s", r.operation, versions[r.service])
	case restProtocol:
		return failf(404, "UnknownOperationException", "")
	case s3Protocol:
		return failf(http.StatusNotImplemented, "NotImplemented", "Of S3 this emulator has the list of buckets alone.")
	default:
		return failf(400, "UnknownOperationException", "")
	}
}

// throttled is what a service says to too many calls.
func throttled(r *request) *failure {
	switch {
	case r.proto == queryProtocol:
		return failf(400, "Throttling", "Rate exceeded")
	case r.service == "organizations":
		return failf(400, "TooManyRequestsException", "You have sent too many requests in too short a period of time.")
	case r.service == "ses":
		return failf(429, "TooManyRequestsException", "Rate exceeded")
	case r.service == "sqs":
		return failf(400, "RequestThrottled", "Rate exceeded")
	case r.service == "s3":
		return failf(http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate.")
	case r.service == "dynamodb":
		return failf(400, "ProvisionedThroughputExceededException", "The level of configured provisioned throughput for the table was exceeded.")
	default:
		return failf(400, "ThrottlingException", "Rate exceeded")
	}
}

// broken is a service's own failure.
func broken(r *request) *failure {
	code := map[string]string{
		"iam": "ServiceFailure", "organizations": "ServiceException", "secretsmanager": "InternalServiceError", "kms": "KMSInternalException",
		"dynamodb": "InternalServerError", "s3": "InternalError",
	}[r.service]
	if code == "" {
		code = "InternalFailure"
	}
	return failf(http.StatusInternalServerError, code, "The request processing has failed because of an unknown error, exception or failure.")
}
