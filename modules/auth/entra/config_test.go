package entra_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/modules/auth/entra"
	"github.com/badge-engine/badge-engine/platform/config"
)

func TestConfig(t *testing.T) {
	key, other := pair(2048, 3), pair(2048, 2)
	certificateFile, keyFile, _ := writePair(t, key, key)
	_, otherKeyFile, _ := writePair(t, other, other)
	weakCertificateFile, weakKeyFile, _ := writePair(t, pair(1024, 1), pair(1024, 1))
	broken := filepath.Join(t.TempDir(), "broken.pem")
	if err := os.WriteFile(broken, []byte("no PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name string
		edit func(*entra.Config)
		says string // "": it is fine
	}{
		{"the default is off", func(c *entra.Config) { *c = entra.Default() }, ""},
		{"nothing at all is off", func(c *entra.Config) { *c = entra.Config{} }, ""},
		{"a tenant, a client and a secret", func(*entra.Config) {}, ""},
		{"without a secret tokens can still be verified", func(c *entra.Config) { c.ClientSecret = "" }, ""},
		{"capitals and a slash", func(c *entra.Config) {
			c.TenantID, c.Authority = strings.ToUpper(c.TenantID), c.Authority+"/"
		}, ""},
		{"a national cloud", func(c *entra.Config) {
			c.Authority, c.GraphURL = "https://login.microsoftonline.us", "https://graph.microsoft.us"
		}, ""},
		{"http on this machine", func(c *entra.Config) { c.Authority, c.GraphURL = "http://127.0.0.1:8080", "http://[::1]:8081" }, ""},
		{"http on localhost", func(c *entra.Config) { c.Authority = "http://localhost:8080" }, ""},
		{"a certificate", func(c *entra.Config) {
			c.ClientSecret, c.ClientCertificateFile, c.ClientKeyFile = "", certificateFile, keyFile
		}, ""},

		{"a secret alone", func(c *entra.Config) { c.TenantID, c.ClientID = "", "" }, "ENTRA_TENANT_ID"},
		{"a client alone", func(c *entra.Config) { c.TenantID = "" }, "ENTRA_TENANT_ID"},
		{"a tenant alone", func(c *entra.Config) { c.ClientID = "" }, "ENTRA_CLIENT_ID"},
		{"every tenant", func(c *entra.Config) { c.TenantID = "common" }, "ENTRA_TENANT_ID"},
		{"a tenant by its domain", func(c *entra.Config) { c.TenantID = "contoso.onmicrosoft.com" }, "ENTRA_TENANT_ID"},
		{"a tenant in braces", func(c *entra.Config) { c.TenantID = "{" + c.TenantID + "}" }, "ENTRA_TENANT_ID"},
		{"a client that is none", func(c *entra.Config) { c.ClientID = "badges" }, "ENTRA_CLIENT_ID"},
		{"http to a stranger", func(c *entra.Config) { c.Authority = "http://login.microsoftonline.com" }, "ENTRA_AUTHORITY"},
		{"http to one who calls himself localhost", func(c *entra.Config) { c.Authority = "http://localhost.example" }, "ENTRA_AUTHORITY"},
		{"an authority with the tenant", func(c *entra.Config) { c.Authority += "/" + c.TenantID }, "ENTRA_AUTHORITY"},
		{"an authority with a user", func(c *entra.Config) { c.Authority = "https://login.microsoftonline.com@evil.example" }, "ENTRA_AUTHORITY"},
		{"no authority", func(c *entra.Config) { c.Authority = "" }, "ENTRA_AUTHORITY"},
		{"Graph with a version", func(c *entra.Config) { c.GraphURL += "/v1.0" }, "GRAPH_URL"},
		{"Graph with a query", func(c *entra.Config) { c.GraphURL += "?x" }, "GRAPH_URL"},
		{"a redirect URI over http", func(c *entra.Config) { c.RedirectURI = "http://badges.example/auth/callback" }, "ENTRA_REDIRECT_URI"},
		{"a redirect URI with a fragment", func(c *entra.Config) { c.RedirectURI = "https://badges.example/auth/callback#x" }, "ENTRA_REDIRECT_URI"},
		{"a redirect URI with a wildcard", func(c *entra.Config) { c.RedirectURI = "https://*.badges.example/auth/callback" }, "ENTRA_REDIRECT_URI"},
		{"a redirect URI that is too long", func(c *entra.Config) { c.RedirectURI = "https://badges.example/" + strings.Repeat("x", 256) }, "ENTRA_REDIRECT_URI"},
		{"an audience with a space", func(c *entra.Config) { c.Audiences = []string{"api://a api://b"} }, "ENTRA_AUDIENCES"},
		{"an empty audience", func(c *entra.Config) { c.Audiences = []string{""} }, "ENTRA_AUDIENCES"},
		{"an allowed client by its name", func(c *entra.Config) { c.AllowedClients = []string{"portal"} }, "ENTRA_ALLOWED_CLIENTS"},
		{"the id of a secret", func(c *entra.Config) { c.ClientSecret = config.Secret(callerID) }, "ENTRA_CLIENT_SECRET"},
		{"a secret and a certificate", func(c *entra.Config) { c.ClientCertificateFile, c.ClientKeyFile = certificateFile, keyFile }, "ENTRA_CLIENT_SECRET and"},
		{"a certificate without key", func(c *entra.Config) { c.ClientSecret, c.ClientCertificateFile = "", certificateFile }, "ENTRA_CLIENT_KEY_FILE"},
		{"a certificate that is none", func(c *entra.Config) {
			c.ClientSecret, c.ClientCertificateFile, c.ClientKeyFile = "", broken, keyFile
		}, "ENTRA_CLIENT_CERTIFICATE_FILE"},
		{"the key of another certificate", func(c *entra.Config) {
			c.ClientSecret, c.ClientCertificateFile, c.ClientKeyFile = "", certificateFile, otherKeyFile
		}, "ENTRA_CLIENT_KEY_FILE"},
		{"a weak key", func(c *entra.Config) {
			c.ClientSecret, c.ClientCertificateFile, c.ClientKeyFile = "", weakCertificateFile, weakKeyFile
		}, "2048"},
	} {
		t.Run(row.name, func(t *testing.T) {
			cfg := settings()
			row.edit(&cfg)
			err := cfg.Check()
			switch {
			case row.says == "" && err != nil:
				t.Error(err)
			case row.says != "" && (err == nil || !strings.Contains(err.Error(), row.says)):
				t.Errorf("%v does not say %s", err, row.says)
			case err != nil && strings.Contains(err.Error(), "value~of"):
				t.Errorf("%v shows the secret", err)
			}
		})
	}
}

func TestConfigIsReadFromTheEnvironment(t *testing.T) {
	sum := struct{ Entra entra.Config }{entra.Default()}
	err := config.Load(&sum, map[string]string{
		"ENTRA_TENANT_ID": tenantID, "ENTRA_CLIENT_ID": clientID, "ENTRA_CLIENT_SECRET": "s", "ENTRA_AUTHORITY": "http://localhost:1",
		"GRAPH_URL": "http://localhost:2", "ENTRA_AUDIENCES": "api://a,api://b", "ENTRA_ALLOWED_CLIENTS": callerID, "ENTRA_ACCEPT_V1": "false",
	})
	c := sum.Entra
	if err != nil || !c.Enabled() || !c.Confidential() || len(c.Audiences) != 2 || len(c.AllowedClients) != 1 || c.AcceptV1 ||
		c.RedirectURI != "http://localhost:8000/auth/callback" || c.Issuer() != "http://localhost:1/"+tenantID+"/v2.0" {
		t.Errorf("%v %+v", err, c)
	}
	if entra.Default().Enabled() {
		t.Error("enabled without a tenant")
	}
}
