package openbadges

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"
)

// IdentityObject names a recipient in plain text or as a hash. OB 3.0,
// IdentityObject.
type IdentityObject struct {
	Type         string `json:"type,omitempty" doc:"The string IdentityObject."`
	Hashed       bool   `json:"hashed" doc:"Whether identityHash is a hash or the identifier itself."`
	IdentityHash string `json:"identityHash" doc:"Algorithm, a dollar sign, and the hash of identifier and salt in hexadecimal; or the identifier itself."`
	IdentityType string `json:"identityType" doc:"Kind of identifier, such as emailAddress, or a value that begins with ext:."`
	Salt         string `json:"salt,omitempty" doc:"Salt that was appended to the identifier before hashing."`
}

// HashIdentity hashes an identifier as IdentityHash strings are: SHA-256 over
// the identifier followed by the salt. OB 3.0, IdentityHash.
func HashIdentity(identifier, salt string) string {
	sum := sha256.Sum256([]byte(identifier + salt))
	return "sha256$" + hex.EncodeToString(sum[:])
}

// NewEmailIdentity returns the hashed identity of an e-mail address. The
// address is normalized first; one that is not sane is only trimmed and
// lower-cased, so check it with [NormalizeEmail] where it comes in.
func NewEmailIdentity(email, salt string) IdentityObject {
	address, ok := NormalizeEmail(email)
	if !ok {
		address = strings.ToLower(strings.TrimSpace(email))
	}
	return IdentityObject{
		Type:         TypeIdentityObject,
		Hashed:       true,
		IdentityHash: HashIdentity(address, salt),
		IdentityType: IdentityTypeEmail,
		Salt:         salt,
	}
}

// MatchIdentity reports whether an identity names the holder of an identifier.
// Hexadecimal digits match in either case. An e-mail address matches as given
// or normalized, since the standard does not say which of the two is hashed.
func MatchIdentity(o IdentityObject, identifier string) bool {
	candidates := []string{identifier}
	if o.IdentityType == IdentityTypeEmail {
		if normal, ok := NormalizeEmail(identifier); ok && normal != identifier {
			candidates = append(candidates, normal)
		}
	}
	for _, candidate := range candidates {
		if candidate != "" && matches(o, candidate) {
			return true
		}
	}
	return false
}

func matches(o IdentityObject, identifier string) bool {
	if !o.Hashed {
		if o.IdentityType == IdentityTypeEmail {
			if plain, ok := NormalizeEmail(o.IdentityHash); ok && plain == identifier {
				return true
			}
		}
		return o.IdentityHash == identifier
	}
	algorithm, digits, _ := strings.Cut(o.IdentityHash, "$")
	var sum string
	switch strings.ToLower(algorithm) {
	case "sha256":
		_, sum, _ = strings.Cut(HashIdentity(identifier, o.Salt), "$")
	case "md5":
		// OB 3.0, IdentityHash allows MD5; we match it and never make it.
		weak := md5.Sum([]byte(identifier + o.Salt))
		sum = hex.EncodeToString(weak[:])
	default:
		return false
	}
	return strings.EqualFold(sum, digits)
}

// NormalizeEmail trims and lower-cases an e-mail address and reports whether
// the outcome is sane: one @, a local part of 1 to 64 bytes, a domain of at
// least two labels. It accepts fewer addresses than RFC 5321 does: neither
// quoted local parts nor address literals.
func NormalizeEmail(s string) (string, bool) {
	if !utf8.ValidString(s) {
		return "", false
	}
	s = strings.ToLower(strings.TrimSpace(s))
	local, domain, found := strings.Cut(s, "@")
	if !found || len(s) > 254 || !saneLocalPart(local) || !saneDomain(domain) {
		return "", false
	}
	return s, true
}

func saneLocalPart(s string) bool {
	if s == "" || len(s) > 64 || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r) || strings.ContainsRune(`@()<>[]\,;:"`, r)
	})
}

func saneDomain(s string) bool {
	labels := strings.Split(s, ".")
	if len(labels) < 2 {
		return false
	}
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		if strings.ContainsFunc(label, func(r rune) bool {
			return r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
		}) {
			return false
		}
	}
	return true
}
