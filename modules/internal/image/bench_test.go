package image_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/image"
)

func benchmarkPictures(b *testing.B) map[string][]byte {
	pictures := map[string][]byte{}
	for name, side := range map[string]int{"PNG/10kB": 50, "PNG/100kB": 158, "PNG/1MB": 500, "PNG/10MB": 1581} {
		pictures[name] = noise(b, side)
	}
	pictures["SVG/10kB"] = []byte(`<svg xmlns="http://www.w3.org/2000/svg">` + strings.Repeat(`<g fill="#123456"><path d="M0 0h10v20z"/></g>`, 220) + `</svg>`)
	pictures["SVG/100kB"] = []byte(`<svg xmlns="http://www.w3.org/2000/svg">` + strings.Repeat(`<g fill="#123456"><path d="M0 0h10v20z"/></g>`, 2200) + `</svg>`)
	return pictures
}

var benchmarkOrder = []string{"PNG/10kB", "PNG/100kB", "PNG/1MB", "PNG/10MB", "SVG/10kB", "SVG/100kB"}

func BenchmarkBake(b *testing.B) {
	pictures := benchmarkPictures(b)
	for _, name := range benchmarkOrder {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(pictures[name])))
			for b.Loop() {
				if _, err := image.Bake(pictures[name], []byte(credential), image.Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkExtract(b *testing.B) {
	pictures := benchmarkPictures(b)
	for _, name := range benchmarkOrder {
		b.Run(name, func(b *testing.B) {
			baked, err := image.Bake(pictures[name], []byte(credential), image.Options{})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.SetBytes(int64(len(baked)))
			for b.Loop() {
				if _, err := image.Extract(baked); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestBakingAllocatesTheAnswerAndLittleElse counts: what is baked has its final size from
// the beginning, and a picture of many chunks costs no more pieces of memory than one of few.
func TestBakingAllocatesTheAnswerAndLittleElse(t *testing.T) {
	for _, side := range []int{20, 500} {
		picture := noise(t, side)
		baked, err := image.Bake(picture, []byte(credential), image.Options{Checked: true})
		if err != nil {
			t.Fatal(err)
		}
		if cap(baked) > len(baked)+len(baked)/8 { // the runtime rounds up
			t.Errorf("a badge of %d bytes takes %d", len(baked), cap(baked))
		}
		if n := testing.AllocsPerRun(10, func() { _, _ = image.Bake(picture, []byte(credential), image.Options{Checked: true}) }); n > 6 {
			t.Errorf("a picture of %d bytes is baked with %v allocations", len(picture), n)
		}
	}
}

// BenchmarkLimits compares baking one picture with copying it; go run ./test/load reads its names.
func BenchmarkLimits(b *testing.B) {
	picture := noise(b, 500)
	for _, row := range []struct {
		name string
		do   func() error
	}{
		{"copy", func() error { copy(make([]byte, len(picture)), picture); return nil }},
		{"bake", func() error {
			_, err := image.Bake(picture, []byte(credential), image.Options{Checked: true})
			return err
		}},
		{"bake-with-checksums", func() error { _, err := image.Bake(picture, []byte(credential), image.Options{}); return err }},
	} {
		b.Run(row.name, func(b *testing.B) {
			b.SetBytes(int64(len(picture)))
			b.ReportAllocs()
			var took []time.Duration
			for b.Loop() {
				start := time.Now()
				if err := row.do(); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Nanoseconds()), "median-ns/op")
		})
	}
}
