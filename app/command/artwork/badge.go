package artwork

import "math"

// The drawing lives on a square of this side; the medal is a disc in its upper part.
const (
	side             = 512
	centreX, centreY = 256.0, 206.0
)

// point is a place on the square, x to the right, y downwards.
type point struct{ x, y float64 }

// step is one piece of an outline: a start (no control points), a line to the
// last point, or a quadratic curve by way of the first.
type step struct {
	verb   byte // 'M', 'L' or 'Q', as in SVG
	points [2]point
}

// paint is a vertical gradient; both ends alike make it plain. Colours are RGBA.
type paint struct {
	top, bottom uint32
	from, to    float64 // y of the ends
}

// layer is one filled shape, either a disc about the centre of the medal or an
// outline. Later layers lie on top of earlier ones.
type layer struct {
	disc    float64 // radius; 0 means the outline
	outline outline
	paint   paint
}

// outline gathers steps and rounds them to tenths, so that the SVG is short and
// the PNG is drawn from the very same numbers.
type outline []step

func tenth(p point) point { return point{math.Round(p.x*10) / 10, math.Round(p.y*10) / 10} }

func (o *outline) move(p point) { *o = append(*o, step{'M', [2]point{tenth(p)}}) }
func (o *outline) line(p point) { *o = append(*o, step{'L', [2]point{tenth(p)}}) }
func (o *outline) curve(by, to point) {
	*o = append(*o, step{'Q', [2]point{tenth(by), tenth(to)}})
}

// polygon is the closed outline of the points.
func polygon(points ...point) (o outline) {
	for i, p := range points {
		if i == 0 {
			o.move(p)
		} else {
			o.line(p)
		}
	}
	return o
}

// polar is the place at a distance from the centre of the medal, the angle
// counted in degrees clockwise from the top.
func polar(radius, degrees float64) point {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	return point{centreX + radius*sin, centreY - radius*cos}
}

// scallops is a round outline of n bulges; without swell and with many it is a circle.
func scallops(radius float64, n int, swell float64) (o outline) {
	each := 360 / float64(n)
	o.move(polar(radius, 0))
	for i := range n {
		middle := (float64(i) + 0.5) * each
		o.curve(polar((radius+swell)/math.Cos(each/2*math.Pi/180), middle), polar(radius, middle+each/2))
	}
	return o
}

// gloss is the light on the upper part of the field, bounded by a shallow curve.
func gloss(radius float64) (o outline) {
	o.move(polar(radius, -80))
	for angle := -80.0; angle < 80; angle += 40 {
		o.curve(polar(radius/math.Cos(20*math.Pi/180), angle+20), polar(radius, angle+40))
	}
	o.curve(point{centreX, centreY - 60}, polar(radius, -80))
	return o
}

// leaf is an almond of the given length that points away from its foot.
func leaf(o *outline, foot point, degrees, length, width float64) {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	at := func(along, aside float64) point {
		return point{foot.x + along*sin + aside*cos, foot.y - along*cos + aside*sin}
	}
	o.move(foot)
	o.curve(at(length*0.42, width), at(length, 0))
	o.curve(at(length*0.42, -width), foot)
}

// laurel is both branches, which meet at the foot of the medal and rise to either side of its head.
func laurel(radius float64) (leaves, stems outline) {
	const pairs, first, last, foot, bends, half = 7, 168.0, 50.0, 180.0, 4, 1.7
	for _, mirror := range [...]float64{1, -1} {
		// Along the branch, which at an angle points to angle-90, leaves bend to both sides.
		for i := range pairs {
			f := float64(i) / (pairs - 1)
			angle, length := first+(last-first)*f, 43-8*f
			leaf(&leaves, polar(radius+half, mirror*angle), mirror*(angle-90+34), length, 13.5-2*f)
			leaf(&leaves, polar(radius-half, mirror*angle), mirror*(angle-90-34), length*0.9, 12.5-2*f)
		}
		leaf(&leaves, polar(radius, mirror*(last-3)), mirror*(last-3-90), 34, 11)

		each := (foot - last) / bends
		stems.move(polar(radius+half, mirror*foot))
		for i := range bends {
			from := foot - float64(i)*each
			stems.curve(polar((radius+half)/math.Cos(each/2*math.Pi/180), mirror*(from-each/2)), polar(radius+half, mirror*(from-each)))
		}
		stems.line(polar(radius-half, mirror*last))
		for i := range bends {
			from := last + float64(i)*each
			stems.curve(polar((radius-half)/math.Cos(each/2*math.Pi/180), mirror*(from+each/2)), polar(radius-half, mirror*(from+each)))
		}
	}
	return leaves, stems
}

// star is the whole star and the shaded half of each of its points.
func star(outer, inner float64) (whole, shade outline) {
	var points []point
	for i := range 5 {
		tip, valley := polar(outer, float64(i)*72), polar(inner, float64(i)*72+36)
		points = append(points, tip, valley)
		shade = append(shade, polygon(point{centreX, centreY}, tip, valley)...)
	}
	return polygon(points...), shade
}

// ribbon is one tail, which hangs from behind the medal at an angle; from and to
// are the edges of a stripe of it, as parts of its width.
func ribbon(degrees, from, to float64) outline {
	const width, top, end, notch = 104.0, 120.0, 300.0, 30.0
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	at := func(part, y float64) point {
		x := (part - 0.5) * width
		return point{centreX + x*cos - y*sin, centreY + y*cos + x*sin}
	}
	// The end is notched: highest in the middle of the ribbon.
	cut := func(part float64) float64 { return end - notch*(1-2*math.Abs(part-0.5)) }
	points := []point{at(from, top), at(to, top), at(to, cut(to))}
	if from < 0.5 && to > 0.5 {
		points = append(points, at(0.5, cut(0.5)))
	}
	return polygon(append(points, at(from, cut(from)))...)
}

// badge is the description: every layer from back to front.
func badge() []layer {
	leaves, stems := laurel(118)
	whole, shade := star(80, 34)
	var knot outline
	for _, angle := range [...]float64{0, 120, 240} {
		leaf(&knot, point{centreX, centreY + 118}, angle, 15, 9)
	}
	gold := func(from, to float64) paint { return paint{0xffeeb4ff, 0xd0902aff, from, to} }
	edge, groove, drawn := gold(8, 404), paint{0xb9781fff, 0xf3c766ff, 26, 386}, gold(90, 350)
	field := paint{0x2a56a8ff, 0x0d1f4dff, 50, 362}
	silk, stripe := paint{0x14306fff, 0x3f77dcff, 375, 470}, paint{0xb07a26ff, 0xffe3a0ff, 375, 470}
	return []layer{
		{outline: ribbon(22, 0, 1), paint: silk},
		{outline: ribbon(22, 0.1, 0.2), paint: stripe},
		{outline: ribbon(22, 0.8, 0.9), paint: stripe},
		{outline: ribbon(-22, 0, 1), paint: silk},
		{outline: ribbon(-22, 0.1, 0.2), paint: stripe},
		{outline: ribbon(-22, 0.8, 0.9), paint: stripe},
		{outline: scallops(190, 32, 13), paint: edge},
		{disc: 180, paint: groove},
		{disc: 174, paint: edge},
		{disc: 160, paint: groove},
		{disc: 156, paint: field},
		{outline: gloss(143), paint: paint{0xffffff30, 0xffffff06, 62, 200}},
		{outline: stems, paint: drawn},
		{outline: leaves, paint: drawn},
		{outline: knot, paint: drawn},
		{outline: whole, paint: paint{0xfff6d6ff, 0xf0bb4eff, 126, 271}},
		{outline: shade, paint: paint{0xeab34aff, 0xc27f1dff, 126, 271}},
	}
}
