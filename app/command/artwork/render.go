package artwork

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"strconv"

	"golang.org/x/image/vector"
)

// longestTitle keeps the SVG small whatever it is called.
const longestTitle = 120

// SVG is the default badge as a drawing that is called title.
func SVG(title string) []byte {
	var body, gradients bytes.Buffer
	known := map[paint]int{}
	for _, l := range badge() {
		id, ok := known[l.paint]
		if !ok {
			id = len(known)
			known[l.paint] = id
			fmt.Fprintf(&gradients, `<linearGradient id="g%d" gradientUnits="userSpaceOnUse" x2="0" y1="%s" y2="%s"><stop%s/><stop offset="1"%s/></linearGradient>`,
				id, short(l.paint.from), short(l.paint.to), stop(l.paint.top), stop(l.paint.bottom))
		}
		if l.disc > 0 {
			fmt.Fprintf(&body, `<circle fill="url(#g%d)" cx="%s" cy="%s" r="%s"/>`+"\n", id, short(centreX), short(centreY), short(l.disc))
		} else {
			fmt.Fprintf(&body, `<path fill="url(#g%d)" d="%s"/>`+"\n", id, data(l.outline))
		}
	}
	if runes := []rune(title); len(runes) > longestTitle {
		title = string(runes[:longestTitle-1]) + "…"
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]d %[1]d" width="%[1]d" height="%[1]d" role="img"><title>`, side)
	_ = xml.EscapeText(&out, []byte(title)) // a buffer takes everything
	fmt.Fprintf(&out, "</title><defs>%s</defs>\n%s</svg>\n", &gradients, &body)
	return out.Bytes()
}

// data writes an outline as SVG path data, all but the first step relative to
// the one before, since differences are shorter than places.
func data(o outline) string {
	var b []byte
	var at point
	number := func(f float64) {
		text := short(f)
		if last := b[len(b)-1]; last >= '0' && last <= '9' && text[0] != '-' {
			b = append(b, ' ')
		}
		b = append(b, text...)
	}
	verb := byte(0)
	for i, s := range o {
		if s.verb == 'M' && i > 0 {
			b = append(b, 'z')
			verb = 0
		}
		if s.verb != verb {
			verb = s.verb
			b = append(b, verb)
			if verb != 'M' {
				b[len(b)-1] |= 0x20
			}
		}
		to, origin := s.points[0], at
		if verb == 'M' {
			origin = point{}
		}
		number(to.x - origin.x)
		number(to.y - origin.y)
		if verb == 'Q' {
			to = s.points[1]
			number(to.x - origin.x)
			number(to.y - origin.y)
		}
		at = to
	}
	return string(append(b, 'z'))
}

// short writes a number to a tenth without what SVG can do without.
func short(f float64) string {
	return strconv.FormatFloat(math.Round(f*10)/10+0, 'f', -1, 64) // adding 0 makes -0 plain
}

func stop(rgba uint32) string {
	opacity := ""
	if alpha := rgba & 0xff; alpha != 0xff {
		opacity = fmt.Sprintf(` stop-opacity="%.2f"`, float64(alpha)/255)
	}
	return fmt.Sprintf(` stop-color="#%06x"%s`, rgba>>8, opacity)
}

// PNG is the default badge as a picture of size by size pixels. A size outside
// 16 to 4096 is taken to the nearer end.
func PNG(size int) []byte {
	size = min(max(size, 16), 4096)
	canvas := image.NewRGBA(image.Rect(0, 0, size, size))
	mask := image.NewAlpha(canvas.Rect)
	r := vector.NewRasterizer(size, size)
	scale := float32(size) / side
	for _, l := range badge() {
		r.Reset(size, size)
		r.DrawOp = draw.Src
		if l.disc > 0 {
			l.outline = scallops(l.disc, 48, 0)
		}
		for i, s := range l.outline {
			a, b := s.points[0], s.points[1]
			ax, ay := float32(a.x)*scale, float32(a.y)*scale
			switch s.verb {
			case 'M':
				if i > 0 {
					r.ClosePath()
				}
				r.MoveTo(ax, ay)
			case 'L':
				r.LineTo(ax, ay)
			case 'Q':
				r.QuadTo(ax, ay, float32(b.x)*scale, float32(b.y)*scale)
			}
		}
		r.ClosePath()
		r.Draw(mask, mask.Rect, image.Opaque, image.Point{})
		for i, coverage := range mask.Pix {
			// Sixteenths look the same and make the file a sixth smaller.
			mask.Pix[i] = uint8(min((int(coverage)+8)/16*16, 255))
		}
		for y := range size {
			colour := image.NewUniform(l.paint.at((float64(y) + 0.5) / float64(scale)))
			row := image.Rect(0, y, size, y+1)
			draw.DrawMask(canvas, row, colour, image.Point{}, mask, row.Min, draw.Over)
		}
	}
	var out bytes.Buffer
	_ = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, canvas) // a buffer takes everything
	return out.Bytes()
}

// at is the colour of the gradient at a height, in steps of two for the same reason.
func (p paint) at(y float64) color.NRGBA {
	f := min(max((y-p.from)/(p.to-p.from), 0), 1)
	mix := func(shift uint) uint8 {
		a, b := float64(p.top>>shift&0xff), float64(p.bottom>>shift&0xff)
		return uint8(min(a+math.Round((b-a)*f/2)*2, 255))
	}
	return color.NRGBA{R: mix(24), G: mix(16), B: mix(8), A: mix(0)}
}
