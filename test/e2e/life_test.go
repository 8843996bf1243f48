package e2e

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestTheLifeOfACredential(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		img := h.must(201, h.send("POST", "/api/v1/images", picture(t), "Content-Type", "image/png")).id(t)
		achievement := h.achievement(h.issuer(), img)
		id, first, _ := h.award(achievement, map[string]any{"refreshable": true, "validUntil": "2040-01-01T00:00:00Z", "narrative": "Did it."})
		var doc struct {
			RefreshService struct{ ID, Type string }
		}
		if err := json.Unmarshal(first, &doc); err != nil || doc.RefreshService.Type != "1EdTechCredentialRefresh" {
			t.Fatalf("the refresh service is %+v, %v", doc.RefreshService, err)
		}
		path := doc.RefreshService.ID[strings.Index(doc.RefreshService.ID, "/credentials/"):]
		refresh := func(headers ...string) answer {
			t.Helper()
			return h.must(200, h.send("GET", path, nil, append([]string{"Authorization", ""}, headers...)...))
		}
		if a := refresh(); !bytes.Equal(a.body, first) || a.header.Get("Content-Type") != "application/vc+ld+json" {
			t.Errorf("nothing changed, but the refresh service answers %s: %s", a.header.Get("Content-Type"), a.body)
		}
		h.verified(first, "application/json", "", true)

		a := h.must(200, h.send("POST", "/api/v1/credentials/"+id+"/renew", map[string]string{"validUntil": "2050-01-01T00:00:00Z"}, "If-Match", `"1"`))
		if !bytes.Contains(a.body, []byte(`"validUntil":"2050-01-01T00:00:00Z"`)) || a.header.Get("ETag") != `"2"` {
			t.Errorf("renewed as %s", a.body)
		}
		if a := h.send("POST", "/api/v1/credentials/"+id+"/renew", map[string]string{}, "If-Match", `"1"`); a.status != 412 {
			t.Errorf("renewed an older version: %d", a.status)
		}
		h.must(200, h.send("PUT", "/api/v1/credentials/"+id+"/recipient", map[string]string{"email": "ada@new.example"}))
		newest := refresh("Accept", "application/json").body
		if !bytes.Contains(newest, []byte("Did it.")) || !bytes.Contains(newest, []byte(`"validUntil":"2050-01-01T00:00:00Z"`)) {
			t.Errorf("the newest version is %s", newest)
		}
		h.verified(newest, "application/json", "ada@new.example", true)
		h.verified(newest, "application/json", "ada@example.org", false)
		for _, row := range [][2]string{{"image/png", "png"}, {"image/svg+xml", "svg"}} {
			byAccept, byFormat := refresh("Accept", row[0]), h.must(200, h.send("GET", path+"?format="+row[1], nil, "Authorization", ""))
			if byAccept.header.Get("Content-Type") != row[0] || !bytes.Equal(byAccept.body, byFormat.body) {
				t.Errorf("%s is answered as %s", row[0], byAccept.header.Get("Content-Type"))
			}
			h.verified(byAccept.body, row[0], "ada@new.example", true)
		}

		var answer struct{ Affected int }
		h.must(200, h.send("POST", "/api/v1/credentials/withdraw", map[string]any{"recipient": "ada@new.example"})).into(t, &answer)
		if answer.Affected != 1 {
			t.Fatalf("it would withdraw %d", answer.Affected)
		}
		h.must(200, h.send("POST", "/api/v1/credentials/withdraw", map[string]any{"recipient": "ada@new.example", "expected": 1}))
		for _, gone := range []string{path, "/credentials/" + id, "/api/v1/credentials/" + id} {
			if a := h.send("GET", gone, nil, "Accept", "application/json"); a.status != 410 || !bytes.Contains(a.body, []byte("issuance.withdrawn")) {
				t.Errorf("%s answers %d %s", gone, a.status, a.body)
			}
		}
		for name, row := range map[string][3]string{
			"a recipient that is none":      {"PUT", "/recipient", `{}`},
			"a time that is none":           {"POST", "/renew", `{"validUntil":"soon"}`},
			"a member nobody knows":         {"POST", "/renew", `{"for":"ever"}`},
			"a recipient that is no object": {"PUT", "/recipient", `"ada@example.org"`},
		} {
			other, _, _ := h.award(achievement, nil)
			if a := h.send(row[0], "/api/v1/credentials/"+other+row[1], []byte(row[2]), "Content-Type", "application/json"); a.status != 422 {
				t.Errorf("%s: %d %s", name, a.status, a.body)
			}
		}
	})
}
