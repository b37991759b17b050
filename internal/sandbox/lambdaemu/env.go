package lambdaemu

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// reserved are the names that a function's configuration cannot set.
var reserved = []string{
	"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV",
	"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION",
	"AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API",
	"AWS_REGION", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT", "TZ",
}

var envName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]+$`)

// checkEnv refuses what CreateFunction refuses: reserved and malformed names, and more than 4 KB.
func checkEnv(env []string) error {
	size := 0
	for _, kv := range env {
		name, _, ok := strings.Cut(kv, "=")
		if !ok || !envName.MatchString(name) {
			return fmt.Errorf("environment variable %q: Lambda wants a letter, then letters, digits and underscores", name)
		}
		if slices.Contains(reserved, name) {
			return fmt.Errorf("environment variable %s is reserved by Lambda", name)
		}
		size += len(kv) - 1
	}
	if size > 4096 {
		return fmt.Errorf("environment variables of %d bytes: Lambda allows 4,096", size)
	}
	return nil
}

// environ is the whole environment of a new process; nothing of the emulator's own is in it. An OS-only runtime such as
// provided.al2023 gets no AWS_EXECUTION_ENV (developer guide, "Defined runtime environment variables").
func (f *Function) environ(api string) []string {
	o := f.opts
	env := []string{
		"PATH=/usr/local/bin:/usr/bin/:/bin:/opt/bin",
		"LANG=en_US.UTF-8",
		"TZ=:UTC",
		"_HANDLER=bootstrap",
		"LAMBDA_TASK_ROOT=" + o.TaskRoot,
		"LAMBDA_RUNTIME_DIR=/var/runtime",
		"AWS_REGION=" + o.Region,
		"AWS_DEFAULT_REGION=" + o.Region,
		"AWS_LAMBDA_FUNCTION_NAME=" + o.Name,
		"AWS_LAMBDA_FUNCTION_VERSION=" + version,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + strconv.Itoa(o.MemoryMB),
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/" + o.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME=" + logStream(),
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_RUNTIME_API=" + api,
		"AWS_XRAY_CONTEXT_MISSING=LOG_ERROR",
		"AWS_XRAY_DAEMON_ADDRESS=169.254.79.129:2000",
	}
	if o.Credentials != nil {
		c := o.Credentials()
		env = append(env, "AWS_ACCESS_KEY_ID="+c.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+c.SecretAccessKey, "AWS_SESSION_TOKEN="+c.SessionToken)
	}
	return append(env, o.Env...) // later ones win, so PATH and LANG can be set
}
