package entra_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/badge-engine/badge-engine/modules/auth/entra"
)

const codeVerifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

func (h *house) flow(edit ...func(*entra.Config)) *entra.CodeFlow {
	cfg := settings()
	for _, e := range edit {
		e(&cfg)
	}
	return entra.NewCodeFlow(cfg, h.client(), h.verifier, h.clock.now)
}

func TestChallengeOfTheStandard(t *testing.T) {
	// RFC 7636, B (Example for the S256 code_challenge_method).
	if got := entra.Challenge(codeVerifier); got != "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" {
		t.Error(got)
	}
}

func TestAuthorizeURL(t *testing.T) {
	h := newHouse(t)
	address, err := h.flow().AuthorizeURL("s&1", "n1", entra.Challenge(codeVerifier), "dana@contoso.example")
	if err != nil {
		t.Fatal(err)
	}
	want := "https://login.microsoftonline.com/" + tenantID + "/oauth2/v2.0/authorize?client_id=" + clientID +
		"&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&login_hint=dana%40contoso.example&nonce=n1" +
		"&redirect_uri=http%3A%2F%2Flocalhost%3A8000%2Fauth%2Fcallback&response_mode=query&response_type=code&scope=openid+profile&state=s%261"
	if address != want {
		t.Errorf("got  %s\nwant %s", address, want)
	}
	if strings.Contains(address, "secret") || len(h.calls) != 0 {
		t.Errorf("it shows a secret or called %v", h.calls)
	}
	for _, row := range []struct {
		name                    string
		edit                    func(*entra.Config)
		state, nonce, challenge string
	}{
		{"no state", nil, "", "n", entra.Challenge("v")},
		{"no nonce", nil, "s", "", entra.Challenge("v")},
		{"no challenge", nil, "s", "n", ""},
		{"the verifier in place of the challenge", nil, "s", "n", codeVerifier + "x"},
		{"no tenant", func(c *entra.Config) { c.TenantID = "" }, "s", "n", entra.Challenge("v")},
		{"nothing to prove itself by", func(c *entra.Config) { c.ClientSecret = "" }, "s", "n", entra.Challenge("v")},
	} {
		t.Run(row.name, func(t *testing.T) {
			edit := row.edit
			if edit == nil {
				edit = func(*entra.Config) {}
			}
			if address, err := h.flow(edit).AuthorizeURL(row.state, row.nonce, row.challenge, ""); err == nil {
				t.Error(address)
			}
		})
	}
}

func TestEndpointsAreThoseOfTheMetadataOnTheSameHost(t *testing.T) {
	h := newHouse(t)
	h.handle(metadataPath, func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 200, set{
			"issuer": issuerV2, "jwks_uri": "https://login.microsoftonline.com" + keysPath,
			"authorization_endpoint": "https://login.microsoftonline.com/other/authorize?p=1",
			"token_endpoint":         "https://evil.example/token", "end_session_endpoint": "https://login.microsoftonline.com/other/logout",
		})
	})
	h.warm()
	address, err := h.flow().AuthorizeURL("s", "n", entra.Challenge("v"), "")
	if err != nil || !strings.HasPrefix(address, "https://login.microsoftonline.com/other/authorize?client_id=") || !strings.Contains(address, "&p=1&") {
		t.Errorf("%v %s", err, address)
	}
	if got := h.flow().LogoutURL("https://badges.example/", "O.Cx"); got != "https://login.microsoftonline.com/other/logout?logout_hint=O.Cx&post_logout_redirect_uri=https%3A%2F%2Fbadges.example%2F" {
		t.Error(got)
	}
	h.handle(tokenPath, status(500))
	if _, err := h.flow().Redeem(t.Context(), "c", codeVerifier, "n"); err == nil || h.count(tokenPath) != 1 || len(h.hosts()) != 1 {
		t.Errorf("%v %v", err, h.hosts())
	}
}

func TestLogoutURLWithoutAnything(t *testing.T) {
	if got := newHouse(t).flow().LogoutURL("", ""); got != "https://login.microsoftonline.com/"+tenantID+"/oauth2/v2.0/logout" {
		t.Error(got)
	}
}

// grants answers a code with an ID token, if all is as it should be.
func (h *house) grants(code, nonce string, form *url.Values) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		*form = r.PostForm
		if r.PostForm.Get("code") != code || entra.Challenge(r.PostForm.Get("code_verifier")) != entra.Challenge(codeVerifier) {
			reply(w, 400, set{"error": "invalid_grant", "error_codes": []int{501481}})
			return
		}
		reply(w, 200, set{"access_token": "opaque", "token_type": "Bearer", "expires_in": 3600, "id_token": h.token(h.id(nonce))})
	}
}

func TestRedeem(t *testing.T) {
	h := newHouse(t)
	var form url.Values
	h.handle(tokenPath, h.grants("c1", "n1", &form))
	c, err := h.flow().Redeem(t.Context(), "c1", codeVerifier, "n1")
	if err != nil || c.ObjectID != userID || c.Session != "session-1" {
		t.Fatalf("%v %+v", err, c)
	}
	for name, want := range map[string]string{
		"grant_type": "authorization_code", "client_id": clientID, "client_secret": "value~of.a-secret",
		"redirect_uri": "http://localhost:8000/auth/callback", "code_verifier": codeVerifier, "client_assertion": "",
	} {
		if form.Get(name) != want {
			t.Errorf("%s is %q", name, form.Get(name))
		}
	}
	if _, err := h.flow().Redeem(t.Context(), "c1", codeVerifier, "n2"); reason(err) != "nonce" {
		t.Errorf("nonce of another sign-in: %v", err)
	}
	var refused *entra.AuthorityError
	if _, err := h.flow().Redeem(t.Context(), "c1", "another", "n1"); !errors.As(err, &refused) || refused.Number != 501481 {
		t.Errorf("verifier of another sign-in: %v", err)
	}
	if _, err := h.flow(func(c *entra.Config) { c.ClientSecret = "" }).Redeem(t.Context(), "c1", codeVerifier, "n1"); err == nil {
		t.Error("redeemed without a secret")
	}
}

func TestAnAuthorityInTrouble(t *testing.T) {
	for _, row := range []struct {
		name   string
		answer http.HandlerFunc
		says   string
	}{
		{"500 without a word", status(500), "status 500"},
		{"503 with HTML", html(503), "status 503"},
		{"200 with HTML", html(200), "json"},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://evil.example/", http.StatusTemporaryRedirect)
		}, "status 307"},
		{"more than a megabyte", huge, ""},
		{"no ID token", func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, set{"access_token": "x"}) }, "no ID token"},
		{"an ID token that is none", func(w http.ResponseWriter, _ *http.Request) {
			reply(w, 200, set{"access_token": "x", "id_token": 1})
		}, "no ID token"},
		{"an empty object", func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, set{}) }, "access_token"},
		{"its own error with 500", func(w http.ResponseWriter, _ *http.Request) { reply(w, 500, set{"error": "server_error"}) }, "server_error"},
		{"nothing, ever", stall, "in time"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t)
				h.handle(tokenPath, row.answer)
				start := time.Now()
				_, err := h.flow().Redeem(t.Context(), "c1", codeVerifier, "n1")
				if !errors.Is(err, entra.ErrUnavailable) || !strings.Contains(err.Error(), row.says) || strings.Contains(err.Error(), "script") {
					t.Error(err)
				}
				if time.Since(start) > 10*time.Second || h.count(tokenPath) != 1 || len(h.hosts()) != 1 {
					t.Errorf("%v, %v", time.Since(start), h.calls)
				}
			})
		})
	}
}

func TestAuthorityErrorsSayWhatToDo(t *testing.T) {
	for _, number := range []int{
		50011, 700016, 90002, 7000215, 7000222, 65001, 50105, 50020, 500011, 54005, 501481, 53003, 50034, 50057, 50058, 50076, 50079,
		50126, 50194, 700027, 700054, 70008, 700082, 900144, 9002313,
	} {
		t.Run(fmt.Sprintf("AADSTS%d", number), func(t *testing.T) {
			h := newHouse(t)
			h.handle(tokenPath, func(w http.ResponseWriter, _ *http.Request) {
				reply(w, 400, set{
					"error": "invalid_grant", "error_description": fmt.Sprintf("AADSTS%d: <b>dana@contoso.example</b>", number),
					"error_codes": []int{number}, "trace_id": "0d5c0d92-6f0c-4a55-9b0e-0f1f4b7a2d12",
				})
			})
			_, err := h.flow().Redeem(t.Context(), "c", codeVerifier, "n")
			var e *entra.AuthorityError
			if !errors.As(err, &e) || errors.Is(err, entra.ErrUnavailable) {
				t.Fatal(err)
			}
			if e.Number != number || e.Code != "invalid_grant" || e.TraceID != "0d5c0d92-6f0c-4a55-9b0e-0f1f4b7a2d12" {
				t.Errorf("%+v", e)
			}
			if e.Hint == "" || e.Hint == entra.ParseAuthorityError("invalid_grant", "").Hint {
				t.Errorf("no hint of its own: %q", e.Hint)
			}
			if strings.Contains(err.Error(), "dana") {
				t.Errorf("it repeats the description: %v", err)
			}
		})
	}
}

func TestParseAuthorityError(t *testing.T) {
	for _, row := range []struct {
		name, code, description string
		want                    entra.AuthorityError
	}{
		{"as Entra sends it", "access_denied", "AADSTS65004: User declined.\r\nTrace ID: 0d5c0d92-6f0c-4a55-9b0e-0f1f4b7a2d12\r\nCorrelation ID: 1",
			entra.AuthorityError{Number: 65004, Code: "access_denied", TraceID: "0d5c0d92-6f0c-4a55-9b0e-0f1f4b7a2d12"}},
		{"with nothing but a code", "server_error", "", entra.AuthorityError{Code: "server_error"}},
		{"with markup for a code", "<script>", "AADSTS<b>", entra.AuthorityError{Code: "unknown_error"}},
		{"with a number that overflows", "x", "AADSTS99999999999999999999", entra.AuthorityError{Code: "x"}},
		{"with a trace that is none", "x", "Trace ID: <script>alert(1)</script>", entra.AuthorityError{Code: "x"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := entra.ParseAuthorityError(row.code, row.description)
			if got.Hint == "" {
				t.Error("no hint")
			}
			row.want.Hint = got.Hint
			if *got != row.want {
				t.Errorf("%+v", got)
			}
		})
	}
}

// writePair writes a certificate and its key.
func writePair(t *testing.T, certified, key *rsa.PrivateKey) (certificateFile, keyFile string, thumbprint [32]byte) {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &certified.PublicKey, certified)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, kind string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key)), sha256.Sum256(der)
}

func TestRedeemWithACertificate(t *testing.T) {
	h := newHouse(t)
	key := pair(2048, 3)
	certificateFile, keyFile, thumbprint := writePair(t, key, key)
	flow := h.flow(func(c *entra.Config) {
		c.ClientSecret, c.ClientCertificateFile, c.ClientKeyFile = "", certificateFile, keyFile
	})
	var form url.Values
	h.handle(tokenPath, h.grants("c1", "n1", &form))
	if _, err := flow.Redeem(t.Context(), "c1", codeVerifier, "n1"); err != nil {
		t.Fatal(err)
	}
	if form.Has("client_secret") || form.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
		t.Errorf("%v", form)
	}
	parts := strings.Split(form.Get("client_assertion"), ".")
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPSS(&key.PublicKey, crypto.SHA256, sum[:], unsegment(parts[2]), &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}); err != nil {
		t.Error(err)
	}
	var head, claims map[string]any
	if json.Unmarshal(unsegment(parts[0]), &head) != nil || json.Unmarshal(unsegment(parts[1]), &claims) != nil {
		t.Fatal(parts)
	}
	if head["alg"] != "PS256" || head["typ"] != "JWT" || head["x5t#S256"] != segment(thumbprint[:]) {
		t.Errorf("%v", head)
	}
	now := float64(h.now().Unix())
	if claims["iss"] != clientID || claims["sub"] != clientID || claims["aud"] != "https://login.microsoftonline.com"+tokenPath ||
		claims["exp"] != now+300 || claims["iat"] != now || claims["nbf"].(float64) > now || claims["jti"] == "" {
		t.Errorf("%v", claims)
	}
	first := claims["jti"]
	if _, err := flow.Redeem(t.Context(), "c1", codeVerifier, "n1"); err != nil {
		t.Fatal(err)
	}
	if json.Unmarshal(unsegment(strings.Split(form.Get("client_assertion"), ".")[1]), &claims) != nil || claims["jti"] == first {
		t.Error("the same assertion twice")
	}
	if err := os.Remove(keyFile); err != nil {
		t.Fatal(err)
	}
	if _, err := flow.Redeem(t.Context(), "c1", codeVerifier, "n1"); err == nil || !strings.Contains(err.Error(), "ENTRA_CLIENT_KEY_FILE") {
		t.Errorf("without its key: %v", err)
	}
}
