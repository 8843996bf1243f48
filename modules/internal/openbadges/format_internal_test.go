package openbadges

import (
	"math/rand/v2"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// The forms as regular expressions, which say the same more slowly.
var (
	dateTimeForm = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)$`)
	identityForm = regexp.MustCompile(`^(sha256\$[0-9a-fA-F]{64}|md5\$[0-9a-fA-F]{32})$`)
)

func TestFormsAreThoseOfTheRegularExpressions(t *testing.T) {
	seeds := []string{
		"2025-01-31T12:00:00Z", "2025-01-31T12:00:00.5+13:59", "2025-01-31T12:00:00-14:00", "2025-01-31T12:00:00+14:01", "2025-01-31T12:00:00.Z", "2025-01-31T12:00:00",
		"sha256$" + strings.Repeat("a0", 32), "md5$" + strings.Repeat("F9", 16), "sha256$", "$", "",
		"https://example.org", "https://example.org/a%20b?c#d", "http://a.b:80/", "https://", "https:///x", "https://-", "https://exa_mple/", "https://[::1]/", "https://a@b/", "https:a", "https://example.org?x",
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		s := []byte(seeds[random.IntN(len(seeds))])
		for range random.IntN(3) {
			const signs = "0123456789abfgTZ:.+-$%/#?@[] \n\xe9"
			switch at := random.IntN(len(s) + 1); {
			case at == len(s) || random.IntN(3) == 0:
				s = append(s, signs[random.IntN(len(signs))])
			case random.IntN(2) == 0:
				s[at] = signs[random.IntN(len(signs))]
			default:
				s = append(s[:at], s[at+1:]...)
			}
		}
		text := string(s)
		if got, want := hasDateTimeForm(text), dateTimeForm.MatchString(text); got != want {
			t.Fatalf("hasDateTimeForm(%q) = %t", text, got)
		}
		if got, want := isIdentityHash(text), identityForm.MatchString(text); got != want {
			t.Fatalf("isIdentityHash(%q) = %t", text, got)
		}
		// plainHost is asked about URIs whose characters and triplets are in order; then it must be right.
		if scheme, rest, _ := strings.Cut(text, ":"); (scheme == "https" || scheme == "http") && isURI(text, false) && plainHost(rest) {
			if u, err := url.Parse(text); err != nil || u.Hostname() == "" {
				t.Fatalf("plainHost(%q), but: %v", rest, err)
			}
		}
	}
}
