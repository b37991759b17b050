package blockkit

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// The drawing, in units of its view box.
const (
	wide, high              = 320.0, 190.0
	left, right, top, below = 44.0, 310.0, 20.0, 150.0 // of the plot
	letter                  = 6.0                      // how wide a character is, about
	colours                 = 6                        // how many classes bk-sN there are
)

// draw writes the drawing. It has presentation attributes and classes only; the element with the ID names it.
func draw(w *writer, ch chart, titledBy string) {
	w.el("svg", []attr{
		class("bk-drawing"), is("viewBox", "0 0 320 190"), is("role", "img"), is("aria-labelledby", titledBy),
		is("xmlns", "http://www.w3.org/2000/svg"),
	}, func() {
		if ch.kind == "pie" {
			drawPie(w, ch.series[0].points)
			return
		}
		p := plotOf(ch)
		p.axes(w, ch)
		for i, s := range ch.series {
			p.series(w, ch, i, s)
		}
	})
}

// at writes a coordinate.
func at(f float64) string { return strconv.FormatFloat(math.Round(f*10)/10, 'f', -1, 64) }

func colour(i int) string { return fmt.Sprintf("bk-s%d", i%colours) }

// dash tells lines apart that are not told apart by their colour.
func dash(i int) attr {
	return opt("stroke-dasharray", []string{"", "6 3", "2 3", "8 3 2 3", "12 4", "4 6"}[i%colours])
}

func swatch(w *writer, kind string, i int) {
	w.el("svg", []attr{class("bk-swatch"), is("viewBox", "0 0 20 10"), is("aria-hidden", "true")}, func() {
		if kind == "line" {
			w.el("line", []attr{is("x1", "0"), is("y1", "5"), is("x2", "20"), is("y2", "5"), is("stroke-width", "2.5"), dash(i), class("bk-stroke " + colour(i))}, nil)
			return
		}
		w.el("rect", []attr{is("width", "20"), is("height", "10"), class("bk-fill " + colour(i))}, nil)
	})
}

// plot maps figures to the drawing. Figures are divided by the largest one first, so that no sum leaves what a number holds.
type plot struct {
	largest, low, high float64 // low and high are divided
	slot               float64 // how wide a label's place is
}

func plotOf(ch chart) plot {
	p := plot{largest: largest(ch.series), slot: (right - left) / float64(len(ch.labels))}
	for _, s := range ch.series {
		for _, v := range s.points {
			p.low, p.high = min(p.low, v.value/p.largest), max(p.high, v.value/p.largest)
		}
	}
	if p.low == p.high {
		p.high = 1
	}
	return p
}

func largest(all []series) float64 {
	most := 0.0
	for _, s := range all {
		for _, v := range s.points {
			most = max(most, math.Abs(v.value))
		}
	}
	if most == 0 {
		return 1
	}
	return most
}

func (p plot) y(value float64) float64 {
	return below - (value/p.largest-p.low)/(p.high-p.low)*(below-top)
}

func (p plot) x(i int) float64 { return left + (float64(i)+0.5)*p.slot }

// axes writes the lowest and the highest figure, the line of nothing, and as many labels as there is room for.
func (p plot) axes(w *writer, ch chart) {
	for _, v := range slices.Compact([]float64{p.low * p.largest, 0, p.high * p.largest}) {
		y := at(p.y(v))
		w.el("line", []attr{is("x1", at(left)), is("y1", y), is("x2", at(right)), is("y2", y), class("bk-grid")}, nil)
		w.leaf("text", []attr{is("x", at(left-4)), is("y", at(p.y(v)+4)), is("text-anchor", "end"), class("bk-tick")}, strconv.FormatFloat(v, 'g', 4, 64))
	}
	longest := 1
	for _, l := range ch.labels {
		longest = max(longest, chars(l))
	}
	step := max(1, int(math.Ceil((float64(longest)*letter+8)/p.slot)))
	for i := 0; i < len(ch.labels); i += step {
		w.leaf("text", []attr{is("x", at(p.x(i))), is("y", at(below+14)), is("text-anchor", "middle"), class("bk-tick")}, ch.labels[i])
	}
	if ch.xTitle != "" {
		w.leaf("text", []attr{is("x", at((left+right)/2)), is("y", at(high-8)), is("text-anchor", "middle"), class("bk-tick")}, ch.xTitle)
	}
	if ch.yTitle != "" {
		w.leaf("text", []attr{is("x", at(left)), is("y", at(top-8)), is("text-anchor", "start"), class("bk-tick")}, ch.yTitle)
	}
}

func (p plot) series(w *writer, ch chart, nth int, s series) {
	if ch.kind == "bar" {
		p.bars(w, len(ch.series), nth, s)
		return
	}
	var points []string
	first, last := -1, 0
	for i, v := range s.points {
		if v.given {
			points = append(points, at(p.x(i))+","+at(p.y(v.value)))
			last = i
			if first < 0 {
				first = i
			}
		}
	}
	if first < 0 {
		return
	}
	if ch.kind == "area" {
		ground := at(p.y(0))
		outline := append([]string{at(p.x(first)) + "," + ground}, points...)
		outline = append(outline, at(p.x(last))+","+ground)
		w.el("polygon", []attr{is("points", strings.Join(outline, " ")), is("fill-opacity", "0.3"), class("bk-fill " + colour(nth))}, nil)
	}
	w.el("polyline", []attr{is("points", strings.Join(points, " ")), is("fill", "none"), is("stroke-width", "2"), dash(nth), class("bk-stroke " + colour(nth))}, nil)
	for i, v := range s.points {
		if v.given {
			w.el("circle", []attr{is("cx", at(p.x(i))), is("cy", at(p.y(v.value))), is("r", "2.5"), class("bk-fill " + colour(nth))}, nil)
		}
	}
}

func (p plot) bars(w *writer, of, nth int, s series) {
	width := p.slot * 0.8 / float64(of)
	for i, v := range s.points {
		if !v.given {
			continue
		}
		y, ground := p.y(v.value), p.y(0)
		w.el("rect", []attr{
			is("x", at(left+float64(i)*p.slot+p.slot*0.1+width*float64(nth))), is("y", at(min(y, ground))),
			is("width", at(width)), is("height", at(math.Abs(ground-y))), class("bk-fill " + colour(nth)),
		}, nil)
	}
}

// drawPie draws segments clockwise from the top, with their place in the legend beside them.
func drawPie(w *writer, points []point) {
	const cx, cy, r = wide / 2, high / 2, 76.0
	most, sum := largest([]series{{points: points}}), 0.0
	for _, p := range points {
		sum += max(0, p.value/most)
	}
	turn := 0.0
	place := func(turn, r float64) (x, y float64) {
		return cx + r*math.Sin(2*math.Pi*turn), cy - r*math.Cos(2*math.Pi*turn)
	}
	for i, p := range points {
		part := max(0, p.value/most) / max(sum, math.SmallestNonzeroFloat64)
		fill := class("bk-fill bk-slice " + colour(i))
		switch {
		case part <= 0:
			continue
		case part >= 0.9999: // an arc that comes back to where it began is none
			w.el("circle", []attr{is("cx", at(cx)), is("cy", at(cy)), is("r", at(r)), fill}, nil)
		default:
			x1, y1 := place(turn, r)
			x2, y2 := place(turn+part, r)
			large := 0
			if part > 0.5 {
				large = 1
			}
			d := fmt.Sprintf("M%s %sL%s %sA%s %s 0 %d 1 %s %sZ", at(cx), at(cy), at(x1), at(y1), at(r), at(r), large, at(x2), at(y2))
			w.el("path", []attr{is("d", d), fill}, nil)
		}
		x, y := place(turn+part/2, r+9)
		w.leaf("text", []attr{is("x", at(x)), is("y", at(y+4)), is("text-anchor", "middle"), class("bk-tick")}, strconv.Itoa(i+1))
		turn += part
	}
}
