package assertion_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/assertion"
	"github.com/badge-engine/badge-engine/modules/internal/report"
)

var now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

const (
	host       = "https://badges.example.org"
	id         = host + "/assertions/1"
	class      = host + "/classes/1"
	issuer     = host + "/issuer"
	key        = host + "/key"
	revoked    = host + "/revoked"
	otherHost  = "https://other.example.org"
	remoteCopy = otherHost + "/assertions/1"
)

type doc = map[string]any

// web is the world as one badge sees it. A document under gone is answered with 410.
type web struct {
	pages map[string]doc
	gone  map[string]doc
	asked []string
}

type goneError struct{ body []byte }

func (goneError) Error() string          { return "gone" }
func (g goneError) Gone() ([]byte, bool) { return g.body, true }

func (w *web) fetch(_ context.Context, url string) ([]byte, error) {
	w.asked = append(w.asked, url)
	if body, ok := w.gone[url]; ok {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		return nil, goneError{text}
	}
	page, ok := w.pages[url]
	if !ok {
		return nil, errors.New("no such host")
	}
	if text, raw := page["raw"].(string); raw {
		return []byte(text), nil
	}
	return json.Marshal(page)
}

// world publishes a good hosted badge; change may break it.
func world(change func(pages map[string]doc)) *web {
	w := &web{pages: map[string]doc{
		id: {
			"@context": assertion.Context, "type": "Assertion", "id": id, "badge": class, "issuedOn": "2026-01-01T00:00:00Z",
			"recipient":    doc{"type": "email", "hashed": true, "salt": "Kosher", "identity": "sha256$b5809d8a92f8858436d7e6b87c12ebc0ae1eac4baecc2c0b913aee2c922ef399"},
			"verification": doc{"type": "HostedBadge"}, "narrative": "Did it.",
		},
		class: {
			"@context": assertion.Context, "type": "BadgeClass", "id": class, "name": "Teamwork", "description": "Works well with others.",
			"image": host + "/image.png", "criteria": doc{"narrative": "Ask the team."}, "issuer": issuer,
		},
		issuer: {"@context": assertion.Context, "type": "Issuer", "id": issuer, "name": "Example Corp", "url": host, "email": "badges@example.org"},
	}}
	if change != nil {
		change(w.pages)
	}
	return w
}

func with(m doc, changes ...any) doc {
	m = maps.Clone(m)
	for i := 0; i < len(changes); i += 2 {
		if m[changes[i].(string)] = changes[i+1]; changes[i+1] == nil {
			delete(m, changes[i].(string))
		}
	}
	return m
}

func verify(t testing.TB, w *web, badge any, recipient string) report.Report {
	t.Helper()
	text, ok := badge.(string)
	if !ok {
		data, err := json.Marshal(badge)
		if err != nil {
			t.Fatal(err)
		}
		text = string(data)
	}
	v := assertion.Verifier{Fetch: w.fetch, Now: func() time.Time { return now }}
	r, err := v.Verify(t.Context(), []byte(text), assertion.Options{Recipient: recipient})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// outcomes lists what is not in order.
func outcomes(r report.Report) string {
	var all []string
	for _, c := range r.Checks {
		if c.Outcome != report.Passed && c.Outcome != report.Skipped {
			all = append(all, c.Name+" "+string(c.Outcome))
		}
	}
	return strings.Join(all, ", ")
}

func check(t *testing.T, r report.Report, want, says string) {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	bad := strings.Contains(want, "failed") || strings.Contains(want, "unknown")
	if outcomes(r) != want || r.Verified == bad || bad != (len(r.Problems) > 0) || !strings.Contains(string(text), says) {
		t.Errorf("verified %t, outcomes %q, want %q and %q\n%s", r.Verified, outcomes(r), want, says, text)
	}
	for _, c := range r.Checks {
		if c.Rule == "" || c.Detail == "" {
			t.Errorf("%s has no rule or no detail", c.Name)
		}
	}
}

func TestVerifyHostedBadges(t *testing.T) {
	good := world(nil).pages[id]
	for name, row := range map[string]struct {
		change     func(p map[string]doc)
		badge      doc
		recipient  string
		want, says string
	}{
		"as it is published":                {badge: good, says: "Its issuer publishes it"},
		"the recipient, hashed":             {badge: good, recipient: "A@example.com", says: "hashed"},
		"another recipient":                 {badge: good, recipient: "b@example.com", want: "recipient failed"},
		"the badge class embedded":          {badge: with(good, "badge", with(world(nil).pages[class]))},
		"types and contexts in lists":       {badge: with(good, "type", []any{"Assertion"}, "@context", []any{assertion.Context})},
		"an older narrative":                {badge: with(good, "narrative", "Did something."), want: "hosted warning", says: "narrative"},
		"another recipient in the copy":     {badge: with(good, "recipient", with(good["recipient"].(doc), "identity", "sha256$00")), want: "hosted failed", says: `"pointer":"/recipient/identity"`},
		"another badge in the copy":         {badge: with(good, "badge", host+"/classes/2"), want: "hosted failed", says: `"pointer":"/badge"`},
		"a date that was moved":             {badge: with(good, "issuedOn", "2020-01-01T00:00:00Z"), want: "hosted failed", says: "/issuedOn"},
		"an end that was added":             {badge: with(good, "expires", "2030-01-01T00:00:00Z"), want: "hosted failed", says: "/expires"},
		"it is not there":                   {func(p map[string]doc) { delete(p, id) }, good, "", "hosted unknown", "does not answer"},
		"something else is there":           {func(p map[string]doc) { p[id] = with(p[id], "id", class) }, good, "", "hosted failed", "something else"},
		"a page is there":                   {func(p map[string]doc) { p[id] = doc{"raw": "<html>"} }, good, "", "hosted failed", "no JSON"},
		"members twice are there":           {func(p map[string]doc) { p[id] = doc{"raw": `{"id":"` + id + `","id":"` + id + `"}`} }, good, "", "hosted failed", ""},
		"what is there is no assertion":     {func(p map[string]doc) { delete(p[id], "@context") }, good, "", "hosted failed", "no assertion of Open Badges 2.0"},
		"it says that it was revoked":       {func(p map[string]doc) { p[id]["revoked"], p[id]["revocationReason"] = true, "by mistake" }, good, "", "status failed", "by mistake"},
		"the class is not there":            {func(p map[string]doc) { delete(p, class) }, good, "", "issuer unknown", "badge class"},
		"the class is another":              {func(p map[string]doc) { p[class]["id"] = id }, good, "", "issuer failed", "badge class"},
		"the issuer is not there":           {func(p map[string]doc) { delete(p, issuer) }, good, "", "issuer unknown", ""},
		"the issuer has no address":         {func(p map[string]doc) { p[class]["issuer"] = doc{"name": "Harvard"} }, good, "", "issuer failed", "no address"},
		"the issuer is on another host":     {func(p map[string]doc) { moved(p) }, good, "", "issuer failed", "different hosts"},
		"another host that is allowed":      {func(p map[string]doc) { moved(p)["verification"] = doc{"allowedOrigins": "badges.example.org"} }, good, "", "", "allows"},
		"another host that begins so":       {func(p map[string]doc) { moved(p)["verification"] = doc{"startsWith": []any{host + "/assertions/"}} }, good, "", "", "begin with"},
		"assertions that begin otherwise":   {func(p map[string]doc) { p[issuer]["verification"] = doc{"startsWith": host + "/x/"} }, good, "", "issuer failed", "begin otherwise"},
		"a beginning that only looks alike": {func(p map[string]doc) { moved(p)["verification"] = doc{"startsWith": "https://badges.example.o"} }, good, "", "issuer failed", "begin otherwise"},
		"a host that is not allowed":        {func(p map[string]doc) { p[issuer]["verification"] = doc{"allowedOrigins": []any{"example.org"}} }, good, "", "issuer failed", "does not allow"},
		"it is issued tomorrow":             {func(p map[string]doc) { p[id]["issuedOn"] = "2026-06-02T00:00:00Z" }, nil, "", "dates failed", ""},
		"it expired":                        {func(p map[string]doc) { p[id]["expires"] = "2026-05-01T00:00:00+02:00" }, nil, "", "dates failed", "expired"},
		"a date that is none":               {func(p map[string]doc) { p[id]["issuedOn"] = "yesterday" }, nil, "", "rules failed, dates failed", "ISO 8601"},
		"a class without criteria":          {func(p map[string]doc) { delete(p[class], "criteria") }, good, "", "rules failed", "/badge/criteria"},
		"an issuer without an address":      {func(p map[string]doc) { delete(p[issuer], "email") }, good, "", "rules failed", "/badge/issuer/email"},
		"a number for a badge":              {badge: with(good, "badge", 5), want: "hosted failed", says: "/badge"},
		"an id that is a name":              {badge: with(good, "id", "urn:uuid:1"), want: "hosted failed", says: "no address"},
		"it says that it is signed":         {badge: with(good, "verification", doc{"type": "SignedBadge"}), want: "proof failed", says: "without its signature"},
		"an edition of the past":            {badge: with(good, "@context", "https://w3id.org/openbadges/v1"), want: "context failed", says: "1.1"},
		"no context":                        {badge: with(good, "@context", nil), want: "context failed", says: "@context"},
		"a foreign context":                 {badge: with(good, "@context", "https://schema.org/"), want: "context failed"},
		"nothing but a context":             {badge: doc{"@context": assertion.Context}, want: "hosted failed, rules failed, dates failed"},
		"an endorsement":                    {func(p map[string]doc) { endorse(p, class, p[class]) }, good, "", "", "All 1 endorsements"},
		"an endorsement of something else":  {func(p map[string]doc) { endorse(p, id, p[class]) }, good, "", "endorsements failed", "something else"},
		"an endorsement that was revoked":   {func(p map[string]doc) { endorse(p, class, p[class])["revoked"] = true }, good, "", "endorsements failed", "revoked"},
		"an endorsement in another's name":  {func(p map[string]doc) { endorse(p, class, p[class])["issuer"] = issuer }, good, "", "endorsements failed", "different hosts"},
		"an endorsement that is not there":  {func(p map[string]doc) { p[class]["endorsement"] = otherHost + "/none" }, good, "", "endorsements unknown", ""},
		"an endorsement out of the air":     {func(p map[string]doc) { p[class]["endorsement"] = doc{"type": "Endorsement"} }, good, "", "endorsements failed", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := world(row.change)
			badge := row.badge
			if badge == nil {
				badge = w.pages[id]
			}
			r := verify(t, w, badge, row.recipient)
			check(t, r, row.want, row.says)
			if len(w.asked) > 16 {
				t.Errorf("%d documents were asked for", len(w.asked))
			}
			if r.Verified && (r.Name != "Teamwork" || r.Issuer != (report.Party{ID: r.Issuer.ID, Name: "Example Corp"}) || r.Edition != "2.0" || r.ValidFrom != "2026-01-01T00:00:00Z" || r.Achievement.Criteria != "Ask the team.") {
				t.Errorf("%+v", r)
			}
		})
	}
}

// moved has the issuer on another host.
func moved(p map[string]doc) doc {
	p[otherHost+"/issuer"] = with(p[issuer], "id", otherHost+"/issuer")
	p[class]["issuer"] = otherHost + "/issuer"
	return p[otherHost+"/issuer"]
}

// endorse publishes an endorsement on another host.
func endorse(p map[string]doc, about string, on doc) doc {
	p[otherHost+"/endorser"] = with(p[issuer], "id", otherHost+"/endorser")
	e := doc{"@context": assertion.Context, "type": "Endorsement", "id": otherHost + "/endorsement", "claim": doc{"id": about}, "issuer": otherHost + "/endorser", "issuedOn": "2026-01-01T00:00:00Z", "verification": doc{"type": "HostedBadge"}}
	p[otherHost+"/endorsement"] = e
	on["endorsement"] = []any{otherHost + "/endorsement"}
	return e
}

func TestVerifyABadgeThatWasWithdrawn(t *testing.T) {
	w := world(nil)
	badge := w.pages[id]
	w.gone = map[string]doc{id: {"@context": assertion.Context, "id": id, "revoked": true, "revocationReason": "Issued by mistake."}}
	check(t, verify(t, w, badge, ""), "status failed", "Issued by mistake.")
}

func TestVerifyAnAddress(t *testing.T) {
	w := world(nil)
	v := assertion.Verifier{Fetch: w.fetch, Now: func() time.Time { return now }}
	r, err := v.VerifyParsed(t.Context(), assertion.At(id), assertion.Options{})
	if err != nil {
		t.Fatal(err)
	}
	check(t, r, "", "")
	delete(w.pages, id)
	r, err = v.VerifyParsed(t.Context(), assertion.At(id), assertion.Options{})
	if err != nil {
		t.Fatal(err)
	}
	check(t, r, "hosted unknown", "")
	w.gone = map[string]doc{id: {}}
	r, err = v.VerifyParsed(t.Context(), assertion.At(id), assertion.Options{})
	if err != nil {
		t.Fatal(err)
	}
	check(t, r, "status failed", "revoked")
}

func TestVerifyWithoutANetwork(t *testing.T) {
	r, err := assertion.Verifier{Now: func() time.Time { return now }}.VerifyParsed(t.Context(), assertion.At(id), assertion.Options{})
	if err != nil {
		t.Fatal(err)
	}
	check(t, r, "hosted unknown", "")
}

func pemOf(t testing.TB, pub crypto.PublicKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

func jws(t testing.TB, header, payload doc, sign func(text []byte) []byte) string {
	t.Helper()
	part := func(v any) string {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(data)
	}
	text := part(header) + "." + part(payload)
	return text + "." + base64.RawURLEncoding.EncodeToString(sign([]byte(text)))
}

func TestVerifySignedBadges(t *testing.T) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
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
	es256 := func(text []byte) []byte {
		sum := sha256.Sum256(text)
		r, s, err := ecdsa.Sign(rand.Reader, curve, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	}
	rs256 := doc{"alg": "RS256"}
	good := with(world(nil).pages[id], "id", "urn:uuid:0198f2a0-0000-7000-8000-000000000001", "verification", doc{"type": []any{"SignedBadge"}, "creator": key})
	token := jws(t, rs256, good, by(private))
	parts := strings.Split(token, ".")
	for name, row := range map[string]struct {
		change     func(p map[string]doc)
		token      string
		want, says string
	}{
		"as it was signed":          {nil, token, "", "RS256"},
		"with its class embedded":   {func(p map[string]doc) { delete(p, class) }, jws(t, rs256, with(good, "badge", world(nil).pages[class]), by(private)), "", ""},
		"without a creator":         {nil, jws(t, rs256, with(good, "verification", doc{"type": "signed"}), by(private)), "", ""},
		"its creator is the issuer": {nil, jws(t, rs256, with(good, "verification", doc{"type": "SignedBadge", "creator": issuer}), by(private)), "", ""},
		"a key in the profile":      {func(p map[string]doc) { p[issuer]["publicKey"] = []any{p[key]}; delete(p, key) }, token, "", ""},
		"a key on a curve":          {func(p map[string]doc) { p[key]["publicKeyPem"] = pemOf(t, &curve.PublicKey) }, jws(t, doc{"alg": "ES256"}, good, es256), "", "ES256"},
		"a key in the old form": {func(p map[string]doc) {
			p[key]["publicKeyPem"] = string(pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&private.PublicKey)}))
		}, token, "", ""},
		"it is not on the revocation list":      {func(p map[string]doc) { revoke(p, "urn:uuid:2") }, token, "", "not on the revocation list"},
		"it is on the revocation list":          {func(p map[string]doc) { revoke(p, doc{"id": good["id"], "revocationReason": "lost"}) }, token, "status failed", "lost"},
		"it is on the list by its id alone":     {func(p map[string]doc) { revoke(p, good["id"]) }, token, "status failed", ""},
		"the revocation list is not there":      {func(p map[string]doc) { revoke(p); delete(p, revoked) }, token, "status unknown", ""},
		"the revocation list is of another":     {func(p map[string]doc) { revoke(p); p[revoked]["issuer"] = otherHost }, token, "status unknown", "another issuer"},
		"another key signed":                    {nil, jws(t, rs256, good, by(foreign)), "proof failed", "does not fit"},
		"a word was changed":                    {nil, parts[0] + "." + strings.Split(jws(t, rs256, with(good, "narrative", "x"), by(private)), ".")[1] + "." + parts[2], "proof failed", "does not fit"},
		"no algorithm":                          {nil, jws(t, doc{"alg": "none"}, good, by(private)), "proof failed", "not accepted"},
		"the public key as a secret":            {nil, jws(t, doc{"alg": "HS256"}, good, by(private)), "proof failed", "not accepted"},
		"an embedded key is not believed":       {nil, jws(t, doc{"alg": "RS256", "jwk": doc{"kty": "RSA"}}, good, by(foreign)), "proof failed", "does not fit"},
		"the key is not the issuer's":           {func(p map[string]doc) { p[otherHost+"/key"] = with(p[key], "id", otherHost+"/key") }, jws(t, rs256, with(good, "verification", doc{"type": "SignedBadge", "creator": otherHost + "/key"}), by(private)), "proof failed", "does not list the key"},
		"the key names another owner":           {func(p map[string]doc) { p[key]["owner"] = otherHost }, token, "proof failed", "another owner"},
		"the key is not there":                  {func(p map[string]doc) { delete(p, key) }, token, "proof unknown", ""},
		"the key is no PEM":                     {func(p map[string]doc) { p[key]["publicKeyPem"] = "x" }, token, "proof failed", "PEM"},
		"the key is too short":                  {func(p map[string]doc) { p[key]["publicKeyPem"] = pemOf(t, shortKey) }, token, "proof failed", "2048"},
		"the issuer lists no key":               {func(p map[string]doc) { delete(p[issuer], "publicKey") }, token, "proof failed", "does not list"},
		"the issuer is not there":               {func(p map[string]doc) { delete(p, issuer) }, token, "issuer unknown", ""},
		"it says that it is hosted":             {nil, jws(t, rs256, with(good, "verification", doc{"type": "HostedBadge"}), by(private)), "proof failed", "says that it is hosted"},
		"an embedded issuer is not believed":    {func(p map[string]doc) { p[issuer]["name"] = "Example Corp" }, jws(t, rs256, with(good, "badge", with(world(nil).pages[class], "issuer", doc{"type": "Issuer", "id": issuer, "name": "Harvard", "publicKey": doc{"id": key, "owner": issuer, "publicKeyPem": pemOf(t, &foreign.PublicKey)}})), by(foreign)), "proof failed", ""},
		"it expired, though it is signed":       {nil, jws(t, rs256, with(good, "expires", "2026-02-01T00:00:00Z"), by(private)), "dates failed", ""},
		"a rule is broken, though it is signed": {nil, jws(t, rs256, with(good, "recipient", nil), by(private)), "rules failed", "/recipient"},
	} {
		t.Run(name, func(t *testing.T) {
			w := world(func(p map[string]doc) {
				delete(p, id)
				p[issuer]["publicKey"] = key
				p[key] = doc{"@context": assertion.Context, "type": "CryptographicKey", "id": key, "owner": issuer, "publicKeyPem": pemOf(t, &private.PublicKey)}
				if row.change != nil {
					row.change(p)
				}
			})
			check(t, verify(t, w, row.token, ""), row.want, row.says)
		})
	}
}

// shortKey is an RSA key of 1024 bits, which Go itself no longer makes.
var shortKey = func() *rsa.PublicKey {
	block, _ := pem.Decode([]byte(`-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCqGKukO1De7zhZj6+H0qtjTkVxwTCpvKe4eCZ0
FPqri0cb2JZfXJ/DgYSF6vUpwmJG8wVQZKjeGcjDOL5UlsuusFncCzWBQ7RKNUSesmQRMSGkVb1/
3j+skZ6UtW+5u09lHNsj6tQ51s1SPrCBkedbNf0Tp0GbMJDyR4e9T04ZZwIDAQAB
-----END PUBLIC KEY-----
`))
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		panic(err)
	}
	return key.(*rsa.PublicKey)
}()

func revoke(p map[string]doc, entries ...any) {
	p[issuer]["revocationList"] = revoked
	p[revoked] = doc{"@context": assertion.Context, "type": "RevocationList", "id": revoked, "issuer": issuer, "revokedAssertions": entries}
}

func TestIs(t *testing.T) {
	for text, want := range map[string]bool{
		`{"@context":"https://w3id.org/openbadges/v2"}`:                                                     true,
		` {"@context":["https://w3id.org/openbadges/v2","https://example.org/x"]}`:                          true,
		`{"recipient":{},"badge":"https://example.org/"}`:                                                   true,
		`{"@context":"https://purl.imsglobal.org/spec/ob/v2p1/ob_v2p1.jsonld"}`:                             true,
		`{"@context":["https://www.w3.org/ns/credentials/v2"],"credentialSubject":{},"badge":"openbadges"}`: false,
		`{"id":"openbadges"`:   false,
		`{}`:                   false,
		`[]`:                   false,
		``:                     false,
		`e30.e30.AAAA`:         false,
		`{"openbadges":"v2"}`:  false,
		`"https://w3id.org/"`:  false,
		`hello "recipient" {}`: false,
	} {
		if got := assertion.Is([]byte(text)); got != want {
			t.Errorf("%s: %t", text, got)
		}
	}
}

// FuzzVerify feeds foreign bytes as the badge and as what its addresses answer: it
// never panics, never asks for more than it may, and never calls verified what no
// document confirms.
func FuzzVerify(f *testing.F) {
	w := world(nil)
	for _, page := range w.pages {
		text, err := json.Marshal(page)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, text)
	}
	f.Add([]byte(`{"@context":"https://w3id.org/openbadges/v2","id":"https://a.example/","badge":[[]],"recipient":[],"verification":{"type":{}}}`), []byte(`{"id":"https://a.example/","issuer":{"id":[]}}`))
	f.Add([]byte(`eyJhbGciOiJSUzI1NiJ9.eyJAY29udGV4dCI6Imh0dHBzOi8vdzNpZC5vcmcvb3BlbmJhZGdlcy92MiJ9.AAAA`), []byte(`{}`))
	f.Fuzz(func(t *testing.T, badge, page []byte) {
		asked := 0
		v := assertion.Verifier{Now: func() time.Time { return now }, Fetch: func(context.Context, string) ([]byte, error) {
			asked++
			return page, nil
		}}
		assertion.Is(badge)
		r, err := v.Verify(t.Context(), badge, assertion.Options{Recipient: "a@example.com"})
		if err != nil {
			return
		}
		if asked > 16 {
			t.Errorf("%d documents were asked for", asked)
		}
		if r.Verified && asked == 0 {
			t.Errorf("verified on its own word: %+v", r)
		}
		if _, err := json.Marshal(r); err != nil {
			t.Error(err)
		}
	})
}
