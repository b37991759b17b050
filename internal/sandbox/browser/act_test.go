package browser

import (
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
)

const form = `<form onsubmit="out.textContent = 'sent ' + who.value + ' ' + kind.value + ' ' + day.value + ' ' + ok.checked; return false">
<label>Who <input id="who" value="old"></label> <label>Kind <select id="kind"><option value="1">One</option><option value="2">Two</option></select></label>
<label>Day <input id="day" type="date"></label> <label>Note <textarea id="note"></textarea></label>
<label><input id="ok" type="checkbox" style="opacity:0"> Agree</label> <button>Send</button></form>
<p id="out">nothing yet</p><p hidden>secret words</p><details><summary>More</summary><p>folded words</p></details>`

func TestForm(t *testing.T) {
	p := shared.Tab(t, desk)
	p.Open(serve(t, good(form)))
	p.Fill("Who", "Ada Lövelace")
	p.Fill("Note", "two\nlines")
	p.Fill("Day", "2026-06-01")
	p.Select("Kind", "Two")
	p.Click("Agree")
	p.Not("sent")
	p.Not("folded words")
	p.Not("secret words")
	p.Click("More")
	p.See("folded  words")
	p.Click("Send")
	p.See("sent Ada Lövelace 2 2026-06-01 true")
	p.Within("#out").See("sent Ada")
	p.Within("#out").Not("Agree")
	p.Within("#gone").Not("Agree")
	p.Fill("Who", "")
	p.Press("Enter")
	p.See("sent 2 2026")
	p.Press("Tab")
	p.Press("Shift+Tab")
	var focused, note string
	p.Eval(`document.activeElement.id`, &focused)
	p.Eval(`Promise.resolve(note.value)`, &note)
	p.Eval(`void 0`, nil)
	if focused != "who" || note != "two\nlines" {
		t.Errorf("focused %q, note %q", focused, note)
	}
}

func TestClickWaits(t *testing.T) {
	p := shared.Tab(t, desk)
	p.Open(serve(t, good(`<p id="out"></p><div style="height:3000px"></div><div id="at"></div><script>
		setTimeout(() => { at.innerHTML = '<button id="b" disabled onclick="out.textContent = \'done\'">Go</button>' }, 30)
		setTimeout(() => { b.disabled = false; b.animate([{translate: '0'}, {translate: '200px'}], {duration: 150, fill: 'forwards'}) }, 90)
	</script>`)))
	p.Click("Go")
	p.See("done")
}

// A row that appears while the mouse is on its way must not be clicked instead.
func TestClickThatWouldMissIsAimedAnew(t *testing.T) {
	p := shared.Tab(t, desk)
	p.Open(serve(t, good(`<div id="at"></div><button onclick="out.textContent='right'">Go</button><p id="out">none</p><script>
		addEventListener('mousemove', () => { at.innerHTML = '<button style="width:300px;height:200px" onclick="wrong.hidden = false">Delete</button>' }, {once: true})
	</script><p id="wrong" hidden>wrong</p>`)))
	p.Click("Go")
	p.See("right")
	p.Not("wrong")
}

// A button of the same name in another row is another one; one in the same row, rendered anew, is the same.
func TestClickKeepsToItsRow(t *testing.T) {
	p := shared.Tab(t, desk)
	p.Open(serve(t, good(`<div id="at"></div><div id="row"><button onclick="out.textContent='old'">Go</button></div><p id="out">none</p><script>
		addEventListener('mousemove', () => {
			row.innerHTML = '<button onclick="out.textContent = \'right\'">Go</button>'
			at.innerHTML = '<button style="width:300px;height:200px" onclick="wrong.hidden = false">Go</button>'
		}, {once: true})
	</script><p id="wrong" hidden>wrong</p>`)))
	p.Within("#row").Click("Go")
	p.See("right")
	p.Not("wrong")
}

// What an act makes the page ask for is answered when the act returns, however slow the answer.
func TestActsAreHeard(t *testing.T) {
	var answered atomic.Int64
	mux, free := http.NewServeMux(), make(chan bool)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, good(`<p>done</p><button onclick="ask()">Go</button><label>Kind <select onchange="ask()"><option>One</option><option>Two</option></select></label><script>
			const ask = () => { fetch('/held', {method: 'POST'}).then(r => r.text()); setTimeout(() => fetch('/free').then(r => r.text()), 300) }
		</script>`))
	})
	mux.HandleFunc("POST /held", func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-free:
			answered.Add(1)
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("GET /free", func(_ http.ResponseWriter, r *http.Request) {
		select {
		case free <- true:
		case <-r.Context().Done():
		}
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	for name, act := range map[string]func(*Tab){
		"click":  func(p *Tab) { p.Click("Go") },
		"burst":  func(p *Tab) { p.Burst("Go", 1) },
		"press":  func(p *Tab) { p.Eval(`document.querySelector('button').focus()`, nil); p.Press("Enter") },
		"select": func(p *Tab) { p.Select("Kind", "Two") },
	} {
		t.Run(name, func(t *testing.T) {
			p := shared.Tab(t, desk)
			p.Open(srv.URL)
			before := answered.Load()
			act(p)
			p.See("done") // as before
			if n := answered.Load() - before; n != 1 {
				t.Errorf("%d answers", n)
			}
		})
	}
}

func TestBurst(t *testing.T) {
	p := shared.Tab(t, desk)
	p.Open(serve(t, good(`<div id="at"></div><p id="out"></p><script>
		let n = 0
		const draw = () => { at.innerHTML = '<button>Go</button>'; at.firstChild.onclick = () => { out.textContent = ++n + ' clicks'; draw() } }
		draw()
	</script>`)))
	p.Burst("Go", 7)
	p.See("7 clicks")
}

func TestClicksThatFail(t *testing.T) {
	tabs := newTrial(t)
	for name, tt := range map[string]struct {
		body string
		do   func(p *Tab)
		want string
	}{
		"no such":      {`<button>Stop</button>`, func(p *Tab) { p.Click("Go") }, `click "Go": no control is named "Go"; there are: "Stop"`},
		"part":         {`<button>Go on</button>`, func(p *Tab) { p.Click("Go") }, `there are: "Go on"`},
		"several":      {`<button>Go</button><a href="#x">Go</a>`, func(p *Tab) { p.Click("Go") }, `2 controls are named "Go": main > button, main > a`},
		"disabled":     {`<button disabled>Go</button>`, func(p *Tab) { p.Click("Go") }, `is disabled`},
		"hidden":       {`<button hidden>Go</button>`, func(p *Tab) { p.Click("Go") }, `no control is named "Go"`},
		"covered":      {`<button>Go</button><div id="veil" style="position:fixed;inset:0"></div>`, func(p *Tab) { p.Click("Go") }, `main > button is covered by div#veil`},
		"under dialog": {`<button>Go</button><dialog id="d">Sure?</dialog><script>d.showModal()</script>`, func(p *Tab) { p.Click("Go") }, `no control`},
		"scope":        {`<p class="a">1</p><p class="a">2</p>`, func(p *Tab) { p.Within(".a").See("1") }, `2 elements match the scope .a`},
		"no scope":     {``, func(p *Tab) { p.Within("#gone").Click("Go") }, `nothing matches the scope #gone`},
		"see":          {`<p>other</p>`, func(p *Tab) { p.See("words") }, `see "words": it reads: Keys other`},
		"not":          {`<p>words</p>`, func(p *Tab) { p.Not("words") }, `"words" is to be seen`},
		"option":       {`<label>Kind <select><option>One</select></label>`, func(p *Tab) { p.Select("Kind", "Two") }, `0 options of "Kind" are "Two"; there are: "One"`},
		"too long":     {`<label>Who <input maxlength="3"></label>`, func(p *Tab) { p.Fill("Who", "abcd") }, `the field holds "abc" after "abcd" was typed`},
		"key":          {``, func(p *Tab) { p.Press("Entre") }, `there is no such key`},
	} {
		t.Run(name, func(t *testing.T) {
			url := serve(t, good(tt.body))
			compare(t, tabs.reports(desk, func(p *Tab) { p.Open(url); tt.do(p) }), []string{tt.want})
		})
	}
}

func TestWithinADialog(t *testing.T) {
	p := shared.Tab(t, desk)
	p.Open(serve(t, good(`<button>Go</button><dialog id="d"><button onclick="out.textContent='inner'; d.close()">Go</button></dialog><p id="out"></p><script>d.showModal()</script>`)))
	p.Click("Go")
	p.See("inner")
}

func TestScreenshot(t *testing.T) {
	p := shared.Tab(t, Size{Width: 390, Height: 800, Dark: true, Mobile: true})
	p.Open(serve(t, good(`<p>words</p>`)))
	path := filepath.Join(t.TempDir(), "a", "b.png")
	p.Screenshot(path)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c, err := png.DecodeConfig(f)
	if err != nil || c.Width != 390 || c.Height != 800 {
		t.Errorf("%v, %v", c, err)
	}
}
