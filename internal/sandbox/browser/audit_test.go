package browser

import (
	"strings"
	"testing"
)

const everything = `
<p>Some words and <a href="#x">a link</a> in them.</p><h2>More</h2><a class="alone" href="#y">Alone</a>
<label for="n">Name</label> <input id="n" placeholder="as it is">
<label><input type="checkbox"> Agree</label> <label>Kind <select><option>One<option>Two</select></label>
<label>Words <textarea>written</textarea></label> <button style="opacity:.95">Go</button> <button disabled style="color:#bbb">Not now</button>
<details><summary>Closed</summary><p style="color:#eee;background:#fff">not read</p></details>
<svg role="img" aria-label="A line" width="90" height="30"><rect width="90" height="30" fill="#003366"/><text x="5" y="20" fill="#ffffff">white</text></svg>
<p style="background:oklch(0.3 0.1 250);color:color-mix(in oklab, white 90%, blue)">oklch</p>
<p style="background:linear-gradient(red,blue)"><span style="background:#fff;color:#222">on a gradient, and covered</span></p>
<img alt="" width="1" height="1" src="data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7">
<div style="overflow-x:auto"><div style="width:3000px">wide within</div></div>`

func TestAuditOfAGoodPage(t *testing.T) {
	url := serve(t, good(everything), "Content-Security-Policy", "script-src 'none'; img-src data:; style-src 'unsafe-inline'")
	for _, size := range []Size{desk, {Width: 1000, Height: 700, Dark: true}, {Width: 390, Height: 800, Mobile: true}} {
		p := shared.Tab(t, size)
		p.Open(url)
		p.Audit("a good page")
		p.Close()
	}
}

func TestAuditFinds(t *testing.T) {
	tabs := newTrial(t)
	for name, tt := range map[string]struct {
		body string // of a good page, or a whole page
		size Size
		want []string // each within one report, and no more reports than these
	}{
		"contrast":              {body: `<p style="color:#888;background:#fff">pale</p>`, want: []string{`contrast: main > p: "pale": 3.54 of 4.5, #888888 on #ffffff, 16px`}},
		"contrast, dark":        {body: `<style>p{color:#333;background:#fff} @media (prefers-color-scheme: dark) {p{background:#222}}</style><p>dim</p>`, want: []string{`contrast (dark): main > p: "dim": 1.25 of 4.5`}},
		"contrast, light":       {body: `<style>p{color:#333;background:#222} @media (prefers-color-scheme: dark) {p{background:#fff}}</style><p>dim</p>`, size: Size{1000, 700, true, false}, want: []string{`contrast (light): main > p`}},
		"contrast of large":     {body: `<p style="font:bold 19px serif;color:#888;background:#fff">fair</p><p style="font-size:24px;color:#aaa;background:#fff">pale</p>`, want: []string{`"pale": 2.32 of 3`}},
		"contrast by opacity":   {body: `<div style="opacity:.5;background:#fff"><p style="color:#555">faded</p></div>`, want: []string{`contrast: main > div > p: "faded": 2.32 of 4.5, #aaaaaa on #ffffff`, `contrast (dark): main > div > p: "faded": 3.56 of 4.5, #343434 on #898989`}},
		"contrast of oklch":     {body: `<p style="color:oklch(0.7 0.1 200);background:color-mix(in srgb, white 90%, black)">sea</p>`, want: []string{`"sea": `}},
		"contrast, unknown":     {body: `<p style="background:linear-gradient(red,blue)">stripes</p>`, want: []string{`"stripes": unknown, for the background image of main > p`}},
		"contrast of a hint":    {body: `<style>::placeholder{color:#ccc}</style><label>Name <input style="background:#fff" placeholder="hint"></label>`, want: []string{`"placeholder hint": `}},
		"contrast of a value":   {body: `<label>Name <input style="color:#ccc;background:#fff" value="set"></label>`, want: []string{`"set": `}},
		"contrast in a drawing": {body: `<svg width="90" height="30"><rect width="90" height="30" fill="#777"/><text y="20" fill="#888">low</text></svg>`, want: []string{`"low": `}},
		"label":                 {body: `<input id="a" aria-describedby="gone" placeholder="Name">`, want: []string{"label: input#a: the input has no label", "#gone, which is not there"}},
		"label of nothing":      {body: `<label for="gone">Name</label>`, want: []string{`the label "Name" belongs to nothing`}},
		"name":                  {body: `<button style="width:30px"></button>`, want: []string{"name: main > button: the button has no accessible name"}},
		"name of a link":        {body: `<a class="alone" href="#x"><svg width="20" height="20"></svg></a>`, want: []string{"the a has no accessible name"}},
		"name of a frame":       {body: `<iframe srcdoc="x"></iframe>`, want: []string{"the frame has no title"}},
		"name of an image":      {body: `<img width="9" height="9" src="data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"><svg role="img" width="9" height="9"></svg>`, want: []string{"the image has no alt", "svg: the image has no accessible name"}},
		"name of a dialog":      {body: `<dialog open>Hello</dialog>`, want: []string{"the dialog has no accessible name"}},
		"id":                    {body: `<p id="a">a</p><p id="a">b</p>`, want: []string{`id: p#a: 2 elements have the id "a"`}},
		"order of headings":     {body: `<h3>Deep</h3>`, want: []string{"a heading of level 3 follows one of level 1"}},
		"first headings":        {body: `<h1>Another</h1>`, want: []string{"2 headings of level 1"}},
		"bare page":             {body: `<!doctype html><p>bare</p>`, want: []string{"no language", "no title", "0 headings of level 1", "0 main landmarks"}},
		"tabindex":              {body: `<button tabindex="3">Go</button>`, want: []string{"tabindex: main > button: tabindex is 3"}},
		"hidden":                {body: `<div aria-hidden="true"><button>Go</button></div>`, want: []string{"hidden: main > div > button"}},
		"size":                  {body: `<button style="min-height:0;height:20px;width:70px;padding:0">Go</button>`, want: []string{"size: main > button: 70 by 20 px of 24 by 24"}},
		"overflow":              {body: `<div id="wide" style="width:1200px">wide</div>`, want: []string{"overflow: div#wide: the page is 1208 px wide in 1000 px: div#wide to 1208 px"}},
		"overflow, mobile":      {body: `<div id="wide" style="width:500px">wide</div>`, size: Size{390, 800, false, true}, want: []string{"px wide in 390 px: div#wide to 508 px"}},
	} {
		t.Run(name, func(t *testing.T) {
			page := tt.body
			if !strings.HasPrefix(page, "<!doctype") {
				page = good(page)
			}
			if tt.size == (Size{}) {
				tt.size = desk
			}
			url := serve(t, page)
			said := tabs.reports(tt.size, func(p *Tab) { p.Open(url); p.Audit("here") })
			compare(t, said, tt.want)
		})
	}
}

// compare wants each of want within a report of its own, and no more reports.
func compare(t *testing.T, said, want []string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(strings.Join(said, "\n"), w) {
			t.Errorf("nothing says %q", w)
		}
	}
	if len(said) != len(want) || t.Failed() {
		t.Errorf("%d reports, want %d:\n%s", len(said), len(want), strings.Join(said, "\n"))
	}
}
