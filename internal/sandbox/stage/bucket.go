package stage

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/keyturn/keyturn/internal/sandbox/world"
)

// emptyPayload is the SHA-256 of a request without a body.
const emptyPayload = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// listBuckets is what a workload does with its key: it lists the buckets of S3, as the export of the story does before it
// writes. A refusal is an error in AWS's words. The SDK's client for S3 would be a large dependency for this one call; its signer
// is here already.
func (s *Stage) listBuckets(ctx context.Context, key string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.AWS.URL()+"/?x-id=ListBuckets", nil)
	if err != nil {
		return fmt.Errorf("list buckets: %w", err)
	}
	req.Header.Set("X-Amz-Content-Sha256", emptyPayload)
	who := awssdk.Credentials{AccessKeyID: key, SecretAccessKey: s.AWS.KeySecret(key)}
	if err := v4.NewSigner().SignHTTP(ctx, who, req, emptyPayload, "s3", world.Region, time.Now()); err != nil {
		return fmt.Errorf("list buckets: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("list buckets: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // it was read
	var answer struct {
		XMLName       xml.Name
		Code, Message string
	}
	switch err := xml.NewDecoder(resp.Body).Decode(&answer); {
	case err != nil:
		return fmt.Errorf("list buckets: read the answer: %w", err)
	case resp.StatusCode != http.StatusOK:
		return errors.New(answer.Code + ": " + strings.TrimSuffix(answer.Message, "."))
	case answer.XMLName.Local != "ListAllMyBucketsResult":
		return fmt.Errorf("list buckets: AWS answered with %s", answer.XMLName.Local)
	}
	return nil
}
