package main

import (
	"fmt"
	"math"
	"strings"
)

// series is one line of a plot.
type series struct {
	name string
	x, y []float64
}

var colours = []string{"#2458a6", "#b5532a", "#3a7d44", "#7a4b94"}

// plot draws lines in SVG, both axes logarithmic, so that a straight line of slope one is cost in proportion to size.
func plot(title, x, y string, lines []series) string {
	const width, height, left, bottom, top, right = 720, 400, 70, 50, 40, 180
	minX, maxX, minY, maxY := math.Inf(1), 0.0, math.Inf(1), 0.0
	for _, s := range lines {
		for i := range s.x {
			minX, maxX = min(minX, s.x[i]), max(maxX, s.x[i])
			minY, maxY = min(minY, s.y[i]), max(maxY, s.y[i])
		}
	}
	minY, maxY = math.Pow(10, math.Floor(math.Log10(minY))), math.Pow(10, math.Ceil(math.Log10(maxY)))
	atX := func(v float64) float64 {
		return left + (width-left-right)*math.Log(v/minX)/math.Max(math.Log(maxX/minX), 1e-9)
	}
	atY := func(v float64) float64 {
		return height - bottom - (height-bottom-top)*math.Log(v/minY)/math.Max(math.Log(maxY/minY), 1e-9)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12"><rect width="%d" height="%d" fill="#fff"/>`, width, height, width, height)
	fmt.Fprintf(&b, `<text x="%d" y="22" font-size="15">%s</text>`, left, escape(title))
	for v := minY; v <= maxY*1.001; v *= 10 {
		fmt.Fprintf(&b, `<path d="M%d %.1fH%d" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`, left, atY(v), width-right, left-6, atY(v)+4, figure(v))
	}
	seen := map[float64]bool{}
	for _, s := range lines {
		for _, v := range s.x {
			if !seen[v] {
				seen[v] = true
				fmt.Fprintf(&b, `<text x="%.1f" y="%d" text-anchor="middle">%s</text>`, atX(v), height-bottom+18, short(v))
			}
		}
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="middle">%s</text><text transform="translate(16 %d) rotate(-90)" text-anchor="middle">%s</text>`,
		(left+width-right)/2, height-10, escape(x), (top+height-bottom)/2, escape(y))
	for i, s := range lines {
		colour := colours[i%len(colours)]
		var path strings.Builder
		for j := range s.x {
			fmt.Fprintf(&path, "%c%.1f %.1f", "ML"[min(j, 1)], atX(s.x[j]), atY(s.y[j]))
			fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`, atX(s.x[j]), atY(s.y[j]), colour)
		}
		fmt.Fprintf(&b, `<path d="%s" fill="none" stroke="%s" stroke-width="2"/><text x="%d" y="%d" fill="%s">%s</text>`, path.String(), colour, width-right+12, top+20*(i+1), colour, escape(s.name))
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func short(v float64) string {
	switch {
	case v >= 1e6:
		return figure(v/1e6) + "M"
	case v >= 1e3:
		return figure(v/1e3) + "k"
	}
	return figure(v)
}

func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}
