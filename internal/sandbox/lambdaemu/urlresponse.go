package lambdaemu

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

type urlResponse struct {
	status  int
	headers map[string]string
	cookies []string
	body    []byte
}

// readURLResponse reads a function's answer. JSON without a statusCode is itself the body of a 200; an answer that claims to
// be a response and is none is an error, which the client sees as 502.
func readURLResponse(payload []byte) (urlResponse, error) {
	if !json.Valid(payload) {
		return urlResponse{}, errors.New("the answer is not JSON")
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(payload, &fields); err != nil || fields["statusCode"] == nil {
		return urlResponse{status: http.StatusOK, headers: map[string]string{"content-type": "application/json"}, body: payload}, nil
	}
	r := urlResponse{headers: map[string]string{"content-type": "application/json"}}
	var body string
	var encoded bool
	var headers map[string]any
	for name, into := range map[string]any{"statusCode": &r.status, "headers": &headers, "cookies": &r.cookies, "body": &body, "isBase64Encoded": &encoded} {
		if fields[name] == nil {
			continue
		}
		if err := json.Unmarshal(fields[name], into); err != nil {
			return urlResponse{}, fmt.Errorf("read %s: %w", name, err)
		}
	}
	if r.status < 200 || r.status > 599 { // an informational status is no response
		return urlResponse{}, fmt.Errorf("status code %d", r.status)
	}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		text, err := headerValue(name, headers[name])
		if err != nil {
			return urlResponse{}, err
		}
		r.headers[strings.ToLower(name)] = text
	}
	for _, c := range r.cookies {
		if !validHeader("set-cookie", c) {
			return urlResponse{}, errors.New("a cookie that cannot be sent")
		}
	}
	r.body = []byte(body)
	if encoded {
		var err error
		if r.body, err = base64.StdEncoding.DecodeString(body); err != nil {
			return urlResponse{}, fmt.Errorf("decode the body: %w", err)
		}
	}
	return r, nil
}

// headerValue takes scalars; a list or an object is none.
func headerValue(name string, value any) (string, error) {
	var text string
	switch v := value.(type) {
	case string:
		text = v
	case bool, float64:
		text = fmt.Sprint(v)
	default:
		return "", fmt.Errorf("header %s is not a string", name)
	}
	if !validHeader(name, text) {
		return "", fmt.Errorf("header %q cannot be sent", name)
	}
	return text, nil
}

func validHeader(name, value string) bool {
	token := func(r rune) bool {
		return r > ' ' && r < 0x7f && !strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	}
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool { return !token(r) }) &&
		!strings.ContainsAny(value, "\r\n\x00")
}

func (u urlResponse) write(w http.ResponseWriter) {
	for name, value := range u.headers {
		// Lambda writes the length itself, and connections are not the function's.
		if name != "content-length" && !slices.Contains(hopHeaders, name) {
			w.Header().Set(name, value)
		}
	}
	for _, c := range u.cookies {
		w.Header().Add("Set-Cookie", c)
	}
	w.WriteHeader(u.status)
	_, _ = w.Write(u.body) // a body that this status or method does not have is left out
}
