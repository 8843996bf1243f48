package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/app/engine"
)

// TestTheVerifierFetchesWhatIsOursWithoutANetwork asks for badges of this very house by
// their addresses, which the guard would refuse: they are on a private one.
func TestTheVerifierFetchesWhatIsOursWithoutANetwork(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		img := h.must(201, h.send("POST", "/api/v1/images", picture(t), "Content-Type", "image/png")).id(t)
		credential := h.must(201, h.send("POST", "/api/v1/credentials", order(h.achievement(h.issuer(), img)))).id(t)
		for _, row := range []struct {
			name, url string
			status    int
			must      []string
		}{
			{"a credential", h.base + "/credentials/" + credential, 200, []string{`"verified":true`, `"edition":"3.0"`}},
			{"a baked badge", h.base + "/credentials/" + credential + "/badge.png", 200, []string{`"verified":true`, `"picture":{"format":"png"}`}},
			{"a path that climbs", h.base + "/../../etc/passwd", 422, []string{"verification.unreachable"}},
			{"what needs a token", h.base + "/api/v1/credentials/" + credential, 422, []string{"verification.unreachable"}},
			{"another port of this machine", "http://127.0.0.1:1/", 422, []string{"verification.unreachable"}},
			{"our own address as a user's name", strings.Replace(h.base, "127.0.0.1", "127.0.0.1@169.254.169.254", 1) + "/", 422, []string{"verification.address"}},
			{"our own address as a beginning", h.base + "0/credentials/" + credential, 422, []string{"verification.unreachable"}},
			{"the metadata of a cloud", "http://169.254.169.254/latest/meta-data/", 422, []string{"verification.unreachable"}},
		} {
			t.Run(row.name, func(t *testing.T) {
				h := &house{t: t, base: h.base, log: h.log}
				a := h.send("POST", "/api/v1/verify", map[string]any{"url": row.url}, "Authorization", "")
				if a.status != row.status {
					t.Errorf("status %d instead of %d: %s", a.status, row.status, a.body)
				}
				for _, must := range row.must {
					if !bytes.Contains(a.body, []byte(must)) {
						t.Errorf("does not say %q: %s", must, a.body)
					}
				}
			})
		}
		page := h.send("POST", "/verify", []byte("url="+h.base+"/credentials/"+credential), "Content-Type", "application/x-www-form-urlencoded", "Authorization", "", "Accept", "text/html")
		if page.status != 200 || !bytes.Contains(page.body, []byte("This badge is verified")) {
			t.Errorf("%d: %s", page.status, page.body)
		}
	})
}

// TestThePageOfTheVerifierInABrowser uses the page as a person does, with scripts turned
// off: a badge of this house by its address, and one that was changed, as text.
func TestThePageOfTheVerifierInABrowser(t *testing.T) {
	b := newChromium(t)
	h := boot(t, nil)
	img := h.must(201, h.send("POST", "/api/v1/images", picture(t), "Content-Type", "image/png")).id(t)
	address := h.base + "/credentials/" + h.must(201, h.send("POST", "/api/v1/credentials", order(h.achievement(h.issuer(), img)))).id(t)
	document := h.must(200, h.send("GET", strings.TrimPrefix(address, h.base)+"?format=json", nil, "Accept", "application/json")).body
	// The policy of the page lets nothing run; what drives the browser here goes past it.
	b.call("Emulation.setScriptExecutionDisabled", map[string]any{"value": true})

	text := b.open(address, address)
	if !strings.Contains(text, "check it here") {
		t.Fatalf("the page of a credential does not lead to the verifier: %s", text)
	}
	text = b.open(h.base+"/verify?url="+address, h.base+"/verify")
	if !strings.Contains(text, "Check a badge") || b.eval(`document.querySelector("#url").value`) != address {
		t.Fatalf("the form: %s", text)
	}
	loads := b.loads
	b.eval(`document.querySelector("form").submit()`)
	for b.loads == loads {
		b.next()
	}
	text = b.until(h.base + "/verify")
	if !strings.Contains(text, "This badge is verified") || !strings.Contains(text, "Signature") || !strings.Contains(text, "Example Academy") {
		t.Errorf("the report: %s", text)
	}
	// Everything that was loaded is of this house, and every field has its label.
	foreign := `performance.getEntriesByType("resource").map(e => e.name).filter(n => !n.startsWith(location.origin) && !n.startsWith("data:")).join()`
	if found := b.eval(foreign); found != "" {
		t.Errorf("the page loads %s", found)
	}
	if found := b.eval(`[...document.querySelectorAll("input,textarea")].filter(e => !e.labels.length).length`); found != "0" {
		t.Errorf("%s fields have no label", found)
	}
	if found := b.eval(`document.documentElement.scrollWidth > innerWidth`); found != "false" {
		t.Error("the page is wider than the window")
	}
	changed := string(bytes.Replace(document, []byte("Teamwork"), []byte("Leadership"), 1))
	loads = b.loads
	b.eval(`document.querySelector("#url").value = ""; document.querySelector("#badge").value = ` + quoted(t, changed) + `; document.querySelector("form").submit()`)
	for b.loads == loads {
		b.next()
	}
	text = b.until(h.base + "/verify")
	if !strings.Contains(text, "This badge is not verified") || !strings.Contains(text, "The signature does not fit") || !strings.Contains(text, "What to do:") {
		t.Errorf("the report on a changed badge: %s", text)
	}
}

func quoted(t *testing.T, s string) string {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestStrangersVerifySoOftenAndWhoShowsATokenGoesOn sends more verifications than one
// address may, through every door that verifies.
func TestStrangersVerifySoOftenAndWhoShowsATokenGoesOn(t *testing.T) {
	h := boot(t, func(cfg *engine.Config) { cfg.Limits.Anonymous, cfg.HTTP.TrustedProxies = 8, []string{"127.0.0.1"} })
	_, badge, _ := h.award(h.achievement(h.issuer(), ""), nil)
	doors := []struct {
		path string
		body any
		kind string
	}{
		{"/api/v1/verify", badge, "application/json"},
		{"/verify", []byte("badge=x"), "application/x-www-form-urlencoded"},
		{"/vc/credentials/verify", map[string]any{"verifiableCredential": rawJSON(badge)}, ""},
		{"/vc/presentations/verify", map[string]any{"verifiablePresentation": map[string]any{}}, ""},
	}
	for i, door := range doors {
		address := fmt.Sprintf("2001:db8::%d:0:0:0:1", i+1)
		headers := []string{"X-Forwarded-For", address}
		if door.kind != "" {
			headers = append(headers, "Content-Type", door.kind)
		}
		if door.path == "/verify" {
			headers = append(headers, "Accept", "text/html")
		}
		refused := 0
		var last answer
		for range 12 {
			if last = h.send("POST", door.path, door.body, append(headers, "Authorization", "")...); last.status == 429 {
				refused++
			}
		}
		if refused != 4 || last.header.Get("Retry-After") == "" {
			t.Errorf("%s refused %d of 12: %d %v %s", door.path, refused, last.status, last.header, last.body)
		}
		if door.path == "/verify" {
			if !strings.Contains(last.header.Get("Content-Type"), "text/html") {
				t.Errorf("a person is told as %s", last.header.Get("Content-Type"))
			}
		} else if !strings.Contains(string(last.body), `"code":"ratelimit.exceeded"`) {
			t.Errorf("%s says %s", door.path, last.body)
		}
		if a := h.send("POST", door.path, door.body, headers...); a.status == 429 {
			t.Errorf("%s refuses somebody with a token", door.path)
		}
		if a := h.send("GET", "/verify", nil, "X-Forwarded-For", address, "Authorization", ""); a.status != 200 {
			t.Errorf("the empty form is answered with %d", a.status)
		}
	}
}
