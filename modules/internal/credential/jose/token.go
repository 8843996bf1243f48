package jose

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// Error says what is wrong with a token and how to mend it.
type Error struct {
	Problem string // a sentence without its full stop
	Remedy  string // a sentence that says what would be right; may be empty
	Syntax  bool   // whether the token could not even be read
	cause   error
}

// Error implements error.
func (e *Error) Error() string {
	if e.cause != nil {
		return "jose: " + e.Problem + ": " + e.cause.Error()
	}
	return "jose: " + e.Problem
}

// Unwrap gives the cause, such as the error of the JSON reader.
func (e *Error) Unwrap() error { return e.cause }

func unreadable(cause error, format string, args ...any) *Error {
	return &Error{Problem: fmt.Sprintf(format, args...), Remedy: "Give a compact JWS: three base64url parts with dots between, the first two JSON objects.", Syntax: true, cause: cause}
}

func refused(remedy, format string, args ...any) *Error {
	return &Error{Problem: fmt.Sprintf(format, args...), Remedy: remedy}
}

// Token is a compact JWS as it was read. Nothing in it is verified yet.
type Token struct {
	Header    map[string]any
	Payload   map[string]any
	text      []byte // header and payload as they were signed
	signature []byte
}

// Parse reads a compact JWS whose payload is a JSON object. RFC 7515, 7.1 (JWS
// Compact Serialization). Its error is an [*Error] with Syntax set.
func Parse(token []byte) (*Token, error) {
	text, last, ok := cutLast(token)
	head, body, two := bytes.Cut(text, []byte{'.'})
	if !ok || !two || bytes.IndexByte(body, '.') >= 0 {
		return nil, unreadable(nil, "the token has not three parts")
	}
	header, err := object("header", head)
	if err != nil {
		return nil, err
	}
	payload, err := object("payload", body)
	if err != nil {
		return nil, err
	}
	signature, err := decode(last)
	if err != nil || len(signature) == 0 {
		return nil, unreadable(err, "the signature of the token is missing or no base64url")
	}
	return &Token{Header: header, Payload: payload, text: text, signature: signature}, nil
}

func cutLast(token []byte) (before, after []byte, ok bool) {
	i := bytes.LastIndexByte(token, '.')
	if i < 0 {
		return nil, nil, false
	}
	return token[:i], token[i+1:], true
}

func decode(part []byte) ([]byte, error) {
	if bytes.ContainsAny(part, "\r\n") { // the decoder would pass over them
		return nil, base64.CorruptInputError(0)
	}
	return base64.RawURLEncoding.Strict().AppendDecode(nil, part)
}

func object(name string, part []byte) (map[string]any, error) {
	data, err := decode(part)
	if err != nil {
		return nil, unreadable(err, "the %s of the token is no base64url", name)
	}
	// Two readers must not see two different members: duplicates are refused.
	value, err := strictjson.Parse(data)
	if err != nil {
		return nil, unreadable(err, "the %s of the token is no acceptable JSON", name)
	}
	members, ok := value.(map[string]any)
	if !ok {
		return nil, unreadable(nil, "the %s of the token is no JSON object", name)
	}
	return members, nil
}

// Keys finds the key that a token was signed with. [did.Resolver] does.
type Keys interface {
	Resolve(ctx context.Context, method string) (did.Key, error)
	KeySet(ctx context.Context, issuer string, pub crypto.PublicKey) (did.Key, error)
}

// Verify checks the signature, and answers the key with what is known of whose it
// is. The issuer is who the credential says; now is for keys that have ended.
//
// Open Badges 3.0, JSON Web Token Proof Format.
func (t *Token) Verify(ctx context.Context, keys Keys, issuer string, now time.Time) (did.Key, error) {
	algorithm, err := t.algorithm()
	if err != nil {
		return did.Key{}, err
	}
	key, err := t.key(ctx, keys, issuer)
	if err != nil {
		return did.Key{}, err
	}
	if !key.Until.IsZero() && !now.Before(key.Until) {
		return key, refused("Ask the issuer for a badge signed with a key in force.", "the key expired or was revoked on %s", key.Until.UTC().Format(time.RFC3339))
	}
	return key, t.signedBy(algorithm, key.Public)
}

// VerifyWith checks the signature by a key that was found otherwise than by the
// header, as Open Badges 2.0 has it.
func (t *Token) VerifyWith(pub crypto.PublicKey) error {
	algorithm, err := t.algorithm()
	if err != nil {
		return err
	}
	return t.signedBy(algorithm, pub)
}

// algorithm is what the token is signed with, if that is acceptable.
func (t *Token) algorithm() (string, error) {
	algorithm, _ := t.Header["alg"].(string)
	if _, ok := algorithms[algorithm]; !ok {
		return "", refused("Sign with RS256 or ES256.", "the algorithm %s is not accepted", shown(algorithm))
	}
	// RFC 7515, 4.1.11: what is critical must be understood, and nothing is here.
	for _, name := range [...]string{"crit", "b64"} {
		if _, there := t.Header[name]; there {
			return "", refused("Leave it out.", "the header of the token has the member %q", name)
		}
	}
	return algorithm, nil
}

func (t *Token) signedBy(algorithm string, pub crypto.PublicKey) error {
	fits, good := algorithms[algorithm](pub, t.text, t.signature)
	if !fits {
		return refused("Name the key that signed.", "the key is not of the kind that %s signs with", algorithm)
	}
	if !good {
		return refused("Take the badge from its issuer again; do not trust this copy.", "the signature does not fit: the token was changed, or another key signed")
	}
	return nil
}

func (t *Token) key(ctx context.Context, keys Keys, issuer string) (did.Key, error) {
	switch kid := t.Header["kid"].(type) {
	case nil:
	case string:
		if !strings.Contains(kid, ":") {
			return did.Key{}, refused("Give the absolute URL of the public key as kid.", "the kid %s is no URL", shown(kid))
		}
		return keys.Resolve(ctx, kid)
	default:
		return did.Key{}, refused("Give the absolute URL of the public key as kid.", "the kid is no string")
	}
	members, ok := t.Header["jwk"].(map[string]any)
	if !ok {
		return did.Key{}, refused("Name the key by kid.", "the header of the token has neither kid nor jwk")
	}
	text, err := json.Marshal(members)
	if err != nil {
		return did.Key{}, refused("", "the jwk of the header cannot be read")
	}
	var j did.JWK
	if err := json.Unmarshal(text, &j); err != nil {
		return did.Key{}, err
	}
	pub, err := j.PublicKey()
	if err != nil {
		return did.Key{}, err
	}
	return keys.KeySet(ctx, issuer, pub)
}

// algorithms tell whether the key is of the kind the algorithm is for, and then
// whether the signature is good. RFC 7518, 3.1; RFC 8037, 3.1.
var algorithms = map[string]func(pub crypto.PublicKey, text, signature []byte) (fits, good bool){
	"RS256": func(pub crypto.PublicKey, text, signature []byte) (bool, bool) {
		key, ok := pub.(*rsa.PublicKey)
		if !ok {
			return false, false
		}
		sum := sha256.Sum256(text)
		return true, rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) == nil
	},
	"ES256": func(pub crypto.PublicKey, text, signature []byte) (bool, bool) {
		sum := sha256.Sum256(text)
		return onCurve(pub, elliptic.P256(), sum[:], signature)
	},
	"ES384": func(pub crypto.PublicKey, text, signature []byte) (bool, bool) {
		sum := sha512.Sum384(text)
		return onCurve(pub, elliptic.P384(), sum[:], signature)
	},
	"EdDSA":   edwards,
	"Ed25519": edwards, // RFC 9864: the fully specified name
}

func onCurve(pub crypto.PublicKey, curve elliptic.Curve, sum, signature []byte) (fits, good bool) {
	key, ok := pub.(*ecdsa.PublicKey)
	if !ok || key.Curve != curve {
		return false, false
	}
	// RFC 7518, 3.4: both numbers at full length.
	if len(signature) != 2*len(sum) {
		return true, false
	}
	return true, ecdsa.Verify(key, sum, new(big.Int).SetBytes(signature[:len(sum)]), new(big.Int).SetBytes(signature[len(sum):]))
}

func edwards(pub crypto.PublicKey, text, signature []byte) (fits, good bool) {
	key, ok := pub.(ed25519.PublicKey)
	return ok, ok && len(key) == ed25519.PublicKeySize && ed25519.Verify(key, text, signature)
}

// claims are the members of a payload that are the token's and not the credential's.
var claims = [...]string{"iss", "sub", "jti", "nbf", "exp", "iat", "aud", "nonce", "cnf"}

// Credential is the credential inside: the member vc of a token of VC Data Model
// 1.1, else the payload without its registered claims.
func (t *Token) Credential() (map[string]any, error) {
	if vc, there := t.Payload["vc"]; there {
		credential, ok := vc.(map[string]any)
		if !ok {
			return nil, unreadable(nil, "the claim vc of the token is no object")
		}
		return credential, nil
	}
	return t.unclaimed(), nil
}

// unclaimed is the payload without what is the token's.
func (t *Token) unclaimed() map[string]any {
	document := maps.Clone(t.Payload)
	for _, name := range claims {
		delete(document, name)
	}
	return document
}

// Expires is the moment of the claim exp; zero when there is none.
func (t *Token) Expires() time.Time {
	at, _ := numericDate(t.Payload["exp"])
	return at
}

// credentialTypes and presentationTypes are what a token of each may call itself. That
// its own kind is said keeps a token for something else from being taken for one: RFC
// 8725, 3.11 (Use Explicit Typing). Earlier drafts had longer names.
var (
	credentialTypes   = []string{"", "jwt", string(VCJOSE), "vc-ld+jwt", "vc+ld+jwt", "vc+ld+json+jwt"}
	presentationTypes = []string{"", "jwt", "vp+jwt", "vp-ld+jwt", "vp+ld+jwt", "vp+ld+json+jwt"}
)

// named is a media type of the header, in small letters and without what may be left out.
func (t *Token) named(name string) string {
	value, _ := t.Header[name].(string)
	return strings.TrimPrefix(strings.ToLower(value), "application/")
}

// meant refuses a token that says it is something else.
//
// Securing Verifiable Credentials using JOSE and COSE 1.0, 3.1.1 and 3.1.2: typ is vc+jwt
// or vp+jwt, cty vc or vp, and the claims vc and vp must not be there.
func (t *Token) meant(what string, types []string) error {
	for _, name := range [...]string{"typ", "cty"} {
		if value, there := t.Header[name]; there {
			if _, ok := value.(string); !ok {
				return refused("Give it as a string.", "the %s of the token is no string", name)
			}
		}
	}
	typ := t.named("typ")
	if !slices.Contains(types, typ) {
		return refused("Let typ be "+what+"+jwt or JWT.", "the token says by typ that it is %s", shown(typ))
	}
	if typ != what+"+jwt" {
		return nil
	}
	if cty := t.named("cty"); cty != "" && cty != what && cty != what+"+ld+json" {
		return refused("Let cty be "+what+", or leave it out.", "the token says by cty that it holds %s", shown(cty))
	}
	for _, name := range [...]string{"vc", "vp"} {
		if _, there := t.Payload[name]; there {
			return refused("Let the "+what+" itself be the payload.", "a token of the typ %s must not have the claim %s", typ, name)
		}
	}
	return nil
}

// Presentation is the presentation inside: the member vp of a token of VC Data Model
// 1.1, else the payload without its registered claims.
func (t *Token) Presentation() (map[string]any, error) {
	if vp, there := t.Payload["vp"]; there {
		presentation, ok := vp.(map[string]any)
		if !ok {
			return nil, unreadable(nil, "the claim vp of the token is no object")
		}
		return presentation, nil
	}
	return t.unclaimed(), nil
}

// CheckPresented compares the claims with the presentation inside, and with the domain
// and the challenge that it was asked for with, where they are not empty.
//
// RFC 7519, 4.1.3 (aud), 4.1.4 (exp), 4.1.5 (nbf).
func (t *Token) CheckPresented(holder, domain, challenge string, now time.Time) error {
	if err := t.meant("vp", presentationTypes); err != nil {
		return err
	}
	if iss, there := t.Payload["iss"]; there && holder != "" && iss != holder {
		return refused("Let iss be the holder.", "the claim iss is not the holder of the presentation")
	}
	if domain != "" && t.Payload["aud"] != domain {
		list, _ := t.Payload["aud"].([]any)
		if !slices.Contains(list, any(domain)) {
			return refused("Let aud be the domain that was given.", "the token is not made for the domain %s", shown(domain))
		}
	}
	if challenge != "" && t.Payload["nonce"] != challenge {
		return refused("Let nonce be the challenge that was given.", "the token does not answer the challenge")
	}
	for _, name := range [...]string{"exp", "nbf"} {
		value, there := t.Payload[name]
		at, ok := numericDate(value)
		switch {
		case there && !ok:
			return refused("Give it in seconds since 1970.", "the claim %s is no number", name)
		case there && name == "exp" && !now.Before(at):
			return refused("Present it anew.", "the token expired on %s", at.UTC().Format(time.RFC3339))
		case there && name == "nbf" && now.Before(at):
			return refused("Wait until then.", "the token is valid only from %s", at.UTC().Format(time.RFC3339))
		}
	}
	return nil
}

// CheckClaims compares the claims with the credential inside. A claim must not
// contradict it. Open Badges 3.0 asks for iss, sub, jti and nbf; only a token
// that calls itself vc+jwt may leave them out, as its own standard allows.
func (t *Token) CheckClaims(credential map[string]any) error {
	if err := t.meant("vc", credentialTypes); err != nil {
		return err
	}
	lax := t.named("typ") == string(VCJOSE)
	subject, _ := credential["credentialSubject"].(map[string]any)
	for _, c := range [...]struct {
		claim, name string
		value       any
	}{
		{"iss", "issuer", identifier(credential["issuer"])},
		{"sub", "credentialSubject.id", subject["id"]},
		{"jti", "id", credential["id"]},
	} {
		claim, there := t.Payload[c.claim]
		claimed, isText := claim.(string)
		switch {
		case there && (!isText || c.value != claimed):
			return refused("Let "+c.claim+" be equal to "+c.name+".", "the claim %s is not the %s of the credential", c.claim, c.name)
		case !there && !lax:
			return refused("Add the claim "+c.claim+", equal to "+c.name+".", "the token lacks the claim %s", c.claim)
		}
	}
	from := credential["validFrom"]
	if from == nil {
		from = credential["issuanceDate"]
	}
	nbf, there := t.Payload["nbf"]
	if !there {
		if lax {
			return nil
		}
		return refused("Add the claim nbf, equal to validFrom.", "the token lacks the claim nbf")
	}
	text, _ := from.(string)
	start, err := time.Parse(time.RFC3339, text)
	claimed, ok := numericDate(nbf)
	if !ok || err != nil || claimed.Unix() != start.Unix() {
		return refused("Let nbf be validFrom in seconds since 1970.", "the claim nbf is not the validFrom of the credential")
	}
	if exp, there := t.Payload["exp"]; there {
		if _, ok := numericDate(exp); !ok {
			return refused("Give it in seconds since 1970.", "the claim exp is no number")
		}
	}
	return nil
}

func identifier(issuer any) any {
	if profile, ok := issuer.(map[string]any); ok {
		return profile["id"]
	}
	return issuer
}

// numericDate reads seconds since 1970: RFC 7519, 2 (NumericDate).
func numericDate(v any) (time.Time, bool) {
	number, ok := v.(json.Number)
	if !ok {
		return time.Time{}, false
	}
	seconds, err := number.Float64()
	if err != nil || seconds < -1e11 || seconds > 1e12 {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0), true
}

func shown(s string) string {
	if len(s) > 200 {
		s = s[:200] + "…"
	}
	return fmt.Sprintf("%q", s)
}
