package entra

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/badge-engine/badge-engine/platform/diagnosis"
)

// expiresSoon is how long before its end a secret or certificate is worth a warning.
const expiresSoon = 30 * 24 * time.Hour

// Setting is a variable that lists groups.
type Setting struct {
	Variable string
	Groups   []string
}

// Examine asks the tenant what a sign-in and a token would need: its metadata and
// keys, whether the application can prove itself and for how long, whether it knows
// the redirect URI, and every group of the settings. It changes nothing.
func Examine(cfg Config, settings []Setting, now func() time.Time) diagnosis.Examination {
	return func(ctx context.Context, n *diagnosis.Notes) {
		if !cfg.Enabled() {
			n.Skip("entra.discovery", "ENTRA_TENANT_ID and ENTRA_CLIENT_ID", "Not set: sign-in with Entra is off.")
			return
		}
		if cfg.Check() != nil {
			n.Skip("entra.discovery", "ENTRA_TENANT_ID and ENTRA_CLIENT_ID", "The configuration is wrong, as said above.")
			return
		}
		keys := NewKeys(cfg, nil, now, slog.New(slog.DiscardHandler))
		if !examineTenant(ctx, cfg, keys, n) {
			return
		}
		examineCertificateFile(cfg, now, n)
		if !cfg.Confidential() {
			n.Fail("entra.credential", "ENTRA_CLIENT_SECRET and ENTRA_CLIENT_CERTIFICATE_FILE", "Neither is set: nobody can sign in.",
				"Create a client secret or upload a certificate under Certificates & secrets of the app registration, and set one of the two.")
			return
		}
		graph := NewGraph(cfg, nil, now, slog.New(slog.DiscardHandler))
		if _, err := graph.bearer(ctx); err != nil {
			n.Fail("entra.credential", "a token for "+cfg.ClientID, sentence(err), remedyOf(err))
			return
		}
		n.OK("entra.credential", "a token for "+cfg.ClientID, "The application can prove itself.")
		graph.examineApplication(ctx, n)
		graph.examineGroups(ctx, settings, n)
	}
}

func examineTenant(ctx context.Context, cfg Config, keys *Keys, n *diagnosis.Notes) bool {
	at := cfg.Issuer() + "/.well-known/openid-configuration"
	err := keys.Refresh(ctx)
	if err == nil {
		keys.mu.RLock()
		count := len(keys.current.keys)
		keys.mu.RUnlock()
		n.OK("entra.discovery", at, "The tenant's metadata can be read.")
		n.OK("entra.keys", "the keys that the tenant signs with", "%d can be used.", count)
		return true
	}
	check, remedy := "entra.discovery", "Check ENTRA_TENANT_ID: it is the directory id on the overview page of the app registration. National clouds have another ENTRA_AUTHORITY."
	var dns *net.DNSError
	text := err.Error()
	switch {
	case strings.Contains(text, ": keys: "):
		check, remedy = "entra.keys", "Look at the status of Microsoft Entra; a proxy in between must not change what it answers."
	case errors.As(err, &dns), strings.Contains(text, "no such host"), strings.Contains(text, "connection refused"), strings.Contains(text, "in time"):
		remedy = "Let this machine reach " + base(cfg.Authority) + " on port 443, through the firewall and without a proxy that breaks TLS."
	case strings.Contains(text, "x509"):
		remedy = "A proxy replaces the certificate of " + base(cfg.Authority) + ": except it there, or make its authority known to this machine."
	}
	n.Fail(check, at, sentence(err), remedy)
	return false
}

func examineCertificateFile(cfg Config, now func() time.Time, n *diagnosis.Notes) {
	if cfg.ClientCertificateFile == "" {
		return
	}
	if until, ok := cfg.CertificateExpiry(); ok { // else Check has said so
		noteExpiry(n, "entra.certificate", cfg.ClientCertificateFile, "The certificate", until, now(),
			"Make a new one, upload it to the app registration, and replace the files; no restart is needed.")
	}
}

// CertificateExpiry is when the certificate ends by which the application proves itself;
// false where there is none.
func (c Config) CertificateExpiry() (time.Time, bool) {
	if c.ClientCertificateFile == "" {
		return time.Time{}, false
	}
	data, err := os.ReadFile(c.ClientCertificateFile)
	if err != nil {
		return time.Time{}, false
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return time.Time{}, false
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return time.Time{}, false
	}
	return leaf.NotAfter, true
}

func noteExpiry(n *diagnosis.Notes, check, looked, what string, until, now time.Time, remedy string) {
	date := until.UTC().Format(time.DateOnly)
	switch left := until.Sub(now); {
	case left < 0:
		n.Fail(check, looked, what+" expired on "+date+".", remedy)
	case left < expiresSoon:
		n.Warn(check, looked, what+" expires on "+date+".", remedy)
	default:
		n.OK(check, looked, "%s is good until %s.", what, date)
	}
}

// application is what is read of the app registration.
type application struct {
	Web struct {
		RedirectURIs []string `json:"redirectUris"`
	} `json:"web"`
	GroupMembershipClaims string `json:"groupMembershipClaims"`
	PasswordCredentials   []struct {
		Hint string    `json:"hint"`
		End  time.Time `json:"endDateTime"`
	} `json:"passwordCredentials"`
}

// examineApplication reads the app registration, which needs a permission that
// nothing else here needs: without it the checks are skipped.
func (g *Graph) examineApplication(ctx context.Context, n *diagnosis.Notes) {
	const why = "To have it checked give the application the permission Application.Read.All of Microsoft Graph; otherwise compare by hand."
	var app application
	err := g.read(ctx, "/v1.0/applications(appId='"+url.PathEscape(g.cfg.ClientID)+"')?$select=web,passwordCredentials,groupMembershipClaims", &app)
	if err != nil {
		n.Skip("entra.redirect_uri", g.cfg.RedirectURI, "The app registration cannot be read. %s", why)
		n.Skip("entra.secret_expiry", "ENTRA_CLIENT_SECRET", "The app registration cannot be read. %s", why)
		return
	}
	if slices.Contains(app.Web.RedirectURIs, g.cfg.RedirectURI) {
		n.OK("entra.redirect_uri", g.cfg.RedirectURI, "It is registered.")
	} else {
		n.Fail("entra.redirect_uri", g.cfg.RedirectURI, "It is not registered; under platform Web there are: "+strings.Join(app.Web.RedirectURIs, ", ")+".",
			"Add exactly this address under Authentication, platform Web, or set ENTRA_REDIRECT_URI to one of those.")
	}
	if app.GroupMembershipClaims == "" {
		n.Warn("entra.group_claims", "the groups claim", "Tokens of this application carry no groups.",
			"Token configuration, Add groups claim, Groups assigned to the application; or set AUTH_GROUPS_FROM_GRAPH=true. App roles need neither.")
	}
	if secret := g.cfg.ClientSecret.Reveal(); secret != "" {
		for _, c := range app.PasswordCredentials {
			if c.Hint != "" && strings.HasPrefix(secret, c.Hint) {
				noteExpiry(n, "entra.secret_expiry", "ENTRA_CLIENT_SECRET", "The secret", c.End, g.now(),
					"Create another secret in the app registration, set ENTRA_CLIENT_SECRET to its value, restart, and delete the old one.")
				return
			}
		}
		n.Skip("entra.secret_expiry", "ENTRA_CLIENT_SECRET", "The app registration lists no secret that begins like it.")
	}
}

// examineGroups looks every group of the settings up. Names are looked up among
// the provisioned groups, not here.
func (g *Graph) examineGroups(ctx context.Context, settings []Setting, n *diagnosis.Notes) {
	for _, s := range settings {
		if len(s.Groups) == 0 {
			n.OK("entra.groups", s.Variable, "Not set: nobody has this role by a group.")
		}
		for _, id := range s.Groups {
			looked := s.Variable + ", " + quoted(id)
			if !guid.MatchString(id) {
				n.Skip("entra.groups", looked, "It is a name, which is looked up among the groups that Entra has provisioned.")
				continue
			}
			var group struct {
				ID string `json:"id"`
			}
			err := g.read(ctx, "/v1.0/groups/"+strings.ToLower(id)+"?$select=id", &group)
			var said *GraphError
			switch {
			case err == nil && strings.EqualFold(group.ID, id):
				n.OK("entra.groups", looked, "The group exists.")
			case errors.As(err, &said) && said.Status == http.StatusNotFound:
				n.Fail("entra.groups", looked, "The tenant has no such group.", "Set "+s.Variable+" to the Object Id on the overview page of the group, not to that of the application or a user.")
			case err != nil:
				n.Warn("entra.groups", looked, sentence(err), remedyOf(err))
			default:
				n.Warn("entra.groups", looked, "Graph answers with another group.", "Check GRAPH_URL.")
			}
		}
	}
}

// read gets one object of Graph.
func (g *Graph) read(ctx context.Context, path string, into any) error {
	q := question{patience: graphPatience}
	a, err := g.ask(ctx, &q, http.MethodGet, base(g.cfg.GraphURL)+path, nil)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(a.body, into); err != nil {
		return unavailable("Graph", errors.New("its answer cannot be read"))
	}
	return nil
}

func sentence(err error) string {
	return strings.ToUpper(err.Error()[:1]) + strings.TrimRight(err.Error()[1:], ".") + "."
}

func remedyOf(err error) string {
	var authority *AuthorityError
	var graph *GraphError
	switch {
	case errors.As(err, &authority):
		return authority.Hint
	case errors.As(err, &graph):
		return graph.Hint
	}
	return "Let this machine reach the authority and Graph on port 443, and look at the status of Microsoft Entra."
}

// ExamineToken explains a JWT claim by claim, whatever is wrong with it, and ends
// with what the server would say of it.
func ExamineToken(cfg Config, raw string, now func() time.Time) diagnosis.Examination {
	return func(ctx context.Context, n *diagnosis.Notes) {
		if !cfg.Enabled() {
			n.Fail("token.verdict", "ENTRA_TENANT_ID and ENTRA_CLIENT_ID", "Not set: no token of Entra is accepted.", "Set both, then ask again.")
			return
		}
		if err := cfg.Check(); err != nil {
			n.Fail("token.verdict", "the configuration", sentence(err), "Correct it, then ask again.")
			return
		}
		p, err := parse(raw)
		var refusal *Refusal
		if errors.As(err, &refusal) {
			n.Fail("token.form", "the text", "It is refused as "+refusal.Reason+": "+refusal.Detail+".", refusal.Remedy)
			return
		}
		keys := NewKeys(cfg, nil, now, slog.New(slog.DiscardHandler))
		v := NewVerifier(cfg, keys, now)
		n.OK("token.form", "the text", "A JWT, signed with %s by key %s.", p.alg, quoted(p.kid))
		v.examineClaims(p, n)
		examineSignature(ctx, keys, raw, n)
		v.examineGrants(p, n)
		claims, err := v.AccessToken(ctx, raw)
		switch {
		case errors.As(err, &refusal):
			n.Fail("token.verdict", "the token as the server sees it", "It is refused as "+refusal.Reason+": "+refusal.Detail+".", refusal.Remedy)
		case err != nil:
			n.Fail("token.verdict", "the token as the server sees it", sentence(err), remedyOf(err))
		default:
			n.OK("token.verdict", "the token as the server sees it", "It is accepted, as a token of kind %s.", claims.Kind)
		}
	}
}

// examineClaims looks at who issued it, to whom, for whom and for how long.
func (v *Verifier) examineClaims(p parsed, n *diagnosis.Notes) {
	judge := func(good bool, check, looked, found string, reason Reason) {
		if good {
			n.OK(check, looked, "%s, as it must be.", found)
			return
		}
		n.Fail(check, looked, found+".", remedies[reason])
	}
	accepted, known := v.audiences[p.issuer]
	judge(known, "token.issuer", "iss, who issued it", quoted(p.issuer), ReasonIssuer)
	judge(p.tenant == v.cfg.tenant(), "token.tenant", "tid, the tenant", quoted(p.tenant), ReasonTenant)
	if !known {
		accepted = v.audiences[v.cfg.Issuer()]
	}
	good := len(p.audience) == 1 && slices.ContainsFunc(accepted, func(a string) bool { return sameAudience(a, p.audience[0]) })
	judge(good, "token.audience", "aud, for which application it is", quoted(audience(p.audience)), ReasonAudience)
	now := v.now()
	judge(!v.expired(p.expires), "token.expires", "exp, until when it is good", p.expires.Format(time.RFC3339), ReasonExpired)
	judge(!p.issued.After(now.Add(skew)) && !p.notBefore.After(now.Add(skew)), "token.begins", "iat and nbf, from when it is good", p.issued.Format(time.RFC3339), ReasonNotYetValid)
	allowed := len(v.clients) == 0 || slices.Contains(v.clients, p.client)
	judge(allowed, "token.client", "azp or appid, which application asked for it", quoted(p.client), ReasonClient)
}

func examineSignature(ctx context.Context, keys *Keys, raw string, n *diagnosis.Notes) {
	const looked = "the signature, with the keys of the tenant"
	_, err := keys.VerifySignature(ctx, raw)
	var refusal *Refusal
	switch {
	case err == nil:
		n.OK("token.signature", looked, "It is good.")
	case errors.As(err, &refusal):
		n.Fail("token.signature", looked, "Invalid token signature: "+refusal.Reason+".", refusal.Remedy)
	default:
		n.Skip("token.signature", looked, "The keys cannot be fetched: %s", sentence(err))
	}
}

// examineGrants looks at what it grants.
func (v *Verifier) examineGrants(p parsed, n *diagnosis.Notes) {
	list := func(values []string) string {
		if len(values) == 0 {
			return "none"
		}
		return quoted(strings.Join(values, " "))
	}
	n.OK("token.grants", "scp and roles, what it grants", "Scopes: %s; app roles: %s.", list(p.scopes), list(p.roles))
	switch {
	case p.overage:
		n.OK("token.groups", "groups", "Too many for a token: Microsoft Graph is asked.")
	case len(p.groups) > 0:
		n.OK("token.groups", "groups", "%d.", len(p.groups))
	case len(p.roles) == 0:
		n.Warn("token.groups", "groups", "There is no group claim, and no app role: whoever has it is only a member.",
			fmt.Sprintf("Token configuration, Add groups claim, for access and ID tokens; or assign an app role; or set AUTH_GROUPS_FROM_GRAPH=true. Then ask for a new token for %s.", v.cfg.ClientID))
	default:
		n.OK("token.groups", "groups", "None; the app roles decide.")
	}
}
