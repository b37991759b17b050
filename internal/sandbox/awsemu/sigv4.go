package awsemu

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	algorithm  = "AWS4-HMAC-SHA256"
	longDate   = "20060102T150405Z"
	clockSkew  = 5 * time.Minute
	unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~"
)

// authorization is an Authorization header of Signature Version 4.
type authorization struct {
	id, date, region, service string
	signed                    []string // names of headers
	signature                 string
}

func (a authorization) scope() string {
	return strings.Join([]string{a.date, a.region, a.service, "aws4_request"}, "/")
}

// parseAuthorization reads the header. problem says what is wrong with it, as AWS does.
func parseAuthorization(h string) (a authorization, problem string) {
	rest, ok := strings.CutPrefix(h, algorithm)
	if !ok {
		return a, "Authorization header requires 'Credential', 'Signature' and 'SignedHeaders' parameters of " + algorithm + "."
	}
	fields := map[string]string{}
	for _, part := range strings.Split(rest, ",") {
		k, v, _ := strings.Cut(strings.TrimSpace(part), "=")
		fields[k] = v
	}
	for _, k := range []string{"Credential", "Signature", "SignedHeaders"} {
		if fields[k] == "" {
			return a, "Authorization header requires '" + k + "' parameter."
		}
	}
	scope := strings.Split(fields["Credential"], "/")
	if len(scope) != 5 || scope[4] != "aws4_request" || slices.Contains(scope, "") {
		return a, "Credential must have 5 slash-delimited elements: access key ID, date, region, service, aws4_request."
	}
	return authorization{
		id: scope[0], date: scope[1], region: scope[2], service: scope[3],
		signed: strings.Split(fields["SignedHeaders"], ";"), signature: fields["Signature"],
	}, ""
}

// checkSignature computes the signature again and compares, after what AWS demands of time and signed headers.
func (s *Server) checkSignature(r *request, secret string) *failure {
	at, err := time.Parse(longDate, r.http.Header.Get("X-Amz-Date"))
	if err != nil {
		return refused(r, "IncompleteSignature", "Date must be in ISO-8601 'basic format'. Got '%s'.", r.http.Header.Get("X-Amz-Date"))
	}
	now := s.opts.Wall().UTC()
	switch edge := now.Add(-clockSkew); {
	case at.Format("20060102") != r.auth.date:
		return refused(r, "SignatureDoesNotMatch", "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s'.", r.auth.date, at.Format("20060102"))
	case at.Before(edge):
		return refused(r, "SignatureDoesNotMatch", "Signature expired: %s is now earlier than %s (%s - 5 min.)", at.Format(longDate), edge.Format(longDate), now.Format(longDate))
	case at.After(now.Add(clockSkew)):
		return refused(r, "SignatureDoesNotMatch", "Signature not yet current: %s is still later than %s (%s + 5 min.)", at.Format(longDate), now.Add(clockSkew).Format(longDate), now.Format(longDate))
	}
	if !slices.Contains(r.auth.signed, "host") {
		return refused(r, "SignatureDoesNotMatch", "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
	}
	for name := range r.http.Header {
		if low := strings.ToLower(name); strings.HasPrefix(low, "x-amz-") && !slices.Contains(r.auth.signed, low) {
			return refused(r, "SignatureDoesNotMatch", "'%s' must be a 'SignedHeader' in the AWS Authorization.", name)
		}
	}
	payload, fail := r.payload()
	if fail != nil {
		return fail
	}
	want := signature(secret, r.auth, at, r.canonical(payload))
	if subtle.ConstantTimeCompare([]byte(want), []byte(r.auth.signature)) != 1 {
		return refused(r, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	return nil
}

// signature derives the day's key from the secret and signs the canonical request.
func signature(secret string, a authorization, at time.Time, canonical string) string {
	mac := func(key []byte, text string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(text))
		return h.Sum(nil)
	}
	key := []byte("AWS4" + secret)
	for _, part := range []string{a.date, a.region, a.service, "aws4_request"} {
		key = mac(key, part)
	}
	return hex.EncodeToString(mac(key, strings.Join([]string{algorithm, at.Format(longDate), a.scope(), digest([]byte(canonical))}, "\n")))
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// canonical is the request as its signature covers it.
func (r *request) canonical(payload string) string {
	var headers strings.Builder
	for _, name := range r.auth.signed {
		headers.WriteString(name + ":" + r.header(name) + "\n")
	}
	return strings.Join([]string{
		r.http.Method, r.canonicalPath(), canonicalQuery(r.http.URL.RawQuery),
		headers.String(), strings.Join(r.auth.signed, ";"), payload,
	}, "\n")
}

func (r *request) header(name string) string {
	values := r.http.Header.Values(name)
	switch {
	case name == "host":
		values = []string{r.http.Host}
	case name == "content-length" && len(values) == 0:
		values = []string{strconv.Itoa(len(r.body))}
	}
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = strings.Join(strings.Fields(v), " ")
	}
	return strings.Join(out, ",")
}

// canonicalPath encodes the path, which is encoded already, once more: every service but S3 does.
func (r *request) canonicalPath() string {
	p := r.http.URL.EscapedPath()
	switch {
	case p == "":
		return "/"
	case r.service == "s3":
		return p
	}
	return encode(p, "/")
}

func canonicalQuery(q string) string {
	if q == "" {
		return ""
	}
	var pairs [][2]string
	for _, part := range strings.Split(q, "&") {
		if part == "" {
			continue
		}
		k, v, _ := strings.Cut(part, "=")
		pairs = append(pairs, [2]string{encode(unescape(k), ""), encode(unescape(v), "")})
	}
	slices.SortFunc(pairs, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	out := make([]string, len(pairs))
	for i, p := range pairs {
		out[i] = p[0] + "=" + p[1]
	}
	return strings.Join(out, "&")
}

func unescape(s string) string {
	if u, err := url.QueryUnescape(s); err == nil {
		return u
	}
	return s
}

// encode is AWS's own percent-encoding.
func encode(s, keep string) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; strings.IndexByte(unreserved, c) >= 0 || strings.IndexByte(keep, c) >= 0 {
			b.WriteByte(c)
		} else {
			b.WriteString("%" + hexDigits[c>>4:c>>4+1] + hexDigits[c&15:c&15+1])
		}
	}
	return b.String()
}
