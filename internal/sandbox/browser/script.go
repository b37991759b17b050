package browser

import (
	"context"
	_ "embed" // of the scripts
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

var (
	//go:embed helpers.js
	helpersJS string
	//go:embed act.js
	actJS string
	//go:embed contrast.js
	contrastJS string
	//go:embed audit.js
	auditJS string
)

// left are the words of chromium for a script whose page was left meanwhile.
var left = []string{"navigated or closed", "context was destroyed", "find context", "Promise was collected", "default execution context"}

// script runs an expression with the functions of the libraries, and once more in the next page if its page is left meanwhile.
func (p *Tab) script(ctx context.Context, out any, libraries, call string, args ...any) error {
	quoted := make([]string, len(args))
	for i, arg := range args {
		b, err := json.Marshal(arg)
		if err != nil {
			return err
		}
		quoted[i] = string(b)
	}
	js := fmt.Sprintf("(async () => {%s\n%s\nreturn await %s(%s);})()", helpersJS, libraries, call, strings.Join(quoted, ", "))
	for {
		err := evaluate(ctx, js, out)
		if err == nil || ctx.Err() != nil || !wasLeft(err) {
			return err
		}
	}
}

func wasLeft(err error) bool {
	for _, words := range left {
		if strings.Contains(err.Error(), words) {
			return true
		}
	}
	return false
}

// evaluate evaluates an expression, and the promise that it may be.
func evaluate(ctx context.Context, js string, out any) error {
	yes := true
	res, err := chromedp.Call(ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: js, AwaitPromise: &yes, ReturnByValue: &yes})
	if err != nil {
		return err
	}
	if e := res.ExceptionDetails; e != nil {
		return errors.New(thrown(e))
	}
	if out == nil {
		return nil
	}
	if len(res.Result.Value) == 0 {
		return fmt.Errorf("the script returns %s", res.Result.Type)
	}
	return json.Unmarshal(res.Result.Value, out)
}

// thrown is what an exception says.
func thrown(e *runtime.ExceptionDetails) string {
	if e.Exception != nil && e.Exception.Description != "" {
		return e.Exception.Description
	}
	if e.Exception != nil && len(e.Exception.Value) > 0 {
		return e.Text + " " + string(e.Exception.Value)
	}
	return e.Text
}

// limit is the context of one action: the page gives up first, and says why.
func (p *Tab) limit() (context.Context, context.CancelFunc) {
	return context.WithTimeout(p.ctx, p.patience+10*time.Second)
}

// answer is what the page says of an action.
type answer struct {
	Why  string  `json:"why"` // it could not be done
	X    float64 `json:"x"`
	Y    float64 `json:"y"`
	Done bool    `json:"done"`
	Was  bool    `json:"was"`
}

// ask runs a function of act.js that waits as long as the tab is patient.
func (p *Tab) ask(ctx context.Context, call string, args ...any) (answer, error) {
	var a answer
	err := p.script(ctx, &a, actJS, call, append([]any{p.patience.Milliseconds()}, args...)...)
	if err == nil && a.Why != "" {
		err = errors.New(a.Why)
	}
	return a, err
}
