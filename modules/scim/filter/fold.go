package filter

import (
	"math"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/badge-engine/badge-engine/modules/scim/tree"
)

var folders = sync.Pool{New: func() any { c := cases.Fold(); return &c }}

// Fold is the form of a text by which attributes without caseExact are compared, sorted and kept unique: composed (NFC), full
// case folding, composed again. It is the same on every database, because it is made here and not there. A text that has the
// form already is returned as it is.
func Fold(s string) string {
	upper := false
	for i := range len(s) {
		c := s[i]
		if c >= utf8.RuneSelf {
			return foldUnicode(s)
		}
		upper = upper || c >= 'A' && c <= 'Z'
	}
	if !upper {
		return s
	}
	return tree.FoldName(s)
}

func foldUnicode(s string) string {
	c := folders.Get().(*cases.Caser)
	defer folders.Put(c)
	return norm.NFC.String(c.String(norm.NFC.String(s)))
}

// Instant reads an xsd:dateTime (RFC 7643, 2.3.5) as microseconds since 1970 in UTC, which is how instants are compared. What
// is finer is cut off. A text without zone is in UTC; a date alone is its first instant.
func Instant(text string) (int64, bool) {
	for _, layout := range [...]string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UnixMicro(), true
		}
	}
	return 0, false
}

// NumberKey is a text by which numbers are compared exactly, however large: keys are in the order of their numbers, byte by
// byte, and equal for equal numbers, as 1.0 and 1. It refuses what is no JSON number and exponents beyond a thousand million.
func NumberKey(text string) (string, bool) {
	if n, ok := tree.ScanNumber(text); !ok || n != len(text) {
		return "", false
	}
	rest, negative := strings.CutPrefix(text, "-")
	mantissa, exponent := rest, 0
	if i := strings.IndexAny(rest, "eE"); i >= 0 {
		var err error
		if exponent, err = strconv.Atoi(rest[i+1:]); err != nil {
			exponent = math.MaxInt32
			if rest[i+1] == '-' {
				exponent = math.MinInt32
			}
		}
		mantissa = rest[:i]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	// The number is 0.digits times ten to the power of exponent.
	exponent += len(whole) - (len(whole) + len(fraction) - len(digits))
	if digits = strings.TrimRight(digits, "0"); digits == "" {
		return "2", true
	}
	const bias = 1_000_000_000
	if exponent <= -bias || exponent >= bias {
		return "", false
	}
	b := make([]byte, 0, len(digits)+12)
	b = append(b, '3')
	b = append(b, strconv.Itoa(2*bias+exponent)...) // ten digits for each exponent
	b = append(b, digits...)
	if negative { // the larger the smaller: every digit is turned round, and a shorter number comes last
		for i := range b {
			b[i] = '0' + '9' - b[i]
		}
		b[0] = '1'
		b = append(b, ':')
	}
	return string(b), true
}
