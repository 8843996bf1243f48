package auth_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/modules/auth"
	"github.com/badge-engine/badge-engine/modules/auth/entra"
	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/principal"
)

func TestAnAccessTokenOfEntraIsSomebodyInTheOrganisation(t *testing.T) {
	w := newTown(t, nil)
	person := w.dana()
	person.Groups = []string{issuers}
	app := entra.Claims{Kind: entra.App, TenantID: tenant, ObjectID: "eeeeeeee-0000-4000-8000-000000000001", Roles: []string{"Badges.Issue.All"}, Issued: w.at, Expires: w.at.Add(time.Hour)}
	for _, row := range []struct {
		name, id string
		claims   entra.Claims
	}{
		{"a person", danaID, person},
		{"an application", "app:" + tenant + "/eeeeeeee-0000-4000-8000-000000000001", app},
	} {
		t.Run(row.name, func(t *testing.T) {
			p, err := w.bearer(t.Context(), w.token(row.claims))
			if err != nil || p.ID != row.id || !slices.Equal(p.Roles, []string{"issuer"}) || !slices.Equal(p.Scopes, principal.ScopesOf("issuer")) {
				t.Errorf("principal is %+v, error %v", p, err)
			}
		})
	}
}

func TestAnApplicationProvisionsWithItsAppRole(t *testing.T) {
	w := newTown(t, nil)
	raw := w.token(entra.Claims{Kind: entra.App, TenantID: tenant, ObjectID: "eeeeeeee-0000-4000-8000-000000000002", Roles: []string{"Scim.Provision"}, Issued: w.at, Expires: w.at.Add(time.Hour)})
	for range 2 {
		p, err := w.guard.Authenticate(t.Context(), httpserver.Credentials{Method: "GET", Path: "/scim/v2/Users", Authorization: "Bearer " + raw})
		if err != nil || !slices.Equal(p.Scopes, []string{principal.ScopeSCIM}) || p.May(principal.ScopeAdmin) {
			t.Errorf("principal is %+v, error %v", p, err)
		}
	}
}

func TestAnAccessTokenThatIsRefused(t *testing.T) {
	for _, row := range []struct {
		name   string
		path   string
		change func(w *town, c *entra.Claims) // nil: an unknown token
		code   string
	}{
		{"an unknown signature", "/api/v1/x", nil, "auth.token_signature"},
		{"a person's token without a scope", "/api/v1/x", func(_ *town, c *entra.Claims) { c.Scopes = nil }, "auth.token_no_scope"},
		{"an application's without an accepted role", "/api/v1/x", func(_ *town, c *entra.Claims) { c.Kind, c.Scopes = entra.App, nil }, "auth.token_no_role"},
		{"somebody shut out", "/api/v1/x", func(w *town, _ *entra.Claims) {
			if err := w.people.SetActive(t.Context(), tenant, dana, false); err != nil {
				t.Error(err)
			}
		}, "auth.deactivated"},
		{"somebody inactive in the directory", "/api/v1/x", func(w *town, _ *entra.Claims) { w.directory.active = map[string]bool{dana: false} }, "auth.deactivated"},
		{"an admin who provisions", "/scim/v2/Users", func(_ *town, c *entra.Claims) { c.Roles = []string{"Badge.Admin"} }, "auth.token_not_here"},
		{"a person with the app role of provisioning", "/scim/v2/Users", func(_ *town, c *entra.Claims) { c.Roles = []string{"Scim.Provision"} }, "auth.token_not_here"},
		{"an application that issues and would provision", "/scim/v2/Users", func(_ *town, c *entra.Claims) {
			c.Kind, c.Scopes, c.Roles = entra.App, nil, []string{"Badges.Issue.All"}
		}, "auth.token_not_here"},
		{"an application that provisions, elsewhere", "/api/v1/x", func(_ *town, c *entra.Claims) {
			c.Kind, c.Scopes, c.Roles = entra.App, nil, []string{"Scim.Provision"}
		}, "auth.scim_only"},
		{"Entra that cannot be asked", "/api/v1/x", func(w *town, _ *entra.Claims) { w.verifier.err = entra.ErrUnavailable }, "auth.entra_unavailable"},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newTown(t, nil)
			raw := "eyJ.unknown.token"
			if row.change != nil {
				claims := w.dana()
				row.change(w, &claims)
				raw = w.token(claims)
			}
			for range 2 {
				p, err := w.guard.Authenticate(t.Context(), httpserver.Credentials{Method: "GET", Path: row.path, Authorization: "bearer " + raw, RemoteIP: "192.0.2.7"})
				if code(err) != row.code || !p.Anonymous() {
					t.Fatalf("principal is %+v, error %v", p, err)
				}
				if f, _ := fault.From(err); strings.Contains(f.Detail()+f.Message(), "secret") {
					t.Errorf("the caller is told %q", f.Detail())
				}
			}
			if line := w.log.String(); row.code != "auth.entra_unavailable" && (!strings.Contains(line, "remote_ip=192.0.2.7") || strings.Contains(line, raw)) {
				t.Errorf("log is %s", line)
			}
		})
	}
}

func TestEveryReasonOfARefusalHasACodeOfItsOwn(t *testing.T) {
	w, seen := newTown(t, nil), map[string]bool{}
	for _, reason := range []entra.Reason{
		entra.ReasonTooLarge, entra.ReasonMalformed, entra.ReasonAlgorithm, entra.ReasonType, entra.ReasonKeyID, entra.ReasonClaims,
		entra.ReasonIssuer, entra.ReasonTenant, entra.ReasonAudience, entra.ReasonExpired, entra.ReasonNotYetValid, entra.ReasonLifetime,
		entra.ReasonUnknownKey, entra.ReasonSignature, entra.ReasonIDToken, entra.ReasonNoRole, entra.ReasonClient, entra.ReasonNonce,
	} {
		w.verifier.err = &entra.Refusal{Reason: reason, Remedy: "Do better."}
		_, err := w.bearer(t.Context(), "eyJ.x.y")
		f, ok := fault.From(err)
		if !ok || f.Code() != "auth.token_"+reason || seen[f.Code()] || f.Detail() != "Do better." {
			t.Errorf("%s: %v", reason, err)
			continue
		}
		seen[f.Code()] = true
	}
}

func TestAKnownAccessTokenIsVerifiedOnceUntilItExpires(t *testing.T) {
	w := newTown(t, nil)
	raw := w.token(w.dana())
	knock := func(ok bool) {
		t.Helper()
		if _, err := w.bearer(t.Context(), raw); (err == nil) != ok {
			t.Fatalf("error is %v", err)
		}
	}
	for range 100 {
		knock(true)
	}
	if w.verifier.asked != 1 || w.directory.asked > 2 || w.cache.asked != 0 {
		t.Errorf("a hundred requests asked the verifier %d times, the directory %d times, the cache %d times", w.verifier.asked, w.directory.asked, w.cache.asked)
	}
	w.at = w.at.Add(59 * time.Minute)
	knock(true)
	if w.verifier.asked != 1 {
		t.Errorf("it was verified %d times", w.verifier.asked)
	}
	// The verifier decides how late is too late; the memory does not.
	w.at = w.at.Add(time.Minute)
	knock(true)
	w.verifier.err = &entra.Refusal{Reason: entra.ReasonExpired}
	knock(false)
	if w.verifier.asked != 3 {
		t.Errorf("it was verified %d times", w.verifier.asked)
	}
}

func TestTheRolesOfABearerAreFoundOutAgainWithinFiveMinutes(t *testing.T) {
	w := newTown(t, nil)
	raw := w.token(w.dana())
	is := func(role string) {
		t.Helper()
		if p, err := w.bearer(t.Context(), raw); err != nil || p.Roles[0] != role {
			t.Errorf("principal is %+v, error %v", p, err)
		}
	}
	is("member")
	w.directory.groups = map[string][]string{dana: {admins}}
	is("member")
	w.at = w.at.Add(5 * time.Minute)
	is("admin")
	w.directory.active = map[string]bool{dana: false}
	w.at = w.at.Add(5 * time.Minute)
	if _, err := w.bearer(t.Context(), raw); !errors.Is(err, auth.ErrDeactivated) {
		t.Errorf("error is %v", err)
	}
}
