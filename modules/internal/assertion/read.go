package assertion

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/modules/internal/credential/jose"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// Context is the JSON-LD context of Open Badges 2.0.
const Context = "https://w3id.org/openbadges/v2"

// contexts of the editions that are judged here. 2.1 has that of 2.0; its API has one
// of its own.
var contexts = [...]string{
	Context, "http://w3id.org/openbadges/v2", "https://openbadgespec.org/v2/context.json",
	"https://purl.imsglobal.org/spec/ob/v2p0/", "https://purl.imsglobal.org/spec/ob/v2p1/", "https://w3id.org/openbadges/v2.1",
}

// formerContexts are those of Open Badges 1.1 and before, which are told apart and not judged.
var formerContexts = [...]string{"https://w3id.org/openbadges/v1", "http://w3id.org/openbadges/v1"}

// The classes of the standard that are read here.
const (
	typeAssertion   = "Assertion"
	typeEndorsement = "Endorsement"
	typeBadgeClass  = "BadgeClass"
)

// Parsed is a badge of these editions as it came. Nothing in it is verified yet.
type Parsed struct {
	Document map[string]any  // the assertion, as package strictjson reads it
	JSON     json.RawMessage // the same as text
	Token    *jose.Token     // nil for an assertion that is no compact JWS
	address  bool            // nothing but the address was given
}

// At stands for an assertion of which nothing but the address is known, as some
// pictures have it.
func At(address string) *Parsed {
	document := map[string]any{"@context": Context, "id": address}
	text, _ := json.Marshal(document) // strings can be written
	return &Parsed{Document: document, JSON: text, address: true}
}

// Is reports whether bytes look like a badge of these editions: a JSON object, or a
// compact JWS around one, with their context or their class. It may be wrong about what
// it cannot read.
func Is(data []byte) bool {
	if len(data) > credential.MaxBytes {
		return false
	}
	data = bytes.TrimSpace(data)
	if bytes.HasPrefix(data, []byte("{")) && !bytes.Contains(data, []byte("openbadge")) && !bytes.Contains(data, []byte("/ob/v2p")) && !bytes.Contains(data, []byte(`"recipient"`)) {
		return false // without reading it all
	}
	var document map[string]any
	if token, err := jose.Parse(data); err == nil {
		document = token.Payload
	} else if value, err := strictjson.Parse(data); err == nil {
		document, _ = value.(map[string]any)
	}
	return isAssertion(document)
}

func isAssertion(document map[string]any) bool {
	if document == nil {
		return false
	}
	for _, name := range strictjson.Texts(document["@context"]) {
		if known(name) || slices.Contains(formerContexts[:], name) {
			return true
		}
	}
	// An assertion of 2.0 without its context is still plain to see.
	_, recipient := document["recipient"]
	_, badge := document["badge"]
	_, subject := document["credentialSubject"]
	return recipient && badge && !subject
}

// known tells whether a context is one of the editions that are judged here.
func known(name string) bool {
	for _, c := range contexts {
		if name == c || strings.HasSuffix(c, "/") && strings.HasPrefix(name, c) {
			return true
		}
	}
	return false
}

// Parse reads a JSON document or a compact JWS. Its error is a [*credential.ParseError].
func Parse(data []byte) (*Parsed, error) {
	if len(data) > credential.MaxBytes {
		return nil, &credential.ParseError{Problem: fmt.Sprintf("the badge has more than %d bytes", credential.MaxBytes), Remedy: "Refer to pictures instead of embedding them.", TooLarge: true}
	}
	data = bytes.TrimSpace(data)
	if !bytes.HasPrefix(data, []byte("{")) {
		token, err := jose.Parse(data)
		if err != nil {
			return nil, &credential.ParseError{Problem: "this is neither a JSON object nor a compact JWS", Remedy: "Give the assertion as a JSON object or as a compact JWS.", Syntax: true}
		}
		text, err := json.Marshal(token.Payload)
		if err != nil {
			return nil, &credential.ParseError{Problem: "the assertion in the token cannot be read", Syntax: true}
		}
		return &Parsed{Document: token.Payload, JSON: text, Token: token}, nil
	}
	value, err := strictjson.Parse(data)
	document, ok := value.(map[string]any)
	if err != nil || !ok {
		return nil, &credential.ParseError{Problem: "this is no acceptable JSON object", Remedy: "Give the assertion as a JSON object, each member once.", Syntax: true}
	}
	return &Parsed{Document: document, JSON: data}, nil
}

func object(m map[string]any, name string) map[string]any {
	o, _ := m[name].(map[string]any)
	return o
}

func is(m map[string]any, class string) bool {
	return slices.Contains(strictjson.Texts(m["type"]), class)
}

// idOf gives the identifier of what is named or embedded.
func idOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case map[string]any:
		return strictjson.Text(v, "id")
	}
	return ""
}

// moment reads a date. Open Badges 2.0, DateTime: ISO 8601 with a zone; the zone was
// often left out and is then taken as UTC.
func moment(s string) (time.Time, bool) {
	for _, form := range [...]string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05", "2006-01-02"} {
		if at, err := time.Parse(form, s); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}
