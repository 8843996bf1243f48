package image

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"unicode/utf8"
)

// Options say how to bake. The zero value bakes Open Badges 3.0 and refuses a
// picture that carries such a credential already.
type Options struct {
	Overwrite bool    // replace every credential of the same edition; the other edition's stay
	Version   Version // the edition
	HostedURL string  // where an Open Badges 2.0 assertion is hosted; "" takes its id. SVG only
	Checked   bool    // the picture was read before, as stored pictures are: its checksums are not made again
}

// Bake answers the picture with the credential in it. The credential is a JSON
// object (its first byte is "{") or a compact JWS; white space around it is
// dropped. All other bytes of the picture stay as they are.
//
// It answers with an [*Error] of any code but NotBaked. For a PNG it costs one
// copy of the picture's bytes.
func Bake(data, credential []byte, o Options) ([]byte, error) {
	format, err := recognise(data)
	if err != nil {
		return nil, err
	}
	credential, jws, err := Payload(credential)
	if err != nil {
		return nil, err
	}
	if format == PNG {
		return bakePNG(data, credential, o)
	}
	if o.Version == OpenBadges2 && !jws {
		if o.HostedURL == "" {
			o.HostedURL = hostedID(credential)
		} else if !webURL(o.HostedURL) {
			return nil, trouble(NotCredential, 0, "Give an absolute http or https URL, or none.", "the address of the hosted assertion is no URL of the web")
		}
	}
	return bakeSVG(data, credential, jws, o)
}

func alreadyBaked(v Version, offset int) *Error {
	return trouble(AlreadyBaked, offset, "Ask for overwriting, or take the picture without its credential.", "the picture already carries an Open Badges %s credential", v)
}

func credentialTooLarge() *Error {
	return trouble(TooLarge, 0, "Bake a smaller credential; refer to pictures instead of embedding them.", "the credential has more than %d bytes", MaxCredentialBytes)
}

// trim drops the white space that files end with; a JWS must not carry any.
func trim(credential []byte) []byte { return bytes.Trim(credential, " \t\r\n") }

// Payload is the form check of a credential that stands alone: without the white
// space around it, and whether it is a compact JWS or a JSON object. It answers
// with an [*Error] whose code is NotCredential or TooLarge.
func Payload(credential []byte) (payload []byte, jws bool, err error) {
	payload = trim(credential)
	jws, err = classify(payload)
	if err != nil {
		return nil, false, err
	}
	return payload, jws, nil
}

func classify(credential []byte) (jws bool, err error) {
	const remedy = "Give the credential as a JSON object or as a compact JWS (three base64url parts with dots between)."
	switch {
	case len(credential) > MaxCredentialBytes:
		return false, credentialTooLarge()
	case len(credential) == 0:
		return false, trouble(NotCredential, 0, remedy, "the credential is empty")
	case !utf8.Valid(credential):
		return false, trouble(NotCredential, 0, remedy, "the credential is not in UTF-8")
	case credential[0] == '{':
		if !json.Valid(credential) {
			return false, trouble(NotCredential, 0, remedy, "the credential begins like a JSON object, but is not well-formed JSON")
		}
		return false, nil
	case !isCompactJWS(credential):
		return false, trouble(NotCredential, 0, remedy, "the credential is neither a JSON object nor a compact JWS")
	}
	return true, nil
}

// isCompactJWS checks the form alone: RFC 7515, 7.1 (JWS Compact Serialization).
func isCompactJWS(s []byte) bool {
	header, rest, ok := bytes.Cut(s, []byte{'.'})
	if !ok || bytes.Count(rest, []byte{'.'}) != 1 || rest[0] == '.' || rest[len(rest)-1] == '.' {
		return false
	}
	for _, c := range rest {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.') {
			return false
		}
	}
	text, err := base64.RawURLEncoding.Strict().DecodeString(string(header))
	if err != nil {
		return false
	}
	var parameters struct {
		Algorithm string `json:"alg"`
	}
	return json.Unmarshal(text, &parameters) == nil && parameters.Algorithm != ""
}

// hostedID is the address of a hosted assertion, which is its id: Open Badges
// 2.0, Assertion and HostedBadge.
func hostedID(credential []byte) string {
	var assertion struct {
		ID any `json:"id"`
	}
	if json.Unmarshal(credential, &assertion) != nil {
		return ""
	}
	if id, _ := assertion.ID.(string); webURL(id) {
		return id
	}
	return ""
}

func webURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}
