package integrity_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/credential/integrity"
	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/modules/internal/jsonld"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

func list[T any](t testing.TB, data string) []T {
	t.Helper()
	var items []T
	if err := json.Unmarshal([]byte(data), &items); err != nil {
		t.Fatal(err)
	}
	return items
}

func secretOf(t testing.TB, pair any) *ecdsa.PrivateKey {
	t.Helper()
	data, err := did.DecodeBase58(pair.(map[string]any)["secretKeyMultibase"].(string)[1:])
	if err != nil {
		t.Fatal(err)
	}
	return ecKey(t, elliptic.P256(), data[2:])
}

// Both published credentials through all stages: the statements with their keyed
// names, the base proof byte for byte, what is derived from it, and its verification.
func TestPublishedSelectiveDisclosure(t *testing.T) { eachWay(t, publishedSelectiveDisclosure) }

func publishedSelectiveDisclosure(t *testing.T, processor *jsonld.Processor) {
	c := supplied{processor}
	for _, row := range []struct{ folder, mandatory, selective string }{
		{"prc", "prCredMandatory", "prCredSelective"},
		{"employ", "employMandatory", "employSelective"},
	} {
		t.Run(row.folder, func(t *testing.T) {
			root := published(t, "vc-di-ecdsa")
			file := func(name string) string { return text(t, filepath.Join(root, "ecdsa-sd-2023", row.folder, name)) }
			keys := object(t, text(t, filepath.Join(root, "ecdsa-sd-2023", "SDKeyMaterial.json")))
			hmacKey, err := hex.DecodeString(keys["hmacKeyString"].(string))
			if err != nil {
				t.Fatal(err)
			}
			base := keys["baseKeyPair"].(map[string]any)
			by := signer(t, base["publicKeyMultibase"].(string), base["secretKeyMultibase"].(string))
			signed := object(t, file("addSignedSDBase.json"))
			unsecured := maps.Clone(signed)
			delete(unsecured, "proof")

			canonical, err := c.Canonicalize(unsecured)
			if want := strings.Join(list[string](t, file("addBaseDocCanon.json")), ""); err != nil || string(canonical) != want {
				t.Fatalf("the canonical form is\n%s, %v, want\n%s", canonical, err, want)
			}
			lines, err := integrity.Statements(c, unsecured, hmacKey)
			if want := list[string](t, file("addBaseDocHMACCanon.json")); err != nil || !slices.Equal(lines, want) {
				t.Errorf("the statements are %q, %v, want %q", lines, err, want)
			}

			mandatory := list[string](t, text(t, filepath.Join(root, row.mandatory+".json")))
			proof := signed["proof"].(map[string]any)
			created, err := time.Parse(time.RFC3339, proof["created"].(string))
			if err != nil {
				t.Fatal(err)
			}
			made, err := integrity.CreateBaseWith(t.Context(), c, by, unsecured, integrity.Options{Created: created, MandatoryPointers: mandatory}, hmacKey, secretOf(t, keys["proofKeyPair"]))
			if err != nil {
				t.Fatal(err)
			}
			if made.ProofValue != proof["proofValue"] {
				t.Errorf("the base proof is %s, want %s", made.ProofValue, proof["proofValue"])
			}
			hashes := object(t, file("addHashData.json"))
			if message := hex.EncodeToString(by.message); !strings.HasPrefix(message, hashes["proofHash"].(string)) || !strings.HasSuffix(message, hashes["mandatoryHash"].(string)) {
				t.Errorf("the signed message is %s, want the hashes %s", message, hashes)
			}

			selective := list[string](t, text(t, filepath.Join(root, row.selective+".json")))
			derived, err := integrity.Derive(c, signed, selective)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := jcs(t, derived), jcs(t, object(t, file("derivedRevealDocument.json"))); got != want {
				t.Errorf("derived is\n%s, want\n%s", got, want)
			}
			for name, document := range map[string]map[string]any{"what was derived": derived, "what was published": object(t, file("derivedRevealDocument.json"))} {
				results, err := integrity.Verify(t.Context(), c, did.Resolver{}, strictjson.NodeOf(document), integrity.Expectation{})
				if err != nil || len(results) != 1 || results[0].Err != nil {
					t.Errorf("%s: Verify = %+v, %v", name, results, err)
				}
			}
			for name, change := range map[string]func(d map[string]any){
				"a mandatory statement":       func(d map[string]any) { d["issuer"].(map[string]any)["image"] = "data:image/png;base64,AA==" },
				"a selected statement":        func(d map[string]any) { d["validUntil"] = "2035-12-16T23:59:59Z" },
				"a statement more":            func(d map[string]any) { d["name"] = "Card" },
				"a statement less":            func(d map[string]any) { delete(d, "validUntil") },
				"the date of the proof":       func(d map[string]any) { d["proof"].(map[string]any)["created"] = "2023-08-15T23:36:39Z" },
				"the mandatory part left out": func(d map[string]any) { delete(d["issuer"].(map[string]any), "image") },
			} {
				altered := object(t, jcs(t, derived))
				change(altered)
				results, err := integrity.Verify(t.Context(), c, did.Resolver{}, strictjson.NodeOf(altered), integrity.Expectation{})
				if err != nil || results[0].Err == nil {
					t.Errorf("with %s changed: Verify = %+v, %v", name, results, err)
				}
			}

			results, err := integrity.Verify(t.Context(), c, did.Resolver{}, strictjson.NodeOf(signed), integrity.Expectation{})
			if err != nil || !errors.Is(results[0].Err, integrity.ErrBaseProof) {
				t.Errorf("a base proof: Verify = %+v, %v", results, err)
			}
		})
	}
}

const skill = `{"@context":["https://www.w3.org/ns/credentials/v2","https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],"id":"urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
"type":["VerifiableCredential","AchievementCredential"],"name":"Welding","issuer":{"id":"https://vc.example/issuers/5678","type":["Profile"],"name":"School"},"validFrom":"2023-01-01T00:00:00Z",
"credentialSubject":{"type":["AchievementSubject"],"identifier":[{"type":"IdentityObject","hashed":true,"identityHash":"sha256$aa","identityType":"emailAddress","salt":"x"},
 {"type":"IdentityObject","hashed":false,"identityHash":"w_1/~2","identityType":"systemId"}],
 "achievement":{"id":"urn:uuid:00000000-d8ba-11ed-83dd-0b3aef56cc33","type":["Achievement"],"name":"Welding","description":"Can weld","criteria":{"narrative":"Weld."},
  "resultDescription":[{"id":"urn:uuid:11111111-d8ba-11ed-83dd-0b3aef56cc33","type":["ResultDescription"],"name":"Grade","resultType":"LetterGrade","allowedValue":["A","B","C"]}]}}}`

func p256Signer(t testing.TB) integrity.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	multikey, err := did.EncodeMultikey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return integrity.NewECDSASigner(key, did.KeyDID(multikey)+"#"+multikey)
}

func baseOf(t testing.TB, c integrity.Canonicalizer, text string, mandatory ...string) map[string]any {
	t.Helper()
	document := object(t, text)
	proof, err := integrity.Create(t.Context(), c, integrity.ECDSASD2023, p256Signer(t), document, integrity.Options{MandatoryPointers: mandatory})
	if err != nil {
		t.Fatal(err)
	}
	add(t, document, proof)
	return document
}

func TestDeriveShowsWhatIsSelectedAndNoMore(t *testing.T) {
	c := jsonld.New()
	signed := baseOf(t, c, skill, "/issuer", "/validFrom")
	for name, row := range map[string]struct {
		pointers      []string
		shows, hidden []string
	}{
		"nothing more than is mandatory": {nil, []string{"vc.example", "validFrom"}, []string{"Weld", "allowedValue", "sha256$aa", "w_1"}},
		"one member deep within":         {[]string{"/credentialSubject/achievement/criteria/narrative"}, []string{"Weld."}, []string{"Can weld", "Grade", "sha256$aa"}},
		"an item in the middle":          {[]string{"/credentialSubject/identifier/1"}, []string{"w_1/~2"}, []string{"sha256$aa", "Weld"}},
		"a list as a whole":              {[]string{"/credentialSubject/achievement/resultDescription/0/allowedValue"}, []string{`["A","B","C"]`}, []string{"Grade", "Weld"}},
		"everything":                     {[]string{""}, []string{"Weld.", "sha256$aa", `["A","B","C"]`}, nil},
		"the same twice":                 {[]string{"/name", "/name", "/credentialSubject/achievement/name"}, []string{`"Welding"`}, []string{"Weld."}},
		"the contexts, which stay":       {[]string{"/@context/0", "/type/1", "/name"}, []string{"context-3.0.3"}, []string{"Weld."}},
	} {
		t.Run(name, func(t *testing.T) {
			derived, err := integrity.Derive(c, signed, row.pointers)
			if err != nil {
				t.Fatal(err)
			}
			written := jcs(t, derived)
			for _, part := range row.shows {
				if !strings.Contains(written, part) {
					t.Errorf("%s is not in %s", part, written)
				}
			}
			for _, part := range row.hidden {
				if strings.Contains(written, part) {
					t.Errorf("%s is in %s", part, written)
				}
			}
			results, err := integrity.Verify(t.Context(), c, did.Resolver{}, strictjson.NodeOf(object(t, written)), integrity.Expectation{})
			if err != nil || results[0].Err != nil {
				t.Errorf("Verify = %+v, %v", results, err)
			}
			if _, err := integrity.Derive(c, derived, row.pointers); err == nil {
				t.Error("something was derived from what is derived already")
			}
		})
	}
}

func TestDeriveRefuses(t *testing.T) {
	c := jsonld.New()
	signed := baseOf(t, c, skill, "/issuer")
	for name, pointer := range map[string]string{
		"a member that is not there":        "/credentialSubject/achievement/level",
		"an index beyond the end":           "/credentialSubject/identifier/2",
		"an index with a leading zero":      "/credentialSubject/identifier/01",
		"an index below zero":               "/credentialSubject/identifier/-1",
		"the item that is not there yet":    "/credentialSubject/identifier/-",
		"a member of a text":                "/name/0",
		"the proof":                         "/proof",
		"no pointer at all":                 "name",
		"a broken escape":                   "/name~2",
		"an escape that ends":               "/name~",
		"an item of a list":                 "/credentialSubject/achievement/resultDescription/0/allowedValue/1",
		"an item of a list that lies first": "/credentialSubject/achievement/resultDescription/0/allowedValue/0",
	} {
		var e *integrity.Error
		if derived, err := integrity.Derive(c, signed, []string{pointer}); !errors.As(err, &e) || e.Code != integrity.ProofGenerationError || e.Remedy == "" || len(e.Error()) > 500 {
			t.Errorf("%s: %v, %v", name, derived, err)
		}
		if _, err := integrity.Create(t.Context(), c, integrity.ECDSASD2023, p256Signer(t), object(t, skill), integrity.Options{MandatoryPointers: []string{pointer}}); !errors.As(err, &e) {
			t.Errorf("%s was made mandatory: %v", name, err)
		}
	}
	for name, row := range map[string]struct {
		document map[string]any
		pointers []string
	}{
		"no proof": {object(t, skill), nil},
		"a proof of another suite": {func() map[string]any {
			d := object(t, alumni)
			d["proof"] = map[string]any{"cryptosuite": integrity.EdDSARDFC2022}
			return d
		}(), nil},
		"nothing to show":           {baseOf(t, c, skill), nil},
		"more pointers than anyone": {signed, slices.Repeat([]string{"/name"}, 1025)},
		"a document that changed":   {func() map[string]any { d := object(t, jcs(t, signed)); delete(d, "name"); return d }(), []string{"/validFrom"}},
	} {
		var e *integrity.Error
		if derived, err := integrity.Derive(c, row.document, row.pointers); !errors.As(err, &e) {
			t.Errorf("%s: %v, %v", name, derived, err)
		}
	}
	if _, err := integrity.Create(t.Context(), c, integrity.EdDSARDFC2022, edSigner(t), object(t, alumni), integrity.Options{MandatoryPointers: []string{"/issuer"}}); err == nil {
		t.Error("mandatory pointers were taken by a suite that has none")
	}
	if _, err := integrity.Create(t.Context(), c, integrity.ECDSASD2023, p256Signer(t), signed, integrity.Options{PreviousProof: []string{"urn:proof:1"}}); err == nil {
		t.Error("a proof of selective disclosure was chained")
	}
}

// A text that looks like a blank node must not be taken for one.
func TestDisclosureKeepsTextsThatLookLikeNames(t *testing.T) {
	c := jsonld.New()
	signed := baseOf(t, c, strings.ReplaceAll(skill, `"Weld."`, `"_:c14n0 \" _:c14n1 . \\"`), "/issuer")
	derived, err := integrity.Derive(c, signed, []string{"/credentialSubject/achievement/criteria"})
	if err != nil {
		t.Fatal(err)
	}
	results, err := integrity.Verify(t.Context(), c, did.Resolver{}, strictjson.NodeOf(derived), integrity.Expectation{})
	if err != nil || results[0].Err != nil {
		t.Errorf("Verify = %+v, %v", results, err)
	}
}

// Every byte of a derived proof counts, and so does its form.
func TestVerifyRefusesAlteredDisclosures(t *testing.T) {
	c := jsonld.New()
	derived, err := integrity.Derive(c, baseOf(t, c, skill, "/issuer"), []string{"/credentialSubject/identifier"})
	if err != nil {
		t.Fatal(err)
	}
	value := derived["proof"].(map[string]any)["proofValue"].(string)
	data, err := base64.RawURLEncoding.DecodeString(value[1:])
	if err != nil {
		t.Fatal(err)
	}
	refused := func(name, value string) {
		t.Helper()
		altered := object(t, jcs(t, derived))
		altered["proof"].(map[string]any)["proofValue"] = value
		results, err := integrity.Verify(t.Context(), c, did.Resolver{}, strictjson.NodeOf(altered), integrity.Expectation{})
		var e *integrity.Error
		if err != nil || !errors.As(results[0].Err, &e) || e.Code != integrity.ProofVerificationError {
			t.Errorf("%s: Verify = %+v, %v", name, results, err)
		}
	}
	encode := func(data []byte) string { return "u" + base64.RawURLEncoding.EncodeToString(data) }
	for i := range data {
		altered := bytes.Clone(data)
		altered[i] ^= 1
		refused("another byte", encode(altered))
	}
	refused("a byte more", encode(append(bytes.Clone(data), 0)))
	refused("a byte less", encode(data[:len(data)-1]))
	refused("the header alone", encode(data[:3]))
	refused("nothing", "u")
	refused("base58", "z"+did.EncodeBase58(data[:100]))
	refused("padding", value+"=")
	refused("a line break", value[:9]+"\n"+value[9:])
	refused("a tag", encode(append([]byte{0xd9, 0x5d, 0x01, 0xc6}, data[3:]...)))
	refused("an array without end", encode([]byte{0xd9, 0x5d, 0x01, 0x9f, 0xff}))
	refused("an array as large as the world", encode(append([]byte{0xd9, 0x5d, 0x01, 0x9b}, bytes.Repeat([]byte{0xff}, 8)...)))
	refused("a length that has a shorter form", encode(append([]byte{0xd9, 0x5d, 0x01, 0x98, 0x05}, data[4:]...)))
}

// An attacker may hold the labels and everything else: what he cannot do is make two
// things pass for one.
func TestDisclosureRefusesOneNameForTwo(t *testing.T) {
	head := append([]byte{0xd9, 0x5d, 0x01, 0x85, 0x58, 64}, make([]byte, 64)...)
	head = append(append(append(head, 0x58, 35), make([]byte, 35)...), 0x80)
	label := append([]byte{0x58, 32}, make([]byte, 32)...)
	for name, labels := range map[string][]byte{
		"one name for two":  slices.Concat([]byte{0xa2, 0}, label, []byte{1}, label),
		"two names for one": slices.Concat([]byte{0xa2, 0}, label, []byte{0}, []byte{0x58, 32}, bytes.Repeat([]byte{1}, 32)),
	} {
		if value, err := integrity.Recode("u" + base64.RawURLEncoding.EncodeToString(append(slices.Concat(head, labels), 0x80))); err == nil {
			t.Errorf("%s: %s", name, value)
		}
	}
}

// Holds that no proofValue panics, and that what is read is written again as it was;
// a foreign order of labels is mended.
func FuzzDisclosureValue(f *testing.F) {
	c := jsonld.New()
	signed := baseOf(f, c, skill, "/issuer")
	derived, err := integrity.Derive(c, signed, []string{"/name"})
	if err != nil {
		f.Fatal(err)
	}
	for _, value := range []any{signed["proof"].([]any)[0].(map[string]any)["proofValue"], derived["proof"].(map[string]any)["proofValue"]} {
		data, err := base64.RawURLEncoding.DecodeString(value.(string)[1:])
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte{0xd9, 0x5d, 0x01, 0x85, 0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, data []byte) {
		value := "u" + base64.RawURLEncoding.EncodeToString(data)
		again, err := integrity.Recode(value)
		if err != nil {
			return
		}
		if twice, err := integrity.Recode(again); err != nil || twice != again || len(again) != len(value) {
			t.Errorf("%s was written as %s, and then as %s, %v", value, again, twice, err)
		}
	})
}

// Holds that no pointer panics, that what can be derived verifies, and that it says
// nothing that the credential does not say.
func FuzzDerive(f *testing.F) {
	c := jsonld.New()
	signed := baseOf(f, c, skill, "/issuer")
	for _, pointer := range []string{"", "/name", "/credentialSubject/identifier/1/identityHash", "/credentialSubject/achievement/resultDescription/0/allowedValue", "/~0~1", "/credentialSubject//0"} {
		f.Add(pointer, "/validFrom")
	}
	f.Fuzz(func(t *testing.T, one, two string) {
		derived, err := integrity.Derive(c, signed, []string{one, two})
		var e *integrity.Error
		if err != nil {
			if !errors.As(err, &e) {
				t.Errorf("a foreign error: %v", err)
			}
			return
		}
		results, err := integrity.Verify(t.Context(), c, did.Resolver{}, strictjson.NodeOf(derived), integrity.Expectation{})
		if err != nil || results[0].Err != nil {
			t.Errorf("%q and %q: Verify = %+v, %v", one, two, results, err)
		}
		if _, err := strictjson.Parse([]byte(jcs(t, derived))); err != nil {
			t.Error(err)
		}
	})
}

func BenchmarkDisclosure(b *testing.B) {
	c := jsonld.New()
	signed := baseOf(b, c, skill, "/issuer")
	derived, err := integrity.Derive(c, signed, []string{"/credentialSubject"})
	if err != nil {
		b.Fatal(err)
	}
	by, document := p256Signer(b), object(b, skill)
	b.Run("create", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := integrity.Create(b.Context(), c, integrity.ECDSASD2023, by, document, integrity.Options{MandatoryPointers: []string{"/issuer"}}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("derive", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := integrity.Derive(c, signed, []string{"/credentialSubject"}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("verify", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if results, err := integrity.Verify(b.Context(), c, did.Resolver{}, strictjson.NodeOf(derived), integrity.Expectation{}); err != nil || results[0].Err != nil {
				b.Fatal(results, err)
			}
		}
	})
}
