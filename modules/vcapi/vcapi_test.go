package vcapi_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/fx"

	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/modules/internal/credential/integrity"
	"github.com/badge-engine/badge-engine/modules/internal/credential/jose"
	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/modules/internal/jsonld"
	"github.com/badge-engine/badge-engine/modules/vcapi"
	"github.com/badge-engine/badge-engine/platform/config"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/principal"
	"github.com/badge-engine/badge-engine/test/dbtest"
)

var now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

type doc = map[string]any

const (
	v1       = "https://www.w3.org/2018/credentials/v1"
	v2       = "https://www.w3.org/ns/credentials/v2"
	examples = "https://www.w3.org/ns/credentials/examples/v2"
)

// town is the world around the module: one issuer with two keys, and its lists.
type town struct {
	t       testing.TB
	server  *httpserver.Server
	edward  string // did:key of an Ed25519 key
	curve   string // did:key of a P-256 key
	signers map[string]integrity.Signer
	taken   int64
	noList  bool
	done    map[int64]string // what was done to which entry last, and why
	awards  []string
	audit   []string
	lost    error // what storing answers
}

func (w *town) SignerOf(_ context.Context, controller, suite string) (string, string, integrity.Signer, error) {
	signer, ok := w.signers[controller]
	if !ok {
		return "", "", nil, fault.New(fault.NotFound, "t.unknown", "Nobody.")
	}
	if suite == "" {
		suite = map[bool]string{true: integrity.EdDSARDFC2022, false: integrity.ECDSARDFC2019}[controller == w.edward]
	}
	return "0198f2a0-0000-7000-8000-000000000001", suite, signer, nil
}

func (w *town) TokenSignerOf(_ context.Context, controller, algorithm string) (string, string, integrity.Signer, error) {
	signer, ok := w.signers[controller]
	switch {
	case !ok:
		return "", "", nil, fault.New(fault.NotFound, "t.unknown", "Nobody.")
	case algorithm != "" && (algorithm == "ES256") != (controller == w.curve):
		return "", "", nil, fault.New(fault.Conflict, "t.no_key", "There is no such key.")
	}
	return "0198f2a0-0000-7000-8000-000000000001", signer.VerificationMethod(), signer, nil
}

func (w *town) Reserve(_ context.Context, _ string, purposes []string) (vcapi.Place, []any, error) {
	if w.noList {
		return vcapi.Place{}, nil, nil
	}
	w.taken++
	var entries []any
	for _, purpose := range purposes {
		entries = append(entries, doc{"id": "https://badges.example.org/status/1/" + purpose + "#1", "type": "BitstringStatusListEntry", "statusPurpose": purpose, "statusListIndex": "1",
			"statusListCredential": "https://badges.example.org/status/1/" + purpose})
	}
	return vcapi.Place{List: "0198f2a0-0000-7000-8000-000000000002", Index: w.taken}, entries, nil
}

func (w *town) Change(_ context.Context, act vcapi.Act, _ string, at vcapi.Place, reason string) (bool, error) {
	now := string(act) + " " + reason
	switch {
	case strings.HasPrefix(w.done[at.Index], "revoke") && act != vcapi.Revoke:
		return false, fault.New(fault.Conflict, "t.revoked", "It is revoked.")
	case w.done[at.Index] == now:
		return false, nil
	}
	w.done[at.Index] = now
	return true, nil
}

func (w *town) ChangeAward(_ context.Context, act vcapi.Act, address, _ string) (bool, error) {
	if !strings.HasPrefix(address, "https://badges.example.org/credentials/") {
		return false, nil
	}
	w.awards = append(w.awards, string(act)+" "+address)
	return true, nil
}

func (w *town) Record(_ context.Context, action, _, detail string, failure error) error {
	w.audit = append(w.audit, strings.TrimSpace(action+" "+detail))
	if failure != nil {
		w.audit[len(w.audit)-1] = action + " failed"
		return nil
	}
	return w.lost
}

type guard struct{}

func (guard) Authenticate(_ context.Context, c httpserver.Credentials) (principal.Principal, error) {
	if c.Authorization == "" {
		return principal.Principal{}, nil
	}
	return principal.Principal{ID: "token:1", Scopes: strings.Fields(strings.TrimPrefix(c.Authorization, "Bearer "))}, nil
}

func newTown(t testing.TB, db *database.DB) *town {
	t.Helper()
	w := &town{t: t, signers: map[string]integrity.Signer{}, done: map[int64]string{}}
	edward := ed25519.NewKeyFromSeed([]byte(strings.Repeat("v", 32)))
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	add := func(pub any, make func(method string) integrity.Signer) string {
		multikey, err := did.EncodeMultikey(pub)
		if err != nil {
			t.Fatal(err)
		}
		w.signers[did.KeyDID(multikey)] = make(did.KeyDID(multikey) + "#" + multikey)
		return did.KeyDID(multikey)
	}
	w.edward = add(edward.Public(), func(method string) integrity.Signer { return integrity.NewEd25519Signer(edward, method) })
	w.curve = add(&curve.PublicKey, func(method string) integrity.Signer { return integrity.NewECDSASigner(curve, method) })
	public, err := config.ParsePublicURL("https://badges.example.org")
	if err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return now }
	service := vcapi.New(vcapi.Parts{
		Public: public, Store: vcapi.NewStore(db), Work: db, Issuers: w, Statuses: w, Awards: w, Audit: w, Canonical: jsonld.New().Directed(), Now: clock,
		Verifier: credential.Verifier{Canonicalizer: jsonld.New(), Now: clock},
	}, slog.New(slog.DiscardHandler))
	w.server, err = httpserver.New(httpserver.Default(), httpserver.Parts{Guard: guard{}, Tables: []httpserver.Table{vcapi.Routes(service)}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *town) call(t testing.TB, path string, body any, scopes string) (int, doc, string) {
	t.Helper()
	text, ok := body.(string)
	if !ok {
		data, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		text = string(data)
	}
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(text))
	r.Header.Set("Content-Type", "application/json")
	if scopes != "" {
		r.Header.Set("Authorization", "Bearer "+scopes)
	}
	answer, err := w.server.Test(r)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(answer.Header.Get("Content-Type"), "json") {
		t.Errorf("%s answers %s", path, answer.Header.Get("Content-Type"))
	}
	var out doc
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatalf("%v: %s", err, data)
	}
	return answer.StatusCode, out, string(data)
}

func with(m doc, changes ...any) doc {
	m = maps.Clone(m)
	for i := 0; i < len(changes); i += 2 {
		if changes[i+1] == "-" {
			delete(m, changes[i].(string))
		} else {
			m[changes[i].(string)] = changes[i+1]
		}
	}
	return m
}

func (w *town) alumni(changes ...any) doc {
	return with(doc{
		"@context": []any{v2, examples}, "id": "urn:uuid:" + uuid.NewString(), "type": []any{"VerifiableCredential", "AlumniCredential"},
		"issuer": w.edward, "validFrom": "2026-01-01T00:00:00Z", "credentialSubject": doc{"id": "did:example:1", "alumniOf": "The School of Examples"},
	}, changes...)
}

// issue signs and answers the credential.
func (w *town) issue(t testing.TB, document doc, options doc) doc {
	t.Helper()
	status, out, text := w.call(t, "/vc/credentials/issue", doc{"credential": document, "options": options}, principal.ScopeCredentialsSign)
	if status != 201 {
		t.Fatalf("%d: %s", status, text)
	}
	return out["verifiableCredential"].(doc)
}

func each(t *testing.T, run func(t *testing.T, w *town)) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) { run(t, newTown(t, db)) }, vcapi.Schema())
}

func TestWhatIsIssuedVerifies(t *testing.T) {
	each(t, func(t *testing.T, w *town) {
		w.noList = true // the lists of this test are nowhere
		old := doc{"@context": []any{v1, doc{"@vocab": "https://example.org/vocabulary#"}}, "id": "urn:uuid:" + uuid.NewString(), "type": []any{"VerifiableCredential"},
			"issuer": doc{"id": w.edward}, "issuanceDate": "2026-01-01T00:00:00Z", "credentialSubject": doc{"id": "did:example:1", "alumniOf": "School"}}
		for name, row := range map[string]struct {
			document, options doc
			suite             string
		}{
			"data model 2.0":              {w.alumni(), nil, "eddsa-rdfc-2022"},
			"data model 1.1":              {old, doc{}, "eddsa-rdfc-2022"},
			"without an id":               {w.alumni("id", "-"), nil, "eddsa-rdfc-2022"},
			"by JCS":                      {w.alumni(), doc{"cryptosuite": "eddsa-jcs-2022"}, "eddsa-jcs-2022"},
			"a key on a curve":            {w.alumni("issuer", w.curve), nil, "ecdsa-rdfc-2019"},
			"options that say what it is": {w.alumni(), doc{"type": "DataIntegrityProof", "created": "2026-06-01T12:00:00Z"}, "eddsa-rdfc-2022"},
			"a subject by its id alone":   {w.alumni("credentialSubject", doc{"id": "did:example:subject"}), nil, "eddsa-rdfc-2022"},
			"a context that is an object": {w.alumni("@context", []any{v2, examples, doc{"Diploma": "https://example.org/Diploma"}}, "type", []any{"VerifiableCredential", "Diploma"}), nil, "eddsa-rdfc-2022"},
			"several subjects":            {w.alumni("credentialSubject", []any{doc{"id": "did:example:1", "alumniOf": "A"}, doc{"id": "did:example:2", "alumniOf": "B"}}), nil, "eddsa-rdfc-2022"},
		} {
			t.Run(name, func(t *testing.T) {
				signed := w.issue(t, row.document, row.options)
				proof, ok := signed["proof"].(doc)
				if !ok || proof["cryptosuite"] != row.suite || proof["created"] != "2026-06-01T12:00:00Z" || signed["credentialStatus"] != nil {
					t.Errorf("%v", signed)
				}
				status, out, text := w.call(t, "/vc/credentials/verify", doc{"verifiableCredential": signed, "options": doc{"checks": []any{"proof"}}}, "")
				if status != 200 || out["verified"] != true || len(out["problemDetails"].([]any)) != 0 || out["errors"] != nil || out["results"] == nil {
					t.Errorf("%d: %s", status, text)
				}
				signed["credentialSubject"] = doc{"id": "did:example:9", "alumniOf": "The School of Forgery"}
				if status, out, text := w.call(t, "/vc/credentials/verify", doc{"verifiableCredential": signed}, ""); status != 400 || out["verified"] != false || len(out["problemDetails"].([]any)) == 0 {
					t.Errorf("a changed one: %d: %s", status, text)
				}
			})
		}
		if signed := w.issue(t, old, nil); len(signed["@context"].([]any)) != 3 || signed["@context"].([]any)[2] != "https://w3id.org/security/data-integrity/v2" {
			t.Errorf("the contexts are %v", signed["@context"])
		}
		future := w.issue(t, w.alumni("validFrom", "2900-01-01T00:00:00Z"), nil)
		if status, out, text := w.call(t, "/vc/credentials/verify", doc{"verifiableCredential": future}, ""); status != 400 || out["verified"] != false {
			t.Errorf("one of the future: %d: %s", status, text)
		}
	})
}

func TestSelectiveDisclosure(t *testing.T) {
	each(t, func(t *testing.T, w *town) {
		w.noList = true
		document := w.alumni("issuer", w.curve, "credentialSubject", doc{"id": "did:example:1", "alumniOf": "The School of Examples", "name": "Ada"})
		for name, options := range map[string]doc{"with pointers": {"mandatoryPointers": []any{"/issuer"}}, "with those that nobody must hide": {"cryptosuite": "ecdsa-sd-2023"}} {
			t.Run(name, func(t *testing.T) {
				base := w.issue(t, document, options)
				if status, out, text := w.call(t, "/vc/credentials/verify", doc{"verifiableCredential": base}, ""); status != 400 || out["verified"] != false {
					t.Errorf("a base proof: %d: %s", status, text)
				}
				status, out, text := w.call(t, "/vc/credentials/derive", doc{"verifiableCredential": base, "options": doc{"selectivePointers": []any{"/credentialSubject/alumniOf"}}}, "")
				if status != 201 || strings.Contains(text, `"Ada"`) || !strings.Contains(text, "School of Examples") {
					t.Fatalf("%d: %s", status, text)
				}
				if _, ok := out["verifiableCredential"].(doc)["proof"].(doc); !ok {
					t.Errorf("the proof is no object: %s", text)
				}
				if status, out, text := w.call(t, "/vc/credentials/verify", out, ""); status != 200 || out["verified"] != true {
					t.Errorf("%d: %s", status, text)
				}
				for row, body := range map[string]doc{
					"what is derived already": out,
					"a pointer to nothing":    {"verifiableCredential": base, "options": doc{"selectivePointers": []any{"/nothing"}}},
					"a pointer that is none":  {"verifiableCredential": base, "options": doc{"selectivePointers": []any{"issuer"}}},
					"a number for pointers":   {"verifiableCredential": base, "options": doc{"selectivePointers": 5}},
					"no credential":           {"options": doc{}},
					"an unsigned credential":  {"verifiableCredential": document},
				} {
					if status, _, text := w.call(t, "/vc/credentials/derive", body, ""); status != 400 {
						t.Errorf("%s: %d: %s", row, status, text)
					}
				}
			})
		}
	})
}

// TestWhatMustNotBeSigned: the cases that the test suites of the W3C have rejected.
func TestWhatMustNotBeSigned(t *testing.T) {
	each(t, func(t *testing.T, w *town) {
		good := w.alumni()
		issue := func(changes ...any) doc { return doc{"credential": w.alumni(changes...)} }
		for name, row := range map[string]struct {
			body any
			code string
		}{
			"no body":                         {"", "vcapi.unreadable"},
			"half a body":                     {`{"credential":`, "vcapi.unreadable"},
			"a list":                          {`[]`, "vcapi.unreadable"},
			"members twice":                   {`{"credential":{},"credential":{}}`, "vcapi.unreadable"},
			"no credential":                   {doc{"options": doc{}}, "vcapi.unreadable"},
			"a credential as text":            {doc{"credential": "{}"}, "vcapi.unreadable"},
			"a credential that is null":       {doc{"credential": nil}, "vcapi.unreadable"},
			"the credential without a member": {good, "vcapi.unreadable"},
			"options that are a list":         {doc{"credential": good, "options": []any{}}, "vcapi.unreadable"},
			"an unknown option":               {doc{"credential": good, "options": doc{"gold": true}}, "vcapi.option"},
			"a number for a cryptosuite":      {doc{"credential": good, "options": doc{"cryptosuite": 5}}, "vcapi.option"},
			"an unknown cryptosuite":          {doc{"credential": good, "options": doc{"cryptosuite": "bbs-2023"}}, "vcapi.invalid"},
			"a pointer that is none":          {doc{"credential": w.alumni("issuer", w.curve), "options": doc{"mandatoryPointers": []any{"issuer"}}}, "vcapi.option"},
			"a pointer to nothing":            {doc{"credential": w.alumni("issuer", w.curve), "options": doc{"mandatoryPointers": []any{"/nothing"}}}, "vcapi.invalid"},
			"pointers for a key that cannot":  {doc{"credential": good, "options": doc{"mandatoryPointers": []any{"/issuer"}}}, "vcapi.invalid"},
			"a number for a chain":            {doc{"credential": good, "options": doc{"chain": 1}}, "vcapi.option"},
			"a chain of one":                  {doc{"credential": good, "options": doc{"chain": true}}, "vcapi.option"},
			"a chain of an empty list":        {doc{"credential": good, "options": doc{"proof": []any{}}}, "vcapi.option"},
			"a proof that is a text":          {doc{"credential": good, "options": doc{"proof": []any{"eddsa-rdfc-2022"}}}, "vcapi.option"},
			"a proof with a secret":           {doc{"credential": good, "options": doc{"proof": []any{doc{"secret": "x"}}}}, "vcapi.option"},
			"a proof and a cryptosuite":       {doc{"credential": good, "options": doc{"cryptosuite": "eddsa-rdfc-2022", "proof": []any{doc{}}}}, "vcapi.option"},
			"more proofs than anyone":         {doc{"credential": good, "options": doc{"proof": []any{doc{}, doc{}, doc{}, doc{}, doc{}, doc{}, doc{}, doc{}, doc{}}}}, "vcapi.option"},
			"pointers where all is shown":     {doc{"credential": good, "options": doc{"cryptosuite": "eddsa-rdfc-2022", "mandatoryPointers": []any{"/issuer"}}}, "vcapi.option"},
			"a chain that a holder breaks":    {doc{"credential": w.alumni("issuer", w.curve), "options": doc{"chain": true, "proof": []any{doc{"cryptosuite": "ecdsa-sd-2023"}, doc{"cryptosuite": "ecdsa-rdfc-2019"}}}}, "vcapi.option"},
			"another form of token":           {doc{"credential": good, "options": doc{"format": "jwt"}}, "vcapi.option"},
			"a number for a form":             {doc{"credential": good, "options": doc{"format": 5}}, "vcapi.option"},
			"an algorithm without a token":    {doc{"credential": good, "options": doc{"alg": "EdDSA"}}, "vcapi.option"},
			"an algorithm of no key":          {doc{"credential": good, "options": doc{"format": "vc+jwt", "alg": "ES256"}}, "vcapi.option"},
			"a token of nobody":               {doc{"credential": w.alumni("issuer", "https://harvard.example"), "options": doc{"format": "vc+jwt"}}, "vcapi.issuer"},
			"a token of an undefined term":    {doc{"credential": w.alumni("@context", []any{v2}, "type", []any{"VerifiableCredential"}, "credentialSubject", doc{"id": "did:example:1", "badExtension": "x"}), "options": doc{"format": "vc+jwt"}}, "vcapi.invalid"},
			"a token with a claim of tokens":  {doc{"credential": w.alumni("iss", "x"), "options": doc{"format": "vc+jwt"}}, "vcapi.invalid"},
			"a token of the member vc":        {doc{"credential": w.alumni("vc", doc{"alumniOf": "x"}), "options": doc{"format": "vc+jwt"}}, "vcapi.invalid"},
			"a token of data model 1.1": {doc{"credential": doc{"@context": []any{v1}, "type": []any{"VerifiableCredential"}, "issuer": w.edward, "issuanceDate": "2026-01-01T00:00:00Z",
				"credentialSubject": doc{"id": "did:example:1"}}, "options": doc{"format": "vc+jwt"}}, "vcapi.option"},
			"a status for another purpose":    {doc{"credential": good, "options": doc{"statusPurpose": "refresh"}}, "vcapi.option"},
			"a number for a purpose":          {doc{"credential": good, "options": doc{"statusPurpose": 5}}, "vcapi.option"},
			"a direction that is none":        {issue("name", doc{"@value": "A", "@direction": "up"}), "vcapi.invalid"},
			"a proof already":                 {issue("proof", doc{}), "vcapi.secured"},
			"a context that is an object":     {issue("@context", doc{}), "vcapi.invalid"},
			"a context that is a number":      {issue("@context", 4), "vcapi.invalid"},
			"a context that is null":          {issue("@context", nil), "vcapi.invalid"},
			"a number among contexts":         {issue("@context", []any{v2, 5}), "vcapi.invalid"},
			"the base context late":           {issue("@context", []any{examples, v2}), "vcapi.invalid"},
			"no base context":                 {issue("@context", []any{examples}), "vcapi.invalid"},
			"an unknown context":              {issue("@context", []any{v2, "https://example.org/unknown"}), "vcapi.invalid"},
			"a protected term redefined":      {issue("@context", []any{v2, examples, doc{"VerifiableCredential": "https://example.org/Other"}}), "vcapi.invalid"},
			"a base address":                  {issue("@context", []any{v2, examples, doc{"@base": "https://example.org/"}}), "vcapi.invalid"},
			"an undefined term":               {issue("@context", []any{v2}, "type", []any{"VerifiableCredential"}, "gold", "yes"), "vcapi.invalid"},
			"an undefined type":               {issue("@context", []any{v2}), "vcapi.invalid"},
			"a vocabulary that is taken away": {issue("@context", []any{v2, examples, doc{"@vocab": nil}}), "vcapi.invalid"},
			"a type that is a text":           {issue("type", "VerifiableCredential"), "vcapi.invalid"},
			"no type":                         {issue("type", []any{}), "vcapi.invalid"},
			"an issuer that is null":          {issue("issuer", nil), "vcapi.invalid"},
			"an issuer that is a list":        {issue("issuer", []any{}), "vcapi.invalid"},
			"an issuer that is a name":        {issue("issuer", "Academy"), "vcapi.invalid"},
			"an issuer that is not here":      {issue("issuer", "did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"), "vcapi.issuer"},
			"an issuer elsewhere":             {issue("issuer", "https://harvard.example"), "vcapi.issuer"},
			"no issuer":                       {issue("issuer", "-"), "vcapi.invalid"},
			"a subject that is a text":        {issue("credentialSubject", "did:example:1"), "vcapi.invalid"},
			"an empty subject":                {issue("credentialSubject", doc{}), "vcapi.invalid"},
			"no subjects":                     {issue("credentialSubject", []any{}), "vcapi.invalid"},
			"a subject that is null":          {issue("credentialSubject", nil), "vcapi.invalid"},
			"an id that is null":              {issue("id", nil), "vcapi.invalid"},
			"an id with a space":              {issue("id", "https ://example.org/1"), "vcapi.invalid"},
			"a date that is none":             {issue("validFrom", "2026-13-01T00:00:00Z"), "vcapi.invalid"},
			"it ends before it begins":        {issue("validUntil", "2025-01-01T00:00:00Z"), "vcapi.invalid"},
			"the date of 1.1 in 2.0":          {issue("@context", []any{v2}, "type", []any{"VerifiableCredential"}, "issuanceDate", "2026-01-01T00:00:00Z"), "vcapi.invalid"},
			"a status without a type":         {issue("credentialStatus", doc{"id": "urn:uuid:1"}), "vcapi.invalid"},
			"a status that is malformed":      {issue("credentialStatus", doc{"type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "x", "statusListCredential": "https://example.org/1"}), "vcapi.invalid"},
			"an entry of a list here":         {issue("credentialStatus", doc{"type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "1", "statusListCredential": "https://badges.example.org/status/1"}), "vcapi.reserved"},
			"a schema without an id":          {issue("credentialSchema", doc{"type": "JsonSchema"}), "vcapi.invalid"},
			"a resource without a digest":     {issue("relatedResource", []any{doc{"id": v2}}), "vcapi.invalid"},
			"a name with more members":        {issue("name", doc{"@value": "A", "url": "x"}), "vcapi.invalid"},
			"a status list in an issuer's name": {issue("@context", []any{v2}, "type", []any{"VerifiableCredential", "BitstringStatusListCredential"},
				"credentialSubject", doc{"type": "BitstringStatusList", "statusPurpose": "revocation", "encodedList": "uAAAA"}), "vcapi.reserved"},
			"an id of what is issued here": {issue("id", "https://BADGES.example.org/credentials/1"), "vcapi.reserved"},
			"a badge that breaks the rules of badges": {issue("@context", []any{v2, "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"},
				"type", []any{"VerifiableCredential", "OpenBadgeCredential"}, "credentialSubject", doc{"type": []any{"AchievementSubject"}}), "vcapi.invalid"},
		} {
			t.Run(name, func(t *testing.T) {
				status, out, text := w.call(t, "/vc/credentials/issue", row.body, principal.ScopeCredentialsSign)
				if status != 400 || out["code"] != row.code {
					t.Errorf("%d: %s", status, text)
				}
			})
		}
		for name, scopes := range map[string]string{"nobody": "", "who issues awards": principal.ScopeCredentialsIssue + " " + principal.ScopeIssuersWrite} {
			if status, _, text := w.call(t, "/vc/credentials/issue", issue(), scopes); status != 401 && status != 403 {
				t.Errorf("%s: %d: %s", name, status, text)
			}
		}
		if len(w.audit) > 0 && strings.Contains(strings.Join(w.audit, ","), "issuer:") {
			t.Errorf("something was signed: %v", w.audit)
		}
	})
}

func TestStatus(t *testing.T) {
	each(t, func(t *testing.T, w *town) {
		document := w.alumni()
		signed := w.issue(t, document, nil)
		entry, ok := signed["credentialStatus"].(doc)
		if !ok || entry["type"] != "BitstringStatusListEntry" || entry["statusListIndex"] != "1" {
			t.Fatalf("%v", signed)
		}
		w.issue(t, document, nil) // the same id once more
		own := doc{"id": "https://example.org/status#1", "type": "OtherStatus"}
		foreign := w.issue(t, w.alumni("@context", []any{v2, examples, doc{"OtherStatus": "https://example.org/OtherStatus"}}, "credentialStatus", own), nil)
		set := func(id any, purpose string, on any) (int, string) {
			status, out, text := w.call(t, "/vc/credentials/status", doc{"credentialId": id, "credentialStatus": doc{"type": "BitstringStatusListEntry", "statusPurpose": purpose}, "status": on, "reason": "lost"}, principal.ScopeCredentialsSign)
			if code, ok := out["code"].(string); ok {
				return status, code
			}
			return status, text
		}
		for name, row := range map[string]struct {
			id      any
			purpose string
			on      any
			status  int
			code    string
		}{
			"an id that nobody signed":    {"urn:uuid:1", "revocation", true, 404, "vcapi.not_found"},
			"no id":                       {nil, "revocation", true, 400, "vcapi.status"},
			"another purpose":             {document["id"], "refresh", true, 400, "vcapi.status"},
			"one that names no such list": {document["id"], "suspension", true, 400, "vcapi.status"},
			"taking it back":              {document["id"], "revocation", false, 400, "vcapi.status"},
			"a status that is null":       {document["id"], "revocation", nil, 400, "vcapi.unreadable"},
			"a status that is a list":     {document["id"], "revocation", []any{}, 400, "vcapi.unreadable"},
			"one with a status of others": {foreign["id"], "revocation", true, 400, "vcapi.status"},
		} {
			if status, code := set(row.id, row.purpose, row.on); status != row.status || code != row.code {
				t.Errorf("%s: %d %s", name, status, code)
			}
		}
		if status, text := set(document["id"], "revocation", true); status != 200 || len(w.done) != 2 || w.done[1] != "revoke lost" || w.done[2] != "revoke lost" {
			t.Errorf("%d: %s, %v", status, text, w.done)
		}
		if status, text := set("https://badges.example.org/credentials/1", "revocation", "1"); status != 200 || len(w.awards) != 1 {
			t.Errorf("an award: %d: %s", status, text)
		}
		if status, text := set("https://badges.example.org/credentials/1", "suspension", false); status != 200 || len(w.awards) != 2 || w.awards[1] != "resume https://badges.example.org/credentials/1" {
			t.Errorf("an award: %d: %s, %v", status, text, w.awards)
		}
		if status, _, _ := w.call(t, "/vc/credentials/status", doc{}, principal.ScopeCredentialsIssue); status != 403 {
			t.Errorf("without the scope: %d", status)
		}
	})
}

// TestSuspension: a credential that names a list of suspensions is suspended and resumed
// any number of times, and at last revoked.
func TestSuspension(t *testing.T) {
	each(t, func(t *testing.T, w *town) {
		document := w.alumni()
		signed := w.issue(t, document, doc{"statusPurpose": []any{"suspension", "revocation", "suspension"}})
		entries, ok := signed["credentialStatus"].([]any)
		if !ok || len(entries) != 2 || entries[0].(doc)["statusPurpose"] != "revocation" || entries[1].(doc)["statusPurpose"] != "suspension" ||
			entries[0].(doc)["statusListCredential"] == entries[1].(doc)["statusListCredential"] {
			t.Fatalf("%v", signed["credentialStatus"])
		}
		if alone := w.issue(t, w.alumni(), doc{"statusPurpose": "suspension"})["credentialStatus"].(doc); alone["statusPurpose"] != "suspension" {
			t.Errorf("%v", alone)
		}
		badge := w.alumni("@context", []any{v2, "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"}, "type", []any{"VerifiableCredential", "OpenBadgeCredential"},
			"issuer", doc{"id": w.edward, "type": []any{"Profile"}, "name": "Academy"}, "credentialSubject", doc{"id": "did:example:1", "type": []any{"AchievementSubject"},
				"achievement": doc{"id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33", "type": []any{"Achievement"}, "name": "A", "description": "B", "criteria": doc{"narrative": "C"}}})
		if status, out, text := w.call(t, "/vc/credentials/issue", doc{"credential": badge, "options": doc{"statusPurpose": []any{"suspension", "revocation"}}}, principal.ScopeCredentialsSign); status != 400 || out["code"] != "vcapi.option" {
			t.Errorf("a badge with two: %d: %s", status, text)
		}
		if w.issue(t, badge, doc{"statusPurpose": "suspension"})["credentialStatus"].(doc)["statusPurpose"] != "suspension" {
			t.Error("a badge with one is not for suspension")
		}
		w.audit = nil
		for _, step := range []struct {
			purpose string
			on      any
			status  int
			done    string
		}{
			{"suspension", nil, 200, "suspend x"}, {"suspension", true, 200, "suspend x"}, {"suspension", false, 200, "resume x"}, {"suspension", true, 200, "suspend x"},
			{"revocation", true, 200, "revoke x"}, {"suspension", false, 400, "revoke x"},
		} {
			body := doc{"credentialId": document["id"], "reason": "x", "credentialStatus": doc{"type": "BitstringStatusListEntry", "statusPurpose": step.purpose}}
			if step.on != nil {
				body["status"] = step.on
			}
			status, out, text := w.call(t, "/vc/credentials/status", body, principal.ScopeCredentialsSign)
			if status != step.status || w.done[1] != step.done || status == 200 && out["status"] != (step.on != false) {
				t.Errorf("%+v: %d: %s, %v", step, status, text, w.done)
			}
		}
		const of = " issuer:0198f2a0-0000-7000-8000-000000000001"
		if got, want := strings.Join(w.audit, ", "), "vcapi.credential.suspended"+of+", vcapi.credential.resumed"+of+", vcapi.credential.suspended"+of+", vcapi.credential.revoked"+of+", vcapi.credential.resumed failed"; got != want {
			t.Errorf("the trail says %s", got)
		}
	})
}

// TestSetsChainsAndTokens signs in every way that the options know, and sees what is
// changed afterwards.
func TestSetsChainsAndTokens(t *testing.T) {
	each(t, func(t *testing.T, w *town) {
		w.noList = true
		both := []any{doc{"cryptosuite": "eddsa-rdfc-2022"}, doc{"cryptosuite": "eddsa-jcs-2022"}}
		for name, row := range map[string]struct {
			document, options doc
			proofs, covering  int
			alg               string
		}{
			"a set":                       {w.alumni(), doc{"proof": both}, 2, 0, ""},
			"a list of one":               {w.alumni(), doc{"proof": both[:1]}, 1, 0, ""},
			"a chain":                     {w.alumni(), doc{"proof": append(both, doc{}), "chain": true}, 3, 2, ""},
			"a token":                     {w.alumni(), doc{"format": "vc+jwt"}, 0, 0, "EdDSA"},
			"a token by a key on a curve": {w.alumni("issuer", w.curve), doc{"format": "vc+jwt", "alg": "ES256"}, 0, 0, "ES256"},
			"a token without an id":       {w.alumni("id", "-", "credentialSubject", doc{"alumniOf": "X"}), doc{"format": "vc+jwt"}, 0, 0, "EdDSA"},
			"a token around a proof":      {w.alumni(), doc{"format": "vc+jwt", "cryptosuite": "eddsa-rdfc-2022"}, 1, 0, "EdDSA"},
			"a token around a chain":      {w.alumni(), doc{"format": "vc+jwt", "proof": both, "chain": true}, 2, 1, "EdDSA"},
			"a direction, in a token":     {w.alumni("name", doc{"@value": "A", "@language": "ar", "@direction": "rtl"}), doc{"format": "vc+jwt"}, 0, 0, "EdDSA"},
			"a direction, in a proof":     {w.alumni("name", doc{"@value": "A", "@language": "ar", "@direction": "rtl"}), nil, 1, 0, ""},
		} {
			t.Run(name, func(t *testing.T) {
				signed := w.issue(t, row.document, row.options)
				document := signed
				if row.alg != "" {
					token, is := strings.CutPrefix(signed["id"].(string), "data:application/vc+jwt,")
					if !is || signed["type"] != "EnvelopedVerifiableCredential" || signed["@context"] != v2 || signed["proof"] != nil {
						t.Fatalf("%v", signed)
					}
					read, err := jose.Parse([]byte(token))
					if err != nil {
						t.Fatal(err)
					}
					if read.Header["alg"] != row.alg || read.Header["typ"] != "vc+jwt" || read.Header["cty"] != "vc" || !strings.HasPrefix(read.Header["kid"].(string), "did:key:") {
						t.Errorf("%v", read.Header)
					}
					if document, err = read.Credential(); err != nil {
						t.Fatal(err)
					}
				}
				proofs, covering := list(document["proof"]), 0
				for _, proof := range proofs {
					if proof.(doc)["previousProof"] != nil {
						covering++
					}
				}
				if len(proofs) != row.proofs || covering != row.covering {
					t.Errorf("%v", proofs)
				}
				verify := func(v doc, want int) {
					t.Helper()
					if status, out, text := w.call(t, "/vc/credentials/verify", doc{"verifiableCredential": v}, ""); status != want || out["verified"] != (want == 200) {
						t.Errorf("%d instead of %d: %s", status, want, text)
					}
				}
				verify(signed, 200)
				if row.alg != "" {
					changed := signed["id"].(string)
					verify(with(signed, "id", changed[:len(changed)-8]+"AAAAAAAA"), 400)
				} else {
					verify(with(signed, "credentialSubject", doc{"id": "did:example:9", "alumniOf": "X"}), 400)
				}
				if row.covering > 0 && row.alg == "" {
					verify(with(signed, "proof", proofs[1:]), 400) // a link is missing
					verify(with(signed, "proof", proofs[:1]), 200) // the first stands alone
				}
			})
		}
	})
}

func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

func TestWhatIsNotWrittenDownDoesNotLeave(t *testing.T) {
	each(t, func(t *testing.T, w *town) {
		w.lost = errors.New("the disk is full")
		document := w.alumni()
		if status, _, text := w.call(t, "/vc/credentials/issue", doc{"credential": document}, principal.ScopeAdmin); status != 500 || strings.Contains(text, "proofValue") || strings.Contains(text, "disk") {
			t.Errorf("%d: %s", status, text)
		}
		w.lost = nil
		if status, _, _ := w.call(t, "/vc/credentials/status", doc{"credentialId": document["id"], "credentialStatus": doc{"statusPurpose": "revocation"}, "status": true}, principal.ScopeAdmin); status != 404 {
			t.Errorf("half of it was stored: %d", status)
		}
	})
}

func TestWhatMustNotVerify(t *testing.T) {
	each(t, func(t *testing.T, w *town) {
		w.noList = true
		signed := w.issue(t, w.alumni(), nil)
		proof := func(changes ...any) doc {
			return doc{"verifiableCredential": with(signed, "proof", with(signed["proof"].(doc), changes...))}
		}
		text, err := json.Marshal(signed)
		if err != nil {
			t.Fatal(err)
		}
		stolen := with(signed, "issuer", w.curve)
		enveloped := w.issue(t, w.alumni(), doc{"format": "vc+jwt"})
		for name, body := range map[string]any{
			"no body":                      "",
			"members twice":                `{"verifiableCredential":{},"verifiableCredential":{}}`,
			"no credential":                doc{},
			"a credential as text":         doc{"verifiableCredential": string(text)},
			"a credential that is null":    doc{"verifiableCredential": nil},
			"a credential that is a list":  doc{"verifiableCredential": []any{signed}},
			"no proof":                     doc{"verifiableCredential": with(signed, "proof", "-")},
			"a proof that is null":         doc{"verifiableCredential": with(signed, "proof", nil)},
			"a proof that is a list":       doc{"verifiableCredential": with(signed, "proof", []any{})},
			"a proof without a type":       proof("type", "-"),
			"a proof of an unknown type":   proof("type", "UnknownProof"),
			"a proof without a purpose":    proof("proofPurpose", "-"),
			"a proof of another purpose":   proof("proofPurpose", "authentication"),
			"a proof without a method":     proof("verificationMethod", "-"),
			"a proof without a value":      proof("proofValue", "-"),
			"a proof in another base":      proof("proofValue", "u"+signed["proof"].(doc)["proofValue"].(string)[1:]),
			"another cryptosuite":          proof("cryptosuite", "eddsa-jcs-2022"),
			"an unknown cryptosuite":       proof("cryptosuite", "unknown-2022"),
			"a date that is none":          proof("created", "yesterday"),
			"more members":                 proof("gold", "yes"),
			"a key on a private address":   proof("verificationMethod", "did:web:127.0.0.1#k"),
			"a key on a port":              proof("verificationMethod", "did:web:localhost%3A8080#k"),
			"a key that climbs":            proof("verificationMethod", "did:web:example.org:..:..:etc#k"),
			"a broken proof beside a good": doc{"verifiableCredential": with(signed, "proof", []any{signed["proof"], with(signed["proof"].(doc), "created", "2026-06-01T12:00:01Z")})},
			"another issuer":               doc{"verifiableCredential": stolen},
			"a protected term redefined":   doc{"verifiableCredential": with(signed, "@context", []any{v2, examples, doc{"name": "https://evil.example/name"}})},
			"an unknown context":           doc{"verifiableCredential": with(signed, "@context", []any{v2, examples, "https://evil.example/context"})},
			"a base address":               doc{"verifiableCredential": with(signed, "@context", []any{v2, examples, doc{"@base": "https://example.org/"}})},
			"an envelope around nothing":   doc{"verifiableCredential": doc{"@context": v2, "type": "EnvelopedVerifiableCredential", "id": "data:application/vc+jwt,"}},
			"a token without a signature":  doc{"verifiableCredential": doc{"@context": v2, "type": "EnvelopedVerifiableCredential", "id": "data:application/vc+jwt,eyJhbGciOiJub25lIn0.e30.AA"}},
			"an envelope without context":  doc{"verifiableCredential": with(enveloped, "@context", []any{})},
			"an envelope, other contexts":  doc{"verifiableCredential": with(enveloped, "@context", examples)},
			"an envelope of no type":       doc{"verifiableCredential": with(enveloped, "type", "-")},
			"an envelope that is none":     doc{"verifiableCredential": with(enveloped, "type", "VerifiableCredential")},
			"an envelope without data:":    doc{"verifiableCredential": with(enveloped, "id", strings.TrimPrefix(enveloped["id"].(string), "data:application/vc+jwt,"))},
			"an envelope of a thing":       doc{"verifiableCredential": with(enveloped, "id", strings.Replace(enveloped["id"].(string), "vc+jwt", "vp+jwt", 1))},
			"an envelope of another kind":  doc{"verifiableCredential": doc{"@context": v2, "type": "EnvelopedVerifiableCredential", "id": "data:text/html,x"}},
		} {
			t.Run(name, func(t *testing.T) {
				status, out, text := w.call(t, "/vc/credentials/verify", body, "")
				problems, _ := out["problemDetails"].([]any)
				if status != 400 || out["verified"] != false || len(problems) == 0 {
					t.Errorf("%d: %s", status, text)
				}
			})
		}
	})
}

func TestPresentations(t *testing.T) {
	each(t, func(t *testing.T, w *town) {
		w.noList = true
		const domain, challenge = "github.com/w3c/vc-data-model-2.0-test-suite", "c0ffee"
		signed := w.issue(t, w.alumni(), nil)
		changed := with(signed, "credentialSubject", doc{"id": "did:example:9", "alumniOf": "X"})
		present := func(changes ...any) doc {
			vp := with(doc{"@context": []any{v2}, "type": []any{"VerifiablePresentation"}, "holder": w.edward, "verifiableCredential": []any{signed}}, changes...)
			data, err := json.Marshal(vp)
			if err != nil {
				t.Fatal(err)
			}
			var plain doc
			if err := json.Unmarshal(data, &plain); err != nil {
				t.Fatal(err)
			}
			proof, err := integrity.Create(t.Context(), jsonld.New(), integrity.EdDSARDFC2022, w.signers[w.edward], plain,
				integrity.Options{Created: now, Purpose: "authentication", Domain: domain, Challenge: challenge})
			if err != nil {
				t.Fatal(err)
			}
			vp["proof"] = proof
			return vp
		}
		many := make([]any, 21)
		for i := range many {
			many[i] = w.issue(t, w.alumni(), nil)
		}
		good := present()
		options := doc{"domain": domain, "challenge": challenge}
		for name, row := range map[string]struct {
			body doc
			want int
			says string
		}{
			"as it was asked for":         {doc{"verifiablePresentation": good, "options": options}, 200, `"verified":true`},
			"without a holder":            {doc{"verifiablePresentation": present("holder", "-"), "options": options}, 200, ""},
			"without credentials":         {doc{"verifiablePresentation": present("verifiableCredential", "-"), "options": options}, 200, ""},
			"one credential, not a list":  {doc{"verifiablePresentation": present("verifiableCredential", signed), "options": options}, 200, ""},
			"what the holder says itself": {doc{"verifiablePresentation": present("verifiableCredential", []any{w.alumni(), signed}), "options": options}, 200, "The signature of the presentation covers it"},
			"the same of nobody":          {doc{"verifiablePresentation": present("holder", "-", "verifiableCredential", w.alumni()), "options": options}, 400, "Credential 1: The document has no proof"},
			"the same of another":         {doc{"verifiablePresentation": present("verifiableCredential", w.alumni("issuer", w.curve)), "options": options}, 400, "Credential 1: The document has no proof"},
			"the same, changed later":     {doc{"verifiablePresentation": with(present("verifiableCredential", w.alumni()), "verifiableCredential", w.alumni("credentialSubject", doc{"alumniOf": "X"})), "options": options}, 400, ""},
			"another challenge":           {doc{"verifiablePresentation": good, "options": doc{"domain": domain, "challenge": "other"}}, 400, "INVALID_CHALLENGE_ERROR"},
			"another domain":              {doc{"verifiablePresentation": good, "options": doc{"domain": "example.org", "challenge": challenge}}, 400, "INVALID_DOMAIN_ERROR"},
			"a changed credential":        {doc{"verifiablePresentation": present("verifiableCredential", []any{signed, changed}), "options": options}, 400, "Credential 2: "},
			"another holder":              {doc{"verifiablePresentation": present("holder", w.curve), "options": options}, 400, "Nothing proves that the key is the holder's"},
			"signed for something else":   {doc{"verifiablePresentation": with(good, "proof", signed["proof"]), "options": options}, 400, "authentication"},
			"a changed presentation":      {doc{"verifiablePresentation": with(good, "verifiableCredential", []any{}), "options": options}, 400, ""},
			"no proof":                    {doc{"verifiablePresentation": with(good, "proof", "-"), "options": options}, 400, "no proof"},
			"a credential that is a text": {doc{"verifiablePresentation": with(good, "verifiableCredential", []any{"x"}), "options": options}, 400, ""},
			"more than will be verified":  {doc{"verifiablePresentation": present("verifiableCredential", many), "options": options}, 400, "limit"},
			"no presentation":             {doc{}, 400, "PARSING_ERROR"},
			"a number for a challenge":    {doc{"verifiablePresentation": good, "options": doc{"challenge": 5}}, 400, ""},
			"a credential in its place":   {doc{"verifiablePresentation": signed, "options": options}, 400, ""},
		} {
			t.Run(name, func(t *testing.T) {
				status, out, text := w.call(t, "/vc/presentations/verify", row.body, "")
				if status != row.want || out["verified"] != (row.want == 200) || !strings.Contains(text, row.says) {
					t.Errorf("%d: %s", status, text)
				}
			})
		}
	})
}

// TestEnvelopedPresentations: a token says as aud and nonce what a proof says as domain
// and challenge, and says that it is a presentation.
func TestEnvelopedPresentations(t *testing.T) {
	each(t, func(t *testing.T, w *town) {
		w.noList = true
		signed, enveloped := w.issue(t, w.alumni(), nil), w.issue(t, w.alumni(), doc{"format": "vc+jwt"})
		vp := func(changes ...any) doc {
			return with(doc{"@context": []any{v2}, "type": []any{"VerifiablePresentation"}, "holder": w.edward, "verifiableCredential": []any{signed, enveloped}, "aud": "d", "nonce": "c"}, changes...)
		}
		part := func(v any) string {
			data, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			return base64.RawURLEncoding.EncodeToString(data)
		}
		signer := w.signers[w.edward]
		header := doc{"alg": "EdDSA", "kid": signer.VerificationMethod(), "typ": "vp+jwt", "cty": "vp"}
		token := func(header, payload doc) string {
			text := part(header) + "." + part(payload)
			signature, err := signer.Sign(t.Context(), []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			return text + "." + base64.RawURLEncoding.EncodeToString(signature)
		}
		envelope := func(token string, changes ...any) doc {
			return with(doc{"@context": v2, "type": "EnvelopedVerifiablePresentation", "id": "data:application/vp+jwt," + token}, changes...)
		}
		good := envelope(token(header, vp()))
		for name, row := range map[string]struct {
			presentation doc
			want         int
			says         string
		}{
			"as it was asked for":           {good, 200, "all 2 credentials are verified"},
			"for several, among them us":    {envelope(token(header, vp("aud", []any{"x", "d"}))), 200, ""},
			"what the holder says itself":   {envelope(token(header, vp("verifiableCredential", w.alumni()))), 200, ""},
			"an issuer who is the holder":   {envelope(token(header, vp("iss", w.edward, "iat", "2026-06-01T12:00:00Z"))), 200, ""},
			"of the former data model":      {envelope(token(with(header, "typ", "JWT", "cty", "-"), doc{"vp": vp("aud", "-", "nonce", "-"), "iss": w.edward, "aud": "d", "nonce": "c"})), 200, ""},
			"another challenge":             {envelope(token(header, vp("nonce", "x"))), 400, "does not answer the challenge"},
			"another domain":                {envelope(token(header, vp("aud", "x"))), 400, "not made for the domain"},
			"no challenge":                  {envelope(token(header, vp("nonce", "-"))), 400, "does not answer the challenge"},
			"another holder":                {envelope(token(header, vp("holder", w.curve))), 400, "holder"},
			"another in the claims":         {envelope(token(header, vp("iss", w.curve))), 400, "claim iss"},
			"over":                          {envelope(token(header, vp("exp", now.Unix()-1))), 400, "expired"},
			"of tomorrow":                   {envelope(token(header, vp("nbf", now.Unix()+100))), 400, "valid only from"},
			"an end that is a word":         {envelope(token(header, vp("exp", "soon"))), 400, "no number"},
			"a token for a credential":      {envelope(token(with(header, "typ", "vc+jwt", "cty", "vc"), vp())), 400, "by typ"},
			"a token that holds one":        {envelope(token(with(header, "cty", "vc"), vp())), 400, "by cty"},
			"a type that is a number":       {envelope(token(with(header, "typ", 5), vp())), 400, "no string"},
			"the claim vp under vp+jwt":     {envelope(token(header, doc{"vp": vp(), "aud": "d", "nonce": "c"})), 400, "must not have the claim vp"},
			"a claim vp that is a list":     {envelope(token(with(header, "typ", "JWT"), doc{"vp": []any{}})), 400, "PARSING_ERROR"},
			"none":                          {envelope(token(with(header, "alg", "none"), vp())), 400, "not accepted"},
			"a word was changed":            {envelope(strings.Replace(token(header, vp()), part(header), part(with(header, "x", "y")), 1)), 400, "does not fit"},
			"a credential was changed":      {envelope(token(header, vp("verifiableCredential", with(signed, "credentialSubject", doc{"alumniOf": "X"})))), 400, "Credential 1: "},
			"a credential that is a text":   {envelope(token(header, vp("verifiableCredential", []any{"x"}))), 400, ""},
			"no token":                      {envelope("x"), 400, "PARSING_ERROR"},
			"no data: URL":                  {envelope("", "id", "urn:uuid:1"), 400, "PARSING_ERROR"},
			"a credential's envelope":       {with(enveloped, "type", "EnvelopedVerifiablePresentation"), 400, "another kind"},
			"no context":                    {with(good, "@context", []any{}), 400, "PARSING_ERROR"},
			"another context":               {with(good, "@context", []any{examples}), 400, "PARSING_ERROR"},
			"said to be a presentation":     {with(good, "type", []any{"VerifiablePresentation"}), 400, "no proof"},
			"a token by nobody who is here": {envelope(token(with(header, "kid", "did:web:localhost#k"), vp())), 400, ""},
		} {
			t.Run(name, func(t *testing.T) {
				status, out, text := w.call(t, "/vc/presentations/verify", doc{"verifiablePresentation": row.presentation, "options": doc{"domain": "d", "challenge": "c"}}, "")
				if status != row.want || out["verified"] != (row.want == 200) || !strings.Contains(strings.ToLower(text), strings.ToLower(row.says)) {
					t.Errorf("%d: %s", status, text)
				}
			})
		}
		// A token that says it is a presentation, or something else, is no credential.
		for name, row := range map[string]doc{"vp+jwt": with(header, "cty", "-"), "at+jwt": with(header, "typ", "at+jwt", "cty", "-"), "another content": with(header, "typ", "vc+jwt", "cty", "vp"), "the claim vc": with(header, "typ", "vc+jwt", "cty", "vc")} {
			payload := w.alumni()
			if name == "the claim vc" {
				payload = doc{"vc": payload}
			}
			body := doc{"verifiableCredential": doc{"@context": v2, "type": "EnvelopedVerifiableCredential", "id": "data:application/vc+jwt," + token(row, payload)}}
			if status, out, text := w.call(t, "/vc/credentials/verify", body, ""); status != 400 || out["verified"] != false {
				t.Errorf("%s: %d: %s", name, status, text)
			}
		}
	})
}

func TestModuleIsComplete(t *testing.T) {
	err := fx.ValidateApp(fx.NopLogger, vcapi.Module,
		fx.Supply(slog.New(slog.DiscardHandler), config.PublicURL{}),
		fx.Provide(func() func() time.Time { return time.Now }, func() *database.DB { return nil }, func() vcapi.Work { return nil }, func() vcapi.Issuers { return nil },
			func() vcapi.Statuses { return nil }, func() vcapi.Awards { return nil }, func() vcapi.Verifier { return nil }),
		fx.Invoke(func(*vcapi.Service) {}))
	if err != nil {
		t.Error(err)
	}
}
