package aws

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/keyturn/keyturn/scheduler"
)

// A report that takes longer than all the polls, about five minutes, is read by a later scan.
const (
	reportPolls = 60
	firstPause  = time.Second
	mostPause   = 5 * time.Second
)

// Report implements scheduler.IAM.
func (r *reader) Report(ctx context.Context) ([]scheduler.ReportRow, error) {
	pause := firstPause
	for try := range reportPolls {
		content, err := r.report(ctx)
		if err != nil {
			return nil, failed("read the credential report of "+string(r.account), err)
		}
		if content != nil {
			rows, err := parseReport(content)
			if err != nil {
				return nil, failed("read the credential report of "+string(r.account), err)
			}
			return rows, nil
		}
		r.client.log.Debug("credential report is being made", "account", r.account, "polls", try+1)
		if err := r.client.wait(ctx, pause); err != nil {
			return nil, fmt.Errorf("wait for the credential report of %s: %w", r.account, err)
		}
		pause = min(pause*3/2, mostPause)
	}
	return nil, fmt.Errorf("account %s: %w", r.account, scheduler.ErrNotReady)
}

// report asks for the report once and returns nil if it is not ready. A report that ran out between the two calls is made
// again by the next poll.
func (r *reader) report(ctx context.Context) ([]byte, error) {
	made, err := r.iam.GenerateCredentialReport(ctx, &iam.GenerateCredentialReportInput{})
	if err != nil {
		return nil, err
	}
	if made.State != types.ReportStateTypeComplete {
		return nil, nil
	}
	out, err := r.iam.GetCredentialReport(ctx, &iam.GetCredentialReportInput{})
	if reportPending(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if out.Content == nil {
		return []byte{}, nil
	}
	return out.Content, nil
}

func reportPending(err error) bool {
	switch code(err) {
	case "ReportInProgress", "ReportNotPresent", "ReportExpired":
		return true
	default:
		return false
	}
}
