package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"net/http"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/app/engine"
)

// chunk is one PNG chunk with a right CRC.
func chunk(kind string, data []byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	out = append(append(out, kind...), data...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

func TestBadInputIsRefusedWithTheRuleAndThePlace(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		issuer := h.issuer()
		plain := picture(t)
		img := h.must(201, h.send("POST", "/api/v1/images", plain, "Content-Type", "image/png")).id(t)
		other := h.must(201, h.send("POST", "/api/v1/achievements", map[string]any{
			"issuerId": issuer, "name": "Other", "description": "d", "criteria": map[string]any{"narrative": "n"},
			"resultDescription": []any{map[string]any{"id": "urn:uuid:0192f5a0-0000-7000-8000-000000000001", "name": "Grade", "resultType": "LetterGrade"}},
		})).id(t)
		achievement := h.achievement(issuer, img)
		credential := h.must(201, h.send("POST", "/api/v1/credentials", order(achievement)))
		baked := h.must(200, h.send("GET", "/credentials/"+credential.id(t)+"/badge.png", nil)).body
		var issued struct{ Credential rawJSON }
		credential.into(t, &issued)
		signed := string(issued.Credential)

		flipped := bytes.Clone(plain)
		flipped[len(plain)-20] ^= 1
		huge := append(bytes.Clone(plain[:33]), 0xff, 0xff, 0xff, 0xff)
		huge = append(huge, "IDAT"...)
		twice := append(bytes.Clone(baked[:33]), chunk("iTXt", []byte("openbadgecredential\x00\x00\x00\x00\x00{}"))...)
		twice = append(twice, baked[33:]...)
		minimal := `{"issuerId":"` + issuer + `","name":"N","description":"D","criteria":{"narrative":"n"}`
		svg := func(inside string) []byte {
			return []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1">` + inside + `</svg>`)
		}
		ask := func(members string) string {
			return `{"achievementId":"` + achievement + `","recipient":{"email":"a@example.org"}` + members + `}`
		}
		const png, vector, js = "image/png", "image/svg+xml", "application/json"
		for _, row := range []struct {
			name         string
			method, path string
			kind         string
			body         any
			status       int
			must         []string
		}{
			{"text is no picture", "POST", "/api/v1/images", png, []byte("hello"), 415, []string{"achievements.image_unsupported"}},
			{"an empty upload", "POST", "/api/v1/images", png, []byte{}, 400, nil},
			{"a picture sent as something else", "POST", "/api/v1/images", "text/plain", plain, 415, nil},
			{"a PNG that breaks off", "POST", "/api/v1/images", png, plain[:len(plain)-15], 422, []string{"achievements.image_invalid"}},
			{"a PNG whose checksum is wrong", "POST", "/api/v1/images", png, flipped, 422, nil},
			{"a PNG without an end", "POST", "/api/v1/images", png, plain[:len(plain)-12], 422, []string{"IEND"}},
			{"a chunk of 4 GB", "POST", "/api/v1/images", png, huge, 422, nil},
			{"an entity bomb", "POST", "/api/v1/images", vector, []byte(`<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><svg xmlns="http://www.w3.org/2000/svg">&b;</svg>`), 422, nil},
			{"an external entity", "POST", "/api/v1/images", vector, []byte(`<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg">&x;</svg>`), 422, nil},
			{"a script in a picture", "POST", "/api/v1/images", vector, svg(`<script>alert(1)</script>`), 422, []string{"script"}},
			{"an event handler in a picture", "POST", "/api/v1/images", vector, svg(`<g onload="alert(1)"/>`), 422, []string{"onload"}},
			{"a picture without a root", "POST", "/api/v1/images", vector, []byte(`<?xml version="1.0"?><!-- nothing -->`), 415, nil},
			{"an image that does not exist", "GET", "/api/v1/images/0192f5a0-0000-7000-8000-000000000009", "", nil, 404, []string{"achievements.image_not_found"}},
			{"an identifier that is none", "GET", "/api/v1/issuers/..%2f..%2fetc", "", nil, 404, nil},
			{"an identifier with a zero byte", "GET", "/api/v1/issuers/%00", "", nil, 404, nil},
			{"a filter with a zero byte", "GET", "/api/v1/issuers?name=%00", "", nil, 400, nil},
			{"a filter that is not UTF-8", "GET", "/api/v1/issuers?name=%ff", "", nil, 400, nil},

			{"no JSON", "POST", "/api/v1/issuers", js, "{", 400, nil},
			{"the wrong media type", "POST", "/api/v1/issuers", "text/plain", "{}", 415, nil},
			{"a member twice", "POST", "/api/v1/issuers", js, `{"name":"A","name":"B"}`, 400, []string{"/name"}},
			{"a null", "POST", "/api/v1/issuers", js, `{"name":null}`, 422, []string{"/name"}},
			{"a zero character", "POST", "/api/v1/issuers", js, `{"name":"a\u0000b"}`, 422, nil},
			{"an unknown member", "POST", "/api/v1/issuers", js, `{"name":"A","colour":"red"}`, 422, []string{"/colour"}},
			{"no name", "POST", "/api/v1/issuers", js, `{}`, 422, []string{"/name"}},
			{"a number for a name", "POST", "/api/v1/issuers", js, `{"name":5}`, 422, []string{"/name"}},
			{"10,000 levels", "POST", "/api/v1/issuers", js, strings.Repeat(`{"address":`, 10000) + "1" + strings.Repeat("}", 10000), 400, nil},
			{"a relative website", "POST", "/api/v1/issuers", js, `{"name":"A","url":"/about"}`, 422, []string{"/url"}},
			{"an image that is not there", "POST", "/api/v1/issuers", js, `{"name":"A","imageId":"nope"}`, 422, []string{"/imageId"}},

			{"no criteria", "POST", "/api/v1/achievements", js, `{"issuerId":"` + issuer + `","name":"N","description":"D"}`, 422, []string{"/criteria"}},
			{"criteria that say nothing", "POST", "/api/v1/achievements", js, `{"issuerId":"` + issuer + `","name":"N","description":"D","criteria":{}}`, 422, []string{"/criteria"}},
			{"an unknown achievement type", "POST", "/api/v1/achievements", js, minimal + `,"achievementType":"Sticker"}`, 422, []string{"/achievementType"}},
			{"a relative result description id", "POST", "/api/v1/achievements", js, minimal + `,"resultDescription":[{"id":"grade","name":"G","resultType":"LetterGrade"}]}`, 422, []string{"/resultDescription/0/id"}},
			{"an issuer that is not there", "POST", "/api/v1/achievements", js, `{"issuerId":"x","name":"N","description":"D","criteria":{"narrative":"n"}}`, 422, []string{"/issuerId"}},

			{"no recipient", "POST", "/api/v1/credentials", js, `{"achievementId":"` + achievement + `","recipient":{}}`, 422, []string{"/recipient"}},
			{"no e-mail address", "POST", "/api/v1/credentials", js, `{"achievementId":"` + achievement + `","recipient":{"email":"nobody"}}`, 422, []string{"/recipient/email"}},
			{"an achievement that is not there", "POST", "/api/v1/credentials", js, `{"achievementId":"x","recipient":{"email":"a@example.org"}}`, 422, []string{"/achievementId"}},
			{"a date without a zone", "POST", "/api/v1/credentials", js, ask(`,"validFrom":"2026-01-01T00:00:00"`), 422, []string{"/validFrom"}},
			{"an end before the beginning", "POST", "/api/v1/credentials", js, ask(`,"validFrom":"2026-01-02T00:00:00Z","validUntil":"2026-01-01T00:00:00Z"`), 422, []string{"/validUntil"}},
			{"a result of another achievement", "POST", "/api/v1/credentials", js, ask(`,"result":[{"resultDescription":"urn:uuid:0192f5a0-0000-7000-8000-000000000001","value":"A"}]`), 422, []string{"/result/0/resultDescription"}},
			{"a relative recipient", "POST", "/api/v1/credentials", js, `{"achievementId":"` + achievement + `","recipient":{"id":"ada"}}`, 422, []string{"/recipient/id"}},
			{"an unknown term", "POST", "/api/v1/credentials", js, ask(`,"grade":"A"`), 422, []string{"/grade"}},
			{"a half UTF-16 character", "POST", "/api/v1/credentials", js, ask(`,"narrative":"\ud800"`), 400, nil},

			{"verifying nothing", "POST", "/api/v1/verify", js, "", 400, nil},
			{"verifying a member twice", "POST", "/api/v1/verify", js, strings.Replace(signed, `{`, `{"id":"urn:x",`, 1), 400, nil},
			{"verifying a plain picture", "POST", "/api/v1/verify", png, plain, 404, nil},
			{"verifying a damaged picture", "POST", "/api/v1/verify", png, baked[:len(baked)-20], 422, nil},
			{"extracting from a plain picture", "POST", "/api/v1/extract", png, plain, 404, nil},
			{"baking twice", "POST", "/api/v1/bake", js, fmt.Sprintf(`{"credential":%s,"image":"data:image/png;base64,%s"}`, signed, base64Of(baked)), 409, nil},
			{"baking what is no credential", "POST", "/api/v1/bake", js, fmt.Sprintf(`{"credential":"hello","image":"data:image/png;base64,%s"}`, base64Of(plain)), 422, nil},
			{"no such URL", "GET", "/api/v1/nothing", "", nil, 404, nil},
			{"a method that is not there", "PATCH", "/api/v1/issuers", js, "{}", 405, nil},
		} {
			t.Run(row.name, func(t *testing.T) {
				h := &house{t: t, base: h.base, log: h.log}
				a := h.send(row.method, row.path, row.body, "Content-Type", row.kind)
				if a.status != row.status {
					t.Errorf("status %d instead of %d: %s", a.status, row.status, a.body)
				}
				if kind := a.header.Get("Content-Type"); !strings.HasPrefix(kind, "application/problem+json") {
					t.Errorf("a refusal of type %q: %s", kind, a.body)
				}
				for _, must := range row.must {
					if !bytes.Contains(a.body, []byte(must)) {
						t.Errorf("does not say %q: %s", must, a.body)
					}
				}
			})
		}
		t.Run("two credentials in one picture are read with a warning", func(t *testing.T) {
			h := &house{t: t, base: h.base, log: h.log}
			a := h.must(200, h.send("POST", "/api/v1/extract", twice, "Content-Type", png))
			var out struct{ Warnings []string }
			a.into(t, &out)
			if len(out.Warnings) == 0 {
				t.Errorf("no warning: %s", a.body)
			}
		})
		t.Run("100 MB are refused before they are read", func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), "POST", h.base+"/api/v1/images", bytes.NewReader(make([]byte, 100<<20)))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Authorization", "Bearer "+admin)
			request.Header.Set("Content-Type", png)
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != 413 {
				t.Errorf("status %d", response.StatusCode)
			}
		})
		t.Run("nothing of it was stored", func(t *testing.T) {
			h := &house{t: t, base: h.base, log: h.log}
			for path, want := range map[string]int{"issuers": 1, "achievements": 2, "credentials": 1} {
				var page struct{ Items []struct{ ID string } }
				h.must(200, h.send("GET", "/api/v1/"+path, nil)).into(t, &page)
				if len(page.Items) != want {
					t.Errorf("%d %s instead of %d", len(page.Items), path, want)
				}
			}
			_ = other
		})
	})
}

func TestEveryRouteThatIsNotPublicRefusesWithoutAToken(t *testing.T) {
	h := boot(t, nil)
	routes, err := engine.Routes(engine.Default())
	if err != nil {
		t.Fatal(err)
	}
	closed := 0
	for _, r := range routes {
		if r.Access.Public() {
			continue
		}
		closed++
		path := strings.NewReplacer(":id", "0192f5a0-0000-7000-8000-000000000009", ":key", "k").Replace(r.Path)
		for _, token := range []string{"", "Bearer nonsense", "Bearer be_00000000000000000000000000_x_y", "Basic YTpi"} {
			a := h.send(r.Method, path, nil, "Authorization", token)
			if a.status != 401 {
				t.Errorf("%s %s with %q answers %d: %s", r.Method, path, token, a.status, a.body)
			}
			if a.header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s %s does not say how to authenticate", r.Method, path)
			}
		}
	}
	if closed < 10 {
		t.Errorf("only %d closed routes", closed)
	}
}

func TestATokenOpensWhatItsScopeSays(t *testing.T) {
	h := boot(t, nil)
	issuer := h.issuer()
	token := func(scope string) string {
		var created struct{ Token string }
		h.must(201, h.send("POST", "/api/v1/tokens", map[string]any{"name": scope, "scopes": []string{scope}})).into(t, &created)
		return "Bearer " + created.Token
	}
	reader, issuing := token("credentials:read"), token("credentials:issue")
	achievement := h.achievement(issuer, "")
	h.must(200, h.send("GET", "/api/v1/credentials", nil, "Authorization", reader))
	h.must(403, h.send("POST", "/api/v1/credentials", order(achievement), "Authorization", reader))
	h.must(201, h.send("POST", "/api/v1/credentials", order(achievement), "Authorization", issuing))
	h.must(403, h.send("POST", "/api/v1/issuers", map[string]any{"name": "X"}, "Authorization", issuing))
	h.must(403, h.send("GET", "/api/v1/tokens", nil, "Authorization", issuing))
}
