package blockkit

import (
	"strings"
	"testing"
	"time"
)

func names(known map[string]string) func(string) string {
	return func(id string) string { return known[id] }
}

func berlin(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func someone(t testing.TB) Reader {
	return Reader{
		Zone: berlin(t), User: names(map[string]string{"U0ANN": "Ann <Example>"}),
		Channel: names(map[string]string{"C0KEYS": "aws-keys"}), Group: names(map[string]string{"S0SEC": "secops"}),
	}
}

func TestMrkdwn(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain", "a & b", "a &amp; b"},
		{"marks", "*b* _i_ ~s~ `c`", "<b>b</b> <i>i</i> <s>s</s> <code>c</code>"},
		{"marks in marks", "*_~x~_*", "<b><i><s>x</s></i></b>"},
		{"neighbours", "*a* *b*, (*c*)", "<b>a</b> <b>b</b>, (<b>c</b>)"},
		{"inside of words", "a*b*c snake_case_name 2*3*4", "a*b*c snake_case_name 2*3*4"},
		{"blanks inside of marks", "* a * b", "* a * b"},
		{"over lines", "*a\nb*", "*a<br>b*"},
		{"no end", "*a `b ~c", "*a `b ~c"},
		{"crossed", "*a _b* c_", "<b>a _b</b> c_"},
		{"code in bold", "*Replace `k`?*", "<b>Replace <code>k</code>?</b>"},
		{"a person in bold", "*<@U0ANN>*", `<b><span class="bk-mention">@Ann &lt;Example&gt;</span></b>`},
		{"marks in code", "`*x* & &lt;b&gt;`", "<code>*x* &amp; &lt;b&gt;</code>"},
		{"code with a person", "`<@U0ANN> <x`", "<code>@Ann &lt;Example&gt; &lt;x</code>"},
		{"no code", "`` a\n`b\nc`", "`` a<br>`b<br>c`"},
		{"pre", "a\n```x *y*\n <z>```\nb", "a<pre>x *y*\n z</pre>b"},
		{"pre begins with a line end", "```\n\nx```", "<pre>\n\nx</pre>"},
		{"quote", "a\n> b\n&gt;*c*\nd", "a<blockquote>b<br><b>c</b></blockquote>d"},
		{"no quote", "a > b", "a &gt; b"},
		{"bullets", "• one\n• two", "• one<br>• two"},
		{"empty lines", "a\n\nb", "a<br><br>b"},
		{"escaped", "&lt;@U0ANN&gt; &amp;lt; &copy; &quot;", "&lt;@U0ANN&gt; &amp;lt; &amp;copy; &amp;quot;"},
		{"emoji", ":warning: x :nobody_knows: `:key:`", "⚠️ x :nobody_knows: <code>:key:</code>"},
		{"unknown person", "<@U9> <@U9|ben>", `<span class="bk-mention">@U9</span> <span class="bk-mention">@ben</span>`},
		{"channel", "<#C0KEYS> <#C9|lost>", `<span class="bk-mention">#aws-keys</span> <span class="bk-mention">#lost</span>`},
		{"group", "<!subteam^S0SEC> <!subteam^S9|@ops> <!subteam^S9>", `<span class="bk-mention">@secops</span> <span class="bk-mention">@ops</span> <span class="bk-mention">@S9</span>`},
		{"everybody", "<!here> <!channel|channel>", `<span class="bk-mention">@here</span> <span class="bk-mention">@channel</span>`},
		{"link", "<https://example.com/a?b=1&amp;c=2|the runbook>", `<a href="https://example.com/a?b=1&amp;c=2" rel="noreferrer noopener" target="_blank" title="https://example.com/a?b=1&amp;c=2">the runbook</a>`},
		{"mail", "<mailto:ann@example.com>", `<a href="mailto:ann@example.com" rel="noreferrer noopener" target="_blank" title="mailto:ann@example.com">ann@example.com</a>`},
		{"without width", "a_\u2060b \u202ex\u202c", "a_b x"},
		{"broken bytes", "a\xff\x00b", "a\uFFFDb"},

		{"script", "<script>alert(1)</script>", "scriptalert(1)/script"},
		{"escaped script", "&lt;script&gt;alert(1)&lt;/script&gt;", "&lt;script&gt;alert(1)&lt;/script&gt;"},
		{"script link", "<javascript:alert(1)|click>", "click (javascript:alert(1))"},
		{"script link with blanks", "<java\tscript:alert(1)|click>", "click (java\tscript:alert(1))"},
		{"data link", "<data:text/html,x|click>", "click (data:text/html,x)"},
		{"link without TLS", "<http://example.com|click>", "click (http://example.com)"},
		{"link to nowhere", "<https:///x>", "https:///x"},
		{"quotes in a link", `<https://example.com/"onclick="x|a "b">`, `<a href="https://example.com/&#34;onclick=&#34;x" rel="noreferrer noopener" target="_blank" title="https://example.com/&#34;onclick=&#34;x">a &#34;b&#34;</a>`},
		{"a link that turns", "<https://example.com/\u202egpj.exe|x>", "x (https://example.com/gpj.exe)"},
		{"quotes in a fallback", `<!date^1780300800^{date_num}|" onmouseover="x>`, `<time datetime="2026-06-01T10:00:00+02:00" title="&#34; onmouseover=&#34;x">2026-06-01</time>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := string(Mrkdwn(c.in, someone(t)))
			if got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
			wellFormed(t, got)
		})
	}
	if got := PlainText("*a* <b> :key:\n&amp;"); got != "*a* &lt;b&gt; 🔑<br>&amp;amp;" {
		t.Errorf("plain text became %q", got)
	}
}

func TestDates(t *testing.T) {
	const at = "1780300800" // 2026-06-01 08:00 UTC
	now := func(day int) time.Time { return time.Date(2026, 6, day, 0, 30, 0, 0, berlin(t)) }
	for _, c := range []struct {
		name, format, want string
		now                time.Time
	}{
		{name: "number", format: "{date_num} {time_secs}", want: "2026-06-01 10:00:00 AM"},
		{name: "words that look like a layout", format: "Jan 2006: {date_slash}", want: "Jan 2006: 06/01/2026"},
		{name: "no now", format: "{date_pretty}", want: "June 1, 2026"},
		{name: "today", format: "{date_short_pretty} {time}", now: now(1), want: "today 10:00 AM"},
		{name: "yesterday", format: "{date_long_pretty}", now: now(2), want: "yesterday"},
		{name: "tomorrow", format: "{date_pretty}", now: now(1).AddDate(0, 0, -1), want: "tomorrow"},
		{name: "the day after tomorrow", format: "{date_pretty}", now: now(1).AddDate(0, 0, -2), want: "June 1, 2026"},
		{name: "not pretty", format: "{date}", now: now(1), want: "June 1, 2026"},
		{name: "unknown token", format: "{date} {nope}", want: "fallback"},
		{name: "ago", format: "{ago}", want: "fallback"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := Reader{Zone: berlin(t), Now: c.now}
			if got := Visible(Mrkdwn("<!date^"+at+"^"+c.format+"|fallback>", r)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	for in, want := range map[string]string{
		"<!date^" + at + "^{date}|fallback>":                      `<time datetime="2026-06-01T08:00:00Z">fallback</time>`,
		"<!date^" + at + "^{date}^https://example.com/|fallback>": `<a href="https://example.com/" rel="noreferrer noopener" target="_blank" title="https://example.com/"><time datetime="2026-06-01T08:00:00Z">fallback</time></a>`,
		"<!date^" + at + "^{date}^javascript:x|fallback>":         `<time datetime="2026-06-01T08:00:00Z">fallback</time>`,
		"<!date^x^{date}|fallback>":                               "fallback",
		"<!date^99999999999999999^{date}|fallback>":               "fallback",
		"<!date^1|fallback>":                                      "fallback",
	} {
		if got := string(Mrkdwn(in, Reader{})); got != want {
			t.Errorf("%s: got %q, want %q", in, got, want)
		}
	}
}

func TestParseDateTime(t *testing.T) {
	for _, c := range []struct {
		in   string
		zone *time.Location
		want int64
	}{
		{"2026-06-01T10:00", berlin(t), 1780300800},
		{"2026-06-01T10:00:30", berlin(t), 1780300830},
		{"2026-06-01T08:00", nil, 1780300800},
	} {
		if got, err := ParseDateTime(c.in, c.zone); err != nil || got != c.want {
			t.Errorf("%s: got %d, %v", c.in, got, err)
		}
	}
	for _, in := range []string{"", "2026-06-01", "2026-06-01T10:00Z", "x"} {
		if _, err := ParseDateTime(in, nil); err == nil {
			t.Errorf("%q is read", in)
		}
	}
}

func FuzzMrkdwn(f *testing.F) {
	for _, s := range []string{
		"*b* _i_ ~s~ `c` ```p```", "> q\n&gt; r", "<https://example.com|x> <javascript:x|y> <@U0ANN|\"> <!date^1^{date}^https://a|<b>>",
		"<!subteam^S0SEC> <#C9|\u202e> *`_x_`*", "```\n```<", "*a\n```b*```*", strings.Repeat("*_~", 50),
	} {
		f.Add(s)
	}
	r := someone(f)
	f.Fuzz(func(t *testing.T, s string) {
		h := Mrkdwn(s, r)
		wellFormed(t, string(h))
		Visible(h)
		wellFormed(t, string(PlainText(s)))
	})
}
