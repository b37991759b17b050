package aws

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

const (
	// attemptLimit ends one attempt of one call, so that a connection which hangs does not hold a lease for ever.
	attemptLimit = 15 * time.Second
	// mostAnswer is far more than the largest answer, a credential report.
	mostAnswer = 64 << 20
)

// whole is an HTTP client that has read an answer before it returns it, and whose connections all services share.
//
// It makes good for a race in smithy-go v1.28.8: the client closes the request's body as soon as the answer begins, and a
// WriteTo on the closed body returns io.EOF as an error, so net/http closes the connection under an answer that is still being
// read. Over loopback this breaks one answer in ten that is larger than 4 KB.
type whole struct {
	client awssdk.HTTPClient
	calls  *atomic.Int64 // how many requests were made
}

// httpClient makes a client whole and limits its time, unless it has a limit or is none of the SDK's.
func httpClient(c awssdk.HTTPClient, calls *atomic.Int64) awssdk.HTTPClient {
	switch h := c.(type) {
	case nil:
		c = awshttp.NewBuildableClient().WithTimeout(attemptLimit).Freeze()
	case *awshttp.BuildableClient:
		if h.GetTimeout() == 0 {
			h = h.WithTimeout(attemptLimit)
		}
		c = h.Freeze()
	}
	return whole{c, calls}
}

// Do implements awssdk.HTTPClient.
func (w whole) Do(req *http.Request) (*http.Response, error) {
	w.calls.Add(1)
	resp, err := w.client.Do(req)
	if err != nil || resp == nil || resp.Body == nil {
		return resp, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer+1))
	if cerr := resp.Body.Close(); err == nil {
		err = cerr
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the answer of %s: %w", req.URL.Host, err)
	case len(body) > mostAnswer:
		return nil, fmt.Errorf("read the answer of %s: it has more than %d bytes", req.URL.Host, mostAnswer)
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}
