package lambdaemu

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// Error types that Lambda itself answers with.
const (
	typeExit       = "Runtime.ExitError"
	typeEntrypoint = "Runtime.InvalidEntrypoint"
	typeTimeout    = "Sandbox.Timedout"
	typeTooLarge   = "Function.ResponseSizeTooLarge"
)

// failure is an error of the function: what its process reported, or what Lambda says of it.
type failure struct {
	kind    string
	message string // without the request ID
	payload []byte // as the process posted it; nil: made of kind and message
}

// answer is the payload of a failed invocation.
func (f failure) answer(requestID string) []byte {
	if f.payload != nil {
		return f.payload
	}
	message := f.message
	if f.kind != typeTooLarge {
		message = "RequestId: " + requestID + " Error: " + message
	}
	b, err := json.Marshal(struct {
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}{f.kind, message})
	if err != nil {
		panic(err) // two strings
	}
	return b
}

// ended says how a process ended, in Lambda's words: an exit status of 0 is no reason.
func ended(s *os.ProcessState) failure {
	if s == nil || s.Success() {
		return failure{kind: typeExit, message: "Runtime exited without providing a reason"}
	}
	return failure{kind: typeExit, message: "Runtime exited with error: " + s.String()}
}

func timedOut(limit time.Duration) failure {
	return failure{kind: typeTimeout, message: fmt.Sprintf("Task timed out after %.2f seconds", limit.Seconds())}
}

func tooLarge() failure {
	return failure{kind: typeTooLarge, message: fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", maxResponse)}
}
