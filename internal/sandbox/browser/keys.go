package browser

import (
	"strings"
	"unicode/utf8"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// keys are the keys that have names.
var keys = map[string]string{
	"Tab": kb.Tab, "Enter": kb.Enter, "Escape": kb.Escape, "Space": " ", "Backspace": kb.Backspace, "Delete": kb.Delete,
	"ArrowUp": kb.ArrowUp, "ArrowDown": kb.ArrowDown, "ArrowLeft": kb.ArrowLeft, "ArrowRight": kb.ArrowRight,
	"Home": kb.Home, "End": kb.End, "PageUp": kb.PageUp, "PageDown": kb.PageDown,
}

var modifiers = map[string]chromedp.Modifier{
	"Shift": chromedp.ModifierShift, "Control": chromedp.ModifierCtrl, "Alt": chromedp.ModifierAlt, "Meta": chromedp.ModifierMeta,
}

// Press presses a key where the focus is: "Tab", "Enter", "Escape", "ArrowDown", "a", or one with modifiers, "Shift+Tab".
// What it makes the page ask for is answered when it returns.
func (p *Tab) Press(key string) {
	p.t.Helper()
	var opts []chromedp.KeyOption
	rest := key
	for {
		before, after, ok := strings.Cut(rest, "+")
		m, known := modifiers[before]
		if !ok || !known || after == "" {
			break
		}
		opts, rest = append(opts, chromedp.KeyModifiers(m)), after
	}
	code, ok := keys[rest]
	if !ok && utf8.RuneCountInString(rest) != 1 {
		p.t.Fatalf("press %q: there is no such key", key)
	}
	if !ok {
		code = rest
	}
	ctx, cancel := p.limit()
	defer cancel()
	err := chromedp.Do(ctx, chromedp.KeyEvent(code, opts...))
	if err == nil {
		err = p.settle(ctx)
	}
	if err != nil {
		p.t.Fatalf("press %q: %v", key, err)
	}
}
