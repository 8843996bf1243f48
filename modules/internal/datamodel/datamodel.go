package datamodel

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// Violation is one broken rule.
type Violation = openbadges.Violation

// The contexts that come first.
const (
	ContextV2 = openbadges.CredentialsContext
	ContextV1 = openbadges.CredentialsContextV1
)

const maxViolations = 50

// Version1 tells whether a document says that it keeps to VC Data Model 1.1.
func Version1(document map[string]any) bool {
	contexts, _ := document["@context"].([]any)
	return len(contexts) > 0 && contexts[0] == ContextV1
}

// CheckCredential judges a credential, given as parsed JSON, and returns what is wrong
// with it. A credential to be issued must write its types as a list.
func CheckCredential(document map[string]any, issuing bool) []Violation {
	c := &checker{version1: Version1(document), issuing: issuing}
	c.contexts(document)
	c.types("", document, "VerifiableCredential")
	c.identifier("", document, "4.4 (Identifiers)", false)
	c.issuer(document)
	c.subject(document)
	c.period(document)
	for _, name := range [...]string{"credentialStatus", "credentialSchema", "evidence", "termsOfUse", "refreshService"} {
		c.typed(name, document)
	}
	for _, name := range [...]string{"name", "description"} {
		c.language("/"+name, document[name], document, name)
	}
	if issuer, ok := document["issuer"].(map[string]any); ok {
		for _, name := range [...]string{"name", "description"} {
			c.language("/issuer/"+name, issuer[name], issuer, name)
		}
	}
	c.related(document)
	return c.found
}

// CheckPresentation judges a presentation; what is presented is judged by itself.
func CheckPresentation(document map[string]any) []Violation {
	c := &checker{version1: Version1(document)}
	c.contexts(document)
	c.types("", document, "VerifiablePresentation")
	c.identifier("", document, "4.13 (Verifiable Presentations)", false)
	if holder, there := document["holder"]; there {
		c.party("/holder", holder, "4.13 (Verifiable Presentations)")
	}
	for i, entry := range strictjson.List(document["verifiableCredential"]) {
		if _, ok := entry.(map[string]any); !ok {
			c.report("/verifiableCredential/"+strconv.Itoa(i), "4.13 (Verifiable Presentations)", "a credential in the presentation is no object", "Give each as an object; a token goes into an EnvelopedVerifiableCredential.")
		}
	}
	return c.found
}

type checker struct {
	version1, issuing bool
	found             []Violation
}

func (c *checker) report(at, section, detail, remedy string) {
	version := "2.0"
	if c.version1 {
		version = "1.1"
	}
	if len(c.found) < maxViolations {
		c.found = append(c.found, Violation{Pointer: at, Rule: "VC Data Model " + version + ", " + section, Detail: detail, Remedy: remedy})
	}
}

func (c *checker) contexts(document map[string]any) {
	const section = "4.3 (Contexts)"
	contexts, ok := document["@context"].([]any)
	if !ok || len(contexts) == 0 {
		c.report("/@context", section, "@context is missing or no list", `Begin with "@context": ["`+ContextV2+`"].`)
		return
	}
	if contexts[0] != ContextV2 && contexts[0] != ContextV1 {
		c.report("/@context/0", section, "the first context is not that of the data model", "Let "+ContextV2+" come first.")
	}
	for i, entry := range contexts {
		at := "/@context/" + strconv.Itoa(i)
		switch v := entry.(type) {
		case map[string]any:
		case string:
			if !openbadges.IsURI(v) {
				c.report(at, section, "a context is no URL", "Give the absolute URL of the context.")
			}
		default:
			c.report(at, section, "a context is neither a URL nor an object", "Give the absolute URL of the context.")
		}
	}
}

func (c *checker) types(at string, document map[string]any, needed string) {
	const section = "4.5 (Types)"
	var names []string
	switch v := document["type"].(type) {
	case string:
		names = []string{v}
		if c.issuing {
			c.report(at+"/type", section, "type is no list", `Give "type": ["`+needed+`", …].`)
		}
	case []any:
		for _, entry := range v {
			name, ok := entry.(string)
			if !ok || name == "" {
				c.report(at+"/type", section, "a type is no text", "Give types as texts.")
				return
			}
			names = append(names, name)
		}
	}
	if !slices.Contains(names, needed) {
		c.report(at+"/type", section, "type does not say "+needed, `Give "type": ["`+needed+`", …].`)
	}
}

// identifier asks for a URL where there is an id.
func (c *checker) identifier(at string, m map[string]any, section string, needed bool) {
	value, there := m["id"]
	if !there && !needed {
		return
	}
	id, ok := value.(string)
	if !ok || !openbadges.IsURI(id) {
		c.report(at+"/id", section, "the id is missing or no URL", "Give one absolute URL, or leave it out where it may be.")
	}
}

// party asks for a URL, or an object with one.
func (c *checker) party(at string, value any, section string) {
	switch v := value.(type) {
	case string:
		if !openbadges.IsURI(v) {
			c.report(at, section, "it is no URL", "Give an absolute URL.")
		}
	case map[string]any:
		c.identifier(at, v, section, true)
	default:
		c.report(at, section, "it is neither a URL nor an object with an id", "Give an absolute URL, or an object with one as its id.")
	}
}

func (c *checker) issuer(document map[string]any) {
	c.party("/issuer", document["issuer"], "4.7 (Issuer)")
}

func (c *checker) subject(document map[string]any) {
	const section = "4.8 (Credential Subject)"
	subjects := strictjson.List(document["credentialSubject"])
	if len(subjects) == 0 {
		c.report("/credentialSubject", section, "credentialSubject is missing or empty", "Say what is claimed about whom.")
	}
	_, several := document["credentialSubject"].([]any)
	for i, entry := range subjects {
		at := "/credentialSubject"
		if several {
			at += "/" + strconv.Itoa(i)
		}
		subject, ok := entry.(map[string]any)
		if !ok {
			c.report(at, section, "the subject is no object", "Give an object that claims something.")
			continue
		}
		c.identifier(at, subject, section, false)
		// That somebody is the subject is itself said of them: an id alone is taken, as
		// everybody takes it.
		if len(subject) == 0 {
			c.report(at, section, "nothing is claimed about the subject", "Give at least one claim.")
		}
	}
}

func (c *checker) period(document map[string]any) {
	const section = "4.9 (Validity Period)"
	from, until := "validFrom", "validUntil"
	if c.version1 {
		from, until = "issuanceDate", "expirationDate"
		if _, there := document[from]; !there {
			c.report("/"+from, "4.6 (Issuance Date)", "issuanceDate is missing", "Give it as 2006-01-02T15:04:05Z.")
		}
	}
	read := func(name string) (at int64, ok bool) {
		value, there := document[name]
		if !there {
			return 0, false
		}
		s, _ := value.(string)
		t, good := openbadges.Instant(s)
		if !good {
			c.report("/"+name, section, "it is no date and time with a zone", "Give it as 2006-01-02T15:04:05Z.")
		}
		return t.UnixNano(), good
	}
	begins, hasBegin := read(from)
	ends, hasEnd := read(until)
	if hasBegin && hasEnd && ends < begins {
		c.report("/"+until, section, "it ends before it begins", "Give an end that is later.")
	}
}

// typed asks for a type, and for what else some members need.
func (c *checker) typed(name string, document map[string]any) {
	value, there := document[name]
	if !there {
		return
	}
	sections := map[string]string{"credentialStatus": "4.10 (Status)", "credentialSchema": "4.11 (Data Schemas)", "evidence": "5.6 (Evidence)", "termsOfUse": "5.5 (Terms of Use)", "refreshService": "5.4 (Refreshing)"}
	section := sections[name]
	entries, several := value.([]any)
	if !several {
		entries = []any{value}
	}
	for i, entry := range entries {
		at := "/" + name
		if several {
			at += "/" + strconv.Itoa(i)
		}
		m, ok := entry.(map[string]any)
		if !ok {
			c.report(at, section, "it is no object", "Give an object with a type.")
			continue
		}
		switch t := m["type"].(type) {
		case string:
			if t != "" {
				break
			}
			c.report(at+"/type", section, "the type is empty", "Say what kind it is.")
		case []any:
			if len(t) > 0 && !slices.ContainsFunc(t, func(v any) bool { _, ok := v.(string); return !ok }) {
				break
			}
			c.report(at+"/type", section, "the type is no text", "Say what kind it is.")
		default:
			c.report(at+"/type", section, "the type is missing", "Say what kind it is.")
		}
		// VC Data Model 1.1 asks for the id of a status and a refresh service, 2.0 for
		// that of a schema alone.
		needed := name == "credentialSchema" || c.version1 && (name == "credentialStatus" || name == "refreshService")
		c.identifier(at, m, section, needed)
	}
}

// language: a text, or texts with their language and direction.
func (c *checker) language(at string, value any, in map[string]any, name string) {
	const section = "11.1 (Language and Base Direction)"
	if _, there := in[name]; !there {
		return
	}
	for _, entry := range strictjson.List(value) {
		switch v := entry.(type) {
		case string:
		case map[string]any:
			if _, ok := v["@value"].(string); !ok {
				c.report(at, section, "the text is missing", "Give the text as @value.")
			}
			for member, of := range v {
				_, text := of.(string)
				if member != "@value" && member != "@language" && member != "@direction" || !text {
					c.report(at, section, "it has members beside @value, @language and @direction, or one that is no text", "Leave them out.")
					break
				}
			}
		default:
			c.report(at, section, "it is no text", "Give a text, or an object with @value and @language.")
		}
	}
}

// digests are the SHA-256 of published files whose bytes are known, so that what a
// credential says of them can be checked without fetching them.
var digests = map[string][]string{
	ContextV2: {"59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734"},
	ContextV1: {"ab4ddd9a531758807a79a5b450510d61ae8d147eab966cc9a200c07095b0cdcc"},
	"https://w3id.org/security/data-integrity/v2":                {"67f21e6e33a6c14e5ccfd2fc7865f7474fb71a04af7e94136cb399dfac8ae8f4"},
	"https://w3id.org/security/multikey/v1":                      {"ba2c182de2d92f7e47184bcca8fcf0beaee6d3986c527bf664c195bbc7c58597"},
	"https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json": {"3d34f4d4ef1bce691106e63798beb5e7b862ba841423f5ee1e53ab7ddf3bca84"},
}

// related: each resource is named once, with at least one digest.
func (c *checker) related(document map[string]any) {
	const section = "5.3 (Integrity of Related Resources)"
	seen := map[string]bool{}
	for i, entry := range strictjson.List(document["relatedResource"]) {
		at := "/relatedResource/" + strconv.Itoa(i)
		m, ok := entry.(map[string]any)
		if !ok {
			c.report(at, section, "it is no object", "Give id and a digest.")
			continue
		}
		c.identifier(at, m, section, true)
		id, _ := m["id"].(string)
		if id != "" && seen[id] {
			c.report(at+"/id", section, "the resource is named twice", "Name each resource once.")
		}
		seen[id] = true
		sri, hasSRI := m["digestSRI"].(string)
		multibase, hasMultibase := m["digestMultibase"].(string)
		if !hasSRI && !hasMultibase {
			c.report(at, section, "it has no digest", "Give digestSRI or digestMultibase.")
			continue
		}
		for _, want := range digests[id] {
			sum, err := hex.DecodeString(want)
			if err != nil || len(sum) != sha256.Size {
				continue
			}
			if text, ok := strings.CutPrefix(sri, "sha256-"); ok && text != base64.StdEncoding.EncodeToString(sum) {
				c.report(at+"/digestSRI", section, "the digest is not that of the resource", "Give the digest of the published file.")
			}
			// Multihash: 0x12 for SHA-256, 0x20 for its length; u is base64url.
			if text, ok := strings.CutPrefix(multibase, "u"); ok && text != base64.RawURLEncoding.EncodeToString(append([]byte{0x12, 0x20}, sum...)) {
				c.report(at+"/digestMultibase", section, "the digest is not that of the resource", "Give the digest of the published file.")
			}
		}
	}
}
