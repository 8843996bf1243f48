package assertion_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"testing"

	"github.com/badge-engine/badge-engine/modules/internal/assertion"
)

// TestVerifySignedEndorsements: an endorsement that is a token was said not to be
// published; it is genuine if a key of whoever endorsed signed it.
func TestVerifySignedEndorsements(t *testing.T) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	by := func(k *rsa.PrivateKey) func([]byte) []byte {
		return func(text []byte) []byte {
			sum := sha256.Sum256(text)
			s, err := rsa.SignPKCS1v15(nil, k, crypto.SHA256, sum[:])
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
	}
	const endorser, endorserKey, revocations = otherHost + "/endorser", otherHost + "/key", otherHost + "/revocations"
	words := doc{"@context": assertion.Context, "type": "Endorsement", "id": "urn:uuid:0198f2a0-0000-7000-8000-000000000009", "claim": doc{"id": class}, "issuer": endorser,
		"issuedOn": "2026-01-01T00:00:00Z", "verification": doc{"type": "SignedBadge", "creator": endorserKey}}
	rs256 := doc{"alg": "RS256"}
	token := jws(t, rs256, words, by(private))
	signed := func(changes ...any) string { return jws(t, rs256, with(words, changes...), by(private)) }
	for name, row := range map[string]struct {
		endorsement any
		change      func(p map[string]doc)
		want, says  string
	}{
		"by a key that is listed":           {token, nil, "", "All 1 endorsements"},
		"the first key where it names none": {signed("verification", doc{"type": "SignedBadge"}), nil, "", ""},
		"by another key":                    {jws(t, rs256, words, by(foreign)), nil, "endorsements failed", "does not fit"},
		"a word was changed":                {token[:len(token)-4] + "AAAA", nil, "endorsements failed", "does not fit"},
		"by no algorithm":                   {jws(t, doc{"alg": "none"}, words, by(private)), nil, "endorsements failed", "not accepted"},
		"by a key that is not listed":       {signed("verification", doc{"type": "SignedBadge", "creator": host + "/key"}), nil, "endorsements failed", "does not list"},
		"in another's name":                 {signed("issuer", issuer), nil, "endorsements failed", "does not list"},
		"of nobody":                         {signed("issuer", "urn:uuid:1"), nil, "endorsements failed", "no address"},
		"of something else":                 {signed("claim", doc{"id": id}), nil, "endorsements failed", "something else"},
		"about nothing":                     {signed("claim", nil), nil, "endorsements failed", "claim"},
		"that says it is hosted":            {signed("verification", doc{"type": "HostedBadge"}), nil, "endorsements failed", "says that it is hosted"},
		"of tomorrow":                       {signed("issuedOn", "2026-06-02T00:00:00Z"), nil, "endorsements failed", "only on"},
		"that expired":                      {signed("expires", "2026-05-01T00:00:00Z"), nil, "endorsements failed", "expired"},
		"without its signature":             {words, nil, "endorsements failed", "without its signature"},
		"that is no token":                  {"a.b.c", nil, "endorsements failed", "no compact JWS"},
		"that is revoked":                   {token, func(p map[string]doc) { revokeAt(p, endorser, revocations, words["id"]) }, "endorsements failed", "revoked"},
		"of which others are revoked":       {token, func(p map[string]doc) { revokeAt(p, endorser, revocations, "urn:uuid:1") }, "", ""},
		"with a list that is away":          {token, func(p map[string]doc) { p[endorser]["revocationList"] = revocations }, "endorsements unknown", "could not be read"},
		"with the list of another": {token, func(p map[string]doc) {
			revokeAt(p, endorser, revocations, "urn:uuid:1")
			p[revocations]["issuer"] = issuer
		}, "endorsements unknown", "another issuer"},
		"of somebody who does not answer": {token, func(p map[string]doc) { delete(p, endorser) }, "endorsements unknown", "could not be asked"},
		"of a key that does not answer":   {token, func(p map[string]doc) { delete(p, endorserKey) }, "endorsements unknown", "could not be asked"},
		"of a key of another owner":       {token, func(p map[string]doc) { p[endorserKey]["owner"] = issuer }, "endorsements failed", "another owner"},
		"by the issuer of the badge itself": {signed("issuer", issuer), func(p map[string]doc) {
			p[issuer]["publicKey"] = endorserKey
			p[endorserKey]["owner"] = issuer
		}, "endorsements warning", "count for little"},
		"of itself": {signed("claim", doc{"id": words["id"]}), nil, "endorsements failed", "something else"},
	} {
		t.Run(name, func(t *testing.T) {
			w := world(func(p map[string]doc) {
				p[endorser] = with(p[issuer], "id", endorser, "publicKey", endorserKey)
				p[endorserKey] = doc{"@context": assertion.Context, "type": "CryptographicKey", "id": endorserKey, "owner": endorser, "publicKeyPem": pemOf(t, &private.PublicKey)}
				p[class]["endorsement"] = []any{row.endorsement}
				if row.change != nil {
					row.change(p)
				}
			})
			check(t, verify(t, w, world(nil).pages[id], ""), row.want, row.says)
		})
	}
}

// revokeAt publishes a revocation list.
func revokeAt(p map[string]doc, issuer, at string, ids ...any) {
	p[issuer]["revocationList"] = at
	p[at] = doc{"@context": assertion.Context, "type": "RevocationList", "id": at, "issuer": issuer, "revokedAssertions": ids}
}
