package artwork_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image/png"
	"io"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/app/command/artwork"
)

func TestSVGIsASmallDrawingUnderItsTitle(t *testing.T) {
	for _, test := range []struct{ name, title, want string }{
		{"a plain title", "Teamwork", "Teamwork"},
		{"markup in a title stays text", `<script>"&'</script>]]>`, `<script>"&'</script>]]>`},
		{"a character that XML lacks is replaced", "a\x00b", "a\ufffdb"},
		{"a long title is cut between characters", strings.Repeat("ä", 300), strings.Repeat("ä", 119) + "…"},
		{"no title", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			data := artwork.SVG(test.title)
			if len(data) >= 6<<10 {
				t.Errorf("%d bytes", len(data))
			}
			if !bytes.Equal(data, artwork.SVG(test.title)) {
				t.Error("two runs differ")
			}
			var drawing struct {
				XMLName xml.Name `xml:"http://www.w3.org/2000/svg svg"`
				Title   string   `xml:"http://www.w3.org/2000/svg title"`
			}
			d := xml.NewDecoder(bytes.NewReader(data))
			if err := d.Decode(&drawing); err != nil || drawing.Title != test.want {
				t.Fatalf("title %q (%v)", drawing.Title, err)
			}
			for {
				if token, err := d.Token(); err == io.EOF {
					break
				} else if _, isText := token.(xml.CharData); err != nil || !isText {
					t.Fatalf("%v behind the root (%v)", token, err)
				}
			}
		})
	}
}

func TestPNGShowsTheMedalOnATransparentGround(t *testing.T) {
	for _, size := range []int{64, 512} {
		t.Run(fmt.Sprintf("%d pixels", size), func(t *testing.T) {
			data := artwork.PNG(size)
			if len(data) >= 64<<10 {
				t.Errorf("%d bytes", len(data))
			}
			if !bytes.Equal(data, artwork.PNG(size)) {
				t.Error("two runs differ")
			}
			picture, err := png.Decode(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			if b := picture.Bounds(); b.Dx() != size || b.Dy() != size {
				t.Errorf("bounds %v", b)
			}
			if _, _, _, alpha := picture.At(0, 0).RGBA(); alpha != 0 {
				t.Error("the corner is painted")
			}
			// All of it is gold or blue, so green leads nowhere, but for a little where the two mix.
			for y := range size {
				for x := range size {
					if r, g, b, _ := picture.At(x, y).RGBA(); g > max(r, b)+0x1000 {
						t.Fatalf("green at %d, %d: %x %x %x", x, y, r, g, b)
					}
				}
			}
			// The star is gold, the field below it blue.
			if r, _, b, alpha := picture.At(size/2, size*2/5).RGBA(); alpha != 0xffff || r <= b {
				t.Errorf("the star is %x red, %x blue, %x opaque", r, b, alpha)
			}
			if r, _, b, alpha := picture.At(size/2, size*15/100).RGBA(); alpha != 0xffff || b <= r {
				t.Errorf("the field is %x red, %x blue, %x opaque", r, b, alpha)
			}
		})
	}
}
