package jsonld

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	xsdString  = "http://www.w3.org/2001/XMLSchema#string"
	xsdBoolean = "http://www.w3.org/2001/XMLSchema#boolean"
	xsdInteger = "http://www.w3.org/2001/XMLSchema#integer"
	xsdDouble  = "http://www.w3.org/2001/XMLSchema#double"
	rdfJSON    = "http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON"
	rdfType    = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
	rdfFirst   = "http://www.w3.org/1999/02/22-rdf-syntax-ns#first"
	rdfRest    = "http://www.w3.org/1999/02/22-rdf-syntax-ns#rest"
	rdfNil     = "http://www.w3.org/1999/02/22-rdf-syntax-ns#nil"
)

// maxInteger is the largest integer of which a double holds every smaller one. RFC 7493, 2.2.
const maxInteger = 1<<53 - 1

// literal is a scalar in RDF. JSON-LD 1.1 API, 8.2.2 (Object to RDF Conversion).
func (r *run) literal(v any, datatype string) (Term, error) {
	t, err := r.typed(v, datatype)
	if t.Datatype == xsdString {
		t.Datatype = "" // the same in RDF 1.1, and terms must be comparable
	}
	return t, err
}

func (r *run) typed(v any, datatype string) (Term, error) {
	t := Term{Kind: Literal, Datatype: datatype}
	switch v := v.(type) {
	case string:
		if !utf8.ValidString(v) {
			return t, r.fail(CodeInvalid, "", "a string is not valid UTF-8", "Encode the text as UTF-8.")
		}
		t.Value = v
		if datatype == xsdDouble && !isCanonicalDouble(v) {
			// Widespread implementations rewrite such a string, others keep it: the signature would not hold everywhere.
			return t, r.fail(CodeInvalid, "", fmt.Sprintf("the text %q is not the canonical form of a double", brief(v)), "Write a JSON number.")
		}
		return t, nil
	case bool:
		t.Value = strconv.FormatBool(v)
		if datatype == "" {
			t.Datatype = xsdBoolean
		}
		return t, nil
	}
	f, ok := number(v)
	if !ok {
		if n, isNumber := v.(json.Number); isNumber {
			return t, r.fail(CodeInvalid, "", fmt.Sprintf("the number %s is beyond every double", brief(string(n))), "Write it as a string.")
		}
		return t, r.fail(CodeInvalid, "", fmt.Sprintf("a value of type %T is no JSON", v), "Read the document with a JSON parser.")
	}
	whole := f == math.Trunc(f)
	if whole && math.Abs(f) > maxInteger && datatype != xsdDouble {
		// Two documents with different digits would be signed alike.
		return t, r.fail(CodeInvalid, "", "an integer is too large to be exact", "Write it as a string.")
	}
	if whole && datatype != xsdDouble {
		t.Value = strconv.FormatInt(int64(f), 10)
		if datatype == "" {
			t.Datatype = xsdInteger
		}
		return t, nil
	}
	t.Value = canonicalDouble(f)
	if math.Abs(f) < 1e-6 && strings.Contains(t.Value, ".0E") && datatype != xsdDouble {
		// Widespread implementations take 1e-7 for an integer, as ECMAScript writes it without a decimal point.
		return t, r.fail(CodeInvalid, "", "implementations disagree about so small a number", "Write it as a string.")
	}
	if roundsTwoWays(f) {
		// JSON-LD 1.1 API, 8.6 (Data Round Tripping) rounds as printf does, to the even digit; ECMAScript takes the larger.
		return t, r.fail(CodeInvalid, "", "implementations disagree about how to round the number to 16 digits", "Write it with fewer digits, or as a string.")
	}
	if datatype == "" {
		t.Datatype = xsdDouble
	}
	return t, nil
}

// roundsTwoWays reports whether a number lies exactly between two of 16 digits, which is what a double is written with, of
// which the smaller one is even.
func roundsTwoWays(f float64) bool {
	var digits [32]byte
	text := strconv.AppendFloat(digits[:0], f, 'E', 16, 64)
	e := bytes.IndexByte(text, 'E')
	if text[e-1] != '5' || text[e-2]&1 != 0 {
		return false
	}
	short, ok := new(big.Rat).SetString(string(text))
	return ok && short.Cmp(new(big.Rat).SetFloat64(f)) == 0
}

func isCanonicalDouble(s string) bool {
	f, err := strconv.ParseFloat(s, 64)
	return err == nil && canonicalDouble(f) == s
}

// canonicalDouble is the canonical lexical form of xsd:double with at most 15 digits after the point.
// JSON-LD 1.1 API, 8.6 (Data Round Tripping).
func canonicalDouble(f float64) string {
	if f == 0 {
		return "0.0E0" // of either sign
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'E', 15, 64), "E")
	mantissa = strings.TrimRight(mantissa, "0")
	if strings.HasSuffix(mantissa, ".") {
		mantissa += "0"
	}
	n, _ := strconv.Atoi(exponent) // what FormatFloat wrote
	return mantissa + "E" + strconv.Itoa(n)
}

// jsonLiteral is a value that is signed as JSON. JSON-LD 1.1, 4.2.2 (JSON Literals).
func (r *run) jsonLiteral(v any) (Term, error) {
	text, err := JCS(v)
	if err != nil {
		problem := "the value has no canonical JSON"
		return Term{}, r.fail(CodeInvalid, "", problem, "Use numbers that a double can hold and valid UTF-8.")
	}
	return Term{Kind: Literal, Value: string(text), Datatype: rdfJSON}, nil
}

// i18n begins the datatypes of texts with a direction. JSON-LD 1.1, 10.1 (The i18n Namespace).
const i18n = "https://www.w3.org/ns/i18n#"

// text is a string in a language. An empty language means none, and so does an empty direction.
func (r *run) text(s, language, direction string) (Term, error) {
	if direction != "" {
		switch r.processor.direction {
		case refused:
			// Without an agreed form of direction in RDF it would go unsigned.
			return Term{}, r.fail(CodeDirection, "@direction", "a text direction cannot be signed", "Remove @direction; the language implies it for most texts.")
		case typed:
			return r.literal(s, i18n+language+"_"+direction)
		}
	}
	t, err := r.literal(s, "")
	t.Language = language
	return t, err
}
