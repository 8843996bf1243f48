package image_test

import (
	"bytes"
	"testing"

	"github.com/badge-engine/badge-engine/modules/internal/image"
)

// Both targets hold that no input panics; that what Inspect lets pass can be
// baked and gives the credential back; and that overwriting is idempotent.

func FuzzPNG(f *testing.F) {
	f.Add(pixel())
	f.Add(pixel(chunk("iTXt", "openbadgecredential\x00\x00\x00\x00\x00"+credential)))
	f.Add(pixel(chunk("zTXt", "openbadges\x00\x00"+deflated(assertion)), chunk("tEXt", "openbadges\x00https://example.org/")))
	f.Fuzz(func(t *testing.T, data []byte) {
		roundTrip(t, data, image.PNG)
		// A mutation hardly ever keeps a checksum: mend them, so that the fuzzer gets past the first chunk.
		roundTrip(t, mended(data), image.PNG)
	})
}

func FuzzSVG(f *testing.F) {
	f.Add([]byte(plainSVG))
	f.Add([]byte("\ufeff<?xml version=\"1.0\"?><!DOCTYPE svg><s:svg xmlns:s='http://www.w3.org/2000/svg' a=\"/>\"/>\n<!-- -->"))
	f.Add([]byte(`<svg xmlns="http://www.w3.org/2000/svg" xmlns:openbadges="http://openbadges.org"><openbadges:assertion verify="https://example.org/"><![CDATA[{}]]></openbadges:assertion><style>a{fill:url(#a)}</style></svg>`))
	f.Fuzz(func(t *testing.T, data []byte) { roundTrip(t, data, image.SVG) })
}

func roundTrip(t *testing.T, data []byte, format image.Format) {
	image.Extract(data)
	info, err := image.Inspect(data)
	if err != nil {
		if codeOf(err) == "" || len(err.Error()) > 1000 {
			t.Errorf("a foreign error: %v", err)
		}
		return
	}
	if info.Format != format {
		return
	}
	if format == image.SVG {
		wellFormed(t, data) // whatever passes here must pass a second parser too
	}
	once, err := image.Bake(data, []byte(credential), image.Options{Overwrite: true})
	if err != nil {
		t.Fatalf("what Inspect lets pass cannot be baked: %v", err)
	}
	x, err := image.Extract(once)
	if err != nil || string(x.Payload) != credential || x.Version != image.OpenBadges3 {
		t.Fatalf("%+v (%v)", x, err)
	}
	if _, err := image.Inspect(once); err != nil {
		t.Fatalf("what was baked does not pass: %v", err)
	}
	twice, err := image.Bake(once, []byte(credential), image.Options{Overwrite: true})
	if err != nil || !bytes.Equal(once, twice) {
		t.Fatalf("baking twice differs (%v)", err)
	}
}

// mended puts the right checksum behind every chunk that is whole.
func mended(data []byte) []byte {
	if len(data) < 8 {
		return data
	}
	out := bytes.Clone(data[:8])
	for rest := data[8:]; ; {
		n := 12
		if len(rest) >= 12 {
			n += int(rest[0])<<24 | int(rest[1])<<16 | int(rest[2])<<8 | int(rest[3])
		}
		if len(rest) < n {
			return append(out, rest...)
		}
		out = append(out, chunk(string(rest[4:8]), string(rest[8:n-4]))...)
		rest = rest[n:]
	}
}
