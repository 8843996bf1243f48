package jsonld_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/modules/internal/jsonld"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// ways are the two ways from a document to its canonical form.
type ways struct{ both, general *jsonld.Processor }

func newWays() ways { return ways{jsonld.New(), jsonld.NewGeneral()} }

// compare takes a document both ways and reports whether the direct one went to the end, and whether the document is good.
func (w ways) compare(t testing.TB, doc map[string]any) (direct, good bool) {
	t.Helper()
	want, wantErr := w.general.Canonicalize(doc)
	got, direct := w.both.Direct(doc)
	if direct && (wantErr != nil || !bytes.Equal(got, want)) {
		text, _ := json.Marshal(doc)
		t.Fatalf("%s\nthe direct way\n%s\nthe general way: %v\n%s", text, got, wantErr, want)
	}
	got, err := w.both.Canonicalize(doc)
	if fmt.Sprint(err) != fmt.Sprint(wantErr) || !bytes.Equal(got, want) {
		text, _ := json.Marshal(doc)
		t.Fatalf("%s\nthe processor: %v\n%s\nthe general way: %v\n%s", text, err, got, wantErr, want)
	}
	// And as it is read out of a text, in the order that it has there.
	text, err := json.Marshal(doc)
	if read, readErr := strictjson.Read(text); err == nil && readErr == nil && strictjson.Equal(read, strictjson.NodeOf(doc)) {
		sum, err := w.both.DigestOf(read)
		if fmt.Sprint(err) != fmt.Sprint(wantErr) || err == nil && sum != sha256.Sum256(want) {
			t.Fatalf("%s\nas it is read: %v\nthe general way: %v\n%s", text, err, wantErr, want)
		}
	}
	return direct, wantErr == nil
}

// TestBothWaysAgreeOnRandomCredentials makes up credentials as rich as the data model allows, and mutilates every other one.
// BADGE_RANDOM_CREDENTIALS is how many; a million take some minutes.
func TestBothWaysAgreeOnRandomCredentials(t *testing.T) {
	count := 6000
	if text := os.Getenv("BADGE_RANDOM_CREDENTIALS"); text != "" {
		var err error
		if count, err = strconv.Atoi(text); err != nil {
			t.Fatalf("BADGE_RANDOM_CREDENTIALS: %v", err)
		}
	} else if testing.Short() {
		count = 1000
	}
	w := newWays()
	var whole, direct, mutilated, survived int // of the documents that are good
	for seed := range count {
		m := maker{rand.New(rand.NewPCG(uint64(seed), 7))}
		doc := m.credential()
		if seed%2 == 0 {
			straight, good := w.compare(t, doc)
			whole, direct = whole+bit(good), direct+bit(straight)
			continue
		}
		for range 1 + m.IntN(3) {
			doc = m.mutilate(doc, 0).(map[string]any)
		}
		straight, good := w.compare(t, doc)
		mutilated, survived = mutilated+bit(good), survived+bit(straight)
	}
	if direct*10 < whole*9 {
		t.Errorf("only %d of %d credentials went the direct way", direct, whole)
	}
	if survived*2 < mutilated {
		t.Errorf("only %d of %d mutilated credentials went the direct way: too few to prove anything", survived, mutilated)
	}
	t.Logf("the direct way took %d of %d credentials and %d of %d mutilated ones", direct, whole, survived, mutilated)
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// maker makes up credentials.
type maker struct{ *rand.Rand }

func (m maker) chance(n int) bool { return m.IntN(n) == 0 }

func pick[T any](m maker, of ...T) T { return of[m.IntN(len(of))] }

// may sets a member half of the time.
func may(m maker, o map[string]any, name string, value func() any) {
	if m.chance(2) {
		o[name] = value()
	}
}

func (m maker) uuid() string {
	return fmt.Sprintf("%08x-%04x-7%03x-8%03x-%012x", m.Uint32(), m.IntN(1<<16), m.IntN(1<<12), m.IntN(1<<12), m.Int64N(1<<48))
}

func (m maker) url(folder string) string {
	return "https://badges.example.org/" + folder + "/" + m.uuid()
}

func (m maker) text() any {
	if m.chance(4) {
		var b strings.Builder
		for range m.IntN(12) {
			b.WriteString(pick(m, "a", "B", " ", "\"", "\\", "\n", "\r", "\t", "\b", "\f", "\x01", "\x7f", "\u0085", "é", "e\u0301", "製", "😀", "\u2028", "<", ">", "&", "'", "/", ".", "_:a", "\u00a0", "\ufffd", "\uffff"))
		}
		return b.String()
	}
	words := []string{"sewing", "casing-in", "for", "six", "weeks", "at", "the", "bench", "of", "finishing", "books"}
	var text []string
	for range 1 + m.IntN(8) {
		text = append(text, pick(m, words...))
	}
	return strings.Join(text, " ")
}

func (m maker) date() any {
	return fmt.Sprintf("20%02d-%02d-%02dT%02d:00:00Z", m.IntN(90)+10, m.IntN(12)+1, m.IntN(28)+1, m.IntN(24))
}

func (m maker) number() any {
	return json.Number(pick(m, "0", "1", "3.5", "-2", "120", "0.1", "1e2", "53.9623", "-1.0819", "1E-2", "2.0", "-0", "9007199254740991", "1e21", "6.02e23"))
}

func (m maker) kinds(name string) any {
	switch m.IntN(8) {
	case 0:
		return name
	case 1:
		return []any{name, "https://vocab.example.org/" + name}
	}
	return []any{name}
}

// several is an array of up to n, or one alone.
func (m maker) several(n int, one func() any) any {
	items := make([]any, 1+m.IntN(n))
	for i := range items {
		items[i] = one()
	}
	if len(items) == 1 && m.chance(4) {
		return items[0]
	}
	return items
}

func (m maker) image() any {
	o := map[string]any{"id": m.url("images") + ".png", "type": "Image"}
	may(m, o, "caption", m.text)
	return o
}

func (m maker) identifier() any {
	return map[string]any{"type": "IdentifierEntry", "identifier": m.uuid(), "identifierType": pick(m, "sourcedId", "lisSourcedId", "ext:own")}
}

func (m maker) alignment() any {
	o := map[string]any{"type": m.kinds("Alignment"), "targetName": m.text(), "targetUrl": m.url("skills")}
	for _, name := range []string{"targetCode", "targetDescription", "targetFramework", "targetType"} {
		may(m, o, name, m.text)
	}
	return o
}

func (m maker) profile(depth int) any {
	o := map[string]any{"id": m.url("issuers"), "type": m.kinds("Profile")}
	if m.chance(5) {
		o["id"] = "https://badges.example.org/issuers/1" // the same one in several places
	}
	for _, name := range []string{"name", "phone", "description", "email", "official", "familyName", "givenName", "additionalName", "honorificPrefix"} {
		if m.chance(3) {
			o[name] = m.text()
		}
	}
	if m.chance(3) {
		o["url"] = m.url("sites")
	}
	if m.chance(4) {
		o["image"] = m.image()
	}
	if m.chance(4) {
		o["otherIdentifier"] = m.several(3, m.identifier)
	}
	if m.chance(4) {
		address := map[string]any{"type": m.kinds("Address")}
		for _, name := range []string{"addressCountry", "addressCountryCode", "addressRegion", "addressLocality", "streetAddress", "postOfficeBoxNumber", "postalCode"} {
			may(m, address, name, m.text)
		}
		may(m, address, "geo", func() any {
			return map[string]any{"type": "GeoCoordinates", "latitude": m.number(), "longitude": m.number()}
		})
		o["address"] = address
	}
	if depth > 0 && m.chance(5) {
		o["parentOrg"] = m.profile(depth - 1)
	}
	if depth > 0 && m.chance(8) {
		o["endorsement"] = m.several(2, m.endorsement)
	}
	return o
}

func (m maker) criteria() any {
	o := map[string]any{}
	may(m, o, "id", func() any { return m.url("criteria") })
	o["narrative"] = m.text()
	return o
}

func (m maker) achievement() any {
	o := map[string]any{"id": m.url("achievements"), "type": m.kinds("Achievement"), "name": m.text(), "description": m.text(), "criteria": m.criteria()}
	for _, name := range []string{"achievementType", "fieldOfStudy", "humanCode", "inLanguage", "specialization", "version"} {
		if m.chance(3) {
			o[name] = m.text()
		}
	}
	if m.chance(3) {
		o["creditsAvailable"] = m.number()
	}
	may(m, o, "image", m.image)
	may(m, o, "alignment", func() any { return m.several(4, m.alignment) })
	may(m, o, "tag", func() any { return m.several(4, m.text) })
	if m.chance(4) {
		o["creator"] = m.profile(0)
	}
	if m.chance(4) {
		o["otherIdentifier"] = m.several(3, m.identifier)
	}
	if m.chance(4) {
		o["related"] = m.several(2, func() any {
			return map[string]any{"id": m.url("achievements"), "type": m.kinds("Related"), "inLanguage": "fr", "version": m.text()}
		})
	}
	if m.chance(3) {
		o["resultDescription"] = m.several(3, m.resultDescription)
	}
	if m.chance(8) {
		o["endorsement"] = m.several(2, m.endorsement)
	}
	return o
}

func (m maker) resultDescription() any {
	o := map[string]any{"id": "urn:uuid:" + m.uuid(), "type": m.kinds("ResultDescription"), "name": m.text(), "resultType": pick(m, "LetterGrade", "Percent", "Status")}
	may(m, o, "allowedValue", func() any { return m.several(5, func() any { return m.uuid()[:2] }) })
	may(m, o, "requiredValue", m.text)
	may(m, o, "rubricCriterionLevel", func() any {
		return m.several(3, func() any {
			level := map[string]any{"id": "urn:uuid:" + m.uuid(), "type": m.kinds("RubricCriterionLevel"), "name": m.text()}
			may(m, level, "points", m.text)
			may(m, level, "alignment", func() any { return m.several(2, m.alignment) })
			return level
		})
	})
	return o
}

func (m maker) result() any {
	o := map[string]any{"type": m.kinds("Result"), "value": m.uuid()[:4]}
	may(m, o, "resultDescription", func() any { return "urn:uuid:" + m.uuid() })
	may(m, o, "status", func() any { return pick(m, "Completed", "Failed") })
	if m.chance(3) {
		o["achievedLevel"] = "urn:uuid:" + m.uuid()
	}
	if m.chance(4) {
		o["alignment"] = m.several(2, m.alignment)
	}
	return o
}

func (m maker) proof() any {
	return map[string]any{"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022", "created": m.date(), "proofPurpose": "assertionMethod",
		"verificationMethod": m.url("issuers") + "#key", "proofValue": "z" + m.uuid()}
}

func (m maker) endorsement() any {
	o := map[string]any{"id": m.url("endorsements"), "type": []any{"VerifiableCredential", "EndorsementCredential"}, "name": m.text(),
		"issuer": m.profile(0), "validFrom": m.date(), "credentialSubject": map[string]any{"id": m.url("achievements"), "type": m.kinds("EndorsementSubject"), "endorsementComment": m.text()}}
	may(m, o, "@context", func() any {
		return []any{"https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"}
	})
	may(m, o, "proof", func() any { return m.several(2, m.proof) })
	return o
}

func (m maker) credential() map[string]any {
	o := map[string]any{
		"@context": []any{"https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"},
		"id":       m.url("credentials"), "type": []any{"VerifiableCredential", pick(m, "AchievementCredential", "OpenBadgeCredential")},
		"issuer": m.profile(1), "validFrom": m.date(), "name": m.text(),
	}
	if m.chance(4) {
		o["@context"] = append(o["@context"].([]any), "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json")
		may(m, o, "refreshService", func() any { return map[string]any{"id": m.url("refresh"), "type": "1EdTechCredentialRefresh"} })
		may(m, o, "credentialSchema", func() any {
			return []any{map[string]any{"id": m.url("schema"), "type": "1EdTechJsonSchemaValidator2019"}}
		})
	}
	if m.chance(20) {
		o["issuer"] = m.url("issuers")
	}
	may(m, o, "description", m.text)
	may(m, o, "validUntil", m.date)
	may(m, o, "awardedDate", m.date)
	if m.chance(3) {
		o["image"] = m.image()
	}
	if m.chance(3) {
		o["credentialStatus"] = map[string]any{"id": m.url("status") + "#7", "type": "BitstringStatusListEntry", "statusPurpose": "revocation",
			"statusListIndex": strconv.Itoa(m.IntN(131072)), "statusListCredential": m.url("status"), "statusSize": json.Number("1")}
	}
	if m.chance(3) {
		o["evidence"] = m.several(3, func() any {
			e := map[string]any{"type": m.kinds("Evidence"), "narrative": m.text(), "name": m.uuid()}
			may(m, e, "id", func() any { return m.url("evidence") })
			return e
		})
	}
	if m.chance(6) {
		o["termsOfUse"] = m.several(2, func() any { return map[string]any{"id": m.url("terms"), "type": "https://example.org/Terms"} })
	}
	if m.chance(6) {
		o["endorsement"] = m.several(2, m.endorsement)
	}
	if m.chance(8) {
		o["endorsementJwt"] = []any{"e30.e30.AA"}
	}
	s := map[string]any{"type": m.kinds("AchievementSubject"), "achievement": m.achievement()}
	may(m, s, "id", func() any { return pick(m, "did:example:alice", "mailto:ada@example.org", "urn:uuid:"+m.uuid()) })
	may(m, s, "identifier", func() any {
		return m.several(3, func() any {
			return map[string]any{"type": "IdentityObject", "hashed": m.chance(2), "identityHash": "sha256$" + m.uuid(), "identityType": "emailAddress", "salt": m.uuid()}
		})
	})
	for _, name := range []string{"licenseNumber", "narrative", "role", "term"} {
		if m.chance(4) {
			s[name] = m.text()
		}
	}
	if m.chance(4) {
		s["creditsEarned"] = m.number()
	}
	if m.chance(3) {
		s["activityStartDate"] = m.date()
	}
	if m.chance(3) {
		s["result"] = m.several(3, m.result)
	}
	if m.chance(5) {
		s["source"] = m.profile(0)
	}
	o["credentialSubject"] = s
	return o
}

// hostile are values of the kinds that a canonical form could be talked out of.
func (m maker) hostile() any {
	return pick[any](m, nil, true, json.Number("1e400"), json.Number("1.0"), json.Number("-0.0"), json.Number("9007199254740993"), json.Number("0.0000001"), "", " ", "relative", "./x", "#x",
		"_:b0", "@id", "@type", "id", "type", "https://exa mple.org/", "https://example.org/\u00e9", "https://example.org/e\u0301", "https://example.org/%zz", "mailto:a@b", "xsd:date", "http:x", "sec:proof", "//example.org",
		"\u0000", "\xff", "z\\/z", []any{}, []any{[]any{"x"}}, []any{nil}, map[string]any{}, map[string]any{"@value": "x"}, map[string]any{"@value": "x", "@language": "en"},
		map[string]any{"@value": "1", "@type": "http://www.w3.org/2001/XMLSchema#integer"}, map[string]any{"@list": []any{"a", "b"}}, map[string]any{"@set": []any{"a"}},
		map[string]any{"@id": "urn:x"}, map[string]any{"id": "urn:x"}, map[string]any{"id": "urn:x", "@id": "urn:y"}, map[string]any{"id": "id"}, map[string]any{"@type": "Profile"}, map[string]any{"@graph": []any{}},
		map[string]any{"en": "x", "de": "y"}, map[string]any{"type": []any{}}, map[string]any{"type": "Unknown"}, map[string]any{"type": []any{"Achievement", "Profile", "AchievementSubject"}},
		map[string]any{"@context": nil, "id": "urn:x"}, map[string]any{"@context": []any{}, "name": "x"}, map[string]any{"@context": map[string]any{"name": "urn:n"}, "name": "x"},
		map[string]any{"@context": "https://www.w3.org/ns/did/v1", "id": "did:example:1"}, map[string]any{"@reverse": map[string]any{}}, map[string]any{"@index": "x"},
		"Achievement", "assertionMethod", "authentication", float64(1.5), 7)
}

func (m maker) names() string {
	return pick(m, "name", "id", "type", "description", "image", "proof", "endorsement", "@id", "@type", "@graph", "@value", "@context", "@foo", "https://example.org/p", "sec:p", "unknown", "", "achievement", "identifier",
		"tag", "allowedValue", "criteria", "credentialSubject", "issuer", "verifiableCredential", "proofPurpose", "xsd", "creator", "statusMessage", "nonce", "cnf", "kid", "_sd")
}

// mutilate changes one thing somewhere in a document; the document itself stays as it is.
func (m maker) mutilate(v any, depth int) any {
	switch v := v.(type) {
	case map[string]any:
		out := maps.Clone(v)
		names := slices.Sorted(maps.Keys(out))
		if len(names) == 0 {
			return m.hostile()
		}
		name := pick(m, names...)
		if depth == 0 || m.chance(3) {
			name = pick(m, names...)
			if _, deep := out[name].(string); !deep || m.chance(2) {
				out[name] = m.mutilate(out[name], depth+1)
				return out
			}
		}
		switch m.IntN(7) {
		case 0:
			delete(out, name)
		case 1:
			out[name] = m.hostile()
		case 2:
			out[m.names()] = m.hostile()
		case 3:
			out[m.names()] = out[name]
		case 4:
			out[m.names()] = out[name]
			delete(out, name)
		case 5:
			out[name] = []any{out[name], out[pick(m, names...)]}
		default:
			out[name] = m.mutilate(out[name], depth+1)
		}
		return out
	case []any:
		out := slices.Clone(v)
		if len(out) == 0 {
			return m.hostile()
		}
		i := m.IntN(len(out))
		switch m.IntN(5) {
		case 0:
			return append(out, out[i])
		case 1:
			return slices.Delete(out, i, i+1)
		case 2:
			out[i] = m.hostile()
		case 3:
			slices.Reverse(out)
		default:
			out[i] = m.mutilate(out[i], depth+1)
		}
		return out
	}
	return m.hostile()
}

// FuzzBothWays takes any JSON object both ways.
func FuzzBothWays(f *testing.F) {
	f.Add([]byte(teamwork))
	f.Add([]byte(teamworkProof))
	f.Add([]byte(alumni))
	f.Add(read(f, "testdata", "full.json"))
	for seed := range 20 {
		m := maker{rand.New(rand.NewPCG(uint64(seed), 11))}
		text, err := json.Marshal(m.credential())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	w := newWays()
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := strictjson.Parse(text)
		if doc, ok := v.(map[string]any); err == nil && ok {
			w.compare(t, doc)
		}
	})
}

// badge is a credential with members of its own, and its subject's.
func badge(members, subject string) string {
	return `{"@context":["https://www.w3.org/ns/credentials/v2","https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],
	 "id":"https://example.org/credentials/1","type":["VerifiableCredential","AchievementCredential"],"name":"Bookbinding",` + members + `
	 "issuer":{"id":"https://example.org/issuers/1","type":["Profile"],"name":"Guild"},"validFrom":"2025-03-01T10:00:00Z",
	 "credentialSubject":{` + subject + `"type":["AchievementSubject"],"achievement":{"id":"https://example.org/achievements/1","type":["Achievement"],
	  "name":"Bookbinding","description":"Six weeks","criteria":{"narrative":"Bind three books."}}}}`
}

// TestTheDirectWayIsNotTalkedIntoOtherBytes goes through what canonical forms have been confused by elsewhere.
func TestTheDirectWayIsNotTalkedIntoOtherBytes(t *testing.T) {
	plain := badge("", "")
	for name, row := range map[string]struct {
		text   string
		direct bool   // the direct way takes it
		code   string // or it is refused
		line   string // that the canonical form contains
	}{
		"a plain badge":                      {text: plain, direct: true},
		"an escaped solidus":                 {text: badge(`"description":"a\/b",`, ""), direct: true, line: `"a/b"`},
		"an escaped letter in a name":        {text: badge(`"descri\u0070tion":"x",`, ""), direct: true, line: `description> "x"`},
		"a composed letter":                  {text: badge(`"description":"\u00e9",`, ""), direct: true, line: "\"\u00e9\""},
		"a decomposed letter":                {text: badge(`"description":"e\u0301",`, ""), direct: true, line: "\"e\u0301\""},
		"a composed letter in an id":         {text: badge("", "\"id\":\"https://example.org/\u00e9\","), direct: true, line: "<https://example.org/\u00e9>"},
		"a decomposed letter in an id":       {text: badge("", "\"id\":\"https://example.org/e\u0301\","), direct: true, line: "<https://example.org/e\u0301>"},
		"a pair of surrogates":               {text: badge(`"description":"\ud83d\ude00",`, ""), direct: true, line: "\"😀\""},
		"control characters":                 {text: badge(`"description":"\u0001\b\t\n\f\r\u007f\"\\",`, ""), direct: true, line: `"\u0001\b\t\n\f\r\u007F\"\\"`},
		"an integer":                         {text: badge("", `"creditsEarned":7,`), direct: true, line: `"7"^^<https://www.w3.org/2001/XMLSchema#float>`},
		"an integer with a fraction of 0":    {text: badge("", `"creditsEarned":7.0,`), direct: true, line: `"7"^^`},
		"an integer with an exponent":        {text: badge("", `"creditsEarned":0.7e1,`), direct: true, line: `"7"^^`},
		"negative zero":                      {text: badge("", `"creditsEarned":-0,`), direct: true, line: `"0"^^`},
		"a fraction":                         {text: badge("", `"creditsEarned":3.50,`), direct: true, line: `"3.5E0"^^`},
		"a number beyond every double":       {text: badge("", `"creditsEarned":1e999,`), code: jsonld.CodeInvalid},
		"an integer that is not exact":       {text: badge("", `"creditsEarned":9007199254740993,`), code: jsonld.CodeInvalid},
		"a number between two of 16 digits":  {text: badge("", `"creditsEarned":2251799813685248.5,`), code: jsonld.CodeInvalid},
		"one that both round up":             {text: badge("", `"creditsEarned":2251799813685249.5,`), direct: true, line: `"2.25179981368525E15"`},
		"one of 17 digits":                   {text: badge("", `"creditsEarned":0.30000000000000004,`), direct: true, line: `"3.0E-1"`},
		"so small a number":                  {text: badge("", `"creditsEarned":1e-7,`), code: jsonld.CodeInvalid},
		"a number in place of a text":        {text: badge(`"description":7,`, ""), direct: true, line: `"7"^^<http://www.w3.org/2001/XMLSchema#integer>`},
		"a boolean in place of a text":       {text: badge(`"description":true,`, ""), direct: true, line: `"true"^^<http://www.w3.org/2001/XMLSchema#boolean>`},
		"a member that looks like an IRI":    {text: badge(`"https://example.org/p":"x",`, ""), line: `<https://example.org/p> "x"`},
		"a member that looks compact":        {text: badge(`"schema:name":"x",`, ""), line: `<schema:name> "x"`},
		"a member that looks like a keyword": {text: badge(`"@foo":"x",`, ""), code: jsonld.CodeUndefinedTerm},
		"a keyword beside its alias":         {text: badge(`"@id":"https://example.org/2",`, ""), code: jsonld.CodeInvalid},
		"a type by keyword and by alias":     {text: badge(`"@type":"https://example.org/T",`, "")},
		"a type that looks like a keyword":   {text: strings.Replace(plain, `["Profile"]`, `["@json"]`, 1), code: jsonld.CodeUndefinedType},
		"a type that is an alias":            {text: strings.Replace(plain, `["Profile"]`, `["Profile","id"]`, 1), code: jsonld.CodeUndefinedType},
		"a type that is an IRI":              {text: strings.Replace(plain, `["Profile"]`, `["Profile","https://example.org/T"]`, 1), direct: true, line: "<https://example.org/T>"},
		"a type twice":                       {text: strings.Replace(plain, `["Profile"]`, `["Profile","Profile"]`, 1), direct: true},
		"a type twice without an id":         {text: strings.Replace(plain, `["AchievementSubject"]`, `["AchievementSubject","AchievementSubject"]`, 1)},
		"types in another order":             {text: strings.Replace(plain, `["VerifiableCredential","AchievementCredential"]`, `["AchievementCredential","VerifiableCredential"]`, 1), direct: true},
		"an empty name":                      {text: badge(`"":"x",`, ""), code: jsonld.CodeUndefinedTerm},
		"a name in other letters":            {text: badge(`"Description":"x",`, ""), code: jsonld.CodeUndefinedTerm},
		"an empty array":                     {text: badge(`"evidence":[],`, "")},
		"null":                               {text: badge(`"description":null,`, ""), code: jsonld.CodeDropped},
		"null in an array":                   {text: badge(`"evidence":[null],`, ""), code: jsonld.CodeDropped},
		"nested arrays":                      {text: badge(`"description":[["x"],["y"]],`, "")},
		"a set":                              {text: badge(`"description":{"@set":["x","y"]},`, "")},
		"a set in a set":                     {text: badge(`"description":{"@set":[{"@set":["x"]}]},`, "")},
		"a list":                             {text: badge(`"description":{"@list":["x","y"]},`, "")},
		"a list in a list":                   {text: badge(`"description":{"@list":[["x"]]},`, ""), code: jsonld.CodeUnsupported},
		"a language map":                     {text: badge(`"description":{"en":"x","fr":"y"},`, ""), code: jsonld.CodeUndefinedTerm},
		"a text in a language":               {text: badge(`"description":{"@value":"x","@language":"EN"},`, ""), line: `"x"@en`},
		"a typed value":                      {text: badge(`"description":{"@value":"x","@type":"https://example.org/T"},`, ""), line: `"x"^^<https://example.org/T>`},
		"a relative id":                      {text: badge("", `"id":"../1",`), code: jsonld.CodeRelativeIRI},
		"a relative id of a network path":    {text: badge("", `"id":"//example.org/1",`), code: jsonld.CodeRelativeIRI},
		"an empty id":                        {text: badge("", `"id":"",`), code: jsonld.CodeRelativeIRI},
		"an id with a space":                 {text: badge("", `"id":"https://example.org/a b",`), code: jsonld.CodeInvalidIRI},
		"an id with half a triplet":          {text: badge("", `"id":"https://example.org/%f",`), code: jsonld.CodeInvalidIRI},
		"an id with two fragments":           {text: badge("", `"id":"https://example.org/#a#b",`), code: jsonld.CodeInvalidIRI},
		"an id that is a keyword":            {text: badge("", `"id":"@type",`), code: jsonld.CodeRelativeIRI},
		"an id that is an alias":             {text: badge("", `"id":"type",`), code: jsonld.CodeRelativeIRI},
		"an id that is a number":             {text: badge("", `"id":7,`), code: jsonld.CodeInvalid},
		"an id that is an array":             {text: badge("", `"id":["urn:x"],`), code: jsonld.CodeInvalid},
		"a blank node's label as id":         {text: badge("", `"id":"_:c14n0",`)},
		"an inline context":                  {text: strings.Replace(plain, `"https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"]`, `"https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",{"extra":"https://example.org/extra"}]`, 1)},
		"an inline context that redefines":   {text: strings.Replace(plain, `"https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"]`, `"https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",{"name":"https://example.org/name"}]`, 1), code: jsonld.CodeProtectedTerm},
		"a foreign context":                  {text: strings.Replace(plain, "context-3.0.3.json", "context-9.json", 1), code: jsonld.CodeUnknownContext},
		"the contexts in another order":      {text: strings.Replace(plain, `["https://www.w3.org/ns/credentials/v2","https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"]`, `["https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json","https://www.w3.org/ns/credentials/v2"]`, 1), direct: true},
		"a context twice":                    {text: strings.Replace(plain, `["https://www.w3.org/ns/credentials/v2",`, `["https://www.w3.org/ns/credentials/v2","https://www.w3.org/ns/credentials/v2",`, 1), direct: true},
		"a context that is null":             {text: strings.Replace(plain, `["https://www.w3.org/ns/credentials/v2",`, `[null,"https://www.w3.org/ns/credentials/v2",`, 1)},
		"two that are alike":                 {text: badge(`"evidence":[{"type":["Evidence"],"narrative":"x"},{"type":["Evidence"],"narrative":"x"}],`, "")},
		"two texts that are alike":           {text: badge(`"description":["x","x"],`, ""), direct: true},
		"two that only others tell apart":    {text: badge("", `"result":[{"type":["Result"],"alignment":[{"type":["Alignment"],"targetName":"x"}]},{"type":["Result"],"alignment":[{"type":["Alignment"],"targetName":"y"}]}],`)},
		"nesting beyond the direct way":      {text: badge("", strings.Repeat(`"source":{`, 40)+`"name":"x"`+strings.Repeat("}", 40)+","), code: jsonld.CodeUndefinedTerm},
	} {
		t.Run(name, func(t *testing.T) {
			w, doc := newWays(), parse(t, row.text)
			if direct, _ := w.compare(t, doc); direct != row.direct {
				t.Errorf("the direct way took it: %t, want %t", direct, row.direct)
			}
			got, err := w.both.Canonicalize(doc)
			var refused *jsonld.Error
			if errors.As(err, &refused); refused == nil && row.code != "" || refused != nil && refused.Code != row.code {
				t.Errorf("it was refused: %v, want the code %q", err, row.code)
			}
			if refused == nil && !strings.Contains(string(got), row.line) {
				t.Errorf("%s is missing in\n%s", row.line, got)
			}
		})
	}
	for name, text := range map[string]string{
		"a name twice":          badge(`"description":"x","description":"x",`, ""),
		"a name twice, escaped": badge(`"description":"x","descri\u0070tion":"y",`, ""),
		"half a surrogate pair": badge(`"description":"\ud83d",`, ""),
	} {
		if _, err := strictjson.Parse([]byte(text)); err == nil {
			t.Errorf("%s: it is read, and would be signed", name)
		}
	}
}

// TestPoisonEndsBothWays links blank nodes so that telling them apart would take for ever.
func TestPoisonEndsBothWays(t *testing.T) {
	var graph []any
	for i := range 40 {
		node := map[string]any{"id": fmt.Sprint("_:n", i)}
		var others []any
		for j := range 40 {
			if i != j {
				others = append(others, map[string]any{"id": fmt.Sprint("_:n", j)})
			}
		}
		node["urn:knows"] = others
		graph = append(graph, node)
	}
	linked := map[string]any{"@context": "https://www.w3.org/ns/credentials/v2", "@graph": graph}
	var alike []any
	for range 9 {
		alike = append(alike, map[string]any{"type": "Result", "alignment": map[string]any{"type": "Alignment"}})
	}
	tree := parse(t, badge("", `"term":"x",`))
	tree["credentialSubject"].(map[string]any)["result"] = alike
	w := newWays()
	if direct, good := w.compare(t, linked); direct || good {
		t.Errorf("forty nodes that know each other: direct %t, good %t", direct, good)
	}
	if _, err := w.both.Canonicalize(linked); !errors.Is(err, jsonld.ErrWorkLimit) {
		t.Errorf("err = %v, want ErrWorkLimit", err)
	}
	if direct, _ := w.compare(t, tree); direct {
		t.Error("the direct way tells apart what is alike")
	}
}

// TestAConstantIsTheSameInEveryDocument puts one object into documents that say the same as it elsewhere, more, or nothing.
func TestAConstantIsTheSameInEveryDocument(t *testing.T) {
	plain, again := badge("", ""), badge("", `"source":{"id":"https://example.org/issuers/1","type":["Profile"],"name":"Guild"},`)
	more := badge(`"evidence":[{"type":["Evidence"],"name":"x"},{"type":["Evidence"],"name":"y"}],`, `"source":{"id":"https://example.org/issuers/1","type":["Profile"],"name":"Guild","url":"https://example.org/"},`)
	general := jsonld.NewGeneral()
	for _, texts := range [][]string{{plain, again, more, plain}, {again, plain, more, again}, {more, plain, again}} {
		p := jsonld.New()
		first := strictjson.NodeOf(parse(t, texts[0]))
		issuer, achievement := first.Get("issuer"), first.Get("credentialSubject").Get("achievement")
		known := jsonld.NewConstants(issuer, achievement)
		for i, text := range texts {
			doc := strictjson.NodeOf(parse(t, text))
			subject := doc.Get("credentialSubject").Altered([]string{"achievement"}, achievement).As("credentialSubject")
			doc = doc.Altered([]string{"issuer", "credentialSubject"}, issuer, subject)
			want, err := general.Canonicalize(doc.Map())
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.DigestKnowing(doc, known)
			if err != nil || got != sha256.Sum256(want) {
				t.Errorf("document %d is another one: %v", i, err)
			}
		}
	}
}

// TestConstantsAreTheSameInRandomDocuments puts issuer and achievement of one made up credential into others. What is
// remembered of how canonical forms begin must fit each of them.
func TestConstantsAreTheSameInRandomDocuments(t *testing.T) {
	general, p := jsonld.NewGeneral(), jsonld.New()
	good := 0
	for seed := range 150 {
		m := maker{rand.New(rand.NewPCG(uint64(seed), 13))}
		model := strictjson.NodeOf(m.credential())
		issuer, achievement := model.Get("issuer"), model.Get("credentialSubject").Get("achievement")
		if !issuer.Is(strictjson.Object) || !achievement.Is(strictjson.Object) {
			continue
		}
		known := jsonld.NewConstants(issuer, achievement)
		for range 12 {
			doc := strictjson.NodeOf(m.credential())
			subject := doc.Get("credentialSubject").Altered([]string{"achievement"}, achievement).As("credentialSubject")
			doc = doc.Altered([]string{"issuer", "credentialSubject"}, issuer, subject)
			if m.chance(2) { // so that some begin alike
				doc = doc.Altered([]string{"id", "evidence"}, strictjson.NewString("id", "urn:uuid:"+m.uuid()))
			}
			want, wantErr := general.Canonicalize(doc.Map())
			got, err := p.DigestKnowing(doc, known)
			if fmt.Sprint(err) != fmt.Sprint(wantErr) || err == nil && got != sha256.Sum256(want) {
				text, _ := json.Marshal(doc.Value())
				t.Fatalf("%s\nis another document: %v, want %v", text, err, wantErr)
			}
			good += bit(err == nil)
		}
	}
	if good < 500 {
		t.Errorf("only %d documents are good", good)
	}
}
