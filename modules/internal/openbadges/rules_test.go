package openbadges_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// An edit puts a JSON text, or nothing, at a place of the full badge.
type edit struct{ pointer, json string }

func broken(t *testing.T, edits []edit) map[string]any {
	t.Helper()
	doc := document(t, full())
	for _, e := range edits {
		if e.json == "" {
			set(t, doc, e.pointer, remove{})
			continue
		}
		set(t, doc, e.pointer, decode(t, e.json))
	}
	return doc
}

func TestBadgesKeepToTheRules(t *testing.T) {
	for name, credential := range map[string]openbadges.AchievementCredential{"the simple badge": simple(), "the full badge": full()} {
		for _, s := range []openbadges.Strictness{openbadges.Issuing, openbadges.Reading} {
			if found := openbadges.CheckCredential(document(t, credential), s); len(found) != 0 {
				t.Errorf("%s, strictness %d:%s", name, s, show(found))
			}
		}
	}
}

const (
	subject     = "/credentialSubject"
	achievement = subject + "/achievement"
	described   = achievement + "/resultDescription/0"
	status      = "/credentialStatus"
)

// TestNothingIsMissedAtFirstSight puts odd values everywhere: what the quiet look lets pass, the one in order must let pass.
func TestNothingIsMissedAtFirstSight(t *testing.T) {
	var all []string
	places("", document(t, full()), &all)
	if len(all) < 100 {
		t.Fatalf("there are only %d places", len(all))
	}
	for _, place := range all {
		for _, odd := range []string{"", `null`, `[]`, `{}`, `""`, `" "`, `"x"`, `7`, `true`, `["x"]`, `[null]`, `[{}]`, `"https://example.org/é"`, `"2025-01-01T00:00:00.5Z"`} {
			doc := strictjson.NodeOf(broken(t, []edit{{place, odd}}))
			if doc == nil { // an item cannot be left out of an array
				continue
			}
			for _, s := range []openbadges.Strictness{openbadges.Issuing, openbadges.Reading} {
				if got, want := openbadges.CheckCredentialOf(doc, s), openbadges.CheckLoudly(doc, s); !slices.Equal(got, want) {
					t.Errorf("%s at %s:%s\nwant:%s", odd, place, show(got), show(want))
				}
			}
		}
	}
}

// Each row breaks one rule of the full badge, and that rule alone.
func TestIssuingRefuses(t *testing.T) {
	for _, row := range []struct {
		name  string
		edits []edit
		at    string // default: the place of the first edit
		rule  string
	}{
		{"no contexts", []edit{{"/@context", ""}, {"/refreshService", ""}, {"/credentialSchema", ""}}, "", "OB 3.0, AchievementCredential: @context is required"},
		{"a context that is no array", []edit{{"/@context", `"https://www.w3.org/ns/credentials/v2"`}, {"/refreshService", ""}, {"/credentialSchema", ""}}, "", "OB 3.0, AchievementCredential: @context is an array"},
		{"contexts of VC Data Model 1.1", []edit{{"/@context/0", `"https://www.w3.org/2018/credentials/v1"`}, {"/issuanceDate", `"2025-01-01T00:00:00Z"`}}, "/@context/0", "OB 3.0, JSON-LD contexts: the first is"},
		{"an older badges context", []edit{{"/@context/1", `"https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json"`}}, "", "OB 3.0, JSON-LD contexts: the first is"},
		{"a context that is a number", []edit{{"/@context/2", `7`}, {"/refreshService", ""}, {"/credentialSchema", ""}}, "", "VC Data Model 2.0, Contexts: each context is a URL or an object"},
		{"a context that is null", []edit{{"/@context/2", `null`}, {"/refreshService", ""}, {"/credentialSchema", ""}}, "", "VC Data Model 2.0, Contexts: each context is a URL or an object"},
		{"a context with a space", []edit{{"/@context/2", `"https ://example.org"`}, {"/refreshService", ""}, {"/credentialSchema", ""}}, "", "VC Data Model 2.0, Contexts: each context is a URL or an object"},
		{"a context twice", []edit{{"/@context/2", `"https://www.w3.org/ns/credentials/v2"`}, {"/refreshService", ""}, {"/credentialSchema", ""}}, "", "VC Data Model 2.0, Contexts: the contexts are an ordered set"},
		{"a type of 1EdTech without its context", []edit{{"/@context", `["https://www.w3.org/ns/credentials/v2","https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"]`}, {"/refreshService", ""}}, "/credentialSchema/0/type", "OB 3.0, JSON-LD contexts: types that begin with 1EdTech"},
		{"no id", []edit{{"/id", ""}}, "", "OB 3.0, AchievementCredential: id is required"},
		{"an empty id", []edit{{"/id", `""`}}, "", "OB 3.0, AchievementCredential: id is required"},
		{"a relative id", []edit{{"/id", `"/credentials/1"`}}, "", "OB 3.0, AchievementCredential: id is an absolute URI"},
		{"an id with a space", []edit{{"/id", `"https://example.org/a b"`}}, "", "OB 3.0, AchievementCredential: id is an absolute URI"},
		{"an id beyond ASCII", []edit{{"/id", `"https://example.org/straße"`}}, "", "OB 3.0, AchievementCredential: id is an absolute URI"},
		{"an id without a host", []edit{{"/id", `"https:///path"`}}, "", "OB 3.0, AchievementCredential: id is an absolute URI"},
		{"an id that is an array", []edit{{"/id", `["urn:a:b"]`}}, "", "OB 3.0, AchievementCredential: id is an absolute URI"},
		{"a type that is a string", []edit{{"/type", `"OpenBadgeCredential"`}}, "", "OB 3.0, AchievementCredential: type is an array"},
		{"a type without VerifiableCredential", []edit{{"/type", `["OpenBadgeCredential"]`}}, "", "OB 3.0, AchievementCredential: type contains VerifiableCredential"},
		{"a type without OpenBadgeCredential", []edit{{"/type", `["VerifiableCredential"]`}}, "", "OB 3.0, AchievementCredential: type contains OpenBadgeCredential or AchievementCredential"},
		{"a type twice", []edit{{"/type", `["VerifiableCredential","OpenBadgeCredential","OpenBadgeCredential"]`}}, "/type/2", "OB 3.0, AchievementCredential: type names each type once"},
		{"a type that is no name", []edit{{"/type", `["VerifiableCredential","OpenBadgeCredential",{}]`}}, "/type/2", "OB 3.0, AchievementCredential: type holds names of types"},
		{"a name that is a language map", []edit{{"/name", `{"en":"Badge"}`}}, "", "OB 3.0, AchievementCredential: name is a string"},
		{"no validFrom", []edit{{"/validFrom", ""}}, "", "OB 3.0, AchievementCredential: validFrom is required"},
		{"a date without a zone", []edit{{"/validFrom", `"2025-01-01T00:00:00"`}}, "", "OB 3.0, AchievementCredential: validFrom is a date-time with zone"},
		{"a date with fractions of a second", []edit{{"/validFrom", `"2025-01-01T00:00:00.5Z"`}}, "", "OB 3.0, AchievementCredential: validFrom is a date-time with zone"},
		{"a date that does not exist", []edit{{"/awardedDate", `"2025-02-30T00:00:00Z"`}}, "", "OB 3.0, AchievementCredential: awardedDate is a date-time with zone"},
		{"validUntil before validFrom", []edit{{"/validUntil", `"2024-12-31T00:00:00Z"`}}, "", "VC Data Model 2.0, Validity Period: validUntil is after validFrom"},
		{"validUntil at validFrom", []edit{{"/validUntil", `"2025-01-01T01:00:00+01:00"`}}, "", "VC Data Model 2.0, Validity Period: validUntil is after validFrom"},
		{"issuanceDate in a v2 document", []edit{{"/issuanceDate", `"2025-01-01T00:00:00Z"`}}, "", "VC Data Model 2.0, Validity Period: validFrom takes the place of issuanceDate"},
		{"expirationDate in a v2 document", []edit{{"/expirationDate", `"2035-01-01T00:00:00Z"`}}, "", "VC Data Model 2.0, Validity Period: validUntil takes the place of expirationDate"},
		{"an issuer that is a URI", []edit{{"/issuer", `"https://badges.example.org/issuer"`}, {"/proof", ""}}, "", "OB 3.0, AchievementCredential: issuer is an object of class Profile"},
		{"an issuer without a type", []edit{{"/issuer/type", ""}}, "", "OB 3.0, Profile: type is required"},
		{"an issuer of another type", []edit{{"/issuer/type", `["Person"]`}}, "", "OB 3.0, Profile: type contains Profile"},
		{"a creator that is a URI", []edit{{achievement + "/creator", `"https://example.org"`}}, "", "OB 3.0, Achievement: creator is an object of class Profile"},
		{"a source of another type", []edit{{subject + "/source/type", `["Person"]`}}, "", "OB 3.0, Profile: type contains Profile"},
		{"a picture that is a URL", []edit{{"/image", `"https://example.org/a.png"`}}, "", "OB 3.0, AchievementCredential: image is an object of class Image"},
		{"a picture whose type is an array", []edit{{"/image/type", `["Image"]`}}, "", "OB 3.0, Image: type is a string"},
		{"a picture of another type", []edit{{"/image/type", `"Picture"`}}, "", `OB 3.0, Image: type is "Image"`},
		{"a picture at a file path", []edit{{"/image/id", `"file:///tmp/a.png"`}}, "", "OB 3.0, Image: id is the URL of a picture"},
		{"a picture that is text", []edit{{"/image/id", `"data:text/plain,hello"`}}, "", "OB 3.0, Image: id is the URL of a picture"},
		{"a picture with a member of its own", []edit{{"/image/width", `"10"`}}, "", "OB 3.0, Image: no other members are allowed"},
		{"an array for the subject", []edit{{"/credentialSubject", `[]`}}, "", "OB 3.0, JSON serialization: nulls and empty arrays are omitted"},
		{"a subject that nobody is", []edit{{subject + "/id", ""}, {subject + "/identifier", ""}}, subject, "OB 3.0, AchievementSubject: id or identifier is required"},
		{"an identifier outside an array", []edit{{subject + "/identifier", `{"type":"IdentityObject","hashed":false,"identityHash":"a","identityType":"name"}`}}, "", "OB 3.0, AchievementSubject: identifier is an array"},
		{"an identity of another type", []edit{{subject + "/identifier/0/type", `["IdentityObject"]`}}, "", "OB 3.0, IdentityObject: type is a string"},
		{"a hash without its algorithm", []edit{{subject + "/identifier/0/identityHash", `"b5809d8a92f8858436d7e6b87c12ebc0ae1eac4baecc2c0b913aee2c922ef399"`}}, "", "OB 3.0, IdentityObject: identityHash names its algorithm when hashed is true"},
		{"an unknown kind of identity", []edit{{subject + "/identifier/0/identityType", `"email"`}}, "", "OB 3.0, IdentityObject: identityType is an IdentifierType"},
		{"hashed as a string", []edit{{subject + "/identifier/0/hashed", `"true"`}}, "", "OB 3.0, IdentityObject: hashed is true or false"},
		{"an identity with a member of its own", []edit{{subject + "/identifier/0/note", `"x"`}}, "", "OB 3.0, IdentityObject: no other members are allowed"},
		{"an activity that ends before it starts", []edit{{subject + "/activityEndDate", `"2023-01-01T00:00:00Z"`}}, "", "OB 3.0, AchievementSubject: activityEndDate is not before activityStartDate"},
		{"credits in words", []edit{{subject + "/creditsEarned", `"three"`}}, "", "OB 3.0, AchievementSubject: creditsEarned is a number"},
		{"credits beyond numbers", []edit{{subject + "/creditsEarned", `1e999`}}, "", "OB 3.0, AchievementSubject: creditsEarned is a number"},
		{"no achievement", []edit{{achievement, ""}, {subject + "/result", ""}}, achievement, "OB 3.0, AchievementSubject: achievement is required"},
		{"no name of the achievement", []edit{{achievement + "/name", `" "`}}, "", "OB 3.0, Achievement: name is required"},
		{"no description of the achievement", []edit{{achievement + "/description", ""}}, "", "OB 3.0, Achievement: description is required"},
		{"no criteria", []edit{{achievement + "/criteria", ""}}, "", "OB 3.0, Achievement: criteria is required"},
		{"empty criteria", []edit{{achievement + "/criteria", `{}`}}, "", "OB 3.0, Criteria: id or narrative is required"},
		{"criteria that are a string", []edit{{achievement + "/criteria", `"do it"`}}, "", "OB 3.0, Achievement: criteria is an object of class Criteria"},
		{"an unknown kind of achievement", []edit{{achievement + "/achievementType", `"Medal"`}}, "", "OB 3.0, Achievement: achievementType is an AchievementType"},
		{"an extension with a blank", []edit{{achievement + "/achievementType", `"ext:My Medal"`}}, "", "OB 3.0, Achievement: achievementType is an AchievementType"},
		{"a tag outside an array", []edit{{achievement + "/tag", `"walk"`}}, "", "OB 3.0, Achievement: tag is an array"},
		{"a language that is none", []edit{{achievement + "/inLanguage", `"German"`}}, "", "OB 3.0, Achievement: inLanguage is a LanguageCode"},
		{"an alignment without a target", []edit{{achievement + "/alignment/0/targetUrl", ""}}, "", "OB 3.0, Alignment: targetUrl is required"},
		{"an alignment to no web page", []edit{{achievement + "/alignment/0/targetUrl", `"urn:isbn:1"`}}, "", "OB 3.0, Alignment: targetUrl is a URL"},
		{"an unknown kind of target", []edit{{achievement + "/alignment/0/targetType", `"Skill"`}}, "", "OB 3.0, Alignment: targetType is an AlignmentTargetType"},
		{"an identifier entry with a member of its own", []edit{{achievement + "/otherIdentifier/0/salt", `"x"`}}, "", "OB 3.0, IdentifierEntry: no other members are allowed"},
		{"a related achievement without an id", []edit{{achievement + "/related/0/id", ""}}, "", "OB 3.0, Related: id is required"},
		{"a JWS of two parts", []edit{{achievement + "/endorsementJwt/0", `"a.b"`}}, "", "OB 3.0, Achievement: endorsementJwt is a CompactJws"},
		{"an unknown kind of result", []edit{{described + "/resultType", `"Grade"`}}, "", "OB 3.0, ResultDescription: resultType is a ResultType"},
		{"a required level of nowhere", []edit{{described + "/requiredLevel", `"urn:example:other"`}}, "", "OB 3.0, ResultDescription: requiredLevel is the id of one of its RubricCriterionLevel"},
		{"a required value that is not allowed", []edit{{described + "/requiredValue", `"4"`}}, "", "OB 3.0, ResultDescription: requiredValue is one of the allowedValue"},
		{"an allowed value twice", []edit{{described + "/allowedValue", `["1","2","3","2"]`}}, described + "/allowedValue/3", "OB 3.0, ResultDescription: allowedValue lists each value once"},
		{"a greatest value below the least", []edit{{described + "/valueMax", `"0.5"`}, {subject + "/result/0/value", ""}}, "", "OB 3.0, ResultDescription: valueMax is not below valueMin"},
		{"two result descriptions of one id", []edit{{achievement + "/resultDescription/1/id", `"urn:example:grade"`}, {subject + "/result", ""}}, "", "OB 3.0, ResultDescription: id is unique in the achievement"},
		{"a level with the id of its description", []edit{{described + "/rubricCriterionLevel/0/id", `"urn:example:grade"`}, {described + "/requiredLevel", ""}, {subject + "/result", ""}}, "", "OB 3.0, RubricCriterionLevel: id is unique in the achievement"},
		{"a level without a name", []edit{{described + "/rubricCriterionLevel/0/name", ""}}, "", "OB 3.0, RubricCriterionLevel: name is required"},
		{"a result of another achievement", []edit{{subject + "/result/0/resultDescription", `"urn:example:elsewhere"`}}, "", "OB 3.0, Result: resultDescription is the id of a ResultDescription of this achievement"},
		{"a status result without a status", []edit{{subject + "/result/1/status", ""}}, "", "OB 3.0, Result: status is required when the resultType is Status"},
		{"an unknown status", []edit{{subject + "/result/1/status", `"ext:Done"`}}, "", "OB 3.0, Result: status is a ResultStatusType"},
		{"a value that is not allowed", []edit{{subject + "/result/0/value", `"2.5"`}}, "", "OB 3.0, Result: value is one of the allowedValue"},
		{"a value above the greatest", []edit{{subject + "/result/0/value", `"10"`}, {described + "/allowedValue", ""}}, "", "OB 3.0, Result: value is not above valueMax"},
		{"a value below the least", []edit{{subject + "/result/0/value", `"-9"`}, {described + "/allowedValue", ""}}, "", "OB 3.0, Result: value is not below valueMin"},
		{"a level of nowhere", []edit{{subject + "/result/0/achievedLevel", `"urn:example:other"`}}, "", "OB 3.0, Result: achievedLevel is the id of a RubricCriterionLevel of its ResultDescription"},
		{"a level of nowhere without a description", []edit{{subject + "/result/0/achievedLevel", `"urn:example:other"`}, {subject + "/result/0/resultDescription", ""}}, "", "OB 3.0, Result: achievedLevel is the id of a RubricCriterionLevel of this achievement"},
		{"evidence without a type", []edit{{"/evidence/0/type", ""}}, "", "OB 3.0, Evidence: type is required"},
		{"a home page that is none", []edit{{"/issuer/url", `"example.org"`}}, "", "OB 3.0, Profile: url is a URL"},
		{"an e-mail address that is none", []edit{{"/issuer/email", `"issuer at example.org"`}}, "", "OB 3.0, Profile: email is an EmailAddress"},
		{"a telephone number in words", []edit{{"/issuer/phone", `"call me"`}}, "", "OB 3.0, Profile: phone is a PhoneNumber"},
		{"a birthday that never was", []edit{{"/issuer/dateOfBirth", `"1981-02-29"`}}, "", "OB 3.0, Profile: dateOfBirth is a date"},
		{"a country in words", []edit{{"/issuer/address/addressCountryCode", `"Switzerland"`}}, "", "OB 3.0, Address: addressCountryCode is a CountryCode"},
		{"a latitude off the globe", []edit{{"/issuer/address/geo/latitude", `90.5`}}, "", "OB 3.0, GeoCoordinates: latitude is from -90 to 90"},
		{"a longitude off the globe", []edit{{"/issuer/parentOrg/address/geo/longitude", `-181`}}, "", "OB 3.0, GeoCoordinates: longitude is from -180 to 180"},
		{"a null", []edit{{"/issuer/name", `null`}}, "", "OB 3.0, JSON serialization: nulls and empty arrays are omitted"},
		{"a null in a member of one's own", []edit{{"/own", `{"deep":[null]}`}}, "/own/deep/0", "OB 3.0, JSON serialization: nulls and empty arrays are omitted"},
		{"an empty array", []edit{{achievement + "/tag", `[]`}}, "", "OB 3.0, JSON serialization: nulls and empty arrays are omitted"},
		{"a status that is an array", []edit{{status, `[{"id":"urn:a:b","type":"BitstringStatusListEntry"}]`}}, "", "OB 3.0, AchievementCredential: credentialStatus is an object of class CredentialStatus"},
		{"a status without an id", []edit{{status + "/id", ""}}, "", "OB 3.0, CredentialStatus: id is required"},
		{"a status whose id is the list", []edit{{status + "/id", `"https://badges.example.org/status/3"`}}, "", "Bitstring Status List 1.0, BitstringStatusListEntry: id is not the URL of the list"},
		{"a status index that is a number", []edit{{status + "/statusListIndex", `94567`}}, "", "Bitstring Status List 1.0, BitstringStatusListEntry: statusListIndex is a string"},
		{"a status index below zero", []edit{{status + "/statusListIndex", `"-1"`}}, "", "Bitstring Status List 1.0, BitstringStatusListEntry: statusListIndex is a decimal number"},
		{"no purpose of the status", []edit{{status + "/statusPurpose", ""}}, "", "Bitstring Status List 1.0, BitstringStatusListEntry: statusPurpose is required"},
		{"a status list without encryption", []edit{{status + "/statusListCredential", `"http://badges.example.org/status/3"`}}, "", "Bitstring Status List 1.0, BitstringStatusListEntry: statusListCredential is a URL"},
		{"a status of no bits", []edit{{status + "/statusSize", `0`}}, "", "Bitstring Status List 1.0, BitstringStatusListEntry: statusSize is a whole number"},
		{"a status of two bits without words", []edit{{status + "/statusSize", `2`}}, status + "/statusMessage", "Bitstring Status List 1.0, BitstringStatusListEntry: statusMessage explains each value"},
		{"a status message without words", []edit{{status + "/statusMessage", `[{"status":"0x0","message":"no"},{"status":"0x1"}]`}}, status + "/statusMessage/1/message", "Bitstring Status List 1.0, BitstringStatusListEntry: each statusMessage has status and message"},
		{"the misspelt schema type", []edit{{"/credentialSchema/0/type", `"JsonSchemaValidator2019"`}}, "", "OB 3.0, CredentialSchema: type is 1EdTechJsonSchemaValidator2019"},
		{"a schema outside an array", []edit{{"/credentialSchema", `{"id":"https://example.org/s","type":"JsonSchema"}`}}, "", "OB 3.0, AchievementCredential: credentialSchema is an array"},
		{"a refresh service without a URL", []edit{{"/refreshService/id", `"urn:a:b"`}}, "", "OB 3.0, RefreshService: id is a URL"},
		{"terms without a type", []edit{{"/termsOfUse/0/type", ""}}, "", "OB 3.0, TermsOfUse: type is required"},
		{"a proof outside an array", []edit{{"/proof", `{"type":"Ed25519Signature2020"}`}}, "", "OB 3.0, AchievementCredential: proof is an array"},
		{"a proof without a purpose", []edit{{"/proof/0/proofPurpose", ""}}, "", "VC Data Integrity 1.0, Proofs: proofPurpose is required"},
		{"a proof for another purpose", []edit{{"/proof/0/proofPurpose", `"authentication"`}}, "", "VC Data Integrity 1.0, Proof Purposes: a credential is issued for assertionMethod"},
		{"a key of somebody else", []edit{{"/proof/0/verificationMethod", `"did:key:zAbc#zAbc"`}}, "", "VC Data Integrity 1.0, Verification Methods: the controller is the issuer"},
		{"an achievement with the id of the credential", []edit{{achievement + "/id", `"urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33"`}}, "", "VC Data Model 2.0, Identifiers: an id names one thing"},
		{"a subject with the id of the credential", []edit{{subject + "/id", `"urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33"`}}, "", "VC Data Model 2.0, Identifiers: an id names one thing"},
		{"an endorsement without a name", []edit{{achievement + "/endorsement/0/name", ""}}, "", "OB 3.0, EndorsementCredential: name is required"},
		{"an endorsement of VC Data Model 1.1", []edit{{"/endorsement/0/@context/0", `"https://www.w3.org/2018/credentials/v1"`}, {"/endorsement/0/issuanceDate", `"2024-01-01T00:00:00Z"`}}, "/endorsement/0/@context/0", "OB 3.0, JSON-LD contexts: the first is"},
		{"an endorsement of nothing", []edit{{"/issuer/endorsement/0/credentialSubject/id", ""}}, "", "OB 3.0, EndorsementSubject: id is required"},
	} {
		t.Run(row.name, func(t *testing.T) {
			want := row.at
			if want == "" {
				want = row.edits[0].pointer
			}
			found := openbadges.CheckCredential(broken(t, row.edits), openbadges.Issuing)
			for _, v := range found {
				if v.Pointer != want {
					t.Errorf("also at %s:%s", v.Pointer, show(found))
				}
				if v.Detail == "" || v.Remedy == "" {
					t.Errorf("no detail or no remedy:%s", show(found))
				}
			}
			if !slices.ContainsFunc(found, func(v openbadges.Violation) bool {
				return v.Pointer == want && strings.HasPrefix(v.Rule, row.rule)
			}) {
				t.Errorf("want %s | %s, found:%s", want, row.rule, show(found))
			}
		})
	}
}

func TestIssuingAccepts(t *testing.T) {
	for _, row := range []struct {
		name  string
		edits []edit
	}{
		{"the older name of the type", []edit{{"/type", `["VerifiableCredential","AchievementCredential"]`}}},
		{"a further type", []edit{{"/type", `["VerifiableCredential","OpenBadgeCredential","https://example.org/Badge"]`}}},
		{"a further context that is an object", []edit{{"/@context", `["https://www.w3.org/ns/credentials/v2","https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json","https://purl.imsglobal.org/spec/ob/v3p0/extensions.json",{"@vocab":null,"x":[]}]`}}},
		{"members of one's own in an extensible class", []edit{{achievement + "/own", `{"n":1}`}}},
		{"a subject without an id", []edit{{subject + "/id", ""}}},
		{"a subject without an identifier", []edit{{subject + "/identifier", ""}}},
		{"an issuer who awards itself", []edit{{subject + "/id", `"https://badges.example.org/issuer"`}}},
		{"a picture in the document", []edit{{"/image/id", `"data:image/png;base64,iVBORw0KGgo="`}}},
		{"an identity in plain text", []edit{{subject + "/identifier/0", `{"type":"IdentityObject","hashed":false,"identityHash":"a@example.org","identityType":"emailAddress"}`}}},
		{"an identity hashed with MD5", []edit{{subject + "/identifier/0/identityHash", `"md5$D41D8CD98F00B204E9800998ECF8427E"`}}},
		{"criteria with nothing but a page", []edit{{achievement + "/criteria", `{"id":"https://example.org/criteria"}`}}},
		{"a value compared as a number", []edit{{described + "/valueMin", `"9"`}, {described + "/valueMax", `"10"`}, {described + "/allowedValue", ""}, {described + "/requiredValue", ""}, {subject + "/result/0/value", `"9.50"`}}},
		{"a grade that is no number", []edit{{described + "/valueMin", `"F"`}, {described + "/valueMax", `"A"`}, {described + "/allowedValue", ""}, {described + "/requiredValue", ""}, {subject + "/result/0/value", `"B"`}}},
		{"an endorsement of an older context", []edit{{"/endorsement/0/@context/1", `"https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json"`}}},
		{"an endorsement with fractions of a second", []edit{{"/endorsement/0/validFrom", `"2024-01-01T00:00:00.123Z"`}}},
		{"an endorsement whose issuer is a URI", []edit{{"/endorsement/0/issuer", `"https://endorser.example.net/issuers/1"`}}},
		{"a status list on this very machine", []edit{{status + "/statusListCredential", `"http://127.0.0.1:8000/status/3"`}}},
		{"a status of two bits", []edit{{status + "/statusSize", `2`}, {status + "/statusMessage", `[{"status":"0x0","message":"a"},{"status":"0x1","message":"b"},{"status":"0x2","message":"c"},{"status":"0x3","message":"d"}]`}}},
		{"a revocation list of 1EdTech", []edit{{status, `{"id":"https://example.org/revocations","type":"1EdTechRevocationList"}`}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if found := openbadges.CheckCredential(broken(t, row.edits), openbadges.Issuing); len(found) != 0 {
				t.Errorf("found:%s", show(found))
			}
		})
	}
}

// older makes the full badge one of VC Data Model 1.1.
var older = []edit{
	{"/@context/0", `"https://www.w3.org/2018/credentials/v1"`},
	{"/@context/1", `"https://purl.imsglobal.org/spec/ob/v3p0/context.json"`},
	{"/issuanceDate", `"2025-01-01T00:00:00Z"`},
	{"/expirationDate", `"2035-01-01T00:00:00Z"`},
	{"/validFrom", ""},
	{"/validUntil", ""},
}

func TestReadingAccepts(t *testing.T) {
	for _, row := range []struct {
		name  string
		edits []edit
	}{
		{"a badge of VC Data Model 1.1", older},
		{"an endorsement of VC Data Model 1.1", []edit{{"/endorsement/0/@context/0", `"https://www.w3.org/2018/credentials/v1"`}, {"/endorsement/0/issuanceDate", `"2024-01-01T00:00:00Z"`}, {"/endorsement/0/validFrom", ""}}},
		{"an older context", []edit{{"/@context/1", `"https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json"`}}},
		{"the alias of the first context", []edit{{"/@context/1", `"https://purl.imsglobal.org/spec/ob/v3p0/context/ob_v3p0.jsonld"`}}},
		{"single values in place of arrays", []edit{
			{"/proof", `{"type":"Ed25519Signature2020"}`}, {"/credentialSchema", `{"id":"https://example.org/s","type":"JsonSchema"}`},
			{"/termsOfUse", `{"type":"T"}`}, {achievement + "/type", `"Achievement"`}, {achievement + "/tag", `"walk"`}, {"/evidence", `{"type":"Evidence"}`},
			{subject + "/identifier", `{"type":"IdentityObject","hashed":false,"identityHash":"a","identityType":"name"}`},
		}},
		{"an array in place of a type name", []edit{{"/image/type", `["Image"]`}}},
		{"fractions of a second", []edit{{"/validFrom", `"2025-01-01T00:00:00.123456Z"`}}},
		{"an empty array", []edit{{achievement + "/tag", `[]`}}},
		{"an issuer that is a URI", []edit{{"/issuer", `"https://example.org/issuer"`}}},
		{"an id beyond ASCII", []edit{{"/id", `"https://example.org/straße"`}}},
		{"a status without an id", []edit{{status + "/id", ""}}},
		{"a telephone number in words", []edit{{"/issuer/phone", `"call me"`}}},
		{"a result described elsewhere", []edit{{subject + "/result/0/resultDescription", `"https://example.org/elsewhere"`}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if found := openbadges.CheckCredential(broken(t, row.edits), openbadges.Reading); len(found) != 0 {
				t.Errorf("found:%s", show(found))
			}
		})
	}
}

func TestReadingRefuses(t *testing.T) {
	for _, row := range []struct {
		name  string
		edits []edit
		at    string
		rule  string
	}{
		{"no badges context", []edit{{"/@context", `["https://www.w3.org/ns/credentials/v2"]`}}, "/@context/1", "OB 3.0, JSON-LD contexts: the first is"},
		{"a first context of no credential", []edit{{"/@context", `["https://w3id.org/openbadges/v2","https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json","https://www.w3.org/ns/credentials/v2"]`}}, "/@context/0", "OB 3.0, JSON-LD contexts: the first is"},
		{"issuanceDate in a v2 document", []edit{{"/issuanceDate", `"2025-01-01T00:00:00Z"`}}, "/issuanceDate", "VC Data Model 2.0, Validity Period: validFrom takes the place"},
		{"a badge of VC Data Model 1.1 without a name", append(slices.Clone(older), edit{"/name", ""}), "/name", "OB 3.0, AchievementCredential: name is required with VC Data Model 1.1"},
		{"a badge of VC Data Model 1.1 without issuanceDate", append(slices.Clone(older), edit{"/issuanceDate", ""}), "/issuanceDate", "OB 3.0, AchievementCredential: issuanceDate is required"},
		{"a badge of VC Data Model 1.1 that ends before it begins", append(slices.Clone(older), edit{"/expirationDate", `"2020-01-01T00:00:00Z"`}), "/expirationDate", "VC Data Model 2.0, Validity Period: expirationDate is after"},
		{"a date of VC Data Model 1.1 that is a number", append(slices.Clone(older), edit{"/expirationDate", `5`}), "/expirationDate", "OB 3.0, AchievementCredential: expirationDate is a date-time"},
		{"a date without a zone", []edit{{"/validFrom", `"2025-01-01T00:00:00"`}}, "/validFrom", "OB 3.0, AchievementCredential: validFrom is a date-time"},
		{"a relative id", []edit{{"/issuer/id", `"issuer"`}}, "/issuer/id", "OB 3.0, Profile: id is an absolute URI"},
		{"a status that is an array", []edit{{status, `[]`}}, status, "OB 3.0, AchievementCredential: credentialStatus is an object"},
		{"a subject that is an array", []edit{{subject, `[{}]`}}, subject, "OB 3.0, AchievementCredential: credentialSubject is an object"},
		{"a null", []edit{{"/description", `null`}}, "/description", "OB 3.0, JSON serialization"},
		{"a member of its own in a closed class", []edit{{"/image/a~1b", `1`}}, "/image/a~01b", "OB 3.0, Image: no other members"},
		{"an endorsement without a subject", []edit{{"/endorsement/0/credentialSubject", ""}}, "/endorsement/0/credentialSubject", "OB 3.0, EndorsementCredential: credentialSubject is required"},
	} {
		t.Run(row.name, func(t *testing.T) {
			found := openbadges.CheckCredential(broken(t, row.edits), openbadges.Reading)
			if len(found) != 1 || found[0].Pointer != row.at || !strings.HasPrefix(found[0].Rule, row.rule) {
				t.Errorf("want %s | %s alone, found:%s", row.at, row.rule, show(found))
			}
		})
	}
}

func TestViolationsAreBoundedAndInOrder(t *testing.T) {
	nulls := make([]any, 100_000)
	doc := map[string]any{"own": nulls}
	if n := len(openbadges.CheckCredential(doc, openbadges.Issuing)); n != 100 {
		t.Errorf("%d violations, want 100", n)
	}
	wrong := broken(t, []edit{{"/issuanceDate", `1`}, {"/expirationDate", `1`}, {"/image/b", `1`}, {"/image/a", `1`}, {"/own", `{"b":null,"a":null}`}})
	want := show(openbadges.CheckCredential(wrong, openbadges.Issuing))
	for range 20 {
		if got := show(openbadges.CheckCredential(wrong, openbadges.Issuing)); got != want {
			t.Fatalf("order changed:%s\nwas:%s", got, want)
		}
	}
}

func TestMessagesKeepPersonalDataOut(t *testing.T) {
	doc := broken(t, []edit{{"/issuer/email", `"secret at home"`}, {"/issuer/phone", `"secret"`}, {subject + "/identifier/0/identityHash", `"secret"`}})
	found := openbadges.CheckCredential(doc, openbadges.Issuing)
	if len(found) != 3 || strings.Contains(show(found), "secret") {
		t.Errorf("found:%s", show(found))
	}
}
