package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
)

// TestAwardsAreServedAsOpenBadges2 walks the way of a consumer of the former edition: the
// assertion, its class, its issuer, the recipient's hash, the baked pictures; and sees a
// revocation.
func TestAwardsAreServedAsOpenBadges2(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		issuer := h.must(201, h.send("POST", "/api/v1/issuers", map[string]any{"name": "Example Academy", "url": "https://academy.example.org", "email": "badges@academy.example.org"})).id(t)
		img := h.must(201, h.send("POST", "/api/v1/images", picture(t), "Content-Type", "image/png")).id(t)
		achievement := h.achievement(issuer, img)
		issued := order(achievement)
		issued["narrative"], issued["validUntil"], issued["awardedDate"] = "Did it.", "2099-01-01T00:00:00Z", "2026-01-02T03:04:05Z"
		issued["evidence"] = []any{map[string]any{"id": "https://academy.example.org/evidence/1", "name": "E"}}
		id := h.must(201, h.send("POST", "/api/v1/credentials", issued)).id(t)
		address := "/ob2/assertions/" + id
		public := func(path string, headers ...string) answer {
			return h.send("GET", path, nil, append([]string{"Authorization", ""}, headers...)...)
		}
		var a struct {
			Context      string `json:"@context"`
			Type, ID     string
			Badge, Image string
			Verification struct{ Type string }
			Recipient    struct {
				Type, Salt, Identity string
				Hashed               bool
			}
			IssuedOn, Expires, Narrative string
			Evidence                     []struct{ ID string }
		}
		got := h.must(200, public(address, "Origin", "https://backpack.example"))
		got.into(t, &a)
		if kind := got.header.Get("Content-Type"); kind != "application/json" || got.header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%v", got.header)
		}
		if kind := h.must(200, public(address, "Accept", "application/ld+json")).header.Get("Content-Type"); kind != "application/ld+json" {
			t.Errorf("linked data is %s", kind)
		}
		sum := sha256.Sum256([]byte("ada@example.org" + a.Recipient.Salt))
		if a.Context != "https://w3id.org/openbadges/v2" || a.Type != "Assertion" || a.ID != h.base+address || a.Verification.Type != "HostedBadge" ||
			!a.Recipient.Hashed || a.Recipient.Type != "email" || len(a.Recipient.Salt) < 16 || a.Recipient.Identity != "sha256$"+hex.EncodeToString(sum[:]) ||
			a.IssuedOn != "2026-01-02T03:04:05Z" || a.Expires != "2099-01-01T00:00:00Z" || a.Narrative != "Did it." || len(a.Evidence) != 1 || a.Image != a.ID+"/badge.png" {
			t.Errorf("%s", got.body)
		}
		class := h.must(200, public(strings.TrimPrefix(a.Badge, h.base)))
		var c struct{ Type, ID, Name, Issuer, Image string }
		class.into(t, &c)
		if c.Type != "BadgeClass" || c.ID != a.Badge || c.Name != "Teamwork" || c.Image == "" {
			t.Errorf("%s", class.body)
		}
		profile := h.must(200, public(strings.TrimPrefix(c.Issuer, h.base)))
		var p struct{ Type, ID, Email string }
		profile.into(t, &p)
		if p.Type != "Issuer" || p.ID != c.Issuer || p.Email != "badges@academy.example.org" {
			t.Errorf("%s", profile.body)
		}

		png := h.must(200, public(address+"/badge.png"))
		svg := h.must(200, public(address+"/badge.svg"))
		if !bytes.Contains(png.body, []byte("iTXtopenbadges\x00")) || !bytes.Contains(svg.body, []byte(`verify="`+a.ID+`"`)) || svg.header.Get("Content-Security-Policy") == "" {
			t.Error("the pictures do not carry the assertion")
		}
		verify := func(what string, body any, kind string, verified bool, says string) {
			t.Helper()
			v := h.must(200, h.send("POST", "/api/v1/verify?recipient=Ada@Example.org", body, "Authorization", "", "Content-Type", kind))
			var r struct{ Verified bool }
			v.into(t, &r)
			if r.Verified != verified || !bytes.Contains(v.body, []byte(says)) || !bytes.Contains(v.body, []byte(`"edition":"2.0"`)) {
				t.Errorf("%s: %s", what, v.body)
			}
		}
		all := func(verified bool, says string) {
			t.Helper()
			verify("the assertion", got.body, "application/json", verified, says)
			verify("its address", map[string]any{"url": a.ID}, "application/json", verified, says)
			verify("the PNG", png.body, "image/png", verified, says)
			verify("the SVG", svg.body, "image/svg+xml", verified, says)
		}
		all(true, "Example Academy")
		verify("a changed one", bytes.Replace(got.body, []byte("2026-01-02"), []byte("2016-01-02"), 1), "application/json", false, "/issuedOn")

		h.must(200, h.send("POST", "/api/v1/credentials/"+id+"/suspend", map[string]any{"reason": "under review"}))
		gone := h.must(410, public(address))
		var w struct {
			ID, RevocationReason string
			Revoked              bool
		}
		if gone.into(t, &w); !w.Revoked || w.ID != a.ID || w.RevocationReason != "under review" || !json.Valid(gone.body) || gone.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s", gone.body)
		}
		all(false, "under review")
		h.must(200, h.send("POST", "/api/v1/credentials/"+id+"/resume", map[string]any{}))
		all(true, "")
		h.must(200, h.send("POST", "/api/v1/credentials/"+id+"/revoke", map[string]any{"reason": "by mistake"}))
		all(false, "by mistake")
		if s := public(address + "/badge.png").status; s != 404 {
			t.Errorf("a revoked badge is baked: %d", s)
		}

		// What the former edition cannot say, it does not say.
		bare := h.achievement(h.issuer(), "")
		other := h.must(201, h.send("POST", "/api/v1/credentials", map[string]any{"achievementId": bare, "recipient": map[string]any{"identifier": []any{map[string]any{"identifier": "4711", "identifierType": "sisSourcedId"}}}})).id(t)
		for path, code := range map[string]string{
			"/ob2/assertions/" + other:                       "issuance.no_form",
			"/ob2/assertions/" + other + "/badge.png":        "issuance.no_form",
			"/ob2/achievements/" + bare:                      "achievements.no_form",
			"/ob2/assertions/x":                              "issuance.not_found",
			"/ob2/issuers/x":                                 "achievements.issuer_not_found",
			"/ob2/achievements/" + strings.ToUpper(img) + "": "achievements.achievement_not_found",
		} {
			if s := public(path); s.status != 404 || !bytes.Contains(s.body, []byte(code)) {
				t.Errorf("%s: %d: %s", path, s.status, s.body)
			}
		}
	})
}
