package did

import (
	"net/netip"
	"strings"
)

// maxURL bounds every identifier that is read here.
const maxURL = 4096

// URL is a DID URL in its parts. Decentralized Identifiers 1.0, 3.2 (DID URL Syntax).
type URL struct {
	Method   string // such as "key"
	ID       string // the method-specific identifier
	Path     string // with its leading slash, or empty
	Query    string // without the question mark
	Fragment string // without the hash

	hasQuery, hasFragment bool // "did:a:b#" is not "did:a:b"
}

const urlRemedy = "Give a DID URL such as did:web:example.org#key-1."

// ParseURL reads a DID or DID URL.
func ParseURL(s string) (URL, error) {
	bad := func(why string) (URL, error) {
		return URL{}, trouble(InvalidURL, urlRemedy, "%s is no DID URL: %s", shown(s), why)
	}
	if len(s) > maxURL {
		return bad("it is too long")
	}
	rest, ok := strings.CutPrefix(s, "did:")
	if !ok {
		return bad("it does not begin with did:")
	}
	var u URL
	if u.Method, rest, ok = strings.Cut(rest, ":"); !ok || u.Method == "" || !all(u.Method, isMethodChar) {
		return bad("its method is not of small letters and digits")
	}
	rest, u.Fragment, u.hasFragment = strings.Cut(rest, "#")
	rest, u.Query, u.hasQuery = strings.Cut(rest, "?")
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		rest, u.Path = rest[:i], rest[i:]
	}
	u.ID = rest
	switch {
	case u.ID == "" || strings.HasSuffix(u.ID, ":"):
		return bad("its method-specific identifier is empty or ends with a colon")
	case !encoded(u.ID, func(c byte) bool { return isIDChar(c) || c == ':' }):
		return bad("its method-specific identifier holds a sign that is not allowed")
	case !encoded(u.Path, func(c byte) bool { return isPathChar(c) || c == '/' }):
		return bad("its path holds a sign that is not allowed")
	case !encoded(u.Query, isQueryChar) || !encoded(u.Fragment, isQueryChar):
		return bad("its query or fragment holds a sign that is not allowed")
	}
	return u, nil
}

// DID is the URL without path, query and fragment.
func (u URL) DID() string { return "did:" + u.Method + ":" + u.ID }

// String is the URL as it was parsed.
func (u URL) String() string {
	s := u.DID() + u.Path
	if u.hasQuery || u.Query != "" {
		s += "?" + u.Query
	}
	if u.hasFragment || u.Fragment != "" {
		s += "#" + u.Fragment
	}
	return s
}

func all(s string, ok func(byte) bool) bool {
	for i := range len(s) {
		if !ok(s[i]) {
			return false
		}
	}
	return true
}

// encoded reports whether s is of allowed signs and percent-encoded octets.
func encoded(s string, ok func(byte) bool) bool {
	for i := 0; i < len(s); i++ {
		if s[i] == '%' {
			if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
				return false
			}
			i += 2
		} else if !ok(s[i]) {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool      { return '0' <= c && c <= '9' }
func isMethodChar(c byte) bool { return isDigit(c) || 'a' <= c && c <= 'z' }
func isAlnum(c byte) bool      { return isMethodChar(c) || 'A' <= c && c <= 'Z' }
func isHex(c byte) bool        { return isDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F' }
func isIDChar(c byte) bool     { return isAlnum(c) || c == '.' || c == '-' || c == '_' }
func isQueryChar(c byte) bool  { return isPathChar(c) || c == '/' || c == '?' }

// RFC 3986, 3.3 (Path): pchar.
func isPathChar(c byte) bool { return isIDChar(c) || strings.IndexByte("~!$&'()*+,;=:@", c) >= 0 }

// WebURL is the https address of the document of a did:web DID.
//
// DID method web, 2.5.2 (Read): a percent-encoded colon parts the port from the
// host, colons part the segments of the path.
func WebURL(did string) (string, error) {
	u, err := ParseURL(did)
	if err != nil {
		return "", err
	}
	bad := func(why string) (string, error) {
		return "", trouble(InvalidURL, "Give a DID such as did:web:example.org or did:web:example.org%3A8443:issuers:1.", "%s is no did:web: %s", shown(did), why)
	}
	if u.Method != "web" {
		return bad("its method is another")
	}
	segments := strings.Split(u.ID, ":")
	host, port, hasPort := strings.Cut(strings.ReplaceAll(segments[0], "%3a", "%3A"), "%3A")
	if !isHost(host) {
		// Another percent-encoded sign would be a way to smuggle in a path or a user.
		return bad("its host is no domain name")
	}
	if hasPort {
		if port == "" || len(port) > 5 || !all(port, isDigit) {
			return bad("its port is no number")
		}
		host += ":" + port
	}
	if len(segments) == 1 {
		return "https://" + host + "/.well-known/did.json", nil
	}
	for _, segment := range segments[1:] {
		if plain := strings.ReplaceAll(strings.ToLower(segment), "%2e", "."); plain == "" || plain == "." || plain == ".." || strings.Contains(plain, "%2f") {
			return bad("a segment of its path is empty or leads elsewhere")
		}
	}
	return "https://" + host + "/" + strings.Join(segments[1:], "/") + "/did.json", nil
}

// Same tells whether two identifiers are one party's by their names alone: they are equal,
// or one is an https address and the other the did:web that lies at it, so that whoever
// has the one has the other. What is no such name is nobody else's.
func Same(a, b string) bool {
	if a == b {
		return a != ""
	}
	if a == "" || b == "" {
		return false
	}
	return place(a) == place(b)
}

// place is the https address at which the documents of a party lie.
func place(id string) string {
	address, err := WebURL(id)
	if err != nil {
		return id
	}
	return strings.TrimSuffix(strings.TrimSuffix(address, "/did.json"), "/.well-known")
}

// isHost reports whether s is a domain name. DID method web, 2.1 (Method-specific
// identifier): it must not be an IP address.
func isHost(s string) bool {
	if _, err := netip.ParseAddr(s); err == nil || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			!all(label, func(c byte) bool { return isAlnum(c) || c == '-' }) {
			return false
		}
	}
	// 127.1 and 2130706433 are addresses to some resolvers.
	return !isDigit(s[len(s)-1])
}
