package function

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"github.com/keyturn/keyturn/internal/app"
	"github.com/keyturn/keyturn/internal/metric"
)

// Environment variables of a function. AWS sets the first one (Lambda's reserved variables), the stack sets the others.
const (
	envRuntime = "AWS_LAMBDA_RUNTIME_API"
	envRole    = "KEYTURN_ROLE"
	envConfig  = "KEYTURN_CONFIG" // the configuration file; beside the binary if it is not set
	envQueue   = "KEYTURN_QUEUE_URL"
)

// InLambda reports whether this process was started by AWS Lambda.
func InLambda() bool { return os.Getenv(envRuntime) != "" }

// Reserved times of a function. A step of the rotator takes longest where a new key is not accepted at once; the scan of an
// account keeps enough to save what it saw.
const (
	stepTime = 90 * time.Second
	saveTime = 3 * time.Minute // and to mail the owners
)

// Spare is what a function keeps of its time for what it has begun: app.Options.Spare.
func Spare(role app.Function) time.Duration {
	if role == app.Scheduler {
		return saveTime
	}
	return stepTime
}

// Start runs the function that the environment names, and ends with the process. out takes the log, as lines of JSON.
func Start(out io.Writer) error {
	log := slog.New(slog.NewJSONHandler(out, nil)).With("function", os.Getenv(envRole))
	h, err := fromEnvironment(out, log)
	if err != nil {
		metric.New(out, time.Now).Put(metric.UnknownRecords, 1)
		log.Error("the function cannot start", "error", err.Error())
		return err
	}
	lambda.StartWithOptions(h)
	return errors.New("the runtime ended the function")
}

func fromEnvironment(out io.Writer, log *slog.Logger) (*Handler, error) {
	role, err := app.ParseFunction(os.Getenv(envRole))
	if err != nil {
		return nil, err
	}
	path := os.Getenv(envConfig)
	if path == "" {
		path = filepath.Join(os.Getenv("LAMBDA_TASK_ROOT"), "keyturn.yaml")
	}
	cfg, err := app.Load(path)
	if err != nil {
		return nil, err
	}
	if err := app.NeedsTable(cfg, role); err != nil {
		return nil, err
	}
	meter := metric.New(out, time.Now)
	return New(Options{
		Role: role, Queue: os.Getenv(envQueue), NewToken: app.NewToken, Meter: meter, Log: log,
		Open: func(ctx context.Context) (*app.App, error) {
			aws, err := awsconfig.LoadDefaultConfig(ctx)
			if err != nil {
				return nil, fmt.Errorf("AWS configuration: %w", err)
			}
			return app.New(ctx, cfg, app.Options{AWS: aws, Function: role, Spare: Spare(role), Meter: meter, Log: log})
		},
	})
}
