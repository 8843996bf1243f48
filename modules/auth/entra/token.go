package entra

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxToken is half as long again as a token with 200 groups.
const maxToken = 16 << 10

// parsed is a token taken apart, not verified.
type parsed struct {
	alg, typ, kid string

	issuer, tenant, object, subject, client, nonce string
	idtyp                                          string
	audience                                       []string
	scopes, roles, groups                          []string
	overage                                        bool
	issued, notBefore, expires                     time.Time

	name, username, tokenID, session, loginHint string
}

// parse takes a token apart strictly, and trusts nothing in it.
func parse(raw string) (parsed, error) {
	if len(raw) > maxToken {
		return parsed{}, refuse(ReasonTooLarge, "%d bytes", len(raw))
	}
	segments := strings.Split(raw, ".")
	if len(segments) != 3 || segments[2] == "" {
		return parsed{}, refuse(ReasonMalformed, "%d segments, the last of which must not be empty", len(segments))
	}
	var halves [3]object
	for i, segment := range segments {
		data, err := decodeSegment(segment)
		if err == nil && i < 2 {
			halves[i], err = parseObject(data)
		}
		if err != nil {
			return parsed{}, refuse(ReasonMalformed, "segment %d: %v", i+1, err)
		}
	}
	p := parsed{}
	if err := p.readHeader(halves[0]); err != nil {
		return parsed{}, err
	}
	return p, p.readClaims(halves[1])
}

var strictBase64 = base64.RawURLEncoding.Strict()

func decodeSegment(segment string) ([]byte, error) {
	if strings.ContainsAny(segment, "\r\n") { // the decoder would skip them
		return nil, errors.New("line breaks")
	}
	return strictBase64.DecodeString(segment)
}

func (p *parsed) readHeader(header object) error {
	r := reader{o: header}
	p.alg, p.typ, p.kid = r.text("alg"), r.text("typ"), r.text("kid")
	// RFC 7515, 4.1.11 ("crit"): nothing is understood here. Headers that name or
	// bring a key (jku, jwk, x5u, x5c) are not looked at, ever.
	if _, critical := header["crit"]; critical {
		return refuse(ReasonMalformed, "it has a crit header")
	}
	switch {
	case r.err != nil:
		return refuse(ReasonMalformed, "header: %v", r.err)
	case p.alg != "RS256": // RFC 8725, 3.1 (Perform Algorithm Verification)
		return refuse(ReasonAlgorithm, "alg is %s", quoted(p.alg))
	case !keyID.MatchString(p.kid):
		return refuse(ReasonKeyID, "kid is %s", quoted(p.kid))
	}
	return nil
}

func (p *parsed) readClaims(claims object) error {
	r := reader{o: claims}
	p.issuer, p.subject, p.nonce, p.idtyp = r.text("iss"), r.text("sub"), r.text("nonce"), r.text("idtyp")
	p.tenant, p.object = strings.ToLower(r.text("tid")), strings.ToLower(r.text("oid"))
	p.client = strings.ToLower(r.first("azp", "appid"))
	p.audience = r.oneOrMore("aud")
	p.scopes, p.roles = strings.Fields(r.text("scp")), r.list("roles")
	// Names stand here only for groups of special set-ups. A name is no identity.
	p.groups = slices.DeleteFunc(r.list("groups"), func(group string) bool { return !guid.MatchString(group) })
	for i, group := range p.groups {
		p.groups[i] = strings.ToLower(group)
	}
	p.overage = r.overage()
	p.issued, p.notBefore, p.expires = r.time("iat"), r.time("nbf"), r.time("exp")
	p.name, p.username = r.text("name"), r.first("preferred_username", "upn", "unique_name")
	p.tokenID, p.session, p.loginHint = r.first("uti", "jti"), r.text("sid"), r.text("login_hint")
	switch {
	case r.err != nil:
		return refuse(ReasonClaims, "%v", r.err)
	case p.expires.IsZero() || p.issued.IsZero():
		return refuse(ReasonClaims, "exp or iat is missing")
	}
	return nil
}

// claims is what callers learn of a verified token.
func (p parsed) claims(kind Kind) Claims {
	return Claims{
		Kind: kind, TenantID: p.tenant, ObjectID: p.object, Name: p.name, Username: p.username,
		Client: p.client, TokenID: p.tokenID, Session: p.session, LoginHint: p.loginHint,
		Scopes: slices.Clip(p.scopes), Roles: slices.Clip(p.roles), Groups: slices.Clip(p.groups), GroupsOverage: p.overage,
		Issued: p.issued, Expires: p.expires, Issuer: p.issuer, Audience: slices.Clip(p.audience),
	}
}

// object is a JSON object by its exact names. Decoding into a struct would take
// "OID" for "oid", and the last of two for the only one.
type object map[string]json.RawMessage

func parseObject(data []byte) (object, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return nil, errors.New("no JSON object")
	}
	o := object{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, errors.New("no JSON object")
		}
		name, _ := token.(string)
		if _, twice := o[name]; twice {
			return nil, fmt.Errorf("%s stands there twice", quoted(name))
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, errors.New("no JSON object")
		}
		o[name] = value
	}
	if _, err := decoder.Token(); err != nil {
		return nil, errors.New("no JSON object")
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("more than one JSON object")
	}
	return o, nil
}

// reader reads members of an object and keeps the first error. A missing member
// and null are the zero value.
type reader struct {
	o   object
	err error
}

func (r *reader) read(name string, into any) bool {
	raw, found := r.o[name]
	if !found || string(raw) == "null" {
		return false
	}
	if err := json.Unmarshal(raw, into); err != nil {
		if r.err == nil {
			r.err = fmt.Errorf("%s is not of its type", name)
		}
		return false
	}
	return true
}

func (r *reader) text(name string) (s string) {
	r.read(name, &s)
	return s
}

// first answers the first of the texts that there is.
func (r *reader) first(names ...string) string {
	for _, name := range names {
		if s := r.text(name); s != "" {
			return s
		}
	}
	return ""
}

func (r *reader) list(name string) (list []string) {
	r.read(name, &list)
	return list
}

// oneOrMore reads RFC 7519, 4.1.3 ("aud"): a text or a list of texts.
func (r *reader) oneOrMore(name string) []string {
	if raw := r.o[name]; len(raw) > 0 && raw[0] == '[' {
		return r.list(name)
	}
	if s := r.text(name); s != "" {
		return []string{s}
	}
	return nil
}

// time reads RFC 7519, 2 (NumericDate): a number, perhaps with a fraction. A
// number in quotes is none.
func (r *reader) time(name string) time.Time {
	const end = 253402300799 // the year 9999, in seconds
	var raw json.RawMessage
	if !r.read(name, &raw) {
		return time.Time{}
	}
	seconds, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || seconds <= 0 || seconds > end {
		if r.err == nil {
			r.err = fmt.Errorf("%s is no time", name)
		}
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0).UTC()
}

// overage reads OpenID Connect Core 1.0, 5.6.2 (Aggregated and Distributed
// Claims) as a sign that the groups are too many. The address that stands there
// is never called, and does not leave this function.
func (r *reader) overage() bool {
	var names map[string]string
	var sources map[string]json.RawMessage
	var has bool
	r.read("_claim_names", &names)
	r.read("_claim_sources", &sources)
	r.read("hasgroups", &has)
	source, distributed := names["groups"]
	if _, found := sources[source]; distributed && !found && r.err == nil {
		r.err = errors.New("_claim_names has no source")
	}
	return has || distributed
}
