package credential

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/badge-engine/badge-engine/modules/internal/credential/jose"
	"github.com/badge-engine/badge-engine/modules/internal/datamodel"
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
	JSON  json.RawMessage // as it came, or as the token holds it
	Token *jose.Token     // nil for a document with embedded proofs

	tree     *strictjson.Node
	vouched  bool           // the presentation in which it stands secures it, and is its issuer's
	document map[string]any // the same, once it was asked for
}

// Document is the credential as package strictjson reads it. It is made when it is asked for, for one goroutine at a time.
func (p *Parsed) Document() map[string]any {
	if p.document == nil {
		p.document = p.tree.Map()
	}
	return p.document
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
	document, err := strictjson.Read(data)
	if err != nil {
		return nil, unreadable(err)
	}
	if document.Kind != strictjson.Object {
		return nil, &ParseError{Problem: "this is no JSON object", Syntax: true}
	}
	if open && isOf(document, "EnvelopedVerifiableCredential") {
		return fromEnvelope(document)
	}
	return &Parsed{tree: document, JSON: data}, nil
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
		return nil, tokenError(err)
	}
	text, err := json.Marshal(document)
	if err != nil {
		return nil, &ParseError{Problem: "the credential in the token cannot be read", Syntax: true, cause: err}
	}
	return &Parsed{tree: strictjson.NodeOf(document), document: document, JSON: text, Token: token}, nil
}

// tokenError says of a token that it cannot be read.
func tokenError(err error) error {
	p := &ParseError{Problem: err.Error(), Syntax: true, cause: err}
	if e, ok := err.(*jose.Error); ok {
		p.Problem, p.Remedy = e.Problem, e.Remedy
	}
	return p
}

// fromEnvelope opens VC Data Model 2.0, 4.13.1 (Enveloped Verifiable Credentials): an
// enveloped credential, whose id is a data URL with a token in it.
func fromEnvelope(document *strictjson.Node) (*Parsed, error) {
	body, err := enveloped(document, "vc")
	if err != nil {
		return nil, err
	}
	return parse([]byte(body), false)
}

// enveloped is the token in an envelope for a credential (vc) or a presentation (vp).
func enveloped(document *strictjson.Node, what string) (string, error) {
	head, body, found := strings.Cut(document.Member("id"), ",")
	media, _, _ := strings.Cut(strings.TrimPrefix(head, "data:"), ";")
	if !found || !strings.HasPrefix(head, "data:application/") || strings.HasSuffix(head, ";base64") {
		return "", &ParseError{Pointer: "/id", Problem: "the envelope holds nothing", Remedy: "Give id as data:application/" + what + "+jwt, and the token."}
	}
	if media != "application/"+what+"+jwt" && media != "application/jwt" && media != "application/"+what+"-ld+jwt" {
		return "", &ParseError{Pointer: "/id", Problem: "the envelope holds something of another kind than application/" + what + "+jwt", Remedy: "Give a compact JWS."}
	}
	if !slices.Contains(contextsOf(document), datamodel.ContextV2) {
		return "", &ParseError{Pointer: "/@context", Problem: "no context of the envelope says what an envelope is", Remedy: `Give "@context": "` + datamodel.ContextV2 + `".`}
	}
	return body, nil
}

// isOf tells whether a type is among those of a document.
func isOf(document *strictjson.Node, name string) bool {
	types := document.Get("type")
	if !types.Is(strictjson.Array) {
		return types.String() == name
	}
	for t := types.First(); t != nil; t = t.Next() {
		if t.String() == name {
			return true
		}
	}
	return false
}
