package e2e

import (
	"slices"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/app/engine"
	"github.com/badge-engine/badge-engine/platform/config"
	"github.com/badge-engine/badge-engine/test/entrasim/zitadel"
)

// TestSomebodySignsInThroughAProviderThatIsNotOurs goes the whole way with an
// OpenID provider made by others: discovery, login form, code, PKCE, ID token.
func TestSomebodySignsInThroughAProviderThatIsNotOurs(t *testing.T) {
	p := zitadel.NewProvider(t, "Badge.Admin")
	h := bootWith(t, time.Now, func(cfg *engine.Config) {
		cfg.HTTP.Host = "127.0.0.1"
		cfg.Entra.Authority = p.Authority
		cfg.Entra.TenantID, cfg.Entra.ClientID, cfg.Entra.ClientSecret = p.TenantID, p.ClientID, config.Secret(p.ClientSecret)
		cfg.Entra.RedirectURI = cfg.PublicURL + "/auth/callback"
		p.RegisterRedirectURI(cfg.Entra.RedirectURI)
	})
	b := (&campus{house: h}).browser(t)
	start := b.still().send("GET", "/auth/login", nil)
	if start.status != 302 && start.status != 303 {
		t.Fatalf("signing in begins with %d: %s", start.status, start.body)
	}
	back := p.SignIn(t, start.header.Get("Location"))
	if a := b.send("GET", back, nil); a.status != 200 {
		t.Fatalf("the callback ends with %d: %s", a.status, a.body)
	}
	me, a := b.me()
	if a.status != 200 || me.Name != p.Name || !slices.Contains(me.Roles, "admin") {
		t.Errorf("signed in as %+v: %d %s", me, a.status, a.body)
	}
	if a := b.send("GET", "/api/v1/tokens", nil, "Accept", "application/json"); a.status != 200 {
		t.Errorf("an administrator is refused: %d %s", a.status, a.body)
	}
	if a := b.send("GET", back, nil); a.status == 200 {
		t.Error("the same callback works twice")
	}
}
