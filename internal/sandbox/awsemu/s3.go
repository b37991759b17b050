package awsemu

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"net/http"
)

// Of S3 there is what a workload needs to use its key: the list of buckets, which is empty.
var s3Operations = map[string]operation{"ListBuckets": listBuckets}

// s3Codes are what S3 calls the errors that all services have. An inactive key is as unknown as one that never was.
var s3Codes = map[string]string{
	"MissingAuthenticationToken": "AccessDenied",
	"IncompleteSignature":        "AuthorizationHeaderMalformed",
	"SignatureDoesNotMatch":      "SignatureDoesNotMatch",
	"InvalidClientTokenId":       "InvalidAccessKeyId",
	"ExpiredToken":               "ExpiredToken",
	"AccessDenied":               "AccessDenied",
}

// s3Statuses are those that are not 403 (S3 API Reference, Error responses).
var s3Statuses = map[string]int{"AuthorizationHeaderMalformed": http.StatusBadRequest, "ExpiredToken": http.StatusBadRequest}

// s3Refused is an error about who calls, in S3's words.
func s3Refused(code, message string) *failure {
	if code = s3Codes[code]; code == "InvalidAccessKeyId" {
		message = "The AWS Access Key Id you provided does not exist in our records."
	}
	return failf(cmp.Or(s3Statuses[code], http.StatusForbidden), code, "%s", message)
}

// s3Operation finds the operation: what S3 can do is named by method and path.
func s3Operation(r *http.Request) string {
	if r.Method == http.MethodGet && r.URL.Path == "/" {
		return "ListBuckets"
	}
	return ""
}

// payload is the digest of the body as S3's signatures cover it: the header says it, and is checked.
func (r *request) payload() (string, *failure) {
	own := digest(r.body)
	if r.service != "s3" {
		return own, nil
	}
	const header = "X-Amz-Content-Sha256"
	switch said := r.http.Header.Get(header); said {
	case "":
		return "", failf(400, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
	case own, "UNSIGNED-PAYLOAD":
		return said, nil
	default:
		return "", failf(400, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.")
	}
}

func s3Asks(_ *Server, r *request) []ask {
	return []ask{{action: "s3:ListAllMyBuckets", resource: "*"}}
}

func listBuckets(_ *Server, r *request) (any, *failure) {
	return tree("ListAllMyBucketsResult", tree("Owner", leaf("ID", digest([]byte(r.who.account)))), tree("Buckets")), nil
}

// s3Answer writes an answer of S3: XML with a namespace, or an error without one.
func s3Answer(r *request, out any, f *failure) (int, []byte) {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	if f == nil {
		n, _ := out.(node)
		b.Write(document(r.service, n))
		return http.StatusOK, b.Bytes()
	}
	kids := []node{leaf("Code", f.code), leaf("Message", f.message)}
	if f.code == "InvalidAccessKeyId" {
		kids = append(kids, leaf("AWSAccessKeyId", r.auth.id))
	}
	b.Write(document("", tree("Error", append(kids, leaf("RequestId", requestID))...)))
	status := f.status
	if status < 200 || status > 599 {
		status = http.StatusBadRequest
	}
	return status, b.Bytes()
}
