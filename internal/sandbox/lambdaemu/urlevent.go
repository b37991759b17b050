package lambdaemu

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// urlIdentity is what the address of a Function URL consists of.
type urlIdentity struct{ id, region string }

func (u urlIdentity) domain() string { return u.id + ".lambda-url." + u.region + ".on.aws" }

// urlID is 32 lower case letters and digits that depend on account and name alone.
func urlID(account, name string) string {
	sum := sha256.Sum256([]byte(account + "/" + name))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:20]))
}

type urlEvent struct {
	Version    string            `json:"version"`
	RouteKey   string            `json:"routeKey"`
	RawPath    string            `json:"rawPath"`
	RawQuery   string            `json:"rawQueryString"`
	Cookies    []string          `json:"cookies,omitempty"`
	Headers    map[string]string `json:"headers"`
	Query      map[string]string `json:"queryStringParameters,omitempty"`
	Context    urlContext        `json:"requestContext"`
	Body       string            `json:"body,omitempty"`
	Base64Body bool              `json:"isBase64Encoded"`
}

type urlContext struct {
	AccountID string  `json:"accountId"`
	APIID     string  `json:"apiId"`
	Domain    string  `json:"domainName"`
	Prefix    string  `json:"domainPrefix"`
	HTTP      urlHTTP `json:"http"`
	RequestID string  `json:"requestId"`
	RouteKey  string  `json:"routeKey"`
	Stage     string  `json:"stage"`
	Time      string  `json:"time"`
	TimeEpoch int64   `json:"timeEpoch"` // milliseconds
}

type urlHTTP struct {
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	SourceIP  string `json:"sourceIp"`
	UserAgent string `json:"userAgent"`
}

// hopHeaders belong to one connection and are not handed on.
var hopHeaders = []string{"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}

func (u urlIdentity) event(r *http.Request, body []byte, trace string, now time.Time) urlEvent {
	source, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		source = r.RemoteAddr
	}
	path := r.URL.EscapedPath()
	e := urlEvent{
		Version: "2.0", RouteKey: "$default", RawPath: path, RawQuery: r.URL.RawQuery,
		Headers: map[string]string{}, Query: queryParameters(r.URL.RawQuery),
		Context: urlContext{
			AccountID: "anonymous", APIID: u.id, Domain: u.domain(), Prefix: u.id,
			HTTP:      urlHTTP{Method: r.Method, Path: path, Protocol: r.Proto, SourceIP: source, UserAgent: r.UserAgent()},
			RequestID: newRequestID(), RouteKey: "$default", Stage: "$default",
			Time: now.UTC().Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: now.UnixMilli(),
		},
	}
	for name, values := range r.Header {
		name = strings.ToLower(name)
		switch {
		case name == "cookie":
			for _, v := range values {
				for c := range strings.SplitSeq(v, ";") {
					e.Cookies = append(e.Cookies, strings.TrimSpace(c))
				}
			}
		case !slices.Contains(hopHeaders, name):
			e.Headers[name] = strings.Join(values, ",")
		}
	}
	if len(body) > 0 {
		e.Headers["content-length"] = strconv.Itoa(len(body))
	}
	for name, value := range map[string]string{
		"host": u.domain(), "x-forwarded-for": source, "x-forwarded-port": "443", "x-forwarded-proto": "https",
		"x-amzn-trace-id": trace, "x-amzn-tls-version": "TLSv1.3", "x-amzn-tls-cipher-suite": "TLS_AES_128_GCM_SHA256",
	} {
		e.Headers[name] = value
	}
	e.Body = string(body)
	if e.Base64Body = len(body) > 0 && !isText(r.Header, body); e.Base64Body {
		e.Body = base64.StdEncoding.EncodeToString(body)
	}
	return e
}

// isText says whether a body arrives as it is: text/* and a few types by name. Forms and bodies without a type do not.
func isText(h http.Header, body []byte) bool {
	if h.Get("Content-Encoding") != "" || !utf8.Valid(body) {
		return false
	}
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		return false
	}
	switch kind {
	case "application/json", "application/javascript", "application/xml":
		return true
	}
	return strings.HasPrefix(kind, "text/")
}

// queryParameters decodes a query; several values of one name are joined by commas. What cannot be decoded stays as it is.
func queryParameters(raw string) map[string]string {
	var all map[string]string
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		name, value = unescape(name), unescape(value)
		if all == nil {
			all = map[string]string{}
		}
		if before, ok := all[name]; ok {
			value = before + "," + value
		}
		all[name] = value
	}
	return all
}

func unescape(s string) string {
	if u, err := url.QueryUnescape(s); err == nil {
		return u
	}
	return s
}
