package httpserver

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"

	"github.com/badge-engine/badge-engine/platform/config"
	"github.com/badge-engine/badge-engine/platform/diagnosis"
)

const (
	soon    = 21 * 24 * time.Hour // before a certificate expires somebody should know
	maxSkew = 30 * time.Second    // between the clock here and the clock out there
	asking  = 5 * time.Second     // how long one question to the public address may take
)

// Examine looks at the certificate, and at the server as the world sees it. With a token
// for provisioning it asks what Entra asks to test a connection; no other secret is sent
// to an address that may be wrong.
func Examine(cfg Config, public config.PublicURL, scimToken config.Secret) diagnosis.Examination {
	return func(ctx context.Context, n *diagnosis.Notes) {
		u, err := url.Parse(public.String())
		if err != nil {
			return // it was parsed before
		}
		examineFiles(cfg, u, n)
		examinePublic(ctx, u, scimToken, n)
	}
}

func examineFiles(cfg Config, public *url.URL, n *diagnosis.Notes) {
	if cfg.TLSCert == "" {
		n.OK("tls.files", "TLS_CERT_FILE", "Not set: plain HTTP, for a proxy in front that speaks TLS.")
		return
	}
	pair, err := tls.LoadX509KeyPair(cfg.TLSCert, cfg.TLSKey)
	if err != nil {
		n.Fail("tls.files", cfg.TLSCert+" and "+cfg.TLSKey, "They cannot be used: "+err.Error()+".",
			"Give the PEM file of the certificate with its chain and the PEM file of its private key, readable by this program's user.")
		return
	}
	examineCertificate("tls.files", cfg.TLSCert, pair.Leaf, public.Hostname(), n)
}

func examineCertificate(check, looked string, leaf *x509.Certificate, host string, n *diagnosis.Notes) {
	until := leaf.NotAfter.UTC().Format(time.DateOnly)
	switch left := time.Until(leaf.NotAfter); {
	case left < 0:
		n.Fail(check, looked, "The certificate expired on "+until+".", "Renew it; certbot renew, or ask whoever issued it.")
	case leaf.VerifyHostname(host) != nil:
		n.Fail(check, looked, fmt.Sprintf("The certificate is for %s, not for %s.", strings.Join(leaf.DNSNames, ", "), host), "Get one for the host in PUBLIC_URL.")
	case left < soon:
		n.Warn(check, looked, "The certificate expires on "+until+".", "Renew it before that.")
	default:
		n.OK(check, looked, "The certificate is for %s and good until %s.", host, until)
	}
}

func examinePublic(ctx context.Context, public *url.URL, scimToken config.Secret, n *diagnosis.Notes) {
	at := public.String()
	local := loopbackHost(public.Hostname())
	switch {
	case local:
		n.Warn("public.address", at, "Badges name this address, and nobody else can reach it.", "Set PUBLIC_URL to the https address under which the world reaches this server, before the first badge is issued.")
	case public.Scheme != "https":
		n.Warn("public.address", at, "Badges name an address without TLS: verifiers cannot trust it.", "Put TLS in front and set PUBLIC_URL to https://"+public.Host+", before the first badge is issued.")
	default:
		n.OK("public.address", at, "Badges name it.")
	}
	client := &http.Client{Timeout: asking, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	answer, body, err := ask(ctx, client, at+"/health/live", "")
	if err != nil {
		found, remedy := unreachable(err, public)
		if local && errors.Is(err, syscall.ECONNREFUSED) {
			n.Warn("public.reachable", at, "No server runs here.", "badge-engine serve, and examine again.")
		} else {
			n.Fail("public.reachable", at, found, remedy)
		}
		n.Skip("scim.answer", at+"/scim/v2/ServiceProviderConfig", "The address is not reached.")
		n.Skip("scim.question", at+"/scim/v2/Users", "The address is not reached.")
		return
	}
	switch {
	case answer.StatusCode >= 300 && answer.StatusCode < 400:
		n.Fail("public.reachable", at, "It answers with a redirect to "+short(answer.Header.Get("Location"))+".", "Set PUBLIC_URL to where that leads, or have the proxy serve this program there without a redirect.")
	case answer.StatusCode != http.StatusOK || !strings.Contains(body, `"status"`):
		n.Fail("public.reachable", at, fmt.Sprintf("Something else answers there, with %d.", answer.StatusCode), "Have the proxy pass every path on to this program, /health/live among them, unchanged.")
	default:
		n.OK("public.reachable", at, "This program answers there.")
	}
	if answer.TLS != nil && len(answer.TLS.PeerCertificates) > 0 {
		examineCertificate("public.certificate", at, answer.TLS.PeerCertificates[0], public.Hostname(), n)
	}
	if there, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
		skew := time.Until(there).Round(time.Second)
		if skew.Abs() > maxSkew {
			n.Warn("machine.clock", "the clock here and that of "+at, fmt.Sprintf("They differ by %s.", skew), "Synchronise this machine: timedatectl set-ntp true, or chronyc makestep. Tokens are refused when clocks differ by minutes.")
		} else {
			n.OK("machine.clock", "the clock here and that of "+at, "They agree.")
		}
	}
	if examineSCIM(ctx, client, at+"/scim/v2/ServiceProviderConfig", n) {
		examineProvisioning(ctx, client, at+"/scim/v2", scimToken, n)
	} else {
		n.Skip("scim.question", at+"/scim/v2/Users", "The provisioning interface does not answer.")
	}
}

// examineSCIM asks what needs no token (RFC 7644, 4) and changes nothing.
func examineSCIM(ctx context.Context, client *http.Client, at string, n *diagnosis.Notes) bool {
	answer, body, err := ask(ctx, client, at, "")
	switch {
	case err != nil:
		n.Skip("scim.answer", at, "The address is not reached.")
	case answer.StatusCode == http.StatusOK && strings.Contains(body, "ServiceProviderConfig"):
		n.OK("scim.answer", at, "The provisioning interface answers. badge-engine scim probe tries what Entra does, with its token.")
		return true
	default:
		n.Warn("scim.answer", at, fmt.Sprintf("The provisioning interface does not answer there: %d.", answer.StatusCode), "Have the proxy pass /scim/v2 on unchanged, and the Authorization header with it. Then: badge-engine scim probe "+strings.TrimSuffix(at, "/ServiceProviderConfig")+" TOKEN.")
	}
	return false
}

// nobodysToken is one that no server knows. What is answered to it tells whether the
// header it stands in arrives, and gives away nothing where the address is somebody else's.
const nobodysToken = "be_of-nobody"

const keepHeader = "Have the proxy pass the header Authorization on: Apache needs CGIPassAuth On; a sign-in page in front must leave /scim/v2 alone."

// examineProvisioning asks for somebody who does not exist, as Entra does when it tests
// a connection; without a token only whether one would arrive.
func examineProvisioning(ctx context.Context, client *http.Client, at string, token config.Secret, n *diagnosis.Notes) {
	address := at + "/Users?" + url.Values{"filter": {`userName eq "` + uuid.NewString() + `"`}}.Encode()
	looked := at + "/Users, for somebody who does not exist"
	shown := token.Reveal()
	if token == "" {
		shown = nobodysToken
	}
	answer, body, err := ask(ctx, client, address, shown)
	if err != nil {
		n.Skip("scim.question", looked, "The address is not reached.")
		return
	}
	// RFC 6750, 3 (The WWW-Authenticate Response Header Field): who shows no token is told of none.
	arrived := answer.StatusCode != http.StatusUnauthorized || strings.Contains(answer.Header.Get("WWW-Authenticate"), "invalid_token")
	var list struct {
		Schemas   []string
		Total     *int `json:"totalResults"`
		Resources []json.RawMessage
	}
	switch {
	case !arrived:
		n.Fail("scim.authorization", at, "The Authorization header does not arrive.", keepHeader)
		n.Skip("scim.question", looked, "No token arrives.")
		return
	case token == "" && answer.StatusCode == http.StatusUnauthorized:
		n.OK("scim.authorization", at, "The Authorization header arrives; one with an unknown token is refused.")
		n.Skip("scim.question", looked, "It needs the token that Entra has: badge-engine doctor --scim-token FILE.")
		return
	case token == "":
		n.Fail("scim.authorization", at, fmt.Sprintf("A token that nobody has is answered with %d, not with 401.", answer.StatusCode),
			"Something else answers there, or puts a token of its own in the place of the caller's. Have the proxy pass /scim/v2 on unchanged.")
		n.Skip("scim.question", looked, "What answers there is not this program.")
		return
	}
	if answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden {
		n.Fail("scim.authorization", at, fmt.Sprintf("The token is refused with %d.", answer.StatusCode),
			"See that it is the one that Entra has, has not expired or been revoked, and has the scope scim: badge-engine token list, badge-engine client list.")
		n.Skip("scim.question", looked, "The token is refused.")
		return
	}
	n.OK("scim.authorization", at, "The token arrives and is accepted.")
	if answer.StatusCode != http.StatusOK || json.Unmarshal([]byte(body), &list) != nil || list.Total == nil {
		n.Fail("scim.question", looked, fmt.Sprintf("It is answered with %d, and with no list.", answer.StatusCode),
			"Have the proxy pass /scim/v2 on unchanged, query included. Then: badge-engine scim probe "+at+" TOKEN.")
		return
	}
	if *list.Total != 0 || len(list.Resources) != 0 {
		n.Fail("scim.question", looked, fmt.Sprintf("%d users are found.", *list.Total), "The filter does not arrive: have the proxy pass the query on unchanged. Entra would link the wrong account.")
		return
	}
	n.OK("scim.question", looked, "Nobody is found, as it should be: Entra's Test Connection succeeds.")
}

// ask asks an address, with a token unless it is empty.
func ask(ctx context.Context, client *http.Client, address, token string) (*http.Response, string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, "", err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := client.Do(request)
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	return answer, string(body), err
}

func unreachable(err error, public *url.URL) (found, remedy string) {
	var dns *net.DNSError
	var authority x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	var timeout net.Error
	switch {
	case errors.As(err, &dns):
		return "The name " + public.Hostname() + " does not resolve.", "Add a DNS record for it, or correct PUBLIC_URL."
	case errors.As(err, &authority):
		return "Nobody knows who issued its certificate, or the chain is incomplete.", "Have the proxy, or TLS_CERT_FILE, send the whole chain: the certificate and those of its issuers."
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "Its certificate has expired, or a clock is wrong.", "Renew the certificate; check the clock of this machine."
	case errors.As(err, &name):
		return "Its certificate is for another host.", "Get one for " + public.Hostname() + ", or correct PUBLIC_URL."
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS"):
		return "It speaks plain HTTP there.", "Switch TLS on at the proxy or with TLS_CERT_FILE, or correct PUBLIC_URL."
	case errors.Is(err, syscall.ECONNREFUSED):
		return "Nothing listens there.", "Start the server or the proxy in front of it, or correct PUBLIC_URL."
	case errors.As(err, &timeout) && timeout.Timeout():
		return "It does not answer in time.", "Check firewall, proxy and DNS for PUBLIC_URL. Some networks do not let a machine reach its own public address: then try from elsewhere."
	}
	return "It cannot be reached: " + short(err.Error()) + ".", "Check the proxy and PUBLIC_URL: curl -v " + public.String() + "/health/live."
}

func short(s string) string {
	const most = 200
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

func loopbackHost(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
