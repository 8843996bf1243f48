package e2e

import (
	"bytes"
	"net/http"
	"strings"
	"sync"
	"testing"
)

type imported struct {
	DryRun, Imported, Before bool
	Achievement              struct {
		ID, Name, Source string
		New, Picture     bool
	}
	Credential struct{ ID, URL, Name, AwardedDate, ValidUntil string }
	Notes      []string
}

// TestBadgesOfElsewhereAreTakenOver exports the badges of one issuer in every form and
// imports them under another, once each.
func TestBadgesOfElsewhereAreTakenOver(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		from := h.must(201, h.send("POST", "/api/v1/issuers", map[string]any{"name": "Old Academy", "url": "https://old.example.org", "email": "a@old.example.org"})).id(t)
		to := h.must(201, h.send("POST", "/api/v1/issuers", map[string]any{"name": "New Academy"})).id(t)
		img := h.must(201, h.send("POST", "/api/v1/images", picture(t), "Content-Type", "image/png")).id(t)
		achievement := h.achievement(from, img)
		issue := func(changes map[string]any) (id string, document []byte) {
			body := order(achievement)
			body["awardedDate"], body["narrative"], body["licenseNumber"] = "2025-03-04T05:06:07Z", "Did it.", "L1"
			body["evidence"] = []any{map[string]any{"id": "https://old.example.org/e/1", "name": "E"}}
			for name, value := range changes {
				body[name] = value
			}
			id = h.must(201, h.send("POST", "/api/v1/credentials", body)).id(t)
			return id, h.must(200, h.send("GET", "/credentials/"+id+"?format=json", nil, "Accept", "application/json")).body
		}
		take := func(status int, query string, body any, headers ...string) (out imported, a answer) {
			t.Helper()
			a = h.must(status, h.send("POST", "/api/v1/import?"+query, body, headers...))
			if status < 300 {
				a.into(t, &out)
			}
			return out, a
		}
		const js, png = "application/json", "image/png"
		id, document := issue(nil)
		query := "issuerId=" + to + "&recipient=ada@example.org"

		dry, _ := take(200, query+"&dryRun=true", document, "Content-Type", js)
		if !dry.DryRun || dry.Imported || !dry.Achievement.New || dry.Achievement.ID != "" || dry.Achievement.Name != "Teamwork" || dry.Credential.AwardedDate != "2025-03-04T05:06:07Z" {
			t.Errorf("%+v", dry)
		}
		first, _ := take(201, query, document, "Content-Type", js)
		if !first.Imported || first.Before || !first.Achievement.New || first.Achievement.ID == "" || !first.Achievement.Picture {
			t.Errorf("%+v", first)
		}
		reissued := h.must(200, h.send("GET", strings.TrimPrefix(first.Credential.URL, h.base)+"?format=json", nil, "Accept", js)).body
		for _, must := range []string{`"New Academy"`, `"2025-03-04T05:06:07Z"`, "Did it.", "L1", "https://old.example.org/e/1", h.base + "/credentials/" + id, "First issued by Old Academy on 4 March 2025"} {
			if !bytes.Contains(reissued, []byte(must)) {
				t.Errorf("what was issued again lacks %q: %s", must, reissued)
			}
		}
		report := h.must(200, h.send("POST", "/api/v1/verify?recipient=ada@example.org", reissued, "Content-Type", js))
		if !bytes.Contains(report.body, []byte(`"verified":true`)) {
			t.Errorf("%s", report.body)
		}
		again, _ := take(200, query, document, "Content-Type", js)
		if !again.Before || again.Credential.ID != first.Credential.ID {
			t.Errorf("%+v", again)
		}
		byAddress, _ := take(200, query, `{"url":"`+h.base+"/credentials/"+id+`"}`)
		if !byAddress.Before || byAddress.Credential.ID != first.Credential.ID {
			t.Errorf("%+v", byAddress)
		}

		// Another badge of the same achievement shares what was made for the first.
		_, second := issue(map[string]any{"recipient": map[string]any{"email": "bob@example.org"}})
		shared, _ := take(201, "issuerId="+to+"&recipient=bob@example.org", second, "Content-Type", js)
		if shared.Achievement.New || shared.Achievement.ID != first.Achievement.ID || shared.Credential.ID == first.Credential.ID {
			t.Errorf("%+v", shared)
		}
		// As Open Badges 2.0 it is another original, with a class of its own.
		assertion := h.must(200, h.send("GET", "/ob2/assertions/"+id, nil)).body
		former, _ := take(201, query, assertion, "Content-Type", js)
		if !former.Achievement.New || former.Achievement.Name != "Teamwork" || former.Credential.AwardedDate != "2025-03-04T05:06:07Z" {
			t.Errorf("%+v", former)
		}
		baked := h.must(200, h.send("GET", "/ob2/assertions/"+id+"/badge.png", nil)).body
		if same, _ := take(200, query, baked, "Content-Type", png); !same.Before || same.Credential.ID != former.Credential.ID {
			t.Errorf("%+v", same)
		}
		if same, _ := take(200, query, `{"url":"`+h.base+"/ob2/assertions/"+id+`"}`); same.Credential.ID != former.Credential.ID {
			t.Errorf("%+v", same)
		}
		mine := h.achievement(to, img)
		_, third := issue(map[string]any{"recipient": map[string]any{"id": "did:example:ada"}})
		if named, _ := take(201, "achievementId="+mine, third, "Content-Type", js); named.Achievement.New || named.Achievement.ID != mine {
			t.Errorf("%+v", named)
		}

		// At once it is issued once.
		_, contested := issue(nil)
		var wait sync.WaitGroup
		ids := make([]string, 6)
		for i := range ids {
			wait.Go(func() {
				a := h.send("POST", "/api/v1/import?"+query, contested, "Content-Type", js)
				var out imported
				switch a.status {
				case 200, 201:
					a.into(t, &out)
					ids[i] = out.Credential.ID
				case http.StatusConflict:
				default:
					t.Errorf("%d: %s", a.status, a.body)
				}
			})
		}
		wait.Wait()
		settled, _ := take(200, query, contested, "Content-Type", js)
		for _, other := range ids {
			if other != "" && other != settled.Credential.ID {
				t.Errorf("issued twice: %v", ids)
			}
		}

		revokedID, revoked := issue(nil)
		h.must(200, h.send("POST", "/api/v1/credentials/"+revokedID+"/revoke", map[string]any{"reason": "by mistake"}))
		token := func(scopes ...string) string {
			var made struct{ Token string }
			h.must(201, h.send("POST", "/api/v1/tokens", map[string]any{"name": "t", "scopes": scopes})).into(t, &made)
			return "Bearer " + made.Token
		}
		_, fresh := issue(nil)
		endorsement := `{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential"]}`
		elsewhere := "issuerId=" + from + "&recipient=ada@example.org"
		for _, row := range []struct {
			name, query string
			body        any
			kind        string
			token       string
			status      int
			code        string
		}{
			{"a changed badge", query, bytes.Replace(fresh, []byte("Did it."), []byte("Did it!"), 1), js, "", 422, "intake.unverified"},
			{"a revoked badge", query, revoked, js, "", 422, "intake.unverified"},
			{"another recipient", "issuerId=" + to + "&recipient=bob@example.org", fresh, js, "", 422, "intake.unverified"},
			{"a hash without its recipient", "issuerId=" + to, fresh, js, "", 422, "intake.recipient"},
			{"no issuer", "recipient=ada@example.org", fresh, js, "", 422, "intake.issuer"},
			{"an issuer that is not there", "issuerId=0192f5a0-0000-7000-8000-000000000009", fresh, js, "", 422, "intake.issuer"},
			{"an achievement that is not there", "achievementId=x", fresh, js, "", 422, "intake.issuer"},
			{"an achievement of another", "achievementId=" + mine + "&issuerId=" + from, fresh, js, "", 422, "intake.issuer"},
			{"a word for dryRun", query + "&dryRun=perhaps", fresh, js, "", 400, "intake.option"},
			{"nothing", query, []byte{}, js, "", 400, "httpserver.empty"},
			{"a plain picture", query, picture(t), png, "", 404, "verification.not_baked"},
			{"half a badge", query, fresh[:100], js, "", 400, "verification.unreadable"},
			{"no badge at all", query, endorsement, js, "", 422, "intake.unverified"},
			{"an address on this machine", query, `{"url":"http://127.0.0.1:1/"}`, js, "", 422, "verification.unreachable"},
			{"nobody", query, fresh, js, "none", 401, ""},
			{"who may only read", query, fresh, js, token("credentials:read"), 403, ""},
			{"who may not make achievements", elsewhere, fresh, js, token("credentials:issue"), 403, "intake.achievement"},
		} {
			t.Run(row.name, func(t *testing.T) {
				h := &house{t: t, base: h.base, log: h.log}
				headers := []string{"Content-Type", row.kind}
				if row.token == "none" {
					headers = append(headers, "Authorization", "")
				} else if row.token != "" {
					headers = append(headers, "Authorization", row.token)
				}
				a := h.send("POST", "/api/v1/import?"+row.query, row.body, headers...)
				if a.status != row.status || !bytes.Contains(a.body, []byte(row.code)) {
					t.Errorf("status %d instead of %d: %s", a.status, row.status, a.body)
				}
			})
		}
	})
}
