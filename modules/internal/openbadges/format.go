package openbadges

import (
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// A format is what a string must look like.
type format struct {
	name        string // with its article, as in "a URI"
	remedy      string
	issuingOnly bool // readers need not care
	private     bool // the value is not repeated in a message
	matches     func(s string, issuing bool) bool
}

var (
	formatURI = format{
		name:    "an absolute URI",
		remedy:  "give an absolute URI without spaces, such as https://example.org/badges/1 or urn:uuid:…",
		matches: isURI,
	}
	formatURL = format{
		name:   "a URL",
		remedy: "give a URL that begins with https:// or http://",
		matches: func(s string, issuing bool) bool {
			return isURI(s, issuing) && (!issuing || isWebURL(s))
		},
	}
	formatPictureURL = format{
		name:   "the URL of a picture",
		remedy: "give a URL that begins with https://, http:// or data:image/",
		matches: func(s string, issuing bool) bool {
			return isURI(s, issuing) && (!issuing || isWebURL(s) || hasPrefixFold(s, "data:image/") && strings.Contains(s, ","))
		},
	}
	formatDateTime = format{
		name:    "a date-time with zone",
		remedy:  "give date, time in whole seconds and zone, such as 2025-01-31T12:00:00Z",
		matches: isDateTime,
	}
	formatDate = format{
		name:   "a date",
		remedy: "give a date such as 2001-12-31",
		matches: func(s string, _ bool) bool {
			_, err := time.Parse(time.DateOnly, s)
			return err == nil
		},
	}
	formatLanguageCode = format{
		name:    "a LanguageCode",
		remedy:  "give a language code such as en, de-CH or zh-Hans-CN",
		matches: matching(`^[a-z]{2,4}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$`),
	}
	formatCompactJWS = format{
		name:    "a CompactJws",
		remedy:  "give the three parts of a JWS in base64url, joined by dots",
		matches: matching(`^[a-zA-Z0-9_-]+\.[a-zA-Z0-9_-]*\.[a-zA-Z0-9_-]+$`),
	}
	formatEmail = format{
		name: "an EmailAddress", remedy: "give an e-mail address such as badges@example.org",
		issuingOnly: true, private: true,
		matches: func(s string, _ bool) bool { _, ok := NormalizeEmail(s); return ok },
	}
	formatPhone = format{
		name: "a PhoneNumber", remedy: "give a telephone number such as +41 44 555 01 23",
		issuingOnly: true, private: true,
		matches: matching(`^\+?[0-9(][0-9 ().\-/]{2,30}(;? ?(ext\.?|ext=|x) ?[0-9]{1,8})?$`),
	}
	formatCountryCode = format{
		name: "a CountryCode", remedy: "give the two capital letters of ISO 3166-1, such as CH",
		issuingOnly: true,
		matches:     matching(`^[A-Z]{2}$`),
	}
)

func matching(pattern string) func(string, bool) bool {
	compiled := regexp.MustCompile(pattern)
	return func(s string, _ bool) bool { return compiled.MatchString(s) }
}

// isURI tells whether s is an absolute URI. RFC 3986, 4.3 (Absolute URI), with
// a fragment allowed. When issuing, characters beyond ASCII must be
// percent-encoded; when reading they may stand, as in an IRI.
func isURI(s string, issuing bool) bool {
	scheme, rest, found := strings.Cut(s, ":")
	if !found || rest == "" || !isScheme(scheme) {
		return false
	}
	fragments := 0
	for i := 0; i < len(s); i++ {
		switch inURI[s[i]] {
		case plainInURI:
		case neverInURI:
			return false
		case beyondASCII:
			if issuing {
				return false
			}
		case beginsFragment:
			if fragments++; fragments > 1 {
				return false
			}
		case beginsTriplet:
			if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
				return false
			}
		}
	}
	switch strings.ToLower(scheme) {
	case "http", "https":
		if plainHost(rest) {
			return true
		}
		u, err := url.Parse(s)
		return err == nil && u.Hostname() != ""
	case "did":
		method, id, _ := strings.Cut(rest, ":") // DID Core 1.0, DID Syntax
		return method != "" && id != "" && id[0] != '#'
	case "urn":
		namespace, name, _ := strings.Cut(rest, ":") // RFC 8141, 2 (URN Syntax)
		return namespace != "" && name != ""
	case "data":
		return strings.Contains(rest, ",") // RFC 2397, 3 (Syntax)
	}
	return rest[0] != '#'
}

// What a byte is in a URI. RFC 3986, 2 (Characters).
const (
	plainInURI = iota
	neverInURI
	beyondASCII
	beginsFragment
	beginsTriplet
)

var inURI = func() (t [256]uint8) {
	for b := range t {
		switch {
		case b <= ' ' || b == 0x7f || strings.IndexByte("\"<>\\^`{|}", byte(b)) >= 0:
			t[b] = neverInURI
		case b > 0x7f:
			t[b] = beyondASCII
		}
	}
	t['#'], t['%'] = beginsFragment, beginsTriplet
	return t
}()

// plainHost tells whether s, which follows the scheme, begins with a host name of letters, digits, dots and hyphens and
// nothing else that package net/url could object to.
func plainHost(s string) bool {
	host, slashed := strings.CutPrefix(s, "//")
	if !slashed {
		return false
	}
	for i := 0; i < len(host); i++ {
		switch b := host[i]; {
		case b == '/' || b == '?' || b == '#':
			return i > 0
		case 'a' <= b|0x20 && b|0x20 <= 'z', '0' <= b && b <= '9', b == '.', b == '-':
		default:
			return false
		}
	}
	return host != ""
}

func isScheme(s string) bool {
	for i := 0; i < len(s); i++ {
		b := s[i]
		letter := 'a' <= b|0x20 && b|0x20 <= 'z'
		if !letter && (i == 0 || !('0' <= b && b <= '9' || b == '+' || b == '-' || b == '.')) {
			return false
		}
	}
	return s != ""
}

func isHex(b byte) bool {
	return '0' <= b && b <= '9' || 'a' <= b|0x20 && b|0x20 <= 'f'
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

func isWebURL(s string) bool { return hasPrefixFold(s, "https://") || hasPrefixFold(s, "http://") }

// IsSecureURL tells whether s is an https URL, or an http URL of this very
// machine: a loopback address is reached by nobody else, and on a developer's
// machine there is no certificate to be had.
func IsSecureURL(s string) bool {
	if hasPrefixFold(s, "https://") {
		return true
	}
	u, err := url.Parse(s)
	if err != nil || !strings.EqualFold(u.Scheme, "http") {
		return false
	}
	address, err := netip.ParseAddr(u.Hostname())
	return strings.EqualFold(u.Hostname(), "localhost") || err == nil && address.IsLoopback()
}

// hasDateTimeForm tells whether s has the form of a dateTimeStamp: a date, T, a time, a fraction or none, and Z or an
// offset of at most fourteen hours.
func hasDateTimeForm(s string) bool {
	const form = "0000-00-00T00:00:00"
	if len(s) <= len(form) || !hasForm(s[:len(form)], form) {
		return false
	}
	zone := s[len(form):]
	if zone[0] == '.' {
		digits := len(zone[1:]) - len(strings.TrimLeft(zone[1:], "0123456789"))
		if digits == 0 {
			return false
		}
		zone = zone[1+digits:]
	}
	if zone == "Z" {
		return true
	}
	if len(zone) != len("+00:00") || zone[0] != '+' && zone[0] != '-' || !hasForm(zone[1:], "00:00") {
		return false
	}
	return zone[1:] <= "13:59" && zone[4] <= '5' || zone[1:] == "14:00"
}

// hasForm tells whether s has digits where form has 0, and otherwise the characters of form.
func hasForm(s, form string) bool {
	for i := range len(form) {
		if digit := '0' <= s[i] && s[i] <= '9'; digit != (form[i] == '0') || !digit && s[i] != form[i] {
			return false
		}
	}
	return true
}

// isDateTime tells whether s is a date-time of RFC 3339 that is also a
// dateTimeStamp of XML Schema 1.1, as VC Data Model 2.0 asks. When issuing, it
// must be in whole seconds, since nbf of a JWT must equal validFrom.
func isDateTime(s string, issuing bool) bool {
	_, ok := instant(s)
	return ok && (!issuing || !strings.Contains(s, "."))
}

func instant(s string) (time.Time, bool) {
	if !hasDateTimeForm(s) {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339, s)
	return t, err == nil
}

var extensionValue = regexp.MustCompile(`^ext:[A-Za-z0-9._][A-Za-z0-9._-]*$`)

// isExtensionValue tells whether s extends an enumeration. The published
// pattern is not anchored, so a reader takes more than we would write.
func isExtensionValue(s string, issuing bool) bool {
	if issuing {
		return extensionValue.MatchString(s)
	}
	return strings.HasPrefix(s, "ext:") && len(s) > len("ext:")
}

// isIdentityHash tells whether s names its algorithm, sha256 or md5, and has as many hexadecimal digits as that makes.
func isIdentityHash(s string) bool {
	algorithm, digits, _ := strings.Cut(s, "$")
	if !(algorithm == "sha256" && len(digits) == 64 || algorithm == "md5" && len(digits) == 32) {
		return false
	}
	for i := range len(digits) {
		if !isHex(digits[i]) {
			return false
		}
	}
	return true
}

var badgesContextPattern = regexp.MustCompile(`^https://purl\.imsglobal\.org/spec/ob/v3p0/(context(-3\.[0-9]\.[0-9])?\.json|context/ob_v3p0\.jsonld)$`)

// IsURI tells whether s is an absolute URI, or an IRI: RFC 3986, 4.3 (Absolute URI), with a fragment allowed.
func IsURI(s string) bool { return isURI(s, false) }

// Instant reads a date-time with a zone, as VC Data Model 2.0 and XML Schema 1.1
// (dateTimeStamp) have it.
func Instant(s string) (time.Time, bool) { return instant(s) }
