package browser

import (
	"context"
	"fmt"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// tries limits how often a click is aimed anew at a page that moves under it.
const tries = 20

// click presses and releases the mouse n times on the one thing of that name.
func (p *Tab) click(selector, name string, n int) error {
	ctx, cancel := p.limit()
	defer cancel()
	missed := ""
	for range tries {
		at, err := p.ask(ctx, "find", selector, name)
		if err != nil {
			return err
		}
		if err := mouse(ctx, at, n); err != nil {
			return err
		}
		var did struct {
			Hit    int    `json:"hit"`
			Missed string `json:"missed"`
		}
		if err := p.script(ctx, &did, actJS, "unguard"); err != nil {
			return err
		}
		if did.Hit > 0 {
			return p.settle(ctx)
		}
		missed = did.Missed
	}
	return fmt.Errorf("the page moves: the clicks met %s", missed)
}

// mouse moves the mouse to a point and clicks there n times.
func mouse(ctx context.Context, at answer, n int) error {
	events := []input.DispatchMouseEventParams{{Type: input.DispatchMouseEventTypeMouseMoved, X: at.X, Y: at.Y}}
	for i := range n {
		for _, typ := range []input.DispatchMouseEventType{input.DispatchMouseEventTypeMousePressed, input.DispatchMouseEventTypeMouseReleased} {
			events = append(events, input.DispatchMouseEventParams{Type: typ, X: at.X, Y: at.Y, Button: input.MouseButtonLeft, ClickCount: int64(i + 1)})
		}
	}
	for _, e := range events {
		if _, err := chromedp.Call(ctx, input.DispatchMouseEvent, e); err != nil {
			return err
		}
	}
	return nil
}

// fill types a text over what the field of that label holds.
func (p *Tab) fill(selector, label, text string) error {
	ctx, cancel := p.limit()
	defer cancel()
	field, err := p.ask(ctx, "focusField", selector, label, text)
	if err != nil {
		return err
	}
	if !field.Done {
		keys := text
		if keys == "" && field.Was {
			keys = kb.Delete
		}
		if err := chromedp.Do(ctx, chromedp.KeyEvent(keys)); err != nil {
			return err
		}
	}
	var has answer
	if err := p.script(ctx, &has, actJS, "written", text); err != nil {
		return err
	}
	if has.Why != "" {
		return fmt.Errorf("%s after %q was typed", has.Why, text)
	}
	return nil
}

// choose chooses an option of the list of that label.
func (p *Tab) choose(selector, label, option string) error {
	ctx, cancel := p.limit()
	defer cancel()
	if _, err := p.ask(ctx, "choose", selector, label, option); err != nil {
		return err
	}
	return p.settle(ctx)
}

// settle waits until what the page has asked for by now is answered: whoever looks at the server after a click, or for words
// that were to be seen before it, sees what the click did. The page has begun to ask before it runs a script.
func (p *Tab) settle(ctx context.Context) error {
	if err := p.script(ctx, nil, "", "frame"); err != nil {
		return err
	}
	return p.watch.heard(ctx)
}

// accept answers a dialog of the browser with yes.
func (p *Tab) accept() {
	ctx, cancel := p.limit()
	defer cancel()
	_, _ = chromedp.Call(ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true}) // it may be gone
}
