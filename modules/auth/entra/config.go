package entra

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/badge-engine/badge-engine/platform/config"
)

// Config is what an operator says about the tenant and the app registration.
// Everything is off while tenant and client are empty.
type Config struct {
	Authority             string        `env:"ENTRA_AUTHORITY" help:"address of Microsoft Entra; the national clouds have others, such as https://login.microsoftonline.us"`
	GraphURL              string        `env:"GRAPH_URL" help:"address of Microsoft Graph; the national clouds have others, such as https://graph.microsoft.us"`
	TenantID              string        `env:"ENTRA_TENANT_ID" help:"directory (tenant) id of the app registration; sign-in with Entra is off while it is empty"`
	ClientID              string        `env:"ENTRA_CLIENT_ID" help:"application (client) id of the app registration"`
	ClientSecret          config.Secret `env:"ENTRA_CLIENT_SECRET" help:"value of a client secret of the app registration; a certificate is better"`
	ClientCertificateFile string        `env:"ENTRA_CLIENT_CERTIFICATE_FILE" help:"PEM file of the certificate that is uploaded to the app registration, instead of a secret"`
	ClientKeyFile         string        `env:"ENTRA_CLIENT_KEY_FILE" help:"PEM file of that certificate's private key"`
	RedirectURI           string        `env:"ENTRA_REDIRECT_URI" help:"where Entra sends the browser back to; exactly as in the app registration, platform Web"`
	Audiences             []string      `env:"ENTRA_AUDIENCES" help:"more audiences that access tokens may have, such as api://badges; the client id always counts"`
	AllowedClients        []string      `env:"ENTRA_ALLOWED_CLIENTS" help:"client ids of the applications that may call with Entra tokens; every one of the tenant while it is empty"`
	AcceptV1              bool          `env:"ENTRA_ACCEPT_V1" help:"whether access tokens of version 1 are accepted, which Entra issues unless the manifest says requestedAccessTokenVersion 2"`
}

// Default is the worldwide cloud, without a tenant.
func Default() Config {
	return Config{
		Authority:   "https://login.microsoftonline.com",
		GraphURL:    "https://graph.microsoft.com",
		RedirectURI: "http://localhost:8000/auth/callback",
		AcceptV1:    true,
	}
}

// Enabled reports whether there is a tenant to speak with.
func (c Config) Enabled() bool { return c.TenantID != "" && c.ClientID != "" }

// Confidential reports whether the app registration can prove itself, by a
// secret or a certificate. Sign-in and Graph need that; verifying tokens does not.
func (c Config) Confidential() bool { return c.ClientSecret != "" || c.ClientCertificateFile != "" }

// Issuer is who issues tokens of version 2, and the issuer of the tenant's
// metadata.
func (c Config) Issuer() string { return c.tenantURL("v2.0") }

// issuerV1 is who issues tokens of version 1.
func (c Config) issuerV1() string {
	if strings.HasSuffix(base(c.Authority), ".cn") {
		return "https://sts.chinacloudapi.cn/" + c.tenant() + "/"
	}
	return "https://sts.windows.net/" + c.tenant() + "/"
}

func (c Config) tenant() string { return strings.ToLower(c.TenantID) }

func (c Config) tenantURL(path string) string {
	return base(c.Authority) + "/" + c.tenant() + "/" + path
}

func base(address string) string { return strings.TrimRight(address, "/") }

// guid is how Entra writes identifiers. Wider forms, with braces or without
// hyphens, would make two names for one identity.
var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// maxRedirectURI is the length Entra allows.
const maxRedirectURI = 256

// Check refuses what could not work or would not be safe, with the variable's
// name. It reads the certificate's files.
func (c Config) Check() error {
	if c.TenantID == "" && c.ClientID == "" {
		if c.Confidential() {
			return errors.New("ENTRA_TENANT_ID and ENTRA_CLIENT_ID must be set too; a client secret or certificate alone does nothing")
		}
		return nil
	}
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !guid.MatchString(c.TenantID) {
		wrong("ENTRA_TENANT_ID must be the directory id, a GUID as in 8a3b1c9e-0000-4000-8000-0123456789ab; common and organizations would let every tenant in")
	}
	if !guid.MatchString(c.ClientID) {
		wrong("ENTRA_CLIENT_ID must be the application id, a GUID as in 8a3b1c9e-0000-4000-8000-0123456789ab")
	}
	if err := checkHost(c.Authority); err != nil {
		wrong("ENTRA_AUTHORITY %w, such as https://login.microsoftonline.com; the tenant goes into ENTRA_TENANT_ID", err)
	}
	if err := checkHost(c.GraphURL); err != nil {
		wrong("GRAPH_URL %w, such as https://graph.microsoft.com", err)
	}
	if u, err := secureURL(c.RedirectURI); err != nil || u.Fragment != "" || len(c.RedirectURI) > maxRedirectURI || strings.Contains(c.RedirectURI, "*") {
		wrong("ENTRA_REDIRECT_URI must be an https URL (http only for localhost) of at most %d characters without * and #, exactly as in the app registration", maxRedirectURI)
	}
	if slices.ContainsFunc(c.Audiences, func(a string) bool { return a == "" || strings.ContainsAny(a, " \t\r\n*") }) {
		wrong("ENTRA_AUDIENCES must be a list of audiences such as api://badges, separated by commas, without spaces and wildcards")
	}
	if slices.ContainsFunc(c.AllowedClients, func(a string) bool { return !guid.MatchString(a) }) {
		wrong("ENTRA_ALLOWED_CLIENTS must be a list of application ids, which are GUIDs, separated by commas")
	}
	errs = append(errs, c.checkCredential())
	return errors.Join(errs...)
}

func (c Config) checkCredential() error {
	switch {
	case guid.MatchString(c.ClientSecret.Reveal()):
		return errors.New("ENTRA_CLIENT_SECRET is the secret's id; give its value, which is shown only when it is created")
	case (c.ClientCertificateFile == "") != (c.ClientKeyFile == ""):
		return errors.New("ENTRA_CLIENT_CERTIFICATE_FILE and ENTRA_CLIENT_KEY_FILE belong together; one of them is not set")
	case c.ClientCertificateFile == "":
		return nil
	case c.ClientSecret != "":
		return errors.New("ENTRA_CLIENT_SECRET and ENTRA_CLIENT_CERTIFICATE_FILE are both set; keep one of them")
	}
	_, _, err := loadCertificate(c.ClientCertificateFile, c.ClientKeyFile)
	return err
}

// checkHost wants an address of a host alone.
func checkHost(address string) error {
	u, err := secureURL(address)
	if err != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return errors.New("must be an https address (http only for localhost) of a host without path and query")
	}
	return nil
}

// secureURL reads an absolute https URL, or http to this very machine, where
// nobody listens in between.
func secureURL(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return nil, err
	case u.User != nil || u.Hostname() == "":
		return nil, errors.New("no host, or a user")
	case u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()):
		return u, nil
	}
	return nil, errors.New("not https")
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}

// sameHost reports whether address leads to the host of the authority or Graph,
// over the same scheme and port.
func sameHost(address, configured string) bool {
	a, err := url.Parse(address)
	if err != nil {
		return false
	}
	b, err := url.Parse(configured)
	return err == nil && a.Scheme == b.Scheme && strings.EqualFold(a.Host, b.Host) && a.User == nil
}
