package entra_test

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/modules/auth/entra"
)

func TestAnAccessTokenIsReadWhole(t *testing.T) {
	h := newHouse(t).warm()
	c, err := h.access(h.token(h.delegated(), set{"oid": strings.ToUpper(userID), "groups": []string{strings.ToUpper(groupID), "Admins"}}))
	if err != nil {
		t.Fatal(err)
	}
	if c.Kind != entra.User || c.TenantID != tenantID || c.ObjectID != userID || c.Name != "Dana Kim" || c.Username != "dana.kim@contoso.example" ||
		c.Client != callerID || c.TokenID != "Kq1" || !slices.Equal(c.Scopes, []string{"Badges.ReadWrite", "Badges.Read"}) || !slices.Equal(c.Roles, []string{"Badge.Admin"}) ||
		!slices.Equal(c.Groups, []string{groupID}) || c.GroupsOverage || !c.Issued.Equal(h.now()) || !c.Expires.Equal(h.now().Add(75*time.Minute)) {
		t.Errorf("%+v", c)
	}
	c, err = h.access(h.token(h.appOnly()))
	if err != nil || c.Kind != entra.App || c.ObjectID != appID || len(c.Scopes) != 0 || !slices.Equal(c.Roles, []string{"Badges.Issue.All"}) {
		t.Errorf("%v %+v", err, c)
	}
}

// TestAttacksOnAccessTokens has a row for each way in which a token could be
// taken for one of ours. Keys are at hand; fetches says whether the row may cause
// one more fetch.
func TestAttacksOnAccessTokens(t *testing.T) {
	other := pair(2048, 2)
	good := func(h *house) set { return h.delegated() }
	claims := func(edit set) func(*house) string {
		return func(h *house) string { return h.token(h.delegated(), edit) }
	}
	app := func(edit set) func(*house) string {
		return func(h *house) string { return h.token(h.appOnly(), edit) }
	}
	head := func(edit set) func(*house) string {
		return func(h *house) string { return sign(pair(2048, 1), merged(header, edit), good(h)) }
	}
	at := func(name string, by time.Duration) func(*house) string {
		return func(h *house) string { return h.token(h.delegated(), set{name: h.now().Add(by).Unix()}) }
	}
	old := func(by time.Duration) func(*house) string {
		return func(h *house) string {
			exp := h.now().Add(-by)
			return h.token(h.delegated(), set{"iat": exp.Add(-time.Hour).Unix(), "exp": exp.Unix()})
		}
	}
	bent := func(bend func(token string) string) func(*house) string {
		return func(h *house) string { return bend(h.token(h.delegated())) }
	}
	for _, row := range []struct {
		name    string
		token   func(*house) string
		cfg     func(*entra.Config)
		want    string
		fetches int
	}{
		{name: "the token all others are made from is good", token: claims(nil)},

		{name: "alg none without signature", token: head(set{"alg": "none"}), want: "malformed"},
		{name: "alg none with a signature", token: func(h *house) string { return head(set{"alg": "none"})(h) + "AAAA" }, want: "algorithm"},
		{name: "alg none in other letters", token: func(h *house) string { return head(set{"alg": "NoNe"})(h) }, want: "algorithm"},
		{name: "HS256 with the public key as the secret", token: head(set{"alg": "HS256"}), want: "algorithm"},
		{name: "PS256", token: head(set{"alg": "PS256"}), want: "algorithm"},
		{name: "no alg", token: head(set{"alg": nil}), want: "algorithm"},
		{name: "tampered payload", token: bent(func(s string) string {
			p := strings.Split(s, ".")
			payload := strings.Replace(string(unsegment(p[1])), "Badge.Admin", "Badge.Owner", 1)
			return p[0] + "." + segment([]byte(payload)) + "." + p[2]
		}), want: "signature"},
		{name: "signed with another key under a known kid", token: func(h *house) string { return sign(other, header, good(h)) }, want: "signature"},
		{name: "a signature cut short", token: bent(func(s string) string { return s[:len(s)-6] }), want: "signature"},
		{name: "no signature", token: bent(func(s string) string { return s[:strings.LastIndex(s, ".")+1] }), want: "malformed"},

		{name: "issuer of another tenant", token: claims(set{"iss": strings.Replace(issuerV2, "aaaa", "bbbb", 1)}), want: "issuer"},
		{name: "issuer with a slash too many", token: claims(set{"iss": issuerV2 + "/"}), want: "issuer"},
		{name: "no issuer", token: claims(set{"iss": nil}), want: "issuer"},
		{name: "our issuer and the tid of another tenant", token: claims(set{"tid": strings.Replace(tenantID, "aaaa", "bbbb", 1)}), want: "tenant"},
		{name: "version 1 is good", token: claims(set{"iss": issuerV1, "aud": "api://" + clientID, "ver": "1.0", "azp": nil, "appid": callerID})},
		{name: "version 1 where it is not accepted", token: claims(set{"iss": issuerV1, "azp": nil, "appid": callerID}), cfg: func(c *entra.Config) { c.AcceptV1 = false }, want: "issuer"},
		{name: "version 2 with an audience of version 1", token: claims(set{"aud": "api://" + clientID}), want: "audience"},
		{name: "audience of another application", token: claims(set{"aud": callerID}), want: "audience"},
		{name: "a token for Graph", token: claims(set{"aud": "https://graph.microsoft.com"}), want: "audience"},
		{name: "two audiences, one of them ours", token: claims(set{"aud": []string{clientID, callerID}}), want: "audience"},
		{name: "no audience", token: claims(set{"aud": nil}), want: "audience"},
		{name: "an empty list of audiences", token: claims(set{"aud": []string{}}), want: "audience"},
		{name: "an audience that is configured", token: claims(set{"aud": "api://badges"}), cfg: func(c *entra.Config) { c.Audiences = []string{"api://badges"} }},
		{name: "a configured audience in other letters", token: claims(set{"aud": "api://Badges"}), cfg: func(c *entra.Config) { c.Audiences = []string{"api://badges"} }, want: "audience"},
		{name: "another client of the tenant while any may call", token: claims(set{"azp": appID})},
		{name: "another client of the tenant while few may call", token: claims(set{"azp": appID}), cfg: func(c *entra.Config) { c.AllowedClients = []string{callerID} }, want: "client"},
		{name: "an allowed client, configured in capitals", token: claims(set{"azp": "abcdef00-2222-4333-8444-555555555555"}), cfg: func(c *entra.Config) { c.AllowedClients = []string{"ABCDEF00-2222-4333-8444-555555555555"} }},

		{name: "an application without a role", token: app(set{"roles": nil}), want: "no_role"},
		{name: "an application with an empty list of roles", token: app(set{"roles": []string{}}), want: "no_role"},
		{name: "an application without idtyp", token: app(set{"idtyp": nil})},
		{name: "an application without idtyp and role", token: app(set{"idtyp": nil, "roles": nil}), want: "no_role"},
		{name: "an application with a scope", token: app(set{"scp": "Badges.Read"}), want: "claims"},
		{name: "an ID token for the same client id", token: func(h *house) string { return h.token(h.id("n1")) }, want: "id_token"},
		{name: "an ID token without nonce, with roles", token: func(h *house) string { return h.token(h.id("n1"), set{"nonce": nil}) }, want: "id_token"},
		{name: "an ID token with azp, with roles", token: func(h *house) string { return h.token(h.id("n1"), set{"nonce": nil, "azp": clientID}) }, want: "id_token"},
		{name: "a user's token with a nonce", token: claims(set{"nonce": "n1"}), want: "id_token"},
		{name: "a user's token that names no client", token: claims(set{"azp": nil}), want: "id_token"},
		{name: "a user's token with an empty scp", token: claims(set{"scp": " "}), want: "id_token"},

		{name: "expired within the leeway", token: old(59 * time.Second)},
		{name: "expired beyond the leeway", token: old(61 * time.Second), want: "expired"},
		{name: "no exp", token: claims(set{"exp": nil}), want: "claims"},
		{name: "no iat", token: claims(set{"iat": nil}), want: "claims"},
		{name: "nbf four minutes ahead", token: at("nbf", 4*time.Minute)},
		{name: "nbf six minutes ahead", token: at("nbf", 6*time.Minute), want: "not_yet_valid"},
		{name: "iat four minutes ahead", token: at("iat", 4*time.Minute)},
		{name: "iat six minutes ahead", token: at("iat", 6*time.Minute), want: "not_yet_valid"},
		{name: "exp as text", token: claims(set{"exp": "1900000000"}), want: "claims"},
		{name: "exp in the far future", token: claims(set{"exp": 1e18}), want: "claims"},
		{name: "exp with an exponent that overflows", token: claims(set{"exp": json.Number("1e400")}), want: "claims"},
		{name: "28 hours are the most", token: at("exp", 28*time.Hour)},
		{name: "29 hours are too many", token: at("exp", 29*time.Hour), want: "lifetime"},
		{name: "exp before iat", token: func(h *house) string {
			return h.token(h.delegated(), set{"iat": h.now().Add(4 * time.Minute).Unix(), "exp": h.now().Add(time.Minute).Unix()})
		}, want: "lifetime"},

		{name: "no sub", token: claims(set{"sub": nil}), want: "claims"},
		{name: "no oid", token: claims(set{"oid": nil}), want: "claims"},
		{name: "no tid", token: claims(set{"tid": nil}), want: "tenant"},
		{name: "an oid that is no GUID", token: claims(set{"oid": "../" + userID}), want: "claims"},
		{name: "an oid in other letters does not stand in", token: claims(set{"OID": appID})},
		{name: "only an oid in other letters", token: claims(set{"oid": nil, "OID": appID}), want: "claims"},
		{name: "a claim that stands there twice", token: func(h *house) string {
			return sign(pair(2048, 1), header, `{"tid":"`+tenantID+`","tid":"`+tenantID+`"}`)
		}, want: "malformed"},
		{name: "a role that is a number", token: claims(set{"roles": []any{"Badge.Admin", 1}}), want: "claims"},
		{name: "a payload that is no object", token: func(h *house) string { return sign(pair(2048, 1), header, `[1]`) }, want: "malformed"},
		{name: "a payload with more behind it", token: func(h *house) string { return sign(pair(2048, 1), header, `{} {}`) }, want: "malformed"},

		{name: "typ at+jwt", token: head(set{"typ": "at+jwt"})},
		{name: "odd typ", token: head(set{"typ": "logout+jwt"}), want: "type"},
		{name: "no typ", token: head(set{"typ": nil}), want: "type"},
		{name: "unknown crit", token: head(set{"crit": []string{"exp"}}), want: "malformed"},
		{name: "crit that is empty", token: head(set{"crit": []string{}}), want: "malformed"},
		{name: "jku, x5u and x5t beside a good signature are not looked at", token: head(set{"jku": "https://evil.example/keys", "x5u": "https://evil.example/cert", "x5t": "one"})},
		{name: "jku with keys of the attacker", token: func(h *house) string {
			return sign(other, merged(header, set{"jku": "https://evil.example/keys", "kid": "theirs"}), good(h))
		}, want: "unknown_key", fetches: 1},
		{name: "the attacker's key in the header", token: func(h *house) string {
			return sign(other, merged(header, set{"jwk": merged(jwk("one", other), set{"x5t": nil})}), good(h))
		}, want: "signature"},
		{name: "unknown kid", token: head(set{"kid": "two"}), want: "unknown_key", fetches: 1},
		{name: "kid with a path", token: head(set{"kid": "../../etc/passwd"}), want: "key_id"},
		{name: "kid with SQL", token: head(set{"kid": "' OR 1=1 --"}), want: "key_id"},
		{name: "kid with an escape", token: head(set{"kid": "one%2e%2e"}), want: "key_id"},
		{name: "kid that is huge", token: head(set{"kid": strings.Repeat("a", 129)}), want: "key_id"},
		{name: "kid that is a number", token: head(set{"kid": 1}), want: "malformed"},
		{name: "no kid", token: head(set{"kid": nil}), want: "key_id"},
		{name: "signed with a key for encryption", token: func(h *house) string { return sign(other, merged(header, set{"kid": "enc"}), good(h)) }, want: "unknown_key", fetches: 1},
		{name: "signed with a key of 1024 bits", token: func(h *house) string { return sign(pair(1024, 1), merged(header, set{"kid": "weak"}), good(h)) }, want: "unknown_key", fetches: 1},
		{name: "signed with a key of another issuer", token: func(h *house) string { return sign(other, merged(header, set{"kid": "personal"}), good(h)) }, want: "unknown_key", fetches: 1},
		{name: "signed with a key for another algorithm", token: func(h *house) string { return sign(other, merged(header, set{"kid": "ps"}), good(h)) }, want: "unknown_key", fetches: 1},

		{name: "trailing newline", token: bent(func(s string) string { return s + "\n" }), want: "malformed"},
		{name: "leading space", token: bent(func(s string) string { return " " + s }), want: "malformed"},
		{name: "line break inside", token: bent(func(s string) string { return s[:40] + "\n" + s[40:] }), want: "malformed"},
		{name: "padding", token: bent(func(s string) string { return s + "=" }), want: "malformed"},
		{name: "JSON serialization", token: bent(func(s string) string {
			p := strings.Split(s, ".")
			return `{"protected":"` + p[0] + `","payload":"` + p[1] + `","signature":"` + p[2] + `"}`
		}), want: "malformed"},
		{name: "empty", token: func(*house) string { return "" }, want: "malformed"},
		{name: "two segments", token: bent(func(s string) string { return s[:strings.LastIndex(s, ".")] }), want: "malformed"},
		{name: "five segments", token: bent(func(s string) string { return s + ".a.b" }), want: "malformed"},
		{name: "a token of 17 KB", token: claims(set{"pad": strings.Repeat("x", 17<<10)}), want: "too_large"},
		{name: "a token of 1 MB", token: claims(set{"pad": strings.Repeat("x", 1<<20)}), want: "too_large"},
		{name: "200 groups fit", token: claims(set{"groups": slices.Repeat([]string{groupID}, 200)})},
		{name: "_claim_names without sources", token: claims(set{"groups": nil, "_claim_names": set{"groups": "src1"}}), want: "claims"},
		{name: "_claim_names with sources", token: claims(set{"groups": nil, "_claim_names": set{"groups": "src1"}, "_claim_sources": set{"src1": set{"endpoint": "https://evil.example/"}}})},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := newHouse(t, func(c *entra.Config) {
				if row.cfg != nil {
					row.cfg(c)
				}
			})
			h.publish(
				jwk("one", pair(2048, 1)), jwk("enc", other, set{"use": "enc"}), jwk("weak", pair(1024, 1)), jwk("ps", other, set{"alg": "PS256"}),
				jwk("personal", other, set{"issuer": "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"}),
			)
			h.warm()
			token := row.token(h)
			for range 2 { // the second answer is the same, whether remembered or not
				c, err := h.access(token)
				if got := reason(err); got != row.want {
					t.Errorf("refused for %q, want %q (%v)", got, row.want, err)
				}
				if row.want == "" && c.ObjectID != userID && c.ObjectID != appID {
					t.Errorf("identity %q", c.ObjectID)
				}
				if row.want != "" && c.ObjectID != "" {
					t.Errorf("a refused token has claims: %+v", c)
				}
			}
			if got := h.count(keysPath) - 1; got != row.fetches {
				t.Errorf("%d fetches, want %d", got, row.fetches)
			}
			if hosts := h.hosts(); len(hosts) != 1 {
				t.Errorf("called %v", hosts)
			}
		})
	}
}

func TestGroupOverageIsOnlyASign(t *testing.T) {
	for _, row := range []struct {
		name string
		edit set
		want bool
	}{
		{"none", nil, false},
		{"by reference", set{"groups": nil, "_claim_names": set{"groups": "s"}, "_claim_sources": set{"s": set{"endpoint": "https://evil.example"}}}, true},
		{"by hasgroups", set{"groups": nil, "hasgroups": true}, true},
		{"of another claim", set{"_claim_names": set{"other": "s"}, "_claim_sources": set{"s": set{"endpoint": "https://evil.example"}}}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := newHouse(t).warm()
			c, err := h.access(h.token(h.delegated(), row.edit))
			if err != nil || c.GroupsOverage != row.want || len(h.hosts()) != 1 {
				t.Errorf("%v %v %v", err, c.GroupsOverage, h.hosts())
			}
		})
	}
}

func TestIDTokens(t *testing.T) {
	for _, row := range []struct {
		name   string
		nonce  string // that was sent
		header set
		edit   set
		want   string
	}{
		{name: "a good one", nonce: "n1"},
		{name: "without typ", nonce: "n1", header: set{"typ": nil}},
		{name: "with azp of our own", nonce: "n1", edit: set{"azp": clientID}},
		{name: "nonce missing", nonce: "n1", edit: set{"nonce": nil}, want: "nonce"},
		{name: "nonce of another sign-in", nonce: "n2", want: "nonce"},
		{name: "nonce neither sent nor there", nonce: "", edit: set{"nonce": nil}, want: "nonce"},
		{name: "an access token", nonce: "n1", edit: set{"nonce": nil, "scp": "Badges.Read", "azp": clientID}, want: "nonce"},
		{name: "an access token by its type", nonce: "n1", header: set{"typ": "at+jwt"}, want: "type"},
		{name: "issued for another client", nonce: "n1", edit: set{"azp": callerID}, want: "audience"},
		{name: "for another application", nonce: "n1", edit: set{"aud": callerID}, want: "audience"},
		{name: "for an application id URI", nonce: "n1", edit: set{"aud": "api://" + clientID}, want: "audience"},
		{name: "of another tenant", nonce: "n1", edit: set{"tid": callerID}, want: "tenant"},
		{name: "of version 1", nonce: "n1", edit: set{"iss": issuerV1}, want: "issuer"},
		{name: "expired", nonce: "n1", edit: set{"iat": 1768000000, "exp": 1768003600}, want: "expired"},
		{name: "of a key that is not ours", nonce: "n1", header: set{"kid": "two"}, want: "unknown_key"},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := newHouse(t).warm()
			token := sign(pair(2048, 1), merged(header, row.header), merged(h.id("n1"), row.edit))
			c, err := h.verifier.IDToken(t.Context(), token, row.nonce)
			if got := reason(err); got != row.want {
				t.Fatalf("refused for %q, want %q (%v)", got, row.want, err)
			}
			if row.want == "" && (c.Kind != entra.User || c.ObjectID != userID || c.Session != "session-1" || c.LoginHint != "O.Cx") {
				t.Errorf("%+v", c)
			}
		})
	}
}

func TestAssertions(t *testing.T) {
	for _, row := range []struct {
		name string
		edit set
		want string
	}{
		{name: "a good one", edit: set{"aud": "api://" + clientID, "roles": nil, "idtyp": nil}},
		{name: "with the client id as audience", edit: set{"roles": nil}},
		{name: "of another tenant", edit: set{"tid": callerID}, want: "tenant"},
		{name: "for every custom application on earth", edit: set{"aud": "8adf8e6e-67b2-4cf2-a259-e3dc5476c621"}, want: "audience"},
		{name: "of a user", edit: set{"sub": "x8Yc", "oid": userID, "scp": "Badges.Read"}, want: "claims"},
		{name: "of version 1", edit: set{"iss": issuerV1}, want: "issuer"},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := newHouse(t).warm()
			c, err := h.verifier.Assertion(t.Context(), h.token(h.appOnly(), row.edit))
			if got := reason(err); got != row.want {
				t.Fatalf("refused for %q, want %q (%v)", got, row.want, err)
			}
			if row.want == "" && (c.Kind != entra.App || c.ObjectID != appID || c.Client != callerID || c.TokenID != "Kq1") {
				t.Errorf("%+v", c)
			}
		})
	}
}

func TestAKnownTokenStillExpires(t *testing.T) {
	h := newHouse(t).warm()
	token := h.token(h.delegated())
	for _, step := range []struct {
		after time.Duration
		want  string
	}{{0, ""}, {75 * time.Minute, ""}, {61 * time.Second, "expired"}, {time.Hour, "expired"}} {
		h.clock.advance(step.after)
		if _, err := h.access(token); reason(err) != step.want {
			t.Errorf("after %v: %v", step.after, err)
		}
	}
}

func TestAKnownTokenFallsWithItsKey(t *testing.T) {
	h := newHouse(t).warm()
	token := h.token(h.delegated())
	if _, err := h.access(token); err != nil {
		t.Fatal(err)
	}
	h.publish(jwk("two", pair(2048, 2)))
	h.warm()
	if _, err := h.access(token); reason(err) != "unknown_key" {
		t.Error(err)
	}
}

func TestMemoryIsBoundedAndRight(t *testing.T) {
	h := newHouse(t).warm()
	h.verifier.RememberAtMost(16)
	// More tokens than are remembered, each with a number of its own: every one
	// must answer its own claims, first and again.
	const many = 100
	tokens := make([]string, many)
	for i := range tokens {
		tokens[i] = h.token(h.delegated(), set{"uti": strconv.Itoa(i)})
		if c, err := h.access(tokens[i]); err != nil || c.TokenID != strconv.Itoa(i) {
			t.Fatalf("token %d: %v %q", i, err, c.TokenID)
		}
		if c, err := h.access(tokens[0]); err != nil || c.TokenID != "0" {
			t.Fatalf("token 0 after %d: %v %q", i, err, c.TokenID)
		}
	}
	if n := h.verifier.Remembered(); n > 16 || n < 2 {
		t.Errorf("%d are remembered", n)
	}
	if !h.verifier.Remembers(tokens[0]) || !h.verifier.Remembers(tokens[many-1]) || h.verifier.Remembers(tokens[many/2]) {
		t.Error("what is in use must stay, and the rest must go")
	}
}

func TestClaimsCanBeAppendedTo(t *testing.T) {
	h := newHouse(t).warm()
	token := h.token(h.delegated())
	first, err := h.access(token)
	if err != nil {
		t.Fatal(err)
	}
	second, _ := h.access(token)
	_ = append(first.Roles, "admin")
	other := append(second.Roles, "issuer")
	if third, _ := h.access(token); len(third.Roles) != 1 || other[1] != "issuer" || cap(first.Roles) != 1 {
		t.Errorf("%v %v", third.Roles, other)
	}
}

func TestRefusalsTellStrangersNothing(t *testing.T) {
	h := newHouse(t).warm()
	_, err := h.access(h.token(h.delegated(), set{"aud": "<script>" + strings.Repeat("x", 500)}))
	r, ok := err.(*entra.Refusal)
	if !ok || strings.Contains(r.Remedy, "script") || strings.Contains(r.Remedy, clientID) || len(r.Detail) > 200 {
		t.Errorf("%v", err)
	}
}

func FuzzAccessToken(f *testing.F) {
	h := newHouse(f).warm()
	good := h.token(h.delegated())
	f.Add(good)
	f.Add(h.token(h.id("n")))
	f.Add(sign(pair(2048, 1), set{"alg": "none"}, h.delegated()))
	f.Add(`{"protected":"","payload":"","signature":""}`)
	f.Fuzz(func(t *testing.T, token string) {
		// Only what the tenant signed is accepted, letter by letter.
		if _, err := h.verifier.AccessToken(t.Context(), token); err == nil && token != good {
			t.Errorf("accepted %q", token)
		}
	})
}

func BenchmarkAccessToken(b *testing.B) {
	h := newHouse(b).warm()
	b.Run("known", func(b *testing.B) {
		token := h.token(h.delegated())
		b.ReportAllocs()
		for b.Loop() {
			if _, err := h.access(token); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("first seen", func(b *testing.B) {
		tokens := make([]string, 16<<10) // four times what is remembered
		for i := range tokens {
			tokens[i] = h.token(h.delegated(), set{"uti": strconv.Itoa(i)})
		}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, err := h.access(tokens[i%len(tokens)]); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("forged", func(b *testing.B) {
		token := sign(pair(2048, 2), header, h.delegated())
		b.ReportAllocs()
		for b.Loop() {
			if _, err := h.access(token); reason(err) != "signature" {
				b.Fatal(err)
			}
		}
	})
	b.Run("signature alone", func(b *testing.B) {
		token := h.token(h.delegated())
		for b.Loop() {
			if _, err := h.keys.VerifySignature(b.Context(), token); err != nil {
				b.Fatal(err)
			}
		}
	})
}
