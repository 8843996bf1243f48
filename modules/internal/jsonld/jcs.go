package jsonld

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// JCS writes a value as RFC 8785 (JSON Canonicalization Scheme) prescribes. It takes what [strictjson.Parse] gives, and
// float64 and int beside json.Number. Numbers are ECMAScript doubles there, so digits beyond their precision are lost.
func JCS(value any) ([]byte, error) {
	out, err := appendJCS(nil, value, 0)
	if err != nil {
		return nil, err
	}
	return out, nil
}

func appendJCS(dst []byte, v any, depth int) ([]byte, error) {
	if depth > strictjson.MaxDepth {
		return nil, &Error{Code: CodeLimit, Problem: "the JSON value nests too deep", Remedy: "Flatten it."}
	}
	var err error
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	case string:
		return appendJCSString(dst, v)
	case []any:
		dst = append(dst, '[')
		for i, item := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, err = appendJCS(dst, item, depth+1); err != nil {
				return nil, err
			}
		}
		return append(dst, ']'), nil
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.SortFunc(keys, compareUTF16)
		dst = append(dst, '{')
		for i, k := range keys {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, err = appendJCSString(dst, k); err != nil {
				return nil, err
			}
			dst = append(dst, ':')
			if dst, err = appendJCS(dst, v[k], depth+1); err != nil {
				return nil, err
			}
		}
		return append(dst, '}'), nil
	}
	f, ok := number(v)
	if !ok {
		return nil, &Error{Code: CodeInvalid, Problem: fmt.Sprintf("a value of type %T cannot be canonicalized", v), Remedy: "Use numbers that a double can hold, strings, booleans, arrays and objects."}
	}
	return appendECMA(dst, f), nil
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

// appendJCSString writes a string. RFC 8785, 3.2.2.2 (Serialization of Strings).
func appendJCSString(dst []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return nil, &Error{Code: CodeInvalid, Problem: "a string is not valid UTF-8", Remedy: "Encode the text as UTF-8."}
	}
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
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
	return append(dst, '"'), nil
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
