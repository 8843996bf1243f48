package e2e

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestAnIssuerEndorsesWhatAnotherAwards(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		academy, board := h.issuer(), h.issuer()
		achievement := h.achievement(academy, "")
		if a := h.send("POST", "/api/v1/endorsements", map[string]string{"endorserId": academy, "achievementId": achievement}); a.status != 422 || !bytes.Contains(a.body, []byte("/endorserId")) {
			t.Errorf("endorsing its own: %d %s", a.status, a.body)
		}
		asked := h.must(201, h.send("POST", "/api/v1/endorsements", map[string]string{"endorserId": board, "achievementId": achievement, "note": "Please."})).id(t)
		if a := h.send("GET", "/endorsements/"+asked, nil, "Authorization", ""); a.status != 404 {
			t.Errorf("what is only asked for is public: %d", a.status)
		}
		var given struct {
			PublicURL  string
			Credential rawJSON
		}
		h.must(200, h.send("POST", "/api/v1/endorsements/"+asked+"/give", map[string]string{"comment": "Well made."})).into(t, &given)
		public := h.must(200, h.send("GET", given.PublicURL[strings.Index(given.PublicURL, "/endorsements/"):], nil, "Authorization", ""))
		if !bytes.Equal(public.body, given.Credential) || public.header.Get("Content-Type") != "application/vc+ld+json" {
			t.Errorf("published as %s %s", public.header.Get("Content-Type"), public.body)
		}
		h.verified(given.Credential, "application/json", "", true)

		_, badge, _ := h.award(achievement, map[string]any{"endorsementIds": []string{asked}})
		var doc struct {
			CredentialSubject struct {
				Achievement struct{ Endorsement []json.RawMessage }
			}
		}
		if err := json.Unmarshal(badge, &doc); err != nil || len(doc.CredentialSubject.Achievement.Endorsement) != 1 {
			t.Fatalf("embedded in %s, %v", badge, err)
		}
		var report struct {
			Verified bool
			Checks   []struct{ Name, Outcome string }
		}
		h.must(200, h.send("POST", "/api/v1/verify", badge, "Content-Type", "application/json", "Authorization", "")).into(t, &report)
		looked := false
		for _, c := range report.Checks {
			looked = looked || c.Name == "endorsements" && c.Outcome == "passed"
		}
		if !report.Verified || !looked {
			t.Errorf("the report is %+v", report)
		}
		if a := h.must(200, h.send("POST", "/api/v1/endorsements/"+asked+"/revoke", map[string]string{"reason": "no longer"})); !bytes.Contains(a.body, []byte(`"revoked":true`)) {
			t.Errorf("revoked as %s", a.body)
		}
		h.verified(badge, "application/json", "", false)
		h.verified(given.Credential, "application/json", "", false)
		if a := h.must(200, h.send("GET", "/api/v1/endorsements?endorserId="+board+"&state=given", nil)); !bytes.Contains(a.body, []byte(asked)) {
			t.Errorf("listed %s", a.body)
		}
		if a := h.send("DELETE", "/api/v1/issuers/"+board, nil); a.status != 409 {
			t.Errorf("an issuer that endorsed was deleted: %d", a.status)
		}
		for name, row := range map[string][2]string{
			"another member": {"", `{"endorserId":"` + board + `","everything":true}`}, "nothing": {"", `{}`}, "settled": {"/" + asked + "/give", `{}`},
		} {
			if a := h.send("POST", "/api/v1/endorsements"+row[0], []byte(row[1]), "Content-Type", "application/json"); a.status != 422 && a.status != 409 {
				t.Errorf("%s: %d %s", name, a.status, a.body)
			}
		}
	})
}
