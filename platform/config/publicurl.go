package config

import (
	"errors"
	"net/url"
	"strings"
)

// PublicURL is the address under which the world reaches this server. Every
// public identifier is made below it, so it must not change once badges are out.
type PublicURL struct{ base string }

// ParsePublicURL reads an absolute http or https URL without query, fragment or
// user; a trailing slash is dropped.
func ParsePublicURL(s string) (PublicURL, error) {
	u, err := url.Parse(s)
	if err != nil {
		return PublicURL{}, errors.New("PUBLIC_URL is not a URL; give one such as https://badges.example.org")
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return PublicURL{}, errors.New("PUBLIC_URL must be an absolute http or https URL without user, query and fragment, such as https://badges.example.org")
	}
	return PublicURL{base: strings.TrimRight(u.String(), "/")}, nil
}

// String is the URL without a trailing slash.
func (p PublicURL) String() string { return p.base }

// Join appends path segments, which must already be safe to stand in a URL.
func (p PublicURL) Join(segments ...string) string {
	return p.base + "/" + strings.Join(segments, "/")
}

// Secure reports whether the URL is https, so that strangers can trust what they fetch from it.
func (p PublicURL) Secure() bool { return strings.HasPrefix(p.base, "https://") }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (p *PublicURL) UnmarshalText(text []byte) error {
	u, err := ParsePublicURL(string(text))
	if err == nil {
		*p = u
	}
	return err
}
