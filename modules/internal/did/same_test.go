package did_test

import (
	"testing"

	"github.com/badge-engine/badge-engine/modules/internal/did"
)

func TestSame(t *testing.T) {
	for _, row := range []struct {
		a, b string
		want bool
	}{
		{"https://example.org/issuers/1", "https://example.org/issuers/1", true},
		{"https://example.org/issuers/1", "did:web:example.org:issuers:1", true},
		{"did:web:example.org:issuers:1", "https://example.org/issuers/1", true},
		{"https://example.org", "did:web:example.org", true},
		{"https://example.org:8443/a", "did:web:example.org%3A8443:a", true},
		{"did:key:z6Mk1", "did:key:z6Mk1", true},
		{"https://example.org/issuers/1", "https://example.org/issuers/2", false},
		{"https://example.org/issuers/1", "did:web:example.org:issuers:2", false},
		{"https://example.org/issuers/1", "did:web:example.org:issuers", false},
		{"https://example.org:8443/a", "did:web:example.org:a", false},
		{"http://example.org/a", "did:web:example.org:a", false},
		{"https://example.org/a", "did:web:example.org:a:..", false},
		{"https://evil.example/a", "did:web:example.org:a", false},
		{"did:key:z6Mk1", "did:key:z6Mk2", false},
		{"https://example.org/a", "", false},
		{"", "", false},
	} {
		if got := did.Same(row.a, row.b); got != row.want {
			t.Errorf("Same(%q, %q) = %t", row.a, row.b, got)
		}
	}
}
