package e2e

import (
	"net/url"
	"testing"

	"github.com/badge-engine/badge-engine/test/entrasim"
)

// TestEntraProvesItselfToTheTokenEndpointWithoutASecret is workload identity
// federation: a token of the tenant stands in for the secret, once.
func TestEntraProvesItselfToTheTokenEndpointWithoutASecret(t *testing.T) {
	c := newCampus(t, nil)
	client := c.must(201, c.send("POST", "/api/v1/clients", map[string]any{
		"name": "Entra provisioning", "scopes": []string{"scim"},
		"assertion": map[string]any{
			"issuer": c.sim.Issuer, "tenant": c.sim.TenantID, "subject": c.sim.Provisioner.ObjectID, "audience": c.sim.AppIDURI,
		},
	})).id(t)
	ask := func(assertion string) answer {
		form := url.Values{
			"grant_type": {"client_credentials"}, "client_id": {client}, "scope": {"scim"}, "client_assertion": {assertion},
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		}
		return c.send("POST", "/scim/oauth/token", []byte(form.Encode()), "Content-Type", "application/x-www-form-urlencoded", "Authorization", "")
	}
	good := c.sim.MintAssertion()
	var granted struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		Scope       string
	}
	c.must(200, ask(good)).into(t, &granted)
	if granted.AccessToken == "" || granted.TokenType != "Bearer" || granted.Scope != "scim" {
		t.Errorf("granted %+v", granted)
	}
	if a := c.send("GET", "/api/v1/credentials", nil, "Authorization", "Bearer "+granted.AccessToken); a.status != 403 {
		t.Errorf("a provisioning token opens the API: %d %s", a.status, a.body)
	}
	for name, assertion := range map[string]string{
		"used twice":           good,
		"of a stranger's key":  c.sim.MintAssertion(entrasim.ForgedBy(c.sim.NewKey())),
		"of another app":       c.sim.MintAssertion(entrasim.Claim("oid", "dddddddd-0000-4000-8000-000000000009"), entrasim.Claim("sub", "dddddddd-0000-4000-8000-000000000009")),
		"for another audience": c.sim.MintAssertion(entrasim.Claim("aud", "api://somebody-else")),
		"that is no token":     "nonsense",
	} {
		var refused struct{ Error string }
		a := ask(assertion)
		a.into(t, &refused)
		if a.status != 401 && a.status != 400 || refused.Error != "invalid_client" {
			t.Errorf("an assertion %s is answered %d %s", name, a.status, a.body)
		}
	}
}
