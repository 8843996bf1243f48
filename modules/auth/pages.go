package auth

import (
	"embed"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/page"
	"github.com/badge-engine/badge-engine/platform/principal"
	"github.com/badge-engine/badge-engine/platform/problem"
)

//go:embed templates/*.html
var templates embed.FS

// doors are the handlers of people: browsers that sign in and out, and those who
// shut people out.
type doors struct {
	signIn    *SignIn
	sessions  *Sessions
	people    *People
	authority string // the origin of Entra; empty without
	page      *page.Renderer
	pages     *page.Pages
	now       func() time.Time
}

func newDoors(parts Parts, signIn *SignIn, sessions *Sessions, people *People, renderer *page.Renderer) (*doors, error) {
	pages, err := page.Parse(templates, "templates/*.html")
	if err != nil {
		return nil, err
	}
	d := &doors{signIn: signIn, sessions: sessions, people: people, page: renderer, pages: pages, now: parts.Now}
	if u, err := url.Parse(parts.Tenant.Authority); err == nil && parts.Flow != nil {
		d.authority = u.Scheme + "://" + u.Host
	}
	if parts.Config.DevelopmentSignIn {
		renderer.Announce(developmentNotice)
	}
	return d, nil
}

func credentialsOf(c *fiber.Ctx) httpserver.Credentials {
	return httpserver.Credentials{
		Method: c.Method(), Path: c.Path(), Cookie: c.Get(fiber.HeaderCookie), CSRF: c.Get("X-CSRF-Token"),
		Origin: c.Get(fiber.HeaderOrigin), FetchSite: c.Get("Sec-Fetch-Site"), RemoteIP: principal.Address(c.UserContext()),
	}
}

// setCookie gives the browser a cookie that no script reads, or takes it away with
// an empty value. Lax lets it come along when Entra sends the browser back.
func (d *doors) setCookie(c *fiber.Ctx, name, value string, age time.Duration) {
	cookie := &fiber.Cookie{Name: name, Value: value, Path: "/", Secure: d.sessions.cookies.secure, HTTPOnly: true, SameSite: fiber.CookieSameSiteLaxMode, MaxAge: int(age.Seconds())}
	cookie.SessionOnly = value != "" && age == 0
	if value == "" {
		cookie.Expires = time.Unix(1, 0)
	}
	c.Cookie(cookie)
}

func (d *doors) cookie(c *fiber.Ctx, name string) string {
	return cookieOf(c.Get(fiber.HeaderCookie), name)
}

func seeOther(c *fiber.Ctx, location string) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Redirect(location, fiber.StatusSeeOther)
}

func (d *doors) login(c *fiber.Ctx) error {
	names := d.sessions.cookies
	location, cookie, err := d.signIn.Begin(c.UserContext(), c.Query("return"), d.cookie(c, names.signIn))
	if err != nil {
		return err
	}
	if cookie != "" {
		d.setCookie(c, names.signIn, cookie, signInTime)
	}
	return seeOther(c, location)
}

func (d *doors) callback(c *fiber.Ctx) error {
	names := d.sessions.cookies
	answer := Answer{State: c.Query("state"), Code: c.Query("code"), Error: c.Query("error"), Description: c.Query("error_description")}
	value, returnTo, err := d.signIn.Complete(c.UserContext(), answer, d.cookie(c, names.signIn), d.cookie(c, names.session))
	if err != nil {
		return err
	}
	d.setCookie(c, names.session, value, 0)
	return seeOther(c, returnTo)
}

type meOutput struct {
	ID          string     `json:"id" doc:"Stable and unique; names are neither."`
	Name        string     `json:"name,omitempty"`
	Roles       []string   `json:"roles"`
	Scopes      []string   `json:"scopes"`
	CSRFToken   string     `json:"csrfToken,omitempty" doc:"With a session only: send it as X-CSRF-Token with every request that changes something."`
	SignedInAt  *time.Time `json:"signedInAt,omitempty"`
	ExpiresAt   *time.Time `json:"expiresAt,omitempty" doc:"When the session ends at the latest."`
	Development bool       `json:"development,omitempty" doc:"The development sign-in made this session: nobody was asked who this is."`
}

func (d *doors) me(c *fiber.Ctx) error {
	p := principal.From(c.UserContext())
	out := meOutput{ID: p.ID, Name: p.Name, Roles: p.Roles, Scopes: p.Scopes}
	if out.Roles == nil {
		out.Roles = []string{}
	}
	if out.Scopes == nil {
		out.Scopes = []string{}
	}
	if c.Get(fiber.HeaderAuthorization) == "" {
		session, csrf, err := d.sessions.Of(c.UserContext(), c.Get(fiber.HeaderCookie))
		if err != nil {
			return err
		}
		begun := session.Begun.Truncate(time.Second)
		ends := begun.Add(d.sessions.limit)
		out.CSRFToken, out.SignedInAt, out.ExpiresAt, out.Development = csrf, &begun, &ends, session.Development
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	if !httpserver.WantsHTML(c) {
		return httpserver.JSON(c, fiber.StatusOK, out)
	}
	if err := d.page.Render(c, fiber.StatusOK, page.View{Title: "Signed in", Pages: d.pages, Body: "me.html", Data: out}); err != nil {
		return err
	}
	// Signing out leads on to Entra, which form-action forbids even as a redirect
	// (Content Security Policy Level 3, 6.4.1, form-action).
	if d.authority != "" {
		policy := c.GetRespHeader(fiber.HeaderContentSecurityPolicy)
		c.Set(fiber.HeaderContentSecurityPolicy, strings.Replace(policy, "form-action 'self'", "form-action 'self' "+d.authority, 1))
	}
	return nil
}

func (d *doors) logout(c *fiber.Ctx) error {
	location, err := d.signIn.Leave(c.UserContext(), credentialsOf(c), httpserver.Form(c, "csrf_token"))
	if err != nil {
		return err
	}
	d.setCookie(c, d.sessions.cookies.session, "", 0)
	return seeOther(c, location)
}

func (d *doors) signedOut(c *fiber.Ctx) error {
	return d.page.Render(c, fiber.StatusOK, page.View{Title: "Signed out", Pages: d.pages, Body: "signed-out.html"})
}

// frontchannel is loaded by Entra in a frame of its own page, so framing is allowed
// here, and there alone.
func (d *doors) frontchannel(c *fiber.Ctx) error {
	if err := d.signIn.Dropped(c.UserContext(), c.Query("iss"), c.Query("sid")); err != nil {
		return err
	}
	c.Response().Header.Del(fiber.HeaderXFrameOptions)
	c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; frame-ancestors "+d.authority)
	c.Set(fiber.HeaderCacheControl, "no-store")
	return httpserver.Bytes(c, fiber.StatusOK, fiber.MIMETextHTMLCharsetUTF8, []byte("<!doctype html><title>Signed out</title>"))
}

// local answers [ErrNotLocal] unless a request comes from this machine and by its
// own name: a proxy in front makes the whole world local, and a page of another
// site may give its own name our address.
func local(c *fiber.Ctx) error {
	address, err := netip.ParseAddr(principal.Address(c.UserContext()))
	if err != nil || !address.IsLoopback() || c.Get(fiber.HeaderXForwardedFor) != "" || c.Get("Forwarded") != "" {
		return ErrNotLocal
	}
	u := url.URL{Host: string(c.Request().Host())}
	if host := u.Hostname(); host != "localhost" && host != "127.0.0.1" && host != "::1" {
		return ErrNotLocal
	}
	return nil
}

func (d *doors) offer(c *fiber.Ctx) error {
	if err := local(c); err != nil {
		return err
	}
	names := d.sessions.cookies
	state, cookie, err := d.signIn.Offer(c.UserContext(), c.Query("return"), d.cookie(c, names.signIn))
	if err != nil {
		return err
	}
	d.setCookie(c, names.signIn, cookie, signInTime)
	c.Set(fiber.HeaderCacheControl, "no-store")
	data := struct {
		State string
		Roles []string
	}{state, []string{principal.RoleAdmin, principal.RoleIssuer, principal.RoleAuditor, principal.RoleMember}}
	return d.page.Render(c, fiber.StatusOK, page.View{Title: "Development sign-in", Pages: d.pages, Body: "development.html", Data: data})
}

func (d *doors) pretend(c *fiber.Ctx) error {
	if err := local(c); err != nil {
		return err
	}
	names := d.sessions.cookies
	value, returnTo, err := d.signIn.Pretend(c.UserContext(), credentialsOf(c), httpserver.Form(c, "state"), d.cookie(c, names.signIn), httpserver.Form(c, "name"), httpserver.Form(c, "role"))
	if err != nil {
		return err
	}
	d.setCookie(c, names.session, value, 0)
	return seeOther(c, returnTo)
}

func (d *doors) deactivate(c *fiber.Ctx) error { return d.setActive(c, false) }
func (d *doors) reactivate(c *fiber.Ctx) error { return d.setActive(c, true) }

func (d *doors) setActive(c *fiber.Ctx, active bool) error {
	if err := d.people.SetActive(c.UserContext(), c.Params("tid"), c.Params("oid"), active); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// refused is how refusals below /auth are written: a browser that is not signed in
// is sent to sign in, and one that could not is told why.
func (d *doors) refused(c *fiber.Ctx, p problem.Problem) error {
	if !httpserver.WantsHTML(c) {
		return problem.Write(c, p)
	}
	if p.Status == fiber.StatusUnauthorized && c.Path() == home && c.Method() == fiber.MethodGet && p.Code != ErrDeactivated.Code() && p.Code != ErrNotProvisioned.Code() {
		return seeOther(c, "/auth/login")
	}
	return d.page.Render(c, p.Status, page.View{Title: strings.TrimSuffix(p.Title, "."), Pages: d.pages, Body: "refused.html", Data: p})
}

// Doors is the table of URLs by which people come and go.
func Doors(d *doors) httpserver.Table {
	admin, anybody := httpserver.Scope(principal.ScopeAdmin), httpserver.Public()
	table := httpserver.Table{
		{Method: "GET", Path: "/auth/login", Access: anybody, Handler: d.login, Tag: "Sign-in", Summary: "Sign in with Microsoft Entra, in a browser", Params: []httpserver.Param{httpserver.Query("return", "The path of this server to come back to.")}, Response: httpserver.Body{Note: "A redirect to Microsoft Entra."}, Status: 303, Errors: []int{404, 503}},
		{Method: "GET", Path: "/auth/callback", Access: anybody, Handler: d.callback, Tag: "Sign-in", Summary: "Where Microsoft Entra sends the browser back to", Response: httpserver.Body{Note: "A redirect to where the browser came from."}, Status: 303, Errors: []int{400, 401, 403, 503}},
		{Method: "GET", Path: home, Access: httpserver.Authenticated(), Handler: d.me, Tag: "Sign-in", Summary: "Who is calling, and what they may do", Response: meOutput{}},
		{Method: "POST", Path: "/auth/logout", Access: anybody, Handler: d.logout, Tag: "Sign-in", Summary: "End the session, here and at Microsoft Entra", Params: []httpserver.Param{httpserver.Header("X-CSRF-Token", "The csrfToken of /auth/me; or the form field csrf_token.")}, Response: httpserver.Body{Note: "A redirect to Microsoft Entra."}, Status: 303, Errors: []int{403}},
		{Method: "GET", Path: "/auth/signed-out", Access: anybody, Handler: d.signedOut, Hidden: true},
		{Method: "GET", Path: "/auth/frontchannel-logout", Access: anybody, Handler: d.frontchannel, Tag: "Sign-in", Summary: "Microsoft Entra says that one of its sessions has ended", Params: []httpserver.Param{httpserver.Query("sid", "The session."), httpserver.Query("iss", "The issuer.")}, Response: httpserver.Body{MediaTypes: []string{"text/html"}}, Errors: []int{400}},
		{Method: "POST", Path: "/api/v1/people/:tid/:oid/deactivate", Access: admin, Handler: d.deactivate, Tag: "People", Summary: "Shut a person out: every session and token ends at once", Status: 204, Errors: []int{404}},
		{Method: "POST", Path: "/api/v1/people/:tid/:oid/reactivate", Access: admin, Handler: d.reactivate, Tag: "People", Summary: "Let a person in again, who has to sign in anew", Status: 204, Errors: []int{404}},
	}
	if d.signIn.development {
		table = append(table,
			httpserver.Route{Method: "GET", Path: "/auth/development", Access: anybody, Handler: d.offer, Hidden: true},
			httpserver.Route{Method: "POST", Path: "/auth/development", Access: anybody, Handler: d.pretend, Hidden: true})
	}
	return table
}
