package browser

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Size is what a tab shows its page in.
type Size struct {
	Width, Height int
	Dark          bool // the colour scheme that the person prefers
	Mobile        bool // a touch screen that obeys the viewport of the page
}

// Tab is one page in a window of its own. Its methods fail the test. They are for one goroutine at a time.
type Tab struct {
	t        Reporter
	size     Size
	ctx      context.Context
	cancel   context.CancelFunc
	watch    *watch
	patience time.Duration
	close    sync.Once
}

// Tab opens a tab. It is closed with the test at the latest.
func (b *Browser) Tab(t Reporter, o Size) *Tab {
	t.Helper()
	p := &Tab{t: t, size: o, watch: newWatch(), patience: b.patience}
	p.ctx, p.cancel = chromedp.NewContext(b.ctx, chromedp.WithListener(p.watch.see))
	p.watch.dialog = p.accept
	t.Cleanup(p.Close)
	if err := p.dress(); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	return p
}

// dress starts the target, makes it as large as it is to be, and keeps it focused next to other tabs.
func (p *Tab) dress() error {
	late := time.AfterFunc(mostStart, p.cancel) // a limited context would end the tab with it
	defer late.Stop()
	if err := chromedp.Do(p.ctx); err != nil {
		return err
	}
	ctx, cancel := p.limit()
	defer cancel()
	metrics := emulation.SetDeviceMetricsOverrideParams{Width: int64(p.size.Width), Height: int64(p.size.Height), DeviceScaleFactor: 1,
		Mobile: p.size.Mobile, ScreenWidth: int64(p.size.Width), ScreenHeight: int64(p.size.Height)}
	if _, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, metrics); err != nil {
		return err
	}
	if p.size.Mobile {
		if _, err := chromedp.Call(ctx, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: true, MaxTouchPoints: 1}); err != nil {
			return err
		}
	}
	if _, err := chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}); err != nil {
		return err
	}
	return scheme(ctx, p.size.Dark)
}

// scheme makes the person prefer a colour scheme.
func scheme(ctx context.Context, dark bool) error {
	value := "light"
	if dark {
		value = "dark"
	}
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: value}}})
	return err
}

// Open opens a page and waits until it has loaded.
func (p *Tab) Open(url string) {
	p.t.Helper()
	ctx, cancel := p.limit()
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
		p.t.Fatalf("open %s: %v", url, err)
	}
}

// Eval evaluates an expression in the page, and the promise that it may be, into out, which may be nil.
func (p *Tab) Eval(js string, out any) {
	p.t.Helper()
	ctx, cancel := p.limit()
	defer cancel()
	if err := evaluate(ctx, js, out); err != nil {
		p.t.Fatalf("evaluate %.200s: %v", js, err)
	}
}

// Screenshot writes what the window shows as a PNG, and creates the folders of its path.
func (p *Tab) Screenshot(path string) {
	p.t.Helper()
	ctx, cancel := p.limit()
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	p.keep(path, png, err)
}

// Screenshot writes what the window shows of the scope, after it was scrolled there.
func (s *Scope) Screenshot(path string) {
	s.tab.t.Helper()
	ctx, cancel := s.tab.limit()
	defer cancel()
	var clip page.Viewport
	err := evaluate(ctx, fmt.Sprintf(`(() => {
		const el = document.querySelector(%q)
		el.scrollIntoView({ block: 'start', behavior: 'instant' })
		const r = el.getBoundingClientRect()
		return { x: r.x + scrollX, y: r.y + scrollY, width: r.width, height: Math.min(r.height, innerHeight - r.y), scale: 1 }
	})()`, s.selector), &clip)
	var png []byte
	if err == nil {
		var r page.CaptureScreenshotResult
		r, err = chromedp.Call(ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{Clip: &clip})
		if err == nil {
			png = r.Data
		}
	}
	s.tab.keep(path, png, err)
}

func (p *Tab) keep(path string, png []byte, err error) {
	p.t.Helper()
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o755)
	}
	if err == nil {
		err = os.WriteFile(path, png, 0o644)
	}
	if err != nil {
		p.t.Fatalf("take a screenshot: %v", err)
	}
}

// Expect says that requests whose URL contains urlPart are meant to be answered with a status of 400 and above, or, with a
// status of 0, to fail without an answer. They are no findings, whether they come or not.
func (p *Tab) Expect(status int, urlPart string) { p.watch.expect(int64(status), urlPart) }

// Close closes the tab and reports what the watchers have found since the last audit. A second Close does nothing.
func (p *Tab) Close() {
	p.t.Helper()
	p.close.Do(func() {
		defer p.cancel()
		p.report("the tab")
	})
}

// mostFlush limits the wait for what the page has just begun.
const mostFlush = 2 * time.Second

// report reports what the watchers have found, once the page has come to rest.
func (p *Tab) report(where string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, mostFlush)
	defer cancel()
	_ = p.script(ctx, nil, "", "frame") // what a tab that is stuck or gone has done before counts all the same
	p.watch.rest(ctx)
	for _, finding := range p.watch.take() {
		p.t.Errorf("%s: %s", where, finding)
	}
}
