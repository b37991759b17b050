package lambdaemu

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"
)

// URL is the Function URL with AuthType NONE and buffered responses: it turns a request into an event of payload format 2.0
// and the function's answer into a response, as the developer guide ("Invoking Lambda function URLs") has it. It listens
// nowhere by itself.
func (f *Function) URL() http.Handler {
	return functionURL{f.Invoke, urlIdentity{id: urlID(f.opts.Account, f.opts.Name), region: f.opts.Region}}
}

type functionURL struct {
	invoke func(context.Context, []byte) (Result, error)
	urlIdentity
}

func (u functionURL) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest+1))
	if err != nil {
		return // the client has gone
	}
	w.Header().Set("X-Amzn-Requestid", newRequestID())
	trace := newTraceID()
	w.Header().Set("X-Amzn-Trace-Id", trace)
	event, err := json.Marshal(u.event(r, body, trace, time.Now()))
	if err != nil {
		http.Error(w, "Internal Server Error", http.StatusInternalServerError)
		return
	}
	if len(body) > maxRequest || len(event) > maxRequest {
		_, _ = io.Copy(io.Discard, r.Body)
		refuseURL(w, errTooLarge(maxRequest))
		return
	}
	result, err := u.invoke(r.Context(), event)
	var api *APIError
	switch {
	case errors.As(err, &api):
		refuseURL(w, api)
	case err != nil:
		http.Error(w, "Internal Server Error", http.StatusInternalServerError)
	case result.FunctionError != "":
		http.Error(w, "Internal Server Error", http.StatusBadGateway)
	default:
		response, err := readURLResponse(result.Payload)
		if err != nil {
			http.Error(w, "Internal Server Error", http.StatusBadGateway)
			return
		}
		response.write(w)
	}
}

func refuseURL(w http.ResponseWriter, why *APIError) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-Errortype", why.Code)
	w.WriteHeader(why.Status)
	_ = json.NewEncoder(w).Encode(struct {
		Reason  string `json:"Reason,omitempty"`
		Type    string `json:"Type"`
		Message string `json:"message"`
	}{why.Reason, "User", why.Message})
}
