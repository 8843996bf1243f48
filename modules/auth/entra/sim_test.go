package entra_test

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"slices"
	"testing"

	"github.com/badge-engine/badge-engine/modules/auth/entra"
	"github.com/badge-engine/badge-engine/platform/config"
	"github.com/badge-engine/badge-engine/test/entrasim"
)

// browse follows the way of a browser to the code, over real connections.
func browse(t *testing.T, address, state string) string {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	back, err := url.Parse(response.Header.Get("Location"))
	if err != nil || back.Query().Get("state") != state || back.Query().Get("code") == "" {
		t.Fatalf("%v %d %s", err, response.StatusCode, response.Header.Get("Location"))
	}
	return back.Query().Get("code")
}

// TestTheSimulatedEntra is the whole package over HTTP against an Entra that was
// not written with it in mind.
func TestTheSimulatedEntra(t *testing.T) {
	sim := entrasim.New(t)
	load := func(edit ...func(*entra.Config)) entra.Config {
		sum := struct{ Entra entra.Config }{entra.Default()}
		if err := config.Load(&sum, sim.Env()); err != nil {
			t.Fatal(err)
		}
		for _, e := range edit {
			e(&sum.Entra)
		}
		if err := sum.Entra.Check(); err != nil {
			t.Fatal(err)
		}
		return sum.Entra
	}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	keys := entra.NewKeys(load(), nil, sim.Now, log)
	verifier := entra.NewVerifier(load(), keys, sim.Now)

	t.Run("tokens of every kind", func(t *testing.T) {
		for name, row := range map[string]struct{ token, want string }{
			"delegated":                 {sim.MintDelegated(), ""},
			"delegated, version 1":      {sim.MintDelegated(sim.V1()), ""},
			"app-only":                  {sim.MintAppOnly(), ""},
			"app-only, version 1":       {sim.MintAppOnly(sim.V1()), ""},
			"app-only without a role":   {sim.MintAppOnly(sim.By(sim.Provisioner)), "no_role"},
			"an ID token":               {sim.MintID("n"), "id_token"},
			"an assertion":              {sim.MintAssertion(), "audience"},
			"for Graph":                 {sim.MintGraph(), "audience"},
			"of another tenant":         {sim.MintDelegated(sim.InTenant(callerID)), "issuer"},
			"forged under a known name": {sim.MintDelegated(entrasim.ForgedBy(sim.NewKey())), "signature"},
			"forged":                    {sim.MintDelegated(entrasim.SignedBy(sim.NewKey())), "unknown_key"},
		} {
			if _, err := verifier.AccessToken(t.Context(), row.token); reason(err) != row.want {
				t.Errorf("%s: %v", name, err)
			}
		}
		if c, err := verifier.Assertion(t.Context(), sim.MintAssertion()); err != nil || c.ObjectID != sim.Provisioner.ObjectID {
			t.Errorf("%v %+v", err, c)
		}
	})

	t.Run("sign-in with a secret, and each thing once", func(t *testing.T) {
		flow := entra.NewCodeFlow(load(), nil, verifier, sim.Now)
		address, err := flow.AuthorizeURL("s1", "n1", entra.Challenge(codeVerifier), sim.User.Username)
		if err != nil {
			t.Fatal(err)
		}
		code := browse(t, address, "s1")
		c, err := flow.Redeem(t.Context(), code, codeVerifier, "n1")
		if err != nil || c.ObjectID != sim.User.ObjectID || c.TenantID != sim.TenantID || c.Session == "" {
			t.Fatalf("%v %+v", err, c)
		}
		var refused *entra.AuthorityError
		if _, err := flow.Redeem(t.Context(), code, codeVerifier, "n1"); !errors.As(err, &refused) || refused.Number != 54005 {
			t.Errorf("the code again: %v", err)
		}
		if _, err := flow.Redeem(t.Context(), browse(t, address, "s1"), codeVerifier+"x", "n1"); !errors.As(err, &refused) || refused.Number != 501481 {
			t.Errorf("another verifier: %v", err)
		}
		if _, err := flow.Redeem(t.Context(), browse(t, address, "s1"), codeVerifier, "n2"); reason(err) != "nonce" {
			t.Errorf("another nonce: %v", err)
		}
	})

	t.Run("sign-in with a certificate", func(t *testing.T) {
		key := pair(2048, 3)
		certificateFile, keyFile, _ := writePair(t, key, key)
		data, err := os.ReadFile(certificateFile)
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(data)
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		flow := entra.NewCodeFlow(load(func(c *entra.Config) {
			c.ClientSecret, c.ClientCertificateFile, c.ClientKeyFile = "", certificateFile, keyFile
		}), nil, verifier, sim.Now)
		address, err := flow.AuthorizeURL("s1", "n1", entra.Challenge(codeVerifier), "")
		if err != nil {
			t.Fatal(err)
		}
		var refused *entra.AuthorityError
		if _, err := flow.Redeem(t.Context(), browse(t, address, "s1"), codeVerifier, "n1"); !errors.As(err, &refused) || refused.Number != 700027 {
			t.Errorf("before the certificate is uploaded: %v", err)
		}
		sim.RegisterCertificate(certificate)
		if c, err := flow.Redeem(t.Context(), browse(t, address, "s1"), codeVerifier, "n1"); err != nil || c.ObjectID != sim.User.ObjectID {
			t.Errorf("%v %+v", err, c)
		}
	})

	t.Run("groups", func(t *testing.T) {
		member := entrasim.GroupIDs(11000)
		sim.JoinGroups(sim.User.ObjectID, member...)
		c, err := verifier.AccessToken(t.Context(), sim.MintDelegated())
		if err != nil || !c.GroupsOverage || c.Groups != nil {
			t.Fatalf("%v %v", err, c.GroupsOverage)
		}
		graph := entra.NewGraph(load(), nil, sim.Now, log)
		found, err := graph.MemberOf(t.Context(), c.ObjectID, []string{member[10999], groupID, member[0]})
		slices.Sort(found)
		want := []string{member[0], member[10999]}
		slices.Sort(want)
		if err != nil || !slices.Equal(found, want) {
			t.Errorf("%v %v", found, err)
		}
	})

	if n := sim.Calls(entrasim.Elsewhere); n != 0 {
		t.Errorf("%d calls to another host", n)
	}
	if n := sim.Calls(entrasim.Keys); n > 2 {
		t.Errorf("%d fetches of keys", n)
	}
}
