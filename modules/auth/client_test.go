package auth_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/badge-engine/badge-engine/modules/auth"
	"github.com/badge-engine/badge-engine/platform/cache"
	"github.com/badge-engine/badge-engine/platform/cache/memory"
	"github.com/badge-engine/badge-engine/platform/database"
	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/principal"
	"github.com/badge-engine/badge-engine/platform/ratelimit"
	"github.com/badge-engine/badge-engine/test/dbtest"
)

// office is the server with clients and with routes of every kind, on an engine,
// by a clock that stands still.
type office struct {
	*auth.Clients
	tokens  *auth.Service
	store   *auth.Store
	records *auth.ClientStore
	server  *httpserver.Server
	cache   cache.Cache
	log     *bytes.Buffer
	at      time.Time
	events  []string
	claims  map[string]auth.AssertionClaims // by the text of the assertion
}

// Assertion implements auth.Assertions: every text it knows is verified.
func (o *office) Assertion(_ context.Context, raw string) (auth.AssertionClaims, error) {
	if raw == "away" {
		return auth.AssertionClaims{}, fault.New(fault.Unavailable, "entra.away", "Entra cannot be asked.")
	}
	claims, found := o.claims[raw]
	if !found {
		return claims, errors.New("the signature does not match")
	}
	return claims, nil
}

// Record implements auth.Audit.
func (o *office) Record(ctx context.Context, e auth.Event) error {
	o.events = append(o.events, e.Action+" by "+principal.From(ctx).ID)
	return nil
}

func open(t testing.TB, db *database.DB) *office {
	t.Helper()
	o := &office{log: &bytes.Buffer{}, at: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), claims: map[string]auth.AssertionClaims{}}
	now := func() time.Time { return o.at }
	log := slog.New(slog.NewTextHandler(o.log, nil))
	o.store, o.records, o.cache = auth.NewStore(db), auth.NewClientStore(db), memory.New(1<<20, now)
	cfg := auth.Default()
	cfg.BootstrapAdminToken = bootstrap
	var err error
	if o.tokens, err = auth.New(cfg, o.store, o.cache, auth.NewUsage(o.store, log), now, log); err != nil {
		t.Fatal(err)
	}
	o.Clients = auth.NewClients(cfg, o.records, o.tokens, auth.ClientNeighbours{Work: db, Assertions: o, Audit: o}, log)
	limits, err := ratelimit.NewLimits(ratelimit.Config{Failures: 1000}, nil, now, log)
	if err != nil {
		t.Fatal(err)
	}
	table, dialects := auth.ClientTable(o.Clients, now)
	show := func(c *fiber.Ctx) error { return c.SendString(principal.From(c.UserContext()).ID) }
	route := func(path string, a httpserver.Access) httpserver.Route {
		return httpserver.Route{Method: "GET", Path: path, Access: a, Handler: show, Summary: "s", Tag: "t"}
	}
	o.server, err = httpserver.New(httpserver.Default(), httpserver.Parts{Guard: o.tokens, Limits: limits, Dialects: dialects, Tables: []httpserver.Table{table, {
		route("/scim/v2/Users", httpserver.Scope(principal.ScopeSCIM)),
		route("/scim/v2/Me", httpserver.Authenticated()), // careless
		route("/scim/v20", httpserver.Authenticated()),
		route("/credentials", httpserver.Scope(principal.ScopeCredentialsRead)),
		route("/anyone", httpserver.Authenticated()),
	}}}, log)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func (o *office) call(t testing.TB, method, path, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	answer, err := o.server.Test(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(data)
}

func (o *office) client(t testing.TB, scopes ...string) (id, secret string) {
	t.Helper()
	secret, client, err := o.Create(t.Context(), "Entra provisioning", scopes, time.Time{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return client.ID, secret
}

const formType = "application/x-www-form-urlencoded"

// ask asks for a token with a form given in pairs.
func (o *office) ask(t testing.TB, path string, pairs ...string) (*http.Response, string) {
	t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return o.call(t, "POST", path, form.Encode(), "Content-Type", formType)
}

// token asks for a token with a secret and must get one.
func (o *office) token(t testing.TB, id, secret string) string {
	t.Helper()
	answer, body := o.ask(t, "/oauth/token", "grant_type", "client_credentials", "client_id", id, "client_secret", secret)
	var granted struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(body), &granted); err != nil || answer.StatusCode != 200 {
		t.Fatalf("%d %s", answer.StatusCode, body)
	}
	return granted.Token
}

// opens reports the status that a token gets at a path.
func (o *office) opens(t testing.TB, path, token string) int {
	t.Helper()
	answer, _ := o.call(t, "GET", path, "", "Authorization", "Bearer "+token)
	return answer.StatusCode
}

func TestAClientGetsATokenForItsSecret(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		o := open(t, db)
		id, secret := o.client(t, principal.ScopeSCIM)
		basic := func(id, secret string) string {
			return "Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(secret)))
		}
		for _, row := range []struct {
			name, path, form, authorization string
		}{
			{"with the secret in the form", "/oauth/token", "client_id=" + id + "&client_secret=" + secret + "&grant_type=client_credentials", ""},
			{"at the address below /scim", "/scim/oauth/token", "client_id=" + id + "&client_secret=" + secret + "&grant_type=client_credentials&scope=scim", ""},
			{"by HTTP Basic", "/oauth/token", "grant_type=client_credentials", basic(id, secret)},
			{"by HTTP Basic with its id in the form too", "/oauth/token", "grant_type=client_credentials&client_id=" + id, basic(id, secret)},
			{"with parameters nobody knows and an empty scope", "/oauth/token", "grant_type=client_credentials&scope=&baseAddress=https%3A%2F%2Fx&client_id=" + strings.ToUpper(id) + "&client_secret=" + secret, ""},
		} {
			t.Run(row.name, func(t *testing.T) {
				headers := []string{"Content-Type", formType + "; charset=utf-8"}
				if row.authorization != "" {
					headers = append(headers, "Authorization", row.authorization)
				}
				answer, body := o.call(t, "POST", row.path, row.form, headers...)
				var got struct {
					AccessToken string `json:"access_token"`
					TokenType   string `json:"token_type"`
					ExpiresIn   int    `json:"expires_in"`
					Scope       string `json:"scope"`
				}
				if err := json.Unmarshal([]byte(body), &got); err != nil || answer.StatusCode != 200 {
					t.Fatalf("%d %s", answer.StatusCode, body)
				}
				if got.TokenType != "Bearer" || got.ExpiresIn != 3600 || got.Scope != "scim" || !strings.HasPrefix(got.AccessToken, "be_") {
					t.Errorf("body is %s", body)
				}
				if answer.Header.Get("Cache-Control") != "no-store" || answer.Header.Get("Pragma") != "no-cache" {
					t.Errorf("header is %v", answer.Header)
				}
				if status := o.opens(t, "/scim/v2/Users", got.AccessToken); status != 200 {
					t.Errorf("the token gets %d", status)
				}
			})
		}
		t.Run("the use is written down at the client and its secret", func(t *testing.T) {
			list, err := o.List(t.Context())
			if err != nil || len(list) != 1 || !list[0].LastUsed.Equal(o.at) || !list[0].Secrets[0].LastUsed.Equal(o.at) {
				t.Errorf("%+v %v", list, err)
			}
		})
		t.Run("the granted tokens are not among the API tokens", func(t *testing.T) {
			if list, err := o.tokens.List(t.Context()); err != nil || len(list) != 0 {
				t.Errorf("%+v %v", list, err)
			}
		})
		t.Run("whoever calls with it is the client", func(t *testing.T) {
			if _, body := o.call(t, "GET", "/scim/v2/Users", "", "Authorization", "Bearer "+o.token(t, id, secret)); body != "client:"+id {
				t.Errorf("principal is %s", body)
			}
		})
		t.Run("the trail names client and deed, and the log no secret", func(t *testing.T) {
			if !slices.Contains(o.events, "auth.client.created by ") || !slices.Contains(o.events, "auth.token.granted by client:"+id) {
				t.Errorf("events are %v", o.events)
			}
			if strings.Contains(o.log.String(), strings.Split(secret, "_")[2]) {
				t.Error("the log shows the secret")
			}
		})
		t.Run("it works for an hour and not a second more", func(t *testing.T) {
			token := o.token(t, id, secret)
			o.at = o.at.Add(time.Hour - time.Second)
			if status := o.opens(t, "/scim/v2/Users", token); status != 200 {
				t.Errorf("a second before its end it gets %d", status)
			}
			o.at = o.at.Add(time.Second)
			if status := o.opens(t, "/scim/v2/Users", token); status != 401 {
				t.Errorf("at its end it gets %d", status)
			}
		})
	}, auth.Schema())
}

func TestTokenRequestsAreRefusedInTheWordsOfRFC6749(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		o := open(t, db)
		id, secret := o.client(t, principal.ScopeCredentialsIssue, principal.ScopeCredentialsRead)
		_, foreign := o.client(t, principal.ScopeSCIM)
		disabled, its := o.client(t, principal.ScopeSCIM)
		if err := o.Disable(t.Context(), disabled); err != nil {
			t.Fatal(err)
		}
		form := func(pairs ...string) string {
			v := url.Values{}
			for i := 0; i < len(pairs); i += 2 {
				v.Add(pairs[i], pairs[i+1])
			}
			return v.Encode()
		}
		good := []string{"grant_type", "client_credentials", "client_id", id, "client_secret", secret}
		basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
		for _, row := range []struct {
			name, body, authorization, mediaType string
			status                               int
			word, code                           string
		}{
			{"no body", "", "", "", 400, "invalid_request", "auth.oauth_invalid_request"},
			{"no grant type", form(good[2:]...), "", "", 400, "invalid_request", "auth.oauth_invalid_request"},
			{"JSON in place of a form", `{"grant_type":"client_credentials"}`, "", "application/json", 400, "invalid_request", "auth.oauth_invalid_request"},
			{"a form that cannot be read", "grant_type=%zz", "", "", 400, "invalid_request", "auth.oauth_invalid_request"},
			{"a parameter twice", form(append(good, "scope", "", "scope", "x")...), "", "", 400, "invalid_request", "auth.oauth_invalid_request"},
			{"two ways to authenticate", form(good...), basic, "", 400, "invalid_request", "auth.oauth_invalid_request"},
			{"a secret and an assertion", form(append(good, "client_assertion", "a")...), "", "", 400, "invalid_request", "auth.oauth_invalid_request"},
			{"two clients at once", form("grant_type", "client_credentials", "client_id", disabled), basic, "", 400, "invalid_request", "auth.oauth_invalid_request"},
			{"a header that is no Basic", form(good[:2]...), "Basic !!", "", 400, "invalid_request", "auth.oauth_invalid_request"},
			{"a header without a colon", form(good[:2]...), "Basic " + base64.StdEncoding.EncodeToString([]byte("x")), "", 400, "invalid_request", "auth.oauth_invalid_request"},
			{"another grant", form("grant_type", "authorization_code", "code", "x"), "", "", 400, "unsupported_grant_type", "auth.oauth_unsupported_grant_type"},
			{"a password", form("grant_type", "password"), "", "", 400, "unsupported_grant_type", "auth.oauth_unsupported_grant_type"},
			{"nobody", form(good[:2]...), "", "", 401, "invalid_client", "auth.oauth_invalid_client"},
			{"another scheme", form(good[:2]...), "Bearer x", "", 401, "invalid_client", "auth.oauth_invalid_client"},
			{"a client without a secret", form(good[:4]...), "", "", 401, "invalid_client", "auth.oauth_invalid_client"},
			{"a client that does not exist", form("grant_type", "client_credentials", "client_id", "0192f0c0-0000-7000-8000-000000000000", "client_secret", secret), "", "", 401, "invalid_client", "auth.oauth_invalid_client"},
			{"a client id that is none", form("grant_type", "client_credentials", "client_id", "' OR 1=1", "client_secret", secret), "", "", 401, "invalid_client", "auth.oauth_invalid_client"},
			{"a wrong secret by Basic", form(good[:2]...), "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+foreign)), "", 401, "invalid_client", "auth.oauth_invalid_client"},
			{"the secret of another client", form("grant_type", "client_credentials", "client_id", id, "client_secret", foreign), "", "", 401, "invalid_client", "auth.oauth_invalid_client"},
			{"a typing error", form("grant_type", "client_credentials", "client_id", id, "client_secret", mistype(secret)), "", "", 401, "invalid_client", "auth.oauth_invalid_client"},
			{"a disabled client", form("grant_type", "client_credentials", "client_id", disabled, "client_secret", its), "", "", 401, "invalid_client", "auth.oauth_invalid_client"},
			{"a scope the client may not have", form(append(good, "scope", "credentials:read admin")...), "", "", 400, "invalid_scope", "auth.oauth_invalid_scope"},
			{"a scope that does not exist", form(append(good, "scope", `"root"`)...), "", "", 400, "invalid_scope", "auth.oauth_invalid_scope"},
			{"a form without end", "grant_type=" + strings.Repeat("x", 70<<10), "", "", 413, "invalid_request", "httpserver.too_large"},
		} {
			t.Run(row.name, func(t *testing.T) {
				if row.mediaType == "" {
					row.mediaType = formType
				}
				headers := []string{"Content-Type", row.mediaType}
				if row.authorization != "" {
					headers = append(headers, "Authorization", row.authorization)
				}
				for _, path := range []string{"/oauth/token", "/scim/oauth/token"} {
					answer, body := o.call(t, "POST", path, row.body, headers...)
					var got map[string]string
					if err := json.Unmarshal([]byte(body), &got); err != nil || answer.StatusCode != row.status || got["error"] != row.word || got["code"] != row.code {
						t.Errorf("%s: %d %s", path, answer.StatusCode, body)
					}
					if strings.ContainsAny(got["error_description"], "\"\\") || got["error_description"] == "" || !strings.HasPrefix(got["help"], "docs/TROUBLESHOOTING.md#auth") && row.status != 413 {
						t.Errorf("%s: %s", path, body)
					}
					if answer.Header.Get("Cache-Control") != "no-store" || answer.Header.Get("Content-Type") != "application/json" {
						t.Errorf("%s: %v", path, answer.Header)
					}
					if challenge := answer.Header.Get("WWW-Authenticate"); strings.HasPrefix(challenge, "Basic") != (row.status == 401) {
						t.Errorf("%s: the challenge is %q", path, challenge)
					}
					if strings.Contains(body, secret) || strings.Contains(body, "disabled") || strings.Contains(body, "exist") {
						t.Errorf("%s: a stranger learns more than it may: %s", path, body)
					}
				}
			})
		}
	}, auth.Schema())
}

func TestAClientMayAskForLess(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		o := open(t, db)
		id, secret := o.client(t, principal.ScopeCredentialsIssue, principal.ScopeCredentialsRead)
		answer, body := o.ask(t, "/oauth/token", "grant_type", "client_credentials", "client_id", id, "client_secret", secret, "scope", "credentials:issue credentials:issue")
		var got struct {
			Token string `json:"access_token"`
			Scope string `json:"scope"`
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil || answer.StatusCode != 200 || got.Scope != "credentials:issue" {
			t.Fatalf("%d %s", answer.StatusCode, body)
		}
		if status := o.opens(t, "/credentials", got.Token); status != 403 {
			t.Errorf("the narrow token gets %d where it may not", status)
		}
		if status := o.opens(t, "/credentials", o.token(t, id, secret)); status != 200 {
			t.Errorf("the whole token gets %d", status)
		}
	}, auth.Schema())
}

func TestSecretsRotateWithoutAGap(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		o := open(t, db)
		ctx := t.Context()
		id, old := o.client(t, principal.ScopeSCIM)
		before := o.token(t, id, old)
		o.at = o.at.Add(time.Minute)
		fresh, second, err := o.Rotate(ctx, id, o.at.Add(90*24*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := o.Rotate(ctx, id, time.Time{}); !errors.Is(err, auth.ErrSecretLimit) || !strings.Contains(err.Error(), second.ID) {
			t.Errorf("a third secret: %v", err)
		}
		after := o.token(t, id, fresh)
		o.token(t, id, old) // both work
		list, err := o.List(ctx)
		if err != nil || len(list[0].Secrets) != 2 || list[0].Secrets[0].ID != second.ID || !list[0].Secrets[1].LastUsed.Equal(o.at) {
			t.Fatalf("%+v %v", list, err)
		}
		for range 2 { // revoking again changes nothing
			if err := o.RevokeSecret(ctx, id, list[0].Secrets[1].Prefix); err != nil {
				t.Fatal(err)
			}
		}
		if status := o.opens(t, "/scim/v2/Users", before); status != 401 {
			t.Errorf("a token granted for the revoked secret gets %d", status)
		}
		if status := o.opens(t, "/scim/v2/Users", after); status != 200 {
			t.Errorf("a token granted for the other secret gets %d", status)
		}
		if answer, _ := o.ask(t, "/oauth/token", "grant_type", "client_credentials", "client_id", id, "client_secret", old); answer.StatusCode != 401 {
			t.Errorf("the revoked secret gets %d", answer.StatusCode)
		}
		if _, _, err := o.Rotate(ctx, id, time.Time{}); err != nil {
			t.Errorf("there is no room for the next: %v", err)
		}
		o.at = o.at.Add(90 * 24 * time.Hour)
		if answer, _ := o.ask(t, "/oauth/token", "grant_type", "client_credentials", "client_id", id, "client_secret", fresh); answer.StatusCode != 401 {
			t.Errorf("the expired secret gets %d", answer.StatusCode)
		}
		if err := o.RevokeSecret(ctx, id, "nothing"); !errors.Is(err, auth.ErrSecretNotFound) {
			t.Errorf("a secret that is none: %v", err)
		}
	}, auth.Schema())
}

func TestDisablingAClientEndsItsTokens(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		o := open(t, db)
		id, secret := o.client(t, principal.ScopeSCIM)
		other, its := o.client(t, principal.ScopeSCIM)
		token, neighbour := o.token(t, id, secret), o.token(t, other, its)
		if o.opens(t, "/scim/v2/Users", token) != 200 {
			t.Fatal("it never worked")
		}
		for range 2 {
			if err := o.Disable(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
		if status := o.opens(t, "/scim/v2/Users", token); status != 401 {
			t.Errorf("its token gets %d", status)
		}
		if status := o.opens(t, "/scim/v2/Users", neighbour); status != 200 {
			t.Errorf("the token of another gets %d", status)
		}
		if _, _, err := o.Rotate(t.Context(), id, time.Time{}); !errors.Is(err, auth.ErrClientDisabled) {
			t.Errorf("it gets a new secret: %v", err)
		}
	}, auth.Schema())
}

// However disabling and granting meet, no token outlives the client.
func TestNoTokenIsGrantedPastTheEndOfAClient(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		o := open(t, db)
		for range 5 {
			id, secret := o.client(t, principal.ScopeSCIM)
			var granted []string
			var mu sync.Mutex
			var all sync.WaitGroup
			for i := range 6 {
				all.Go(func() {
					if i == 3 {
						if err := o.Disable(context.Background(), id); err != nil {
							t.Error(err)
						}
						return
					}
					grant, err := o.Token(context.Background(), auth.TokenRequest{GrantType: "client_credentials", ClientID: id, ClientSecret: secret})
					if err == nil {
						mu.Lock()
						granted = append(granted, grant.Token)
						mu.Unlock()
					} else if !errors.Is(err, auth.ErrOAuthClient) {
						t.Error(err)
					}
				})
			}
			all.Wait()
			for _, token := range granted {
				if status := o.opens(t, "/scim/v2/Users", token); status != 401 {
					t.Errorf("a token gets %d", status)
				}
			}
		}
	}, auth.Schema())
}

func TestProvisioningIsKeptApart(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		o := open(t, db)
		make := func(scopes ...string) string {
			text, _, err := o.tokens.Create(t.Context(), "x", scopes, time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
		id, secret := o.client(t, principal.ScopeSCIM)
		holders := map[string]string{
			"a SCIM token":            make(principal.ScopeSCIM),
			"a SCIM client":           o.token(t, id, secret),
			"a reader":                make(principal.ScopeCredentialsRead),
			"a token for both":        make(principal.ScopeSCIM, principal.ScopeCredentialsRead),
			"an admin":                make(principal.ScopeAdmin),
			"the bootstrap token":     bootstrap,
			"a token for all but two": make(principal.ScopeIssuersWrite, principal.ScopeAchievementsWrite, principal.ScopeCredentialsIssue, principal.ScopeCredentialsRead, principal.ScopeAuditRead),
		}
		for _, row := range []struct {
			holder, path string
			status       int
			code         string
		}{
			{"a SCIM token", "/scim/v2/Users", 200, ""},
			{"a SCIM token", "/scim/v2/Me", 200, ""},
			{"a SCIM token", "/anyone", 403, "auth.scim_only"},
			{"a SCIM token", "/credentials", 403, "auth.scim_only"},
			{"a SCIM token", "/scim/v20", 403, "auth.scim_only"},
			{"a SCIM token", "/api/v1/clients", 403, "auth.scim_only"},
			{"a SCIM client", "/scim/v2/Users", 200, ""},
			{"a SCIM client", "/anyone", 403, "auth.scim_only"},
			{"a reader", "/scim/v2/Users", 403, "auth.scim_needed"},
			{"a reader", "/scim/v2/Me", 403, "auth.scim_needed"},
			{"a reader", "/credentials", 200, ""},
			{"a token for both", "/scim/v2/Me", 200, ""},
			{"a token for both", "/credentials", 200, ""},
			{"an admin", "/scim/v2/Users", 200, ""},
			{"an admin", "/anyone", 200, ""},
			{"the bootstrap token", "/scim/v2/Me", 200, ""},
			{"a token for all but two", "/scim/v2/Me", 403, "auth.scim_needed"},
		} {
			t.Run(row.holder+" at "+row.path, func(t *testing.T) {
				answer, body := o.call(t, "GET", row.path, "", "Authorization", "Bearer "+holders[row.holder])
				if answer.StatusCode != row.status || !strings.Contains(body, row.code) {
					t.Errorf("%d %s", answer.StatusCode, body)
				}
			})
		}
	}, auth.Schema())
}

func TestAnAssertionTakesThePlaceOfASecret(t *testing.T) {
	const (
		tenant  = "aaaaaaaa-0000-0000-0000-000000000001"
		subject = "3c1f0d92-6f0c-4a55-9b0e-0f1f4b7a2d10"
		party   = "99999999-0000-0000-0000-000000000009"
		aud     = "api://11111111-2222-3333-4444-555555555555"
		kind    = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	)
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		o := open(t, db)
		none, client, err := o.Create(t.Context(), "Entra", []string{principal.ScopeSCIM}, time.Time{}, &auth.Binding{Tenant: strings.ToUpper(tenant), Subject: strings.ToUpper(subject), Party: party, Audience: aud})
		if err != nil || none != "" || client.Binding.Issuer != "https://login.microsoftonline.com/"+tenant+"/v2.0" {
			t.Fatalf("%q %+v %v", none, client, err)
		}
		plain, _ := o.client(t, principal.ScopeSCIM)
		good := func() auth.AssertionClaims {
			return auth.AssertionClaims{
				Issuer: client.Binding.Issuer, Tenant: tenant, Subject: subject, Party: party, Audience: []string{aud},
				TokenID: "id-" + rand(t), Issued: o.at, Expires: o.at.Add(time.Hour),
			}
		}
		for _, row := range []struct {
			name   string
			id     string
			kind   string
			change func(c *auth.AssertionClaims)
			reason string
		}{
			{"of another issuer", client.ID, kind, func(c *auth.AssertionClaims) { c.Issuer = "https://sts.windows.net/" + tenant + "/" }, "the iss of the assertion is another"},
			{"of another tenant", client.ID, kind, func(c *auth.AssertionClaims) { c.Tenant = "aaaaaaaa-0000-0000-0000-000000000002" }, "the tid of the assertion is another"},
			{"of another subject", client.ID, kind, func(c *auth.AssertionClaims) { c.Subject = "someone" }, "the sub of the assertion is another"},
			{"of another application", client.ID, kind, func(c *auth.AssertionClaims) { c.Party = "" }, "the azp of the assertion is another"},
			{"for another audience", client.ID, kind, func(c *auth.AssertionClaims) { c.Audience = []string{aud + "/"} }, "the aud of the assertion is another"},
			{"for nobody", client.ID, kind, func(c *auth.AssertionClaims) { c.Audience = nil }, "the aud of the assertion is another"},
			{"without an id", client.ID, kind, func(c *auth.AssertionClaims) { c.TokenID = "" }, "has no id"},
			{"that lives longer than a day", client.ID, kind, func(c *auth.AssertionClaims) { c.Expires = c.Issued.Add(24*time.Hour + time.Second) }, "lives longer"},
			{"that does not say since when", client.ID, kind, func(c *auth.AssertionClaims) { c.Issued = time.Time{} }, "lives longer"},
			{"that has long expired", client.ID, kind, func(c *auth.AssertionClaims) { c.Expires = o.at.Add(-11 * time.Minute) }, "expired"},
			{"of another type", client.ID, "urn:ietf:params:oauth:client-assertion-type:saml2-bearer", func(*auth.AssertionClaims) {}, "of another type"},
			{"for a client that is not bound", plain, kind, func(*auth.AssertionClaims) {}, "not bound"},
		} {
			t.Run("an assertion "+row.name+" is refused", func(t *testing.T) {
				o.log.Reset()
				claims := good()
				row.change(&claims)
				o.claims["jwt"] = claims
				answer, body := o.ask(t, "/scim/oauth/token", "grant_type", "client_credentials", "client_id", row.id, "client_assertion_type", row.kind, "client_assertion", "jwt", "scope", "scim")
				if answer.StatusCode != 401 || !strings.Contains(body, `"error":"invalid_client"`) || strings.Contains(body, row.reason) {
					t.Errorf("%d %s", answer.StatusCode, body)
				}
				if !strings.Contains(o.log.String(), row.reason) {
					t.Errorf("the log does not say %q: %s", row.reason, o.log.String())
				}
			})
		}
		send := func(raw string) (*http.Response, string) {
			return o.ask(t, "/scim/oauth/token", "grant_type", "client_credentials", "client_id", client.ID, "client_assertion_type", kind, "client_assertion", raw, "scope", "scim")
		}
		t.Run("a wrong signature is refused", func(t *testing.T) {
			if answer, body := send("forged"); answer.StatusCode != 401 || strings.Contains(body, "signature") {
				t.Errorf("%d %s", answer.StatusCode, body)
			}
		})
		t.Run("what cannot be told now is no refusal", func(t *testing.T) {
			if answer, body := send("away"); answer.StatusCode != 503 || !strings.Contains(body, `"error":"temporarily_unavailable"`) || answer.Header.Get("Retry-After") == "" {
				t.Errorf("%d %s", answer.StatusCode, body)
			}
		})
		t.Run("a good one is taken once in its lifetime", func(t *testing.T) {
			o.claims["jwt"] = good()
			if answer, body := send("jwt"); answer.StatusCode != 200 {
				t.Fatalf("%d %s", answer.StatusCode, body)
			}
			o.at = o.at.Add(59 * time.Minute)
			if answer, _ := send("jwt"); answer.StatusCode != 401 || !strings.Contains(o.log.String(), "used before") {
				t.Errorf("the second time it gets %d", answer.StatusCode)
			}
		})
		t.Run("a scope that is refused leaves the assertion to be used", func(t *testing.T) {
			o.claims["jwt"] = good()
			answer, _ := o.ask(t, "/oauth/token", "grant_type", "client_credentials", "client_id", client.ID, "client_assertion_type", kind, "client_assertion", "jwt", "scope", "admin")
			if again, _ := send("jwt"); answer.StatusCode != 400 || again.StatusCode != 200 {
				t.Errorf("%d, then %d", answer.StatusCode, again.StatusCode)
			}
		})
		t.Run("nobody to verify them takes none", func(t *testing.T) {
			alone := auth.NewClients(auth.Default(), o.records, o.tokens, auth.ClientNeighbours{Work: db}, slog.New(slog.DiscardHandler))
			if _, err := alone.Token(t.Context(), auth.TokenRequest{GrantType: "client_credentials", ClientID: client.ID, AssertionType: kind, Assertion: "jwt"}); !errors.Is(err, auth.ErrOAuthClient) {
				t.Errorf("error is %v", err)
			}
		})
	}, auth.Schema())
}

var serial int

func rand(testing.TB) string { serial++; return strings.Repeat("i", serial) }

func TestClientsThatCannotBeAreNotMade(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		o := open(t, db)
		for _, row := range []struct{ name, body, must string }{
			{"without a name", `{"name":" ","scopes":["scim"]}`, `"/name"`},
			{"without a scope", `{"name":"x","scopes":[]}`, `"/scopes"`},
			{"with a scope nobody knows", `{"name":"x","scopes":["root"]}`, `"/scopes/0"`},
			{"with an expiry that has come", `{"name":"x","scopes":["scim"],"expires":"2020-01-01"}`, `"/expires"`},
			{"with a tenant that is none", `{"name":"x","scopes":["scim"],"assertion":{"tenant":"contoso","subject":"s","audience":"a"}}`, `"/assertion/tenant"`},
			{"with an empty subject", `{"name":"x","scopes":["scim"],"assertion":{"tenant":"aaaaaaaa-0000-0000-0000-000000000001","subject":"","audience":"a"}}`, `"/assertion/subject"`},
			{"without an audience", `{"name":"x","scopes":["scim"],"assertion":{"tenant":"aaaaaaaa-0000-0000-0000-000000000001","subject":"s","audience":""}}`, `"/assertion/audience"`},
			{"with a subject that no token can have", `{"name":"x","scopes":["scim"],"assertion":{"tenant":"aaaaaaaa-0000-0000-0000-000000000001","subject":"a b","audience":"a"}}`, `"/assertion/subject"`},
			{"with an assertion and the expiry of a secret", `{"name":"x","scopes":["scim"],"expires":"9d","assertion":{"tenant":"aaaaaaaa-0000-0000-0000-000000000001","subject":"s","audience":"a"}}`, `"/expires"`},
		} {
			t.Run(row.name, func(t *testing.T) {
				answer, body := o.call(t, "POST", "/api/v1/clients", row.body, "Content-Type", "application/json", "Authorization", "Bearer "+bootstrap)
				if answer.StatusCode != 422 || !strings.Contains(body, row.must) {
					t.Errorf("%d %s", answer.StatusCode, body)
				}
			})
		}
		if list, err := o.List(t.Context()); err != nil || len(list) != 0 {
			t.Errorf("%+v %v", list, err)
		}
	}, auth.Schema())
}

func TestClientsOverHTTP(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		o := open(t, db)
		admin := []string{"Content-Type", "application/json", "Authorization", "Bearer " + bootstrap}
		var made struct {
			ID, Secret string
			Secrets    []struct{ ID, Prefix string }
		}
		answer, body := o.call(t, "POST", "/api/v1/clients", `{"name":"Entra","scopes":["scim"],"expires":"180d"}`, admin...)
		if err := json.Unmarshal([]byte(body), &made); err != nil || answer.StatusCode != 201 || answer.Header.Get("Cache-Control") != "no-store" || len(made.Secrets) != 1 || !strings.HasPrefix(made.Secret, made.Secrets[0].Prefix) {
			t.Fatalf("%d %s", answer.StatusCode, body)
		}
		path := "/api/v1/clients/" + made.ID
		var more struct{ ID, Secret, ExpiresAt string }
		answer, body = o.call(t, "POST", path+"/secrets", `{"expires":"90d"}`, admin...)
		if err := json.Unmarshal([]byte(body), &more); err != nil || answer.StatusCode != 201 || more.ExpiresAt != "2027-02-21T12:00:00Z" {
			t.Fatalf("%d %s", answer.StatusCode, body)
		}
		reader, _, err := o.tokens.Create(t.Context(), "reader", []string{principal.ScopeCredentialsRead}, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range []struct {
			name, method, path, token string
			status                    int
			must                      string
		}{
			{"nobody may list", "GET", "/api/v1/clients", "", 401, "httpserver.unauthenticated"},
			{"a reader may not list", "GET", "/api/v1/clients", reader, 403, "httpserver.forbidden"},
			{"a reader may not disable", "DELETE", path, reader, 403, "httpserver.forbidden"},
			{"a third secret is one too many", "POST", path + "/secrets", bootstrap, 409, "auth.secret_limit"},
			{"an admin lists", "GET", "/api/v1/clients", bootstrap, 200, more.ID},
			{"a secret is revoked", "DELETE", path + "/secrets/" + made.Secrets[0].ID, bootstrap, 204, ""},
			{"an unknown secret is not found", "DELETE", path + "/secrets/x", bootstrap, 404, "auth.secret_not_found"},
			{"an unknown client is not found", "DELETE", "/api/v1/clients/0192f0c0-0000-7000-8000-000000000000", bootstrap, 404, "auth.client_not_found"},
			{"a client is disabled", "DELETE", path, bootstrap, 204, ""},
			{"a disabled client gets no secret", "POST", path + "/secrets", bootstrap, 409, "auth.client_disabled"},
			{"lists show that", "GET", "/api/v1/clients", bootstrap, 200, `"disabledAt":"2026-11-23T12:00:00Z"`},
		} {
			t.Run(row.name, func(t *testing.T) {
				headers := []string{"Content-Type", "application/json"}
				if row.token != "" {
					headers = append(headers, "Authorization", "Bearer "+row.token)
				}
				answer, body := o.call(t, row.method, row.path, "{}", headers...)
				if answer.StatusCode != row.status || !strings.Contains(body, row.must) || strings.Contains(body, strings.Split(more.Secret, "_")[2]) {
					t.Errorf("%d %s", answer.StatusCode, body)
				}
			})
		}
	}, auth.Schema())
}

func TestAClientThatAsksForTokensWithoutEndIsToldToWait(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		o := open(t, db)
		id, secret := o.client(t, principal.ScopeSCIM)
		ask := func(secret string) (*http.Response, string) {
			return o.ask(t, "/oauth/token", "grant_type", "client_credentials", "client_id", id, "client_secret", secret)
		}
		for range 100 {
			ask(secret[:70]) // failures never use up what is for those that succeed
		}
		for i := range ratelimit.Provisioning.Burst {
			if answer, body := ask(secret); answer.StatusCode != 200 {
				t.Fatalf("request %d: %d %s", i, answer.StatusCode, body)
			}
		}
		answer, body := ask(secret)
		if answer.StatusCode != 429 || answer.Header.Get("Retry-After") != "1" || answer.Header.Get("RateLimit-Limit") != "100" || !strings.Contains(body, `"error":"temporarily_unavailable"`) {
			t.Errorf("%d %v %s", answer.StatusCode, answer.Header, body)
		}
	}, auth.Schema())
}

func TestTheCalendarWarnsThirtyDaysBefore(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		o := open(t, db)
		ctx := t.Context()
		day := 24 * time.Hour
		create := func(name string, in time.Duration) string {
			_, token, err := o.tokens.Create(ctx, name, []string{principal.ScopeSCIM}, o.at.Add(in))
			if err != nil {
				t.Fatal(err)
			}
			return token.ID
		}
		soon := create("soon", 30*day)
		create("later", 30*day+time.Second)
		revoked := create("revoked", 3*day)
		if _, err := o.tokens.RevokeID(ctx, revoked); err != nil {
			t.Fatal(err)
		}
		secret, client, err := o.Create(ctx, "Entra", []string{principal.ScopeSCIM}, o.at.Add(7*day), nil)
		if err != nil {
			t.Fatal(err)
		}
		_, dead, err := o.Create(ctx, "disabled", []string{principal.ScopeSCIM}, o.at.Add(7*day), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := o.Disable(ctx, dead.ID); err != nil {
			t.Fatal(err)
		}
		access := o.token(t, client.ID, secret) // expires within the hour, which is no news
		o.log.Reset()
		calendar := auth.NewCalendar(o.store, o.records, func() time.Time { return o.at }, slog.New(slog.NewTextHandler(o.log, nil)))
		if err := calendar.Look(ctx); err != nil {
			t.Fatal(err)
		}
		got := calendar.Expiring()
		if len(got) != 2 || got[0].Kind != "client_secret" || got[0].ID != client.Secrets[0].ID || got[0].Owner != client.ID || got[1].Kind != "token" || got[1].ID != soon {
			t.Errorf("expiring are %+v", got)
		}
		if samples := calendar.Gauge().Read(); len(samples) != 2 || samples[0].Labels[1] != client.Secrets[0].ID || samples[0].Value != float64(o.at.Add(7*day).Unix()) {
			t.Errorf("the metric says %+v", samples)
		}
		if lines := o.log.String(); strings.Count(lines, "level=WARN") != 2 || !strings.Contains(lines, "days=7") || !strings.Contains(lines, "days=30") {
			t.Errorf("log is %s", lines)
		}
		if status := o.opens(t, "/scim/v2/Users", access); status != 200 {
			t.Errorf("the sweep took a token that works: %d", status)
		}
		o.at = o.at.Add(7 * day)
		if got := calendar.Expiring(); len(got) != 1 {
			t.Errorf("what has expired is still expiring: %+v", got)
		}
		if err := calendar.Look(ctx); err != nil {
			t.Fatal(err)
		}
		var left int64
		if err := db.Reader(ctx).Table("auth_tokens").Where("client_id IS NOT NULL").Count(&left).Error; err != nil || left != 0 {
			t.Errorf("%d expired access tokens are left, error %v", left, err)
		}
	}, auth.Schema())
}

// patchy is a shelf that is away until it is asked a third time.
type patchy struct {
	shelf
	mu    sync.Mutex
	asked []time.Time
}

func (p *patchy) List(context.Context) ([]auth.Token, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.asked = append(p.asked, time.Now()); len(p.asked) < 3 {
		return nil, database.ErrUnavailable
	}
	return nil, nil
}

type noClients struct{ auth.ClientRecords }

func (noClients) List(context.Context) ([]auth.Client, error) { return nil, nil }
func (noClients) Sweep(context.Context, time.Time) error      { return nil }

func TestTheCalendarLooksOnceADayAndAgainSoonAfterAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &patchy{}
		calendar := auth.NewCalendar(p, noClients{}, time.Now, slog.New(slog.DiscardHandler))
		begun := time.Now()
		calendar.Start()
		time.Sleep(49 * time.Hour)
		synctest.Wait()
		calendar.Stop()
		want := []time.Duration{0, time.Minute, 2 * time.Minute, 24*time.Hour + 2*time.Minute, 48*time.Hour + 2*time.Minute}
		var got []time.Duration
		for _, at := range p.asked {
			got = append(got, at.Sub(begun))
		}
		if !slices.Equal(got, want) {
			t.Errorf("it looked after %v", got)
		}
		auth.NewCalendar(p, noClients{}, time.Now, slog.New(slog.DiscardHandler)).Stop() // without a start
	})
}

func TestTheLifetimeOfAccessTokensIsBounded(t *testing.T) {
	for _, row := range []struct {
		name string
		d    time.Duration
		ok   bool
	}{
		{"none is the default", 0, true}, {"an hour", time.Hour, true}, {"six hours", 6 * time.Hour, true},
		{"less than Entra takes", time.Hour - time.Second, false}, {"more than Entra takes", 6*time.Hour + time.Second, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			cfg := auth.Default()
			cfg.AccessLifetime = row.d
			if err := cfg.Check(); (err == nil) != row.ok || err != nil && !strings.Contains(err.Error(), "OAUTH_TOKEN_LIFETIME") {
				t.Errorf("error is %v", err)
			}
		})
	}
}
