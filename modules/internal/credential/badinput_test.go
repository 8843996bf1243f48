package credential_test

import (
	"crypto/ed25519"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/modules/internal/credential/integrity"
	"github.com/badge-engine/badge-engine/modules/internal/credential/status"
	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
)

// TestAProofHasEachMemberOnce: two readers must not see two different proofs.
func TestAProofHasEachMemberOnce(t *testing.T) {
	private, multikey := key(t, "a")
	good := string(issued(t, badge(did.KeyDID(multikey)), private, multikey))
	for _, member := range []string{`"type":"DataIntegrityProof"`, `"proofPurpose":"assertionMethod"`, `"cryptosuite":"eddsa-rdfc-2022"`, `"proofValue":"z1"`} {
		name, _, _ := strings.Cut(member, ":")
		twice := strings.Replace(good, `"proof":[{`, `"proof":[{`+member+",", 1)
		var refused *credential.ParseError
		if _, err := verifier(nil).Verify(t.Context(), []byte(twice), credential.Options{}); !errors.As(err, &refused) || !strings.Contains(refused.Problem, "twice") {
			t.Errorf("%s twice: %v", name, err)
		}
	}
	proof := parsed(t, good)["proof"].([]any)[0]
	d := parsed(t, good)
	d["proof"] = []any{proof, proof} // says nothing new, and nothing false
	if r, err := verifier(nil).Verify(t.Context(), []byte(mustJSON(t, d)), credential.Options{}); err != nil || !r.Verified {
		t.Errorf("the same proof twice: %v, %s", err, outcomes(r))
	}
}

// TestContextsThatTurnWordsRound: whatever secures a badge, words that no known context
// defines, or that a context of its own defines again, make it unverified.
func TestContextsThatTurnWordsRound(t *testing.T) {
	private, multikey := key(t, "a")
	self := did.KeyDID(multikey)
	signer := integrity.NewEd25519Signer(private, self+"#"+multikey)
	for name, more := range map[string]any{
		"a term that is protected": map[string]any{"name": "https://evil.example/name"},
		"a type that is protected": map[string]any{"VerifiableCredential": "https://evil.example/Credential"},
		"a context nobody knows":   "https://evil.example/context",
		"a base address":           map[string]any{"@base": "https://evil.example/"},
		"another context by name":  map[string]any{"@import": openbadges.CredentialsContext},
		"no vocabulary any more":   nil,
		"a number":                 7,
	} {
		t.Run(name, func(t *testing.T) {
			d := unsigned(t, self)
			d["@context"] = append(d["@context"].([]any), more)
			asToken := token(t, map[string]any{"alg": "EdDSA", "kid": self + "#" + multikey, "typ": "vc+jwt"}, maps(d, "proof"), func(text []byte) []byte { return ed25519.Sign(private, text) })
			for form, text := range map[string]string{"JCS": sign(t, maps(d), integrity.EdDSAJCS2022, signer), "a token": asToken} {
				r, err := verifier(nil).Verify(t.Context(), []byte(text), credential.Options{})
				if err != nil || r.Verified || !strings.Contains(outcomes(r), "context failed") {
					t.Errorf("%s: %v, %s", form, err, outcomes(r))
				}
			}
			if _, err := integrity.Create(t.Context(), processor, integrity.EdDSARDFC2022, signer, d, integrity.Options{}); err == nil {
				t.Error("it was signed")
			}
		})
	}
}

// TestStatusListsThatSayNothing are signed by the issuer, and yet no use: none of them lets
// a badge pass.
func TestStatusListsThatSayNothing(t *testing.T) {
	private, multikey := key(t, "a")
	self := did.KeyDID(multikey)
	signer := integrity.NewEd25519Signer(private, self+"#"+multikey)
	const url = "https://example.org/status/3"
	packed, err := status.Pack(nil)
	if err != nil {
		t.Fatal(err)
	}
	whole := status.Encode([]status.Segment{packed})
	for name, row := range map[string]struct {
		change func(list, subject map[string]any)
		want   string
	}{
		"as it should be": {func(_, _ map[string]any) {}, ""},
		"1 GB when it is unpacked": {func(_, s map[string]any) {
			s["encodedList"] = status.Encode(slices.Repeat([]status.Segment{packed}, 1<<16))
		}, "status failed"},
		"cut off":              {func(_, s map[string]any) { s["encodedList"] = whole[:len(whole)/2] }, "status failed"},
		"too short":            {func(_, s map[string]any) { s["encodedList"] = "uH4sIAAAAAAAA_2NgGAWjYBQAACWOxN0AEAAA" }, "status failed"},
		"not packed at all":    {func(_, s map[string]any) { s["encodedList"] = "uAAAA" }, "status failed"},
		"empty":                {func(_, s map[string]any) { s["encodedList"] = "" }, "status failed"},
		"a number":             {func(_, s map[string]any) { s["encodedList"] = 1 }, "status failed"},
		"about something else": {func(_, s map[string]any) { s["statusPurpose"] = "suspension" }, "status failed"},
		"of another kind":      {func(_, s map[string]any) { s["type"] = "StatusList2021" }, "status failed"},
		"no list":              {func(l, _ map[string]any) { l["type"] = []any{"VerifiableCredential"} }, "status failed"},
		"over":                 {func(l, _ map[string]any) { l["validUntil"] = "2026-01-02T00:00:00Z" }, "status failed"},
		"of tomorrow":          {func(l, _ map[string]any) { l["validFrom"] = "2027-01-01T00:00:00Z" }, "status failed"},
	} {
		t.Run(name, func(t *testing.T) {
			subject := map[string]any{"id": url + "#list", "type": "BitstringStatusList", "statusPurpose": "revocation", "encodedList": whole}
			l := map[string]any{"@context": []any{openbadges.CredentialsContext}, "id": url, "type": []any{"VerifiableCredential", "BitstringStatusListCredential"}, "issuer": self, "validFrom": "2026-01-01T00:00:00Z", "credentialSubject": subject}
			row.change(l, subject)
			// By JCS, which signs whatever it is given.
			page := sign(t, l, integrity.EdDSAJCS2022, signer)
			d := unsigned(t, self)
			d["credentialStatus"] = map[string]any{"id": url + "#22", "type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "22", "statusListCredential": url}
			r, err := verifier(map[string]string{url: page}).Verify(t.Context(), []byte(sign(t, d, integrity.EdDSARDFC2022, signer)), credential.Options{})
			if err != nil || outcomes(r) != row.want || r.Verified == bad(row.want) {
				t.Errorf("%v, %q instead of %q: %s", err, outcomes(r), row.want, mustJSON(t, r))
			}
		})
	}
}

// TestEndorsementsThatEndorseThemselves neither go on for ever nor count.
func TestEndorsementsThatEndorseThemselves(t *testing.T) {
	private, multikey := key(t, "a")
	other, otherKey := key(t, "b")
	self, endorser := did.KeyDID(multikey), did.KeyDID(otherKey)
	const id = "urn:uuid:0198f2a0-0000-7000-8000-000000000001"
	endorsement := func(about string, inner ...any) map[string]any {
		d := map[string]any{
			"@context": []any{openbadges.CredentialsContext, openbadges.BadgesContext}, "id": id, "type": []any{"VerifiableCredential", "EndorsementCredential"}, "name": "Well done", "validFrom": "2026-01-01T00:00:00Z",
			"issuer": map[string]any{"id": endorser, "type": []any{"Profile"}}, "credentialSubject": map[string]any{"id": about, "type": []any{"EndorsementSubject"}},
		}
		if len(inner) > 0 {
			d["issuer"].(map[string]any)["endorsement"] = inner
		}
		return parsed(t, sign(t, d, integrity.EdDSARDFC2022, integrity.NewEd25519Signer(other, endorser+"#"+otherKey)))
	}
	of := "https://example.org/achievements/1"
	nested := endorsement(of)
	for range 3 {
		nested = endorsement(of, nested)
	}
	for name, row := range map[string]struct {
		value any
		want  string
	}{
		"of itself":                  {endorsement(id), "rules failed, endorsements failed"},
		"of the endorser":            {endorsement(endorser), "endorsements warning"},
		"in one that is in another":  {nested, ""},
		"of what it stands in, once": {endorsement(of), ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := unsigned(t, self)
			d["credentialSubject"].(map[string]any)["achievement"].(map[string]any)["endorsement"] = []any{row.value}
			r, err := verifier(nil).Verify(t.Context(), []byte(sign(t, d, integrity.EdDSARDFC2022, integrity.NewEd25519Signer(private, self+"#"+multikey))), credential.Options{})
			if err != nil || outcomes(r) != row.want {
				t.Errorf("%v, %q instead of %q: %s", err, outcomes(r), row.want, mustJSON(t, r))
			}
		})
	}
}
