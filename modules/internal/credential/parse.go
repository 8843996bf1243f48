package credential

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/badge-engine/badge-engine/modules/internal/credential/jose"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// MaxBytes is the largest credential that is read.
const MaxBytes = 4 << 20

// ParseError says why something is no credential that could be judged.
type ParseError struct {
	Pointer  string // JSON Pointer, where there is one
	Problem  string // a sentence without its full stop
	Remedy   string // a sentence that says what would be right
	Syntax   bool   // not even readable; else readable, but no credential
	TooLarge bool   // more than MaxBytes
	cause    error
}

// Error implements error.
func (e *ParseError) Error() string { return "credential: " + e.Problem }

// Unwrap gives the cause, such as the error of the JSON reader.
func (e *ParseError) Unwrap() error { return e.cause }

// Parsed is a credential as it came. Nothing in it is verified yet.
type Parsed struct {
	Document map[string]any  // the credential, as package strictjson reads it
	JSON     json.RawMessage // the same as text: as it came, or as the token holds it
	Token    *jose.Token     // nil for a document with embedded proofs
}

// Parse reads a JSON document or a compact JWS; white space around it is passed
// over. An EnvelopedVerifiableCredential is opened. Its error is a [*ParseError].
func Parse(data []byte) (*Parsed, error) {
	return parse(data, true)
}

func parse(data []byte, open bool) (*Parsed, error) {
	if len(data) > MaxBytes {
		return nil, &ParseError{Problem: fmt.Sprintf("the credential has more than %d bytes", MaxBytes), Remedy: "Refer to pictures instead of embedding them.", TooLarge: true}
	}
	data = bytes.Trim(data, " \t\r\n")
	if !bytes.HasPrefix(data, []byte("{")) {
		if bytes.Count(data, []byte{'.'}) == 2 && !bytes.ContainsAny(data, "\"[ ") {
			return fromToken(data)
		}
		return nil, &ParseError{Problem: "this is neither a JSON object nor a compact JWS", Remedy: "Give the credential as a JSON object or as a compact JWS.", Syntax: true}
	}
	value, err := strictjson.Parse(data)
	if err != nil {
		return nil, unreadable(err)
	}
	document, ok := value.(map[string]any)
	if !ok {
		return nil, &ParseError{Problem: "this is no JSON object", Syntax: true}
	}
	if open && slices.Contains(typesOf(document), "EnvelopedVerifiableCredential") {
		return fromEnvelope(document)
	}
	return &Parsed{Document: document, JSON: data}, nil
}

func unreadable(err error) error {
	p := &ParseError{Problem: "this cannot be read", Syntax: true, cause: err}
	if v, ok := violationOf(err); ok {
		p.Pointer, p.Problem, p.Remedy = v.Pointer, v.Detail, v.Remedy
	}
	return p
}

func fromToken(data []byte) (*Parsed, error) {
	token, err := jose.Parse(data)
	var document map[string]any
	if err == nil {
		document, err = token.Credential()
	}
	if err != nil {
		p := &ParseError{Problem: err.Error(), Syntax: true, cause: err}
		if e, ok := err.(*jose.Error); ok {
			p.Problem, p.Remedy = e.Problem, e.Remedy
		}
		return nil, p
	}
	text, err := json.Marshal(document)
	if err != nil {
		return nil, &ParseError{Problem: "the credential in the token cannot be read", Syntax: true, cause: err}
	}
	return &Parsed{Document: document, JSON: text, Token: token}, nil
}

// fromEnvelope opens VC Data Model 2.0, Enveloped Verifiable Credentials: an enveloped
// credential, whose id is a data URL with a token in it.
func fromEnvelope(document map[string]any) (*Parsed, error) {
	id, _ := document["id"].(string)
	head, body, found := strings.Cut(id, ",")
	media, _, _ := strings.Cut(strings.TrimPrefix(head, "data:"), ";")
	if !found || !strings.HasPrefix(head, "data:application/") || strings.HasSuffix(head, ";base64") {
		return nil, &ParseError{Pointer: "/id", Problem: "the envelope holds no credential", Remedy: "Give id as data:application/vc+jwt, and the token."}
	}
	if media != "application/vc+jwt" && media != "application/jwt" && media != "application/vc-ld+jwt" {
		return nil, &ParseError{Pointer: "/id", Problem: "the envelope holds a credential of another kind than application/vc+jwt", Remedy: "Give a compact JWS."}
	}
	return parse([]byte(body), false)
}

// typesOf gives the types of a document, one or several.
func typesOf(document map[string]any) []string {
	switch v := document["type"].(type) {
	case string:
		return []string{v}
	case []any:
		var types []string
		for _, t := range v {
			if s, ok := t.(string); ok {
				types = append(types, s)
			}
		}
		return types
	}
	return nil
}

// isEndorsement tells what rules a document is judged by.
func isEndorsement(document map[string]any) bool {
	return slices.Contains(typesOf(document), openbadges.TypeEndorsementCredential)
}
