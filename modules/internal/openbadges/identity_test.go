package openbadges_test

import (
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
)

const saltedHash = "sha256$b5809d8a92f8858436d7e6b87c12ebc0ae1eac4baecc2c0b913aee2c922ef399"

func TestHashIdentityAppendsTheSalt(t *testing.T) {
	if got := openbadges.HashIdentity("a@example.com", "Kosher"); got != saltedHash {
		t.Errorf("got %s, want %s", got, saltedHash)
	}
}

func TestNewEmailIdentityHashesTheNormalAddress(t *testing.T) {
	want := openbadges.IdentityObject{
		Type: "IdentityObject", Hashed: true, IdentityHash: saltedHash, IdentityType: "emailAddress", Salt: "Kosher",
	}
	if got := openbadges.NewEmailIdentity(" A@Example.COM\n", "Kosher"); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestMatchIdentity(t *testing.T) {
	hashed := func(hash, salt string) openbadges.IdentityObject {
		return openbadges.IdentityObject{Hashed: true, IdentityHash: hash, IdentityType: "emailAddress", Salt: salt}
	}
	plain := func(kind, s string) openbadges.IdentityObject {
		return openbadges.IdentityObject{IdentityHash: s, IdentityType: kind}
	}
	for _, row := range []struct {
		name       string
		identity   openbadges.IdentityObject
		identifier string
		want       bool
	}{
		{"the hashed address matches", hashed(saltedHash, "Kosher"), "a@example.com", true},
		{"the case of the address does not matter", hashed(saltedHash, "Kosher"), "A@example.com", true},
		{"an address hashed as it was typed matches", hashed(openbadges.HashIdentity("A@Example.com", "s"), "s"), "A@Example.com", true},
		{"the case of the hash does not matter", hashed("sha256$"+strings.ToUpper(saltedHash[7:]), "Kosher"), "a@example.com", true},
		{"another salt does not match", hashed(saltedHash, "kosher"), "a@example.com", false},
		{"another address does not match", hashed(saltedHash, "Kosher"), "b@example.com", false},
		{"an MD5 hash matches", hashed("md5$9E26471D35A78862C17E467D87CDDEDF", ""), "jane@example.com", true},
		{"an MD5 hash of nothing matches nobody", hashed("md5$d41d8cd98f00b204e9800998ecf8427e", ""), "", false},
		{"an unknown algorithm does not match", hashed("sha1$"+saltedHash[7:], "Kosher"), "a@example.com", false},
		{"a hash without its algorithm does not match", hashed(saltedHash[7:], "Kosher"), "a@example.com", false},
		{"a plain address matches", plain("emailAddress", "a@example.com"), "a@example.com", true},
		{"a plain address matches in either case", plain("emailAddress", "A@Example.com"), "a@exAmple.com", true},
		{"a plain name matches as it stands", plain("name", "Ada"), "Ada", true},
		{"a plain name does not match in another case", plain("name", "Ada"), "ada", false},
		{"nobody does not match an empty name", plain("name", ""), "", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := openbadges.MatchIdentity(row.identity, row.identifier); got != row.want {
				t.Errorf("got %t", got)
			}
		})
	}
}

func TestNormalizeEmail(t *testing.T) {
	for in, want := range map[string]string{
		"ada@example.org":                        "ada@example.org",
		"  Ada.Beer+X@Example.ORG \t":            "ada.beer+x@example.org",
		"o'neil@example.co.uk":                   "o'neil@example.co.uk",
		"jörg@bücher.example":                    "jörg@bücher.example",
		"":                                       "",
		"ada":                                    "",
		"ada@":                                   "",
		"@example.org":                           "",
		"ada@localhost":                          "",
		"ada@example..org":                       "",
		"ada@-example.org":                       "",
		"a b@example.org":                        "",
		"ada@@example.org":                       "",
		"ada@example.org@example.org":            "",
		".ada@example.org":                       "",
		"a..b@example.org":                       "",
		"<ada@example.org>":                      "",
		"ada@example.org, b@c.de":                "",
		"ada@exa mple.org":                       "",
		"ada\x00@example.org":                    "",
		"\xff@example.org":                       "",
		strings.Repeat("a", 65) + "@example.org": "",
		"ada@" + strings.Repeat("a.", 130) + "de": "",
	} {
		if got, ok := openbadges.NormalizeEmail(in); got != want || ok != (want != "") {
			t.Errorf("%q: got %q, %t, want %q", in, got, ok, want)
		}
	}
}

func FuzzNormalizeEmailSettles(f *testing.F) {
	f.Add(" Ada@Example.org")
	f.Add("İ@ẞ.example")
	f.Fuzz(func(t *testing.T, s string) {
		once, ok := openbadges.NormalizeEmail(s)
		if !ok {
			return
		}
		if twice, ok := openbadges.NormalizeEmail(once); !ok || twice != once {
			t.Errorf("%q became %q, then %q, %t", s, once, twice, ok)
		}
		if !openbadges.MatchIdentity(openbadges.NewEmailIdentity(s, "salt"), s) {
			t.Errorf("%q does not match its own identity", s)
		}
	})
}
