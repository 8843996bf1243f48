package status_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/modules/internal/credential/status"
)

// unpacked reads a list the way any other program would.
func unpacked(t testing.TB, encoded string) []byte {
	t.Helper()
	data, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(encoded, "u"))
	if err != nil {
		t.Fatal(err)
	}
	reader, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	reader.Multistream(false) // some readers stop behind the first member, so there must be only one
	bits, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return bits
}

func segment(t testing.TB, set ...uint32) status.Segment {
	t.Helper()
	s, err := status.Pack(set)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAListHoldsTheBitsThatWereSetAndNoOthers(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 2, 3, 7} {
		for _, density := range []float64{0, 0.0001, 0.3, 1} {
			t.Run(fmt.Sprintf("%d segments, one bit in %g", n, density), func(t *testing.T) {
				want := make([]byte, n*status.SegmentBits/8)
				segments := make([]status.Segment, n)
				for i := range segments {
					var set []uint32
					for bit := range uint32(status.SegmentBits) {
						if random.Float64() < density {
							set = append(set, bit)
							place := uint32(i)*status.SegmentBits + bit
							want[place/8] |= 0x80 >> (place % 8)
						}
					}
					random.Shuffle(len(set), func(a, b int) { set[a], set[b] = set[b], set[a] })
					segments[i] = segment(t, set...)
				}
				encoded := status.Encode(segments)
				if got := unpacked(t, encoded); !bytes.Equal(got, want) {
					t.Fatalf("%d bytes came out instead of %d, or others", len(got), len(want))
				}
				for range 100 {
					place := random.Uint64N(uint64(len(want)) * 8)
					e := status.Entry{Purpose: "revocation", Index: place, Size: 1}
					value, err := e.Lookup(map[string]any{"statusPurpose": "revocation", "encodedList": encoded})
					if err != nil || (value == 1) != (want[place/8]&(0x80>>(place%8)) != 0) {
						t.Fatalf("entry %d is %d, %v", place, value, err)
					}
				}
			})
		}
	}
}

func TestTheSameBitsMakeTheSameList(t *testing.T) {
	a := status.Encode([]status.Segment{segment(t, 5, 23, 99), status.Empty()})
	b := status.Encode([]status.Segment{segment(t, 99, 5, 23, 5), segment(t)})
	if a != b {
		t.Error("lists of the same bits differ")
	}
	if _, err := status.Pack([]uint32{status.SegmentBits}); err == nil {
		t.Error("a bit behind the end was taken")
	}
}

func TestAPublishedListIsMadeAgain(t *testing.T) {
	if !bytes.Equal(unpacked(t, status.Encode([]status.Segment{segment(t, 23)})), unpacked(t, sample)) {
		t.Error("the list of which only bit 23 is set holds other bits")
	}
}

func TestAPermutationGivesEachIndexOnce(t *testing.T) {
	for _, size := range []uint64{2, 3, 4, 5, 1000, status.SegmentBits, status.SegmentBits + 1, 3 * status.SegmentBits} {
		p, err := status.NewPermutation([]byte("secret"), size)
		if err != nil {
			t.Fatal(err)
		}
		seen := make([]bool, size)
		for n := range size {
			at := p.At(n)
			if at >= size || seen[at] {
				t.Fatalf("of %d indexes, number %d is %d, out of range or given before", size, n, at)
			}
			seen[at] = true
		}
	}
	for _, size := range []uint64{0, 1, 1<<48 + 1} {
		if _, err := status.NewPermutation(nil, size); err == nil {
			t.Errorf("%d indexes were permuted", size)
		}
	}
}

// TestIndexesTellNoOrder looks for what a biased or ordered allocation would show:
// with so many samples each statistic lies within its bound unless something is wrong.
func TestIndexesTellNoOrder(t *testing.T) {
	const size, bins = status.SegmentBits, 64
	var counts [bins]int
	ascents, lists := 0, 0
	first := map[uint64]bool{}
	for secret := range 64 {
		p, err := status.NewPermutation([]byte{byte(secret)}, size)
		if err != nil {
			t.Fatal(err)
		}
		before := p.At(0)
		first[before] = true
		for n := uint64(1); n < 1024; n++ {
			at := p.At(n)
			counts[at*bins/size]++
			if at > before {
				ascents++
			}
			before, lists = at, lists+1
		}
	}
	expected := float64(lists) / bins
	var chi float64
	for _, n := range counts {
		chi += (float64(n) - expected) * (float64(n) - expected) / expected
	}
	if chi > 130 { // 63 degrees of freedom: one in a million lies above
		t.Errorf("the first thousand indexes crowd: chi squared is %.1f", chi)
	}
	if share := float64(ascents) / float64(lists); share < 0.49 || share > 0.51 {
		t.Errorf("%.3f of the indexes lie above the one before", share)
	}
	if len(first) < 60 {
		t.Errorf("64 secrets begin at %d places", len(first))
	}
	again, _ := status.NewPermutation([]byte{3}, size)
	same, _ := status.NewPermutation([]byte{3}, size)
	if !slices.Equal([]uint64{again.At(0), again.At(7)}, []uint64{same.At(0), same.At(7)}) {
		t.Error("one secret makes two orders")
	}
}

func BenchmarkPermutation(b *testing.B) {
	p, err := status.NewPermutation([]byte("secret"), status.SegmentBits)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	n := uint64(0)
	for b.Loop() {
		p.At(n % status.SegmentBits)
		n++
	}
}

// BenchmarkList compares a list of ten million entries, one in a hundred of them set,
// that is put together of what is packed, with one that is packed as a whole.
func BenchmarkList(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	sets := make([][]uint32, 77)
	segments := make([]status.Segment, len(sets))
	for i := range sets {
		for bit := range uint32(status.SegmentBits) {
			if random.IntN(100) == 0 {
				sets[i] = append(sets[i], bit)
			}
		}
		segments[i] = segment(b, sets[i]...)
	}
	b.Run("one segment changed", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			segments[40] = segment(b, sets[40]...)
			status.Encode(segments)
		}
	})
	b.Run("all of it anew", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for i := range sets {
				segments[i] = segment(b, sets[i]...)
			}
			status.Encode(segments)
		}
	})
}
