package jsonld

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// JCS writes a value as RFC 8785 (JSON Canonicalization Scheme) prescribes. It takes what [strictjson.Read] and
// [strictjson.Parse] give, and float64 and int beside json.Number. Numbers are ECMAScript doubles there, so digits beyond
// their precision are lost.
func JCS(value any) ([]byte, error) {
	n, is := value.(*strictjson.Node)
	if !is {
		if n = strictjson.NodeOf(value); n == nil {
			return nil, unfit(value, 0)
		}
	}
	w := jcsWriters.Get().(*jcsWriter)
	defer w.release()
	if err := w.value(n); err != nil {
		return nil, err
	}
	return bytes.Clone(w.text), nil
}

// unfit says why a value is no JSON.
func unfit(value any, depth int) error {
	if depth > strictjson.MaxDepth {
		return &Error{Code: CodeLimit, Problem: "the JSON value nests too deep", Remedy: "Flatten it."}
	}
	switch v := value.(type) {
	case nil, bool, string, json.Number:
		return nil
	case []any:
		for _, item := range v {
			if err := unfit(item, depth+1); err != nil {
				return err
			}
		}
		return nil
	case map[string]any:
		for _, member := range v {
			if err := unfit(member, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	if _, ok := number(value); ok {
		return nil
	}
	return uncanonical(value)
}

func uncanonical(value any) error {
	return &Error{Code: CodeInvalid, Problem: fmt.Sprintf("a value of type %T cannot be canonicalized", value), Remedy: "Use numbers that a double can hold, strings, booleans, arrays and objects."}
}

// jcsWriter writes one value at a time. It is used again and again.
type jcsWriter struct {
	text    []byte
	members []*strictjson.Node // of the objects around the place we are at, each sorted
}

var jcsWriters = sync.Pool{New: func() any { return new(jcsWriter) }}

func (w *jcsWriter) release() {
	const most = 1 << 20
	if cap(w.text) > most || cap(w.members) > most/16 {
		return
	}
	clear(w.members[:cap(w.members)])
	w.text, w.members = w.text[:0], w.members[:0]
	jcsWriters.Put(w)
}

func (w *jcsWriter) value(n *strictjson.Node) error {
	switch n.Kind {
	case strictjson.Null:
		w.text = append(w.text, "null"...)
	case strictjson.False:
		w.text = append(w.text, "false"...)
	case strictjson.True:
		w.text = append(w.text, "true"...)
	case strictjson.String:
		return w.str(n.Text, n.Plain())
	case strictjson.Number:
		f, ok := number(json.Number(n.Text))
		if !ok {
			return uncanonical(json.Number(n.Text))
		}
		w.text = appendECMA(w.text, f)
	case strictjson.Array:
		w.text = append(w.text, '[')
		for item := n.First(); item != nil; item = item.Next() {
			if item != n.First() {
				w.text = append(w.text, ',')
			}
			if err := w.value(item); err != nil {
				return err
			}
		}
		w.text = append(w.text, ']')
	case strictjson.Object:
		return w.object(n)
	}
	return nil
}

func (w *jcsWriter) object(n *strictjson.Node) error {
	from := len(w.members)
	for m := n.First(); m != nil; m = m.Next() {
		w.members = append(w.members, m)
	}
	sortMembers(w.members[from:])
	w.text = append(w.text, '{')
	for i := range n.Len() {
		m := w.members[from+i] // what is below may move them
		if i > 0 {
			w.text = append(w.text, ',')
		}
		if err := w.str(m.Name, false); err != nil {
			return err
		}
		w.text = append(w.text, ':')
		if err := w.value(m); err != nil {
			return err
		}
	}
	w.text = append(w.text, '}')
	w.members = w.members[:from]
	return nil
}

// sortMembers sorts by names. Most objects have few members.
func sortMembers(members []*strictjson.Node) {
	const few = 16
	if len(members) > few {
		slices.SortFunc(members, func(a, b *strictjson.Node) int { return compareUTF16(a.Name, b.Name) })
		return
	}
	for i := 1; i < len(members); i++ {
		m, j := members[i], i
		for ; j > 0 && compareUTF16(m.Name, members[j-1].Name) < 0; j-- {
			members[j] = members[j-1]
		}
		members[j] = m
	}
}

// number is the ECMAScript number that v stands for; false if there is none.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case json.Number:
		f, err := strconv.ParseFloat(string(v), 64)
		return f, err == nil && !math.IsInf(f, 0)
	case float64:
		return v, !math.IsNaN(v) && !math.IsInf(v, 0)
	case int:
		return float64(v), true
	}
	return 0, false
}

// appendECMA writes a number as ECMAScript does. RFC 8785, 3.2.2.3 (Serialization of Numbers).
func appendECMA(dst []byte, f float64) []byte {
	if f == 0 {
		return append(dst, '0') // of either sign
	}
	if abs := math.Abs(f); abs >= 1e-6 && abs < 1e21 {
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	// Go writes two exponent digits at least, ECMAScript as many as it takes.
	if n := len(dst); dst[n-2] == '0' && (dst[n-3] == '-' || dst[n-3] == '+') && n-4 >= start {
		dst[n-2] = dst[n-1]
		dst = dst[:n-1]
	}
	return dst
}

// str writes a string. RFC 8785, 3.2.2.2 (Serialization of Strings).
func (w *jcsWriter) str(s string, plain bool) error {
	if plain {
		w.text = append(append(append(w.text, '"'), s...), '"')
		return nil
	}
	if !utf8.ValidString(s) {
		return &Error{Code: CodeInvalid, Problem: "a string is not valid UTF-8", Remedy: "Encode the text as UTF-8."}
	}
	const digits = "0123456789abcdef"
	dst := append(w.text, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[start:i]...)
		start = i + 1
		if at := strings.IndexByte("\bb\tt\nn\ff\rr\"\"\\\\", c); at >= 0 && at%2 == 0 {
			dst = append(dst, '\\', "\bb\tt\nn\ff\rr\"\"\\\\"[at+1])
		} else {
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
	}
	dst = append(dst, s[start:]...)
	w.text = append(dst, '"')
	return nil
}

// compareUTF16 orders by UTF-16 code units, which differs from the order of bytes only where a surrogate pair meets a
// character between U+E000 and U+FFFF. RFC 8785, 3.2.3 (Sorting of Object Properties).
func compareUTF16(a, b string) int {
	for i := 0; i < len(a) && i < len(b); i++ {
		if a[i] == b[i] {
			continue
		}
		if a[i] >= 0xee && b[i] >= 0xee && (a[i] >= 0xf0) != (b[i] >= 0xf0) {
			if a[i] >= 0xf0 {
				return -1
			}
			return 1
		}
		return int(a[i]) - int(b[i])
	}
	return len(a) - len(b)
}
