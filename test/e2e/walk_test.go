package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"mime/multipart"
	"strings"
	"sync"
	"testing"

	"github.com/badge-engine/badge-engine/app/engine"
)

// picture is a small valid PNG.
func picture(t testing.TB) []byte {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, 16, 16))
	for i := range 16 {
		img.Set(i, i, color.NRGBA{uint8(i * 16), 100, 200, 255})
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

const drawing = `<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><circle cx="5" cy="5" r="4"/></svg>`

func TestABadgeIsDefinedIssuedBakedAndVerified(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		issuer := h.issuer()
		img := h.must(201, h.send("POST", "/api/v1/images", picture(t), "Content-Type", "image/png")).id(t)
		h.must(200, h.send("PUT", "/api/v1/images/"+img, []byte(drawing), "Content-Type", "image/svg+xml"))
		achievement := h.achievement(issuer, img)

		created := h.must(201, h.send("POST", "/api/v1/credentials", order(achievement)))
		var issued struct {
			ID, PublicURL string
			Credential    json.RawMessage
		}
		created.into(t, &issued)
		if bytes.Contains(created.body, []byte("ada@example.org")) {
			t.Error("the credential shows the e-mail address")
		}

		public := h.must(200, h.send("GET", "/credentials/"+issued.ID, nil, "Authorization", ""))
		if !bytes.Equal(public.body, issued.Credential) {
			t.Error("the published credential is not the one that was answered")
		}
		if kind := public.header.Get("Content-Type"); kind != "application/vc+ld+json" {
			t.Errorf("Content-Type %q", kind)
		}
		for _, format := range []string{"png", "svg"} {
			badge := h.must(200, h.send("GET", "/credentials/"+issued.ID+"/badge."+format, nil, "Authorization", ""))
			plain := picture(t)
			if format == "svg" {
				plain = []byte(drawing)
			}
			if got := without(t, format, badge.body); !bytes.Equal(got, plain) {
				t.Errorf("%s: bytes outside the badge changed", format)
			}
			kind := badge.header.Get("Content-Type")
			var out struct {
				Version    string
				Credential json.RawMessage
			}
			h.must(200, h.send("POST", "/api/v1/extract", badge.body, "Content-Type", kind)).into(t, &out)
			if !sameJSON(t, out.Credential, issued.Credential) {
				t.Errorf("%s: another credential came out", format)
			}
			h.verified(badge.body, kind, "ada@example.org", true)
			h.verified(badge.body, kind, "eve@example.org", false)
		}
		h.verified(issued.Credential, "application/json", "", true)
		h.verified(bytes.Replace(issued.Credential, []byte("Teamwork"), []byte("Solo work"), 1), "application/json", "", false)
	})
}

func (h *house) verified(body []byte, kind, recipient string, want bool) {
	h.t.Helper()
	if recipient != "" {
		var form bytes.Buffer
		fields := multipart.NewWriter(&form)
		file, _ := fields.CreateFormFile("file", "badge")
		file.Write(body)
		fields.WriteField("recipient", recipient)
		fields.Close()
		body, kind = form.Bytes(), fields.FormDataContentType()
	}
	a := h.must(200, h.send("POST", "/api/v1/verify", body, "Content-Type", kind, "Authorization", ""))
	var report struct{ Verified bool }
	a.into(h.t, &report)
	if report.Verified != want {
		h.t.Errorf("verified %t: %s", report.Verified, a.body)
	}
}

// without cuts the badge out of a picture again, knowing only the published format.
func without(t *testing.T, format string, baked []byte) []byte {
	t.Helper()
	if format == "svg" {
		start := bytes.Index(baked, []byte("<openbadges:credential"))
		end := bytes.Index(baked, []byte("</openbadges:credential>")) + len("</openbadges:credential>")
		if start < 0 || end < start {
			t.Fatalf("no badge in %s", baked)
		}
		out := append(bytes.Clone(baked[:start]), baked[end:]...)
		return bytes.Replace(out, []byte(` xmlns:openbadges="https://purl.imsglobal.org/ob/v3p0"`), nil, 1)
	}
	at := bytes.Index(baked, []byte("iTXtopenbadgecredential\x00"))
	if at < 4 {
		t.Fatal("no badge in the PNG")
	}
	length := int(baked[at-4])<<24 | int(baked[at-3])<<16 | int(baked[at-2])<<8 | int(baked[at-1])
	return append(bytes.Clone(baked[:at-4]), baked[at+4+length+4:]...)
}

func sameJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	var x, y bytes.Buffer
	if json.Compact(&x, a) != nil || json.Compact(&y, b) != nil {
		t.Fatalf("no JSON: %s, %s", a, b)
	}
	return bytes.Equal(x.Bytes(), y.Bytes())
}

func TestOnHTTPSTheIssuerIsItsAddressAndListsItsKey(t *testing.T) {
	h := boot(t, func(cfg *engine.Config) { cfg.PublicURL = "https://badges.example.org" })
	issuer := h.issuer()
	img := h.must(201, h.send("POST", "/api/v1/images", picture(t), "Content-Type", "image/png")).id(t)
	created := h.must(201, h.send("POST", "/api/v1/credentials", order(h.achievement(issuer, img))))
	var issued struct {
		Credential struct {
			ID     string
			Issuer struct{ ID string }
			Proof  []struct{ VerificationMethod string }
		}
	}
	created.into(t, &issued)
	address := "https://badges.example.org/issuers/" + issuer
	if issued.Credential.Issuer.ID != address {
		t.Errorf("issuer %s", issued.Credential.Issuer.ID)
	}
	method := issued.Credential.Proof[0].VerificationMethod
	if !strings.HasPrefix(method, address+"#z6Mk") {
		t.Errorf("verification method %s", method)
	}
	document := h.must(200, h.send("GET", "/issuers/"+issuer, nil, "Authorization", ""))
	if !bytes.Contains(document.body, []byte(`"assertionMethod"`)) || !bytes.Contains(document.body, []byte(method)) {
		t.Errorf("the issuer does not list %s: %s", method, document.body)
	}
	web := h.must(200, h.send("GET", "/issuers/"+issuer+"/did.json", nil, "Authorization", ""))
	if !bytes.Contains(web.body, []byte(`"id":"did:web:badges.example.org:issuers:`+issuer+`"`)) {
		t.Errorf("DID document %s", web.body)
	}
	_, key, _ := strings.Cut(method, "#")
	h.must(200, h.send("GET", "/issuers/"+issuer+"/keys/"+key, nil, "Authorization", ""))
	h.must(200, h.send("GET", "/issuers/"+issuer+"/keys", nil, "Authorization", ""))
	h.must(404, h.send("GET", "/issuers/"+issuer+"/keys/z6MkNobody", nil, "Authorization", ""))

	var whole struct{ Credential json.RawMessage }
	created.into(t, &whole)
	h.verified(whole.Credential, "application/json", "ada@example.org", true)
	// Somebody else's key under this issuer's address must not pass.
	forged := bytes.ReplaceAll(whole.Credential, []byte(key), []byte("z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"))
	h.verified(forged, "application/json", "", false)
}

func TestKeysAreMadeRotatedAndRevokedOverHTTP(t *testing.T) {
	h := boot(t, func(cfg *engine.Config) { cfg.PublicURL = "https://badges.example.org" })
	issuer := h.issuer()
	achievement := h.achievement(issuer, "")
	issue := func() json.RawMessage {
		var out struct{ Credential json.RawMessage }
		h.must(201, h.send("POST", "/api/v1/credentials", order(achievement))).into(t, &out)
		return out.Credential
	}
	keys := "/api/v1/issuers/" + issuer + "/keys"
	type key struct{ ID, Kind, State, URL, PublicKeyMultibase string }
	list := func() []key {
		var out struct{ Items []key }
		h.must(200, h.send("GET", keys, nil)).into(t, &out)
		return out.Items
	}
	before := issue()
	for _, kind := range []string{"P-256", "P-384", "RSA-2048"} {
		var made key
		h.must(201, h.send("POST", keys, map[string]any{"kind": kind})).into(t, &made)
		bare := h.must(200, h.send("GET", strings.TrimPrefix(made.URL, "https://badges.example.org"), nil, "Authorization", ""))
		if made.Kind != kind || made.State != "active" || !bytes.Contains(bare.body, []byte(`"kty":`)) || bytes.Contains(bare.body, []byte(`"d":`)) {
			t.Errorf("%+v is published as %s", made, bare.body)
		}
	}
	h.must(201, h.send("POST", keys, map[string]any{"kind": "Ed25519", "rotate": true}))
	after := issue()
	old, current := list()[4], key{}
	for _, k := range list() {
		if k.Kind == "Ed25519" && k.State == "active" {
			current = k
		}
	}
	if len(list()) != 5 || old.State != "retired" || !bytes.Contains(before, []byte(old.PublicKeyMultibase)) || !bytes.Contains(after, []byte(current.PublicKeyMultibase)) {
		t.Fatalf("the keys are %+v", list())
	}
	h.verified(before, "application/json", "", true)
	h.verified(after, "application/json", "", true)

	h.must(409, h.send("POST", keys+"/"+current.ID+"/retire", nil))
	h.must(200, h.send("POST", keys+"/"+old.ID+"/revoke", map[string]any{"reason": "the laptop was stolen"}))
	h.must(409, h.send("POST", keys+"/"+old.ID+"/revoke", map[string]any{}))
	h.verified(before, "application/json", "", false)
	h.verified(after, "application/json", "", true)
	set := h.must(200, h.send("GET", "/.well-known/jwks.json", nil, "Authorization", ""))
	if bytes.Count(set.body, []byte(`"iss":"https://badges.example.org/issuers/`+issuer+`"`)) != 4 || !bytes.Contains(set.body, []byte(strings.TrimPrefix(current.URL, "https://badges.example.org/issuers/"+issuer+"/jwk/"))) {
		t.Errorf("the key set of the host is %s", set.body)
	}
	h.must(410, h.send("GET", strings.TrimPrefix(old.URL, "https://badges.example.org"), nil, "Authorization", ""))

	// What the thief may have signed is revoked by query, and ours is issued again: the
	// same badge, with the date of its award.
	var first struct {
		ID, AwardedDate, ValidFrom string
		CredentialSubject          struct{ Identifier json.RawMessage }
	}
	var again = first
	if err := json.Unmarshal(before, &first); err != nil {
		t.Fatal(err)
	}
	survey := h.must(200, h.send("POST", "/api/v1/credentials/revoke", map[string]any{"keyId": old.ID, "issuedSince": "2020-01-01T00:00:00Z", "dryRun": true}))
	if !bytes.Contains(survey.body, []byte(`"affected":1`)) {
		t.Errorf("the survey is %s", survey.body)
	}
	h.must(422, h.send("POST", "/api/v1/credentials/revoke", map[string]any{"keyId": issuer, "dryRun": true}))
	h.must(409, h.send("POST", keys+"/"+current.ID+"/reissue", map[string]any{}))
	h.must(400, h.send("POST", keys+"/"+old.ID+"/reissue", map[string]any{"limit": 501}))
	for _, want := range []string{`{"reissued":1,"failed":[],"next":`, `{"reissued":0,"failed":[]}`} {
		if got := h.must(200, h.send("POST", keys+"/"+old.ID+"/reissue", map[string]any{"limit": 1})); !bytes.HasPrefix(got.body, []byte(want)) {
			t.Errorf("reissued %s, want %s", got.body, want)
		}
	}
	public := h.must(200, h.send("GET", strings.TrimPrefix(first.ID, "https://badges.example.org")+"?format=json", nil, "Authorization", ""))
	if public.into(t, &again); again.ID != first.ID || again.AwardedDate != first.ValidFrom || again.ValidFrom == first.ValidFrom || !sameJSON(t, again.CredentialSubject.Identifier, first.CredentialSubject.Identifier) {
		t.Errorf("issued again as %s", public.body)
	}
	h.verified(public.body, "application/json", "ada@example.org", true)

	for _, bad := range []any{map[string]any{}, map[string]any{"kind": "Ed448"}, map[string]any{"kind": "P-256", "purposes": []string{"keyAgreement"}}, map[string]any{"kind": 1}, map[string]any{"kind": "P-256", "secret": "x"}} {
		if got := h.send("POST", keys, bad); got.status != 422 && got.status != 400 {
			t.Errorf("%v: %d %s", bad, got.status, got.body)
		}
	}
	h.must(404, h.send("GET", keys+"/x", nil))
	h.must(404, h.send("GET", "/api/v1/issuers/x/keys", nil))
	h.must(401, h.send("POST", keys, map[string]any{"kind": "P-256"}, "Authorization", ""))
}

func TestCredentialsAreSecuredAsTheOrderAsks(t *testing.T) {
	h := boot(t, func(cfg *engine.Config) { cfg.PublicURL = "https://badges.example.org" })
	issuer := h.issuer()
	achievement := h.achievement(issuer, h.must(201, h.send("POST", "/api/v1/images", picture(t), "Content-Type", "image/png")).id(t))
	signing := "/api/v1/issuers/" + issuer + "/signing"
	type form = map[string]any
	suites := func(names ...string) (proofs []form) {
		for _, name := range names {
			proofs = append(proofs, form{"cryptosuite": name})
		}
		return proofs
	}
	with := func(f form) map[string]any {
		o := order(achievement)
		for name, value := range f {
			o[name] = value
		}
		return o
	}
	// The keys must be there first, and nothing is left behind when they are not.
	h.must(409, h.send("POST", "/api/v1/credentials", with(form{"proof": suites("ecdsa-rdfc-2019")})))
	h.must(409, h.send("PUT", signing, form{"proof": suites("ecdsa-sd-2023")}))
	ids := map[string]string{}
	for _, kind := range []string{"P-256", "P-384", "RSA-2048"} {
		ids[kind] = h.must(201, h.send("POST", "/api/v1/issuers/"+issuer+"/keys", form{"kind": kind})).id(t)
	}

	type output struct {
		ID, PublicURL, Jwt string
		Credential         json.RawMessage
	}
	path := func(o output) string { return strings.TrimPrefix(o.PublicURL, "https://badges.example.org") }
	issue := func(f form) (o output) {
		t.Helper()
		h.must(201, h.send("POST", "/api/v1/credentials", with(f))).into(t, &o)
		return o
	}
	for name, f := range map[string]form{
		"as ever":        {},
		"eddsa-jcs-2022": {"proof": suites("eddsa-jcs-2022")},
		"ecdsa on P-256": {"proof": suites("ecdsa-rdfc-2019", "ecdsa-jcs-2019")},
		"ecdsa on P-384": {"proof": []form{{"cryptosuite": "ecdsa-rdfc-2019", "keyId": ids["P-384"]}, {"cryptosuite": "ecdsa-jcs-2019", "keyId": ids["P-384"]}}},
		"a set":          {"proof": suites("eddsa-rdfc-2022", "ecdsa-rdfc-2019")},
		"a chain":        {"proof": suites("eddsa-rdfc-2022", "ecdsa-rdfc-2019", "eddsa-jcs-2022"), "chain": true},
		"and a token":    {"format": "jwt"},
		"and by RSA":     {"format": "jwt", "formatKeyId": ids["RSA-2048"]},
		"and the W3C's":  {"format": "vc+jwt", "formatKeyId": ids["P-384"], "proof": suites("eddsa-jcs-2022")},
	} {
		t.Run(name, func(t *testing.T) {
			o := issue(f)
			h.verified(o.Credential, "application/json", "", true)
			public := h.must(200, h.send("GET", path(o)+"?format=json", nil, "Authorization", ""))
			if !sameJSON(t, public.body, o.Credential) {
				t.Errorf("the world reads %s", public.body)
			}
			if covers := bytes.Count(o.Credential, []byte(`"previousProof"`)); covers != map[bool]int{true: 2}[f["chain"] == true] {
				t.Errorf("%d proofs cover others: %s", covers, o.Credential)
			}
			if f["chain"] == true { // without its first link it is no chain
				var broken map[string]any
				if err := json.Unmarshal(o.Credential, &broken); err != nil {
					t.Fatal(err)
				}
				broken["proof"] = broken["proof"].([]any)[1:]
				text, err := json.Marshal(broken)
				if err != nil {
					t.Fatal(err)
				}
				h.verified(text, "application/json", "", false)
			}
			if (o.Jwt != "") != (f["format"] != nil) {
				t.Fatalf("the token is %q", o.Jwt)
			}
			if o.Jwt == "" {
				return
			}
			h.verified([]byte(o.Jwt), "application/jwt", "", true)
			token := h.must(200, h.send("GET", path(o), nil, "Authorization", "", "Accept", "application/vc+jwt"))
			if string(token.body) != o.Jwt || token.header.Get("Content-Type") != "application/vc+jwt" {
				t.Errorf("the world reads %s, %s", token.header.Get("Content-Type"), token.body)
			}
		})
	}

	t.Run("selective disclosure", func(t *testing.T) {
		h.must(200, h.send("PUT", signing, form{"proof": []form{{"cryptosuite": "ecdsa-sd-2023", "mandatoryPointers": []string{"/name"}}}}))
		if got := h.must(200, h.send("GET", signing, nil)); !bytes.Contains(got.body, []byte("ecdsa-sd-2023")) {
			t.Errorf("the issuer signs by %s", got.body)
		}
		o := issue(form{"narrative": "In her own words."})
		h.verified(o.Credential, "application/json", "", false) // it is for the holder
		public := h.must(200, h.send("GET", path(o)+"?format=json", nil, "Authorization", ""))
		if bytes.Contains(public.body, []byte("In her own words")) || !bytes.Contains(o.Credential, []byte("In her own words")) || !bytes.Contains(public.body, []byte("Teamwork")) {
			t.Errorf("the world reads %s", public.body)
		}
		h.verified(public.body, "application/json", "ada@example.org", true)
		png := h.must(200, h.send("GET", path(o)+"/badge.png", nil, "Authorization", ""))
		h.verified(png.body, "image/png", "", true)
		// The next version is secured in the same way.
		var next output
		h.must(200, h.send("PUT", "/api/v1/credentials/"+o.ID, form{"narrative": "In other words."})).into(t, &next)
		if !bytes.Contains(next.Credential, []byte("In other words")) || !bytes.Contains(next.Credential, []byte("ecdsa-sd-2023")) {
			t.Errorf("the next version is %s", next.Credential)
		}
		// Beside a proof for everybody it is not published.
		both := issue(form{"proof": suites("eddsa-rdfc-2022", "ecdsa-sd-2023")})
		public = h.must(200, h.send("GET", path(both)+"?format=json", nil, "Authorization", ""))
		if bytes.Contains(public.body, []byte("ecdsa-sd-2023")) || !bytes.Contains(both.Credential, []byte("ecdsa-sd-2023")) {
			t.Errorf("the world reads %s", public.body)
		}
		h.verified(public.body, "application/json", "", true)
		h.must(204, h.send("DELETE", "/api/v1/credentials/"+o.ID, nil))
		h.must(410, h.send("GET", path(o), nil, "Authorization", ""))
	})

	for name, row := range map[string]struct {
		f       form
		status  int
		pointer string
	}{
		"an unknown cryptosuite":             {form{"proof": suites("bbs-2023")}, 422, "/proof/0/cryptosuite"},
		"a key of another kind":              {form{"proof": []form{{"cryptosuite": "ecdsa-sd-2023", "keyId": ids["P-384"]}}}, 422, "/proof/0/keyId"},
		"a key of nobody":                    {form{"format": "jwt", "formatKeyId": issuer}, 422, "/formatKeyId"},
		"a key for no token":                 {form{"formatKeyId": ids["P-384"]}, 422, "/formatKeyId"},
		"an unknown form":                    {form{"format": "pdf"}, 422, "/format"},
		"a pointer to nothing":               {form{"proof": []form{{"cryptosuite": "ecdsa-sd-2023", "mandatoryPointers": []string{"/narrative"}}}}, 422, "/proof/0/mandatoryPointers"},
		"a pointer that is none":             {form{"proof": []form{{"cryptosuite": "ecdsa-sd-2023", "mandatoryPointers": []string{"name"}}}}, 422, "/proof/0/mandatoryPointers"},
		"pointers where all is shown":        {form{"proof": []form{{"cryptosuite": "eddsa-rdfc-2022", "mandatoryPointers": []string{"/name"}}}}, 422, "/proof/0/mandatoryPointers"},
		"more proofs than anyone":            {form{"proof": suites("eddsa-rdfc-2022", "eddsa-rdfc-2022", "eddsa-rdfc-2022", "eddsa-rdfc-2022", "eddsa-rdfc-2022", "eddsa-rdfc-2022", "eddsa-rdfc-2022", "eddsa-rdfc-2022", "eddsa-rdfc-2022")}, 422, "/proof"},
		"a chain of one":                     {form{"proof": suites("eddsa-rdfc-2022"), "chain": true}, 422, "/chain"},
		"a chain of the issuer's own choice": {form{"chain": true}, 422, "/chain"},
		"a chain that a holder breaks":       {form{"proof": suites("eddsa-rdfc-2022", "ecdsa-sd-2023"), "chain": true}, 422, "/proof/1/cryptosuite"},
		"a proof that is a text":             {form{"proof": []string{"eddsa-rdfc-2022"}}, 422, "/proof/0"},
		"a member that nobody knows of":      {form{"proof": []form{{"cryptosuite": "eddsa-rdfc-2022", "secret": "x"}}}, 422, "/proof/0/secret"},
		"the same for what the issuer asks":  {nil, 0, ""},
	} {
		if row.f == nil {
			h.must(422, h.send("PUT", signing, form{"proof": suites("bbs-2023")}))
			continue
		}
		if got := h.send("POST", "/api/v1/credentials", with(row.f)); got.status != row.status || !bytes.Contains(got.body, []byte(`"`+row.pointer+`"`)) {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
}

func TestWithoutHTTPSAnIssuerIsItsOneKey(t *testing.T) {
	h := boot(t, nil)
	issuer := h.issuer()
	h.must(201, h.send("POST", "/api/v1/issuers/"+issuer+"/keys", map[string]any{"kind": "P-256"}))
	o := order(h.achievement(issuer, ""))
	o["proof"] = []map[string]any{{"cryptosuite": "eddsa-rdfc-2022"}, {"cryptosuite": "ecdsa-rdfc-2019"}}
	if got := h.must(409, h.send("POST", "/api/v1/credentials", o)); !bytes.Contains(got.body, []byte("PUBLIC_URL")) {
		t.Errorf("the refusal is %s", got.body)
	}
}

func TestPublicAddressesAnswerPeopleWithPages(t *testing.T) {
	h := boot(t, nil)
	issuer := h.issuer()
	img := h.must(201, h.send("POST", "/api/v1/images", picture(t), "Content-Type", "image/png")).id(t)
	achievement := h.achievement(issuer, img)
	credential := h.must(201, h.send("POST", "/api/v1/credentials", order(achievement))).id(t)
	for _, path := range []string{"/issuers/" + issuer, "/achievements/" + achievement, "/credentials/" + credential} {
		a := h.must(200, h.send("GET", path, nil, "Authorization", "", "Accept", "text/html,application/xhtml+xml,*/*;q=0.8"))
		for _, must := range []string{"<!doctype html>", `property="og:title"`} {
			if !bytes.Contains(a.body, []byte(must)) {
				t.Errorf("%s lacks %s", path, must)
			}
		}
		if bytes.Contains(a.body, []byte("ZgotmplZ")) || bytes.Contains(a.body, []byte("ada@example.org")) {
			t.Errorf("%s shows what it must not: %s", path, a.body)
		}
		if !strings.Contains(a.header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s has the policy %q", path, a.header.Get("Content-Security-Policy"))
		}
		plain := h.must(200, h.send("GET", path, nil, "Authorization", ""))
		if !json.Valid(plain.body) {
			t.Errorf("%s is no JSON without Accept", path)
		}
	}
	linked := h.must(200, h.send("GET", "/credentials/"+credential+"?format=json", nil, "Authorization", "", "Accept", "text/html"))
	if !json.Valid(linked.body) {
		t.Error("the link to the credential leads to a page")
	}
}

func TestAnOrderIsCarriedOutOnceHoweverOftenItIsSent(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		achievement := h.achievement(h.issuer(), "")
		body, _ := json.Marshal(order(achievement))
		var wg sync.WaitGroup
		var mu sync.Mutex
		ids := map[string]int{}
		for range 12 {
			wg.Go(func() {
				for {
					a := h.send("POST", "/api/v1/credentials", string(body), "Idempotency-Key", "one-and-the-same")
					if a.status == 409 {
						continue // still being worked on
					}
					if a.status != 201 && a.status != 200 {
						t.Errorf("status %d: %s", a.status, a.body)
						return
					}
					mu.Lock()
					ids[a.id(t)]++
					mu.Unlock()
					return
				}
			})
		}
		wg.Wait()
		if len(ids) != 1 {
			t.Errorf("issued %v", ids)
		}
		a := h.send("POST", "/api/v1/credentials", map[string]any{"achievementId": achievement, "recipient": map[string]any{"email": "eve@example.org"}}, "Idempotency-Key", "one-and-the-same")
		h.refused(a, 409, "issuance.idempotency_mismatch")
	})
}

func (h *house) refused(a answer, status int, code string) {
	h.t.Helper()
	var p struct {
		Type, Title, Code string
		Status            int
	}
	if a.status != status {
		h.t.Errorf("status %d instead of %d: %s", a.status, status, a.body)
		return
	}
	if kind := a.header.Get("Content-Type"); !strings.HasPrefix(kind, "application/problem+json") {
		h.t.Errorf("a refusal of type %q: %s", kind, a.body)
		return
	}
	a.into(h.t, &p)
	if p.Code != code || p.Title == "" || p.Status != status {
		h.t.Errorf("problem %s instead of %s", a.body, code)
	}
}

func TestListsPageFilterAndSort(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		issuer := h.issuer()
		other := h.issuer()
		achievement := h.achievement(issuer, "")
		h.achievement(other, "")
		want := map[string]bool{}
		for i := range 7 {
			body := map[string]any{"achievementId": achievement, "recipient": map[string]any{"email": fmt.Sprintf("person%d@example.org", i%2)}}
			want[h.must(201, h.send("POST", "/api/v1/credentials", body)).id(t)] = true
		}
		for _, sort := range []string{"createdAt", "-createdAt", "validFrom", "-validFrom"} {
			seen, cursor := map[string]bool{}, ""
			for pages := 0; ; pages++ {
				var page struct {
					Items []struct{ ID string }
					Next  string
				}
				h.must(200, h.send("GET", "/api/v1/credentials?limit=3&sort="+sort+"&issuerId="+issuer+"&cursor="+cursor, nil)).into(t, &page)
				for _, item := range page.Items {
					if seen[item.ID] {
						t.Errorf("%s came twice", item.ID)
					}
					seen[item.ID] = true
				}
				if cursor = page.Next; cursor == "" {
					if pages != 2 {
						t.Errorf("%d pages", pages+1)
					}
					break
				}
			}
			if len(seen) != len(want) {
				t.Errorf("sort %s lists %d instead of %d", sort, len(seen), len(want))
			}
		}
		var mine struct{ Items []struct{ ID string } }
		h.must(200, h.send("GET", "/api/v1/credentials?recipient=Person1@Example.org", nil)).into(t, &mine)
		if len(mine.Items) != 3 {
			t.Errorf("person 1 has %d credentials", len(mine.Items))
		}
		var found struct{ Items []struct{ ID string } }
		h.must(200, h.send("GET", "/api/v1/achievements?issuerId="+other, nil)).into(t, &found)
		if len(found.Items) != 1 {
			t.Errorf("the other issuer has %d achievements", len(found.Items))
		}
		h.refused(h.send("GET", "/api/v1/credentials?cursor=nonsense", nil), 400, "paging.cursor")
		a := h.send("GET", "/api/v1/credentials?sort=colour", nil)
		if a.status != 400 {
			t.Errorf("status %d: %s", a.status, a.body)
		}
	})
}

func TestWhatCredentialsNameStaysAndWhatIsUnusedGoes(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		issuer := h.issuer()
		img := h.must(201, h.send("POST", "/api/v1/images", picture(t), "Content-Type", "image/png")).id(t)
		used, unused := h.achievement(issuer, img), h.achievement(issuer, "")
		first := order(used)
		first["validFrom"] = "2026-01-01T00:00:00Z"
		credential := h.must(201, h.send("POST", "/api/v1/credentials", first)).id(t)

		h.must(204, h.send("DELETE", "/api/v1/achievements/"+unused, nil))
		h.must(404, h.send("GET", "/api/v1/achievements/"+unused, nil))
		h.refused(h.send("DELETE", "/api/v1/achievements/"+used, nil), 409, "achievements.in_use")
		h.refused(h.send("DELETE", "/api/v1/issuers/"+issuer, nil), 409, "achievements.in_use")
		h.refused(h.send("DELETE", "/api/v1/images/"+img, nil), 409, "achievements.in_use")

		a := h.must(200, h.send("GET", "/api/v1/achievements/"+used, nil))
		change := map[string]any{"name": "Teamwork II", "description": "Better.", "criteria": map[string]any{"narrative": "More peers."}, "imageId": img}
		h.must(200, h.send("PUT", "/api/v1/achievements/"+used, change, "If-Match", a.header.Get("ETag")))
		h.refused(h.send("PUT", "/api/v1/achievements/"+used, change, "If-Match", a.header.Get("ETag")), 412, "achievements.version")

		before := h.must(200, h.send("GET", "/credentials/"+credential, nil))
		if !bytes.Contains(before.body, []byte(`"Teamwork"`)) {
			t.Error("a credential changed with its achievement")
		}
		again := h.must(200, h.send("PUT", "/api/v1/credentials/"+credential, map[string]any{"narrative": "Corrected."}))
		var next struct {
			Version    int
			Credential json.RawMessage
		}
		again.into(t, &next)
		if next.Version != 2 || !bytes.Contains(next.Credential, []byte("Teamwork II")) || !bytes.Contains(next.Credential, []byte("awardedDate")) {
			t.Errorf("the new version is %s", again.body)
		}
		h.verified(next.Credential, "application/json", "ada@example.org", true)

		h.must(204, h.send("DELETE", "/api/v1/credentials/"+credential, nil))
		for _, path := range []string{"/credentials/" + credential, "/credentials/" + credential + "/badge.png", "/api/v1/credentials/" + credential} {
			h.refused(h.send("GET", path, nil), 410, "issuance.withdrawn")
		}
	})
}
