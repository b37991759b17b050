package lambdaemu

import (
	"strings"
	"testing"
	"time"
)

func TestOptionsRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*Options)
		says   string
	}{
		"no name":         {func(o *Options) { o.Name = "" }, "needs a name"},
		"no path":         {func(o *Options) { o.Path = "" }, "needs a name"},
		"timeout":         {func(o *Options) { o.Timeout = 16 * time.Minute }, "15 minutes"},
		"negative":        {func(o *Options) { o.Timeout = -1 }, "15 minutes"},
		"memory":          {func(o *Options) { o.MemoryMB = 64 }, "10,240"},
		"concurrency":     {func(o *Options) { o.Concurrency = -1 }, "negative"},
		"reserved region": {withEnv("AWS_REGION=eu-west-1"), "AWS_REGION is reserved"},
		"reserved key":    {withEnv("AWS_SECRET_ACCESS_KEY=hidden"), "AWS_SECRET_ACCESS_KEY is reserved"},
		"no value":        {withEnv("A1"), "letters, digits"},
		"bad name":        {withEnv("_A=1"), "letters, digits"},
		"4 KB":            {withEnv("AB=" + strings.Repeat("x", 4095)), "4,096"},
	} {
		o := options(t)
		tc.change(&o)
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), tc.says) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: %v", name, err)
		}
	}
	o := options(t)
	o.Env = []string{"AB=" + strings.Repeat("x", 4094)}
	if _, err := New(o); err != nil {
		t.Error(err)
	}
}

func TestDefaults(t *testing.T) {
	o, err := Options{Name: "a", Path: "/opt/bootstrap"}.complete()
	if err != nil || o.Timeout != 3*time.Second || o.InitTimeout != 10*time.Second || o.MemoryMB != 128 || o.Concurrency != 1000 ||
		o.TaskRoot != "/opt" || o.Region != "us-east-1" {
		t.Errorf("%+v %v", o, err)
	}
	fired, stop := o.Timer(0)
	<-fired
	stop()
}
