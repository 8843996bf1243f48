package auth_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/modules/auth"
	"github.com/badge-engine/badge-engine/modules/auth/entra"
	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/principal"
	"github.com/badge-engine/badge-engine/platform/ratelimit"
)

func TestSigningInTakesEachPartOnceAndToTheRightBrowser(t *testing.T) {
	w := newTown(t, nil)
	location, browser, err := w.signIn.Begin(t.Context(), "/docs?x=1", "")
	if err != nil {
		t.Fatal(err)
	}
	again, same, err := w.signIn.Begin(t.Context(), "/docs", browser)
	if err != nil || same != browser {
		t.Errorf("another tab got another cookie, error %v", err)
	}
	for _, name := range []string{"state", "nonce", "challenge"} {
		if one, two := parameter(t, location, name), parameter(t, again, name); len(one) != 43 || one == two {
			t.Errorf("%s is %q and then %q", name, one, two)
		}
	}
	answer := auth.Answer{State: parameter(t, location, "state"), Code: "code"}
	value, returnTo, err := w.signIn.Complete(t.Context(), answer, browser, "")
	if err != nil || returnTo != "/docs?x=1" || len(value) != 43 {
		t.Fatalf("%q to %q, error %v", value, returnTo, err)
	}
	if r := w.entra.redeemed; r[0] != "code" || entra.Challenge(r[1]) != parameter(t, location, "challenge") || r[2] != parameter(t, location, "nonce") {
		t.Errorf("redeemed %q", r)
	}
	if !w.trail.has("auth.signed_in", "success") || w.trail.events[0].Actor != danaID {
		t.Errorf("the trail has %+v", w.trail.events)
	}
	for _, secret := range []string{value, browser, answer.State, "dana@example.org", "Dana Kim"} {
		if strings.Contains(w.log.String(), secret) {
			t.Errorf("the log shows %q: %s", secret, w.log)
		}
	}
	if _, _, err := w.signIn.Complete(t.Context(), answer, browser, ""); !errors.Is(err, auth.ErrState) {
		t.Errorf("the same answer once more: %v", err)
	}
	if _, _, err := w.signIn.Complete(t.Context(), auth.Answer{State: parameter(t, again, "state"), Code: "code"}, browser, ""); err != nil {
		t.Errorf("the other tab: %v", err)
	}
}

func TestACallbackThatBelongsToNoSignInIsRefused(t *testing.T) {
	refusal := &entra.Refusal{Reason: entra.ReasonNonce, Remedy: "Start again.", Detail: "secret detail"}
	for _, row := range []struct {
		name   string
		change func(w *town, a *auth.Answer, browser *string)
		code   string
		must   string
	}{
		{"no state", func(_ *town, a *auth.Answer, _ *string) { a.State = "" }, "auth.state", "sign in again"},
		{"an invented state", func(_ *town, a *auth.Answer, _ *string) { a.State = strings.Repeat("x", 43) }, "auth.state", "sign in again"},
		{"a state without end", func(_ *town, a *auth.Answer, _ *string) { a.State = strings.Repeat("x", 9000) }, "auth.state", "sign in again"},
		{"no cookie", func(_ *town, _ *auth.Answer, browser *string) { *browser = "" }, "auth.state", "sign in again"},
		{"the cookie of another browser", func(w *town, _ *auth.Answer, browser *string) { _, *browser = w.begin("/") }, "auth.state", "sign in again"},
		{"a cookie of another key", func(w *town, _ *auth.Answer, _ *string) {
			w.tenant.ClientSecret = "another"
			w.replica = w.another()
		}, "auth.state", "sign in again"},
		{"after ten minutes", func(w *town, _ *auth.Answer, _ *string) { w.at = w.at.Add(10 * time.Minute) }, "auth.state", "sign in again"},
		{"no code", func(_ *town, a *auth.Answer, _ *string) { a.Code = "" }, "auth.state", "no code"},
		{"an error of Entra", func(_ *town, a *auth.Answer, _ *string) {
			a.Code, a.Error, a.Description = "", "access_denied", "AADSTS50105: The signed in user <b>dana@example.org</b> is not assigned."
		}, "auth.sign_in_refused", "AADSTS50105: The account is not assigned"},
		{"a code that was used", func(w *town, _ *auth.Answer, _ *string) {
			w.entra.err = &entra.AuthorityError{Number: 54005, Code: "invalid_grant", Hint: "The code was used before.", TraceID: "trace-1"}
		}, "auth.sign_in_refused", "AADSTS54005: The code was used before. Trace trace-1."},
		{"Entra that cannot be asked", func(w *town, _ *auth.Answer, _ *string) { w.entra.err = entra.ErrUnavailable }, "auth.entra_unavailable", ""},
		{"an ID token for another sign-in", func(w *town, _ *auth.Answer, _ *string) { w.entra.err = refusal }, "auth.token_nonce", "Start again."},
		{"an application instead of a person", func(w *town, _ *auth.Answer, _ *string) { w.entra.claims.Kind = entra.App }, "auth.sign_in_refused", "Only people"},
		{"somebody inactive in the directory", func(w *town, _ *auth.Answer, _ *string) { w.directory.active = map[string]bool{dana: false} }, "auth.deactivated", ""},
		{"a directory that does not answer", func(w *town, _ *auth.Answer, _ *string) { w.directory.err = errors.New("away") }, "auth.unsure", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newTown(t, nil)
			state, browser := w.begin("/")
			answer := auth.Answer{State: state, Code: "code"}
			row.change(w, &answer, &browser)
			value, _, err := w.signIn.Complete(t.Context(), answer, browser, "")
			if value != "" || code(err) != row.code {
				t.Fatalf("session %q, error %v", value, err)
			}
			f, _ := fault.From(err)
			if !strings.Contains(f.Detail(), row.must) || strings.Contains(f.Detail(), "dana@") || strings.Contains(f.Detail(), "secret") {
				t.Errorf("detail is %q", f.Detail())
			}
			outcome := "refused"
			if isKind(err, fault.Unavailable) {
				outcome = "failed"
			}
			if w.trail.has("auth.signed_in", outcome) == errors.Is(err, auth.ErrState) || w.trail.has("auth.signed_in", "success") {
				t.Errorf("the trail has %+v", w.trail.events)
			}
		})
	}
}

func TestAnAnswerForAnotherBrowserDoesNotUseUpTheSignIn(t *testing.T) {
	w := newTown(t, nil)
	state, browser := w.begin("/")
	if _, _, err := w.signIn.Complete(t.Context(), auth.Answer{State: state, Code: "code"}, strings.Repeat("x", 43), ""); !errors.Is(err, auth.ErrState) {
		t.Fatal(err)
	}
	if _, _, err := w.signIn.Complete(t.Context(), auth.Answer{State: state, Code: "code"}, browser, ""); err != nil {
		t.Error(err)
	}
}

func TestReturnPathsLeadNowhereElse(t *testing.T) {
	for _, row := range []struct{ name, path, want string }{
		{"a path", "/credentials/1", "/credentials/1"},
		{"a path with a query", "/docs?a=b&c=%2Fd", "/docs?a=b&c=%2Fd"},
		{"nothing", "", "/auth/me"},
		{"another site", "https://evil.example/", "/auth/me"},
		{"another site without its scheme", "//evil.example/", "/auth/me"},
		{"a backslash that browsers turn", "/\\evil.example/", "/auth/me"},
		{"a backslash behind", "/x\\..\\..\\evil.example", "/auth/me"},
		{"a tab that browsers drop", "/\t/evil.example", "/auth/me"},
		{"a line break", "/x\r\nSet-Cookie: a=b", "/auth/me"},
		{"a script", "javascript:alert(1)", "/auth/me"},
		{"a relative path", "docs", "/auth/me"},
		{"the sign-in itself", "/auth/login?return=/auth/login", "/auth/me"},
		{"a path without end", "/" + strings.Repeat("a", 3000), "/auth/me"},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newTown(t, nil)
			state, browser := w.begin(row.path)
			_, returnTo, err := w.signIn.Complete(t.Context(), auth.Answer{State: state, Code: "code"}, browser, "")
			if err != nil || returnTo != row.want {
				t.Errorf("returned to %q, error %v", returnTo, err)
			}
		})
	}
}

func TestSigningInChangesTheSessionAndEndsTheFormer(t *testing.T) {
	w := newTown(t, nil)
	planted := strings.Repeat("p", 43) // by somebody who hopes that it becomes a session
	state, browser := w.begin("/")
	first, _, err := w.signIn.Complete(t.Context(), auth.Answer{State: state, Code: "code"}, browser, planted)
	if err != nil || first == planted {
		t.Fatalf("session %q, error %v", first, err)
	}
	if _, err := w.session(t.Context(), planted); !errors.Is(err, auth.ErrSessionEnded) {
		t.Errorf("the planted session: %v", err)
	}
	state, browser = w.begin("/")
	second, _, err := w.signIn.Complete(t.Context(), auth.Answer{State: state, Code: "code"}, browser, first)
	if err != nil || second == first {
		t.Fatalf("session %q, error %v", second, err)
	}
	if _, err := w.session(t.Context(), first); !errors.Is(err, auth.ErrSessionEnded) {
		t.Errorf("the former session: %v", err)
	}
	if _, err := w.session(t.Context(), second); err != nil {
		t.Error(err)
	}
}

func TestAProvisionedOnlyServerKnowsNobodyElse(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(w *town)
		code   string
	}{
		{"somebody provisioned", func(w *town) { w.directory.active = map[string]bool{dana: true} }, ""},
		{"somebody who is not", func(*town) {}, "auth.not_provisioned"},
		{"a server without a directory", func(w *town) { w.directory = nil }, "auth.not_provisioned"},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newTown(t, func(w *town) {
				w.cfg.ProvisionedOnly = true
				row.change(w)
			})
			state, browser := w.begin("/")
			if _, _, err := w.signIn.Complete(t.Context(), auth.Answer{State: state, Code: "code"}, browser, ""); code(err) != row.code {
				t.Errorf("signing in: %v", err)
			}
			if _, err := w.bearer(t.Context(), w.token(w.dana())); code(err) != row.code {
				t.Errorf("a bearer token: %v", err)
			}
		})
	}
}

func TestASignInThatCannotBeWrittenDownIsNone(t *testing.T) {
	w := newTown(t, nil)
	w.trail.err = errors.New("no room")
	state, browser := w.begin("/")
	if value, _, err := w.signIn.Complete(t.Context(), auth.Answer{State: state, Code: "code"}, browser, ""); err == nil || value != "" {
		t.Errorf("session %q, error %v", value, err)
	}
}

func TestSigningOut(t *testing.T) {
	request := func(value string) httpserver.Credentials {
		return httpserver.Credentials{Method: "POST", Path: "/auth/logout", Cookie: cookie + "=" + value, Origin: outside, FetchSite: "same-origin"}
	}
	t.Run("ends the session at once and goes on to Entra", func(t *testing.T) {
		w := newTown(t, nil)
		value := w.signedIn()
		_, csrf, err := w.sessions.Of(t.Context(), cookie+"="+value)
		if err != nil {
			t.Fatal(err)
		}
		location, err := w.signIn.Leave(t.Context(), request(value), csrf)
		if err != nil || !strings.HasPrefix(location, "https://login.example/logout?") || parameter(t, location, "return") != outside+"/auth/signed-out" || parameter(t, location, "hint") != "hint" {
			t.Errorf("to %q, error %v", location, err)
		}
		for _, r := range []*replica{w.replica, w.another()} {
			if _, err := r.session(t.Context(), value); !errors.Is(err, auth.ErrSessionEnded) {
				t.Errorf("after it: %v", err)
			}
		}
		if !w.trail.has("auth.signed_out", "success") {
			t.Errorf("the trail has %+v", w.trail.events)
		}
		if location, err := w.signIn.Leave(t.Context(), request(value), csrf); err != nil || location != "/auth/signed-out" {
			t.Errorf("once more: to %q, error %v", location, err)
		}
	})
	t.Run("is refused to other sites", func(t *testing.T) {
		w := newTown(t, nil)
		value := w.signedIn()
		if _, err := w.signIn.Leave(t.Context(), request(value), ""); !errors.Is(err, auth.ErrCSRF) {
			t.Errorf("error is %v", err)
		}
		if _, err := w.session(t.Context(), value); err != nil {
			t.Error(err)
		}
	})
	t.Run("without a session is fine", func(t *testing.T) {
		if location, err := newTown(t, nil).signIn.Leave(t.Context(), httpserver.Credentials{Method: "POST"}, ""); err != nil || location != "/auth/signed-out" {
			t.Errorf("to %q, error %v", location, err)
		}
	})
}

func TestEntraSignsOutByTheFrontChannel(t *testing.T) {
	w := newTown(t, nil)
	one, two := w.signedIn(), w.signedIn()
	w.entra.claims.Session = "another"
	other := w.signedIn()
	w.at = w.at.Add(time.Second)
	for _, row := range []struct{ name, issuer, session string }{
		{"another issuer", "https://login.microsoftonline.com/eeeeeeee-0000-4000-8000-000000000001/v2.0", "entra-session"},
		{"no issuer", "", "entra-session"},
		{"no session", w.tenant.Issuer(), ""},
		{"a session without end", w.tenant.Issuer(), strings.Repeat("x", 9000)},
	} {
		if err := w.signIn.Dropped(t.Context(), row.issuer, row.session); !errors.Is(err, auth.ErrState) {
			t.Errorf("%s: %v", row.name, err)
		}
	}
	if _, err := w.session(t.Context(), one); err != nil {
		t.Fatal(err)
	}
	if err := w.signIn.Dropped(t.Context(), w.tenant.Issuer(), "entra-session"); err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{one, two} {
		if _, err := w.session(t.Context(), value); !errors.Is(err, auth.ErrSessionEnded) {
			t.Errorf("error is %v", err)
		}
	}
	if _, err := w.session(t.Context(), other); err != nil {
		t.Errorf("the session of another: %v", err)
	}
	w.at, w.entra.claims.Session = w.at.Add(time.Second), "entra-session"
	if _, err := w.session(t.Context(), w.signedIn()); err != nil {
		t.Errorf("signed in again: %v", err)
	}
}

func TestWithoutEntraNobodySignsIn(t *testing.T) {
	w := newTown(t, func(w *town) { w.entra = nil })
	if _, _, err := w.signIn.Begin(t.Context(), "/", ""); !errors.Is(err, auth.ErrNoSignIn) {
		t.Errorf("error is %v", err)
	}
	if _, _, err := w.signIn.Complete(t.Context(), auth.Answer{State: "x", Code: "y"}, "", ""); !errors.Is(err, auth.ErrNoSignIn) {
		t.Errorf("error is %v", err)
	}
	if _, _, err := w.signIn.Offer(t.Context(), "/", ""); !errors.Is(err, auth.ErrNoSignIn) {
		t.Errorf("error is %v", err)
	}
	if _, _, err := w.signIn.Pretend(t.Context(), httpserver.Credentials{Method: "POST"}, "x", "y", "dana", "admin"); !errors.Is(err, auth.ErrNoSignIn) {
		t.Errorf("error is %v", err)
	}
}

func TestTheDevelopmentSignIn(t *testing.T) {
	with := func(w *town) { w.cfg.DevelopmentSignIn, w.entra = true, nil }
	post := httpserver.Credentials{Method: "POST", Path: "/auth/development", FetchSite: "same-origin"}
	enter := func(t *testing.T, w *town, c httpserver.Credentials, name, role string) (string, error) {
		state, browser, err := w.signIn.Offer(t.Context(), "/docs", "")
		if err != nil {
			t.Fatal(err)
		}
		value, returnTo, err := w.signIn.Pretend(t.Context(), c, state, browser, name, role)
		if err == nil && returnTo != "/docs" {
			t.Errorf("returned to %q", returnTo)
		}
		return value, err
	}
	t.Run("takes whoever asks and says so in the log", func(t *testing.T) {
		w := newTown(t, with)
		value, err := enter(t, w, post, "dana", "issuer")
		if err != nil {
			t.Fatal(err)
		}
		for _, wait := range []time.Duration{0, 6 * time.Minute} {
			w.at = w.at.Add(wait)
			p, err := w.session(t.Context(), value)
			if err != nil || p.ID != "development:dana" || p.Roles[0] != "issuer" {
				t.Errorf("principal is %+v, error %v", p, err)
			}
		}
		w.signIn.Start(t.Context())
		for line := range strings.Lines(w.log.String()) {
			if !strings.Contains(line, "development") {
				t.Errorf("log has %s", line)
			}
		}
		t.Run("and its sessions are nothing where it is off", func(t *testing.T) {
			w.cfg.DevelopmentSignIn = false
			if _, err := w.another().session(t.Context(), value); !errors.Is(err, auth.ErrSessionEnded) {
				t.Errorf("error is %v", err)
			}
		})
	})
	for _, row := range []struct{ name, who, role, site string }{
		{"a role that is none", "dana", "root", "same-origin"},
		{"no name", "", "admin", "same-origin"},
		{"a name with a slash", "dana/x", "admin", "same-origin"},
		{"another site", "dana", "admin", "cross-site"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := post
			c.FetchSite = row.site
			if value, err := enter(t, newTown(t, with), c, row.who, row.role); err == nil || value != "" {
				t.Errorf("session %q, error %v", value, err)
			}
		})
	}
	t.Run("is refused on an address that others reach", func(t *testing.T) {
		on := auth.Config{DevelopmentSignIn: true}
		for host, ok := range map[string]bool{"127.0.0.1": true, "::1": true, "localhost": true, "": false, "0.0.0.0": false, "10.0.0.1": false, "127.0.0.1.example.org": false} {
			if err := on.Loopback(host); (err == nil) != ok || err != nil && !strings.Contains(err.Error(), "AUTH_DEVELOPMENT_SIGN_IN") {
				t.Errorf("HOST=%s: %v", host, err)
			}
		}
		if err := (auth.Config{}).Loopback(""); err != nil {
			t.Error(err)
		}
	})
}

func TestOneAddressCannotFillTheCacheWithSignIns(t *testing.T) {
	w := newTown(t, nil)
	stranger := principal.WithAddress(t.Context(), "192.0.2.7")
	var err error
	for n := 0; err == nil && n < 10_000; n++ {
		_, _, err = w.signIn.Begin(stranger, "/", "")
	}
	if !errors.Is(err, ratelimit.ErrExceeded) {
		t.Errorf("error is %v", err)
	}
	if _, _, err := w.signIn.Begin(principal.WithAddress(t.Context(), "192.0.2.8"), "/", ""); err != nil {
		t.Errorf("another address: %v", err)
	}
	w.at = w.at.Add(time.Minute)
	if _, _, err := w.signIn.Begin(stranger, "/", ""); err != nil {
		t.Errorf("a minute later: %v", err)
	}
}
