package issuance_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/modules/issuance"
	"github.com/badge-engine/badge-engine/platform/config"
	"github.com/badge-engine/badge-engine/platform/database"
)

const secure, local = "https://badges.example.org:8443/base", "http://localhost:8000"

// provision gives an issuer its first key, as it gets one when it is made.
func provision(ctx context.Context, k *issuance.Keyring, issuerID string) error {
	keep, err := k.Forge(ctx, issuerID, "")
	if err != nil {
		return err
	}
	return keep(ctx)
}

func keyring(t testing.TB, db *database.DB, address, letter string) *issuance.Keyring {
	t.Helper()
	public, err := config.ParsePublicURL(address)
	must(t, err)
	return issuance.NewKeyring(public, issuance.NewStore(db), sealer(t, letter), func() time.Time { return noon }).Working(db)
}

// retire makes the keys that an issuer has sign no more.
func retire(t testing.TB, db *database.DB, issuerID string) {
	t.Helper()
	must(t, db.Session(t.Context()).Exec("UPDATE issuance_keys SET retired_at = ? WHERE issuer_id = ?", noon, issuerID).Error)
}

func TestIssuersSignUnderTheirAddressOrTheirKey(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		for n, row := range []struct{ name, address, uri string }{
			{"on https it is the address", secure, secure + "/issuers/" + id(0)},
			{"on http it is the key", local, "did:key:"},
		} {
			t.Run(row.name, func(t *testing.T) {
				ctx, k := t.Context(), keyring(t, db, row.address, "k")
				issuer := id(n)
				must(t, provision(ctx, k, issuer))
				keys, err := k.Keys(ctx, issuer)
				must(t, err)
				multikey := keys[0].Multikey
				uri, signer, err := k.Signer(ctx, strings.ToUpper(issuer))
				must(t, err)
				if row.uri == "did:key:" {
					row.uri += multikey
				}
				if uri != row.uri || signer.VerificationMethod() != row.uri+"#"+multikey {
					t.Errorf("signs as %s by %s", uri, signer.VerificationMethod())
				}
				signature, err := signer.Sign(ctx, []byte("message"))
				must(t, err)
				public, err := did.DecodeMultikey(multikey)
				must(t, err)
				if !ed25519.Verify(public.(ed25519.PublicKey), []byte("message"), signature) {
					t.Error("the published key did not sign")
				}
				identity, document, err := k.Identity(ctx, issuer)
				must(t, err)
				if identity != row.uri || document.ID != row.uri || !contains(document.AssertionMethod, row.uri+"#"+multikey) {
					t.Errorf("published as %s: %+v", identity, document)
				}
				for _, method := range document.VerificationMethod {
					if method.Controller != row.uri {
						t.Errorf("%+v belongs to somebody else", method)
					}
				}
				jwk, err := keys[0].JWK()
				must(t, err)
				if jwk.Kid == "" || !contains(document.AssertionMethod, row.uri+"#"+jwk.Kid) {
					t.Errorf("the key %q of the set is not in the document: %v", jwk.Kid, document.AssertionMethod)
				}
			})
		}
	})
}

func contains(list []string, s string) bool {
	for _, item := range list {
		if item == s {
			return true
		}
	}
	return false
}

func TestRetiredKeysSignNoMoreButStayPublished(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, issuer := t.Context(), id(1)
		k := keyring(t, db, secure, "k")
		must(t, provision(ctx, k, issuer))
		old, err := k.Keys(ctx, issuer)
		must(t, err)
		retire(t, db, issuer)
		if _, _, err := k.Signer(ctx, issuer); !errors.Is(err, issuance.ErrNoKey) {
			t.Errorf("with a retired key alone: %v", err)
		}
		k = keyring(t, db, secure, "k") // what was read stays for a moment
		must(t, provision(ctx, k, issuer))
		keys, err := k.Keys(ctx, issuer)
		must(t, err)
		if len(keys) != 2 || keys[0].Retired != nil || keys[1].Retired == nil || !keys[1].Retired.Equal(noon) || keys[1].Multikey != old[0].Multikey {
			t.Fatalf("keys are %+v", keys)
		}
		_, signer, err := k.Signer(ctx, issuer)
		if err != nil || !strings.HasSuffix(signer.VerificationMethod(), "#"+keys[0].Multikey) {
			t.Errorf("signs by %v, %v", signer, err)
		}
		_, document, err := k.Identity(ctx, issuer)
		must(t, err)
		web, err := k.WebDocument(ctx, issuer)
		must(t, err)
		for _, key := range keys {
			ours, listed, err := k.KeyOf(ctx, secure+"/issuers/"+issuer, key.Multikey)
			if !ours || !listed || err != nil || !contains(document.AssertionMethod, document.ID+"#"+key.Multikey) || !contains(web.AssertionMethod, web.ID+"#"+key.Multikey) {
				t.Errorf("%s is not published: %t, %t, %v", key.Multikey, ours, listed, err)
			}
		}
	})
}

func TestTheDIDDocumentLiesWhereItsNameSays(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, issuer := t.Context(), id(1)
		must(t, provision(ctx, keyring(t, db, secure, "k"), issuer))
		for address, want := range map[string]string{
			secure:                       "did:web:badges.example.org%3A8443:base:issuers:" + issuer,
			"https://badges.example.org": "did:web:badges.example.org:issuers:" + issuer,
		} {
			document, err := keyring(t, db, address, "k").WebDocument(ctx, strings.ToUpper(issuer))
			if err != nil || document.ID != want || document.VerificationMethod[0].Controller != want {
				t.Errorf("%s: %+v, %v", address, document, err)
			}
		}
		_, err := keyring(t, db, local, "k").WebDocument(ctx, issuer)
		wants(t, err, issuance.ErrIssuerUnknown)
	})
}

func TestKeyOfAnswersForAddressesOfThisServerAlone(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, issuer := t.Context(), id(1)
		k := keyring(t, db, secure, "k")
		must(t, provision(ctx, k, issuer), provision(ctx, k, id(2)))
		keys, err := k.Keys(ctx, issuer)
		must(t, err)
		others, err := k.Keys(ctx, id(2))
		must(t, err)
		jwk, err := keys[0].JWK()
		must(t, err)
		at := secure + "/issuers/"
		for _, row := range []struct {
			name, controller, fragment string
			ours, listed               bool
		}{
			{"its key", at + issuer, keys[0].Multikey, true, true},
			{"its key by its thumbprint", at + issuer, jwk.Kid, true, true},
			{"the key of another issuer here", at + issuer, others[0].Multikey, true, false},
			{"no key", at + issuer, "", true, false},
			{"an address of nobody", at + id(404), keys[0].Multikey, true, false},
			{"an address that is none", at + "x\x00", keys[0].Multikey, true, false},
			{"its address in capitals, which is another identifier", at + strings.ToUpper(issuer), keys[0].Multikey, true, false},
			{"an address elsewhere", "https://elsewhere.example/issuers/" + issuer, keys[0].Multikey, false, false},
			{"another address of this server", secure + "/achievements/" + issuer, keys[0].Multikey, false, false},
			{"a key that names itself", did.KeyDID(keys[0].Multikey), keys[0].Multikey, false, false},
		} {
			t.Run(row.name, func(t *testing.T) {
				ours, listed, err := k.KeyOf(ctx, row.controller, row.fragment)
				if err != nil || ours != row.ours || listed != row.listed {
					t.Errorf("ours %t, listed %t, %v", ours, listed, err)
				}
			})
		}
		ours, listed, err := keyring(t, db, local, "k").KeyOf(ctx, local+"/issuers/"+issuer, keys[0].Multikey)
		if err != nil || ours || listed {
			t.Errorf("on http: ours %t, listed %t, %v", ours, listed, err)
		}
	})
}

func TestUnknownIssuersHaveNoKeys(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, k := t.Context(), keyring(t, db, secure, "k")
		for _, bad := range []string{"", "x", "\x00", "\xff", strings.ReplaceAll(id(1), "-", ""), "urn:uuid:" + id(1), id(404)} {
			_, err := k.Keys(ctx, bad)
			wants(t, err, issuance.ErrIssuerUnknown)
			_, _, err = k.Signer(ctx, bad)
			wants(t, err, issuance.ErrIssuerUnknown)
			_, _, err = k.Identity(ctx, bad)
			wants(t, err, issuance.ErrIssuerUnknown)
			_, err = k.WebDocument(ctx, bad)
			wants(t, err, issuance.ErrIssuerUnknown)
		}
	})
}

func TestKeysComeAndGoWithTheirUnit(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, k, broken := t.Context(), keyring(t, db, secure, "k"), errors.New("the rest failed")
		wants(t, db.Do(ctx, func(ctx context.Context) error {
			must(t, provision(ctx, k, id(1)))
			return broken
		}), broken)
		_, err := k.Keys(ctx, id(1))
		wants(t, err, issuance.ErrIssuerUnknown)

		must(t, provision(ctx, k, id(1)), provision(ctx, k, id(2)))
		_, _, err = k.Signer(ctx, id(1))
		must(t, err)
		wants(t, db.Do(ctx, func(ctx context.Context) error {
			must(t, k.Discard(ctx, id(1)))
			return broken
		}), broken)
		_, _, err = k.Signer(ctx, id(1))
		must(t, err)
		must(t, k.Discard(ctx, id(1)))
		_, _, err = k.Signer(ctx, id(1))
		wants(t, err, issuance.ErrIssuerUnknown)
		_, _, err = k.Signer(ctx, id(2))
		must(t, err)
	})
}

func TestAKeyOpensUnderItsKeyEncryptionKeyAlone(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, right, wrong := t.Context(), keyring(t, db, secure, "k"), keyring(t, db, secure, "w")
		must(t, right.Check(ctx), wrong.Check(ctx)) // there is no key yet
		must(t, provision(ctx, right, id(1)), right.Check(ctx))
		wants(t, wrong.Check(ctx), issuance.ErrSealed)
		_, _, err := wrong.Signer(ctx, id(1))
		wants(t, err, issuance.ErrSealed)
		// A sealed key moved to another issuer's row does not open there.
		must(t, provision(ctx, right, id(2)))
		must(t, db.Session(ctx).Exec("UPDATE issuance_keys SET sealed = (SELECT sealed FROM issuance_keys WHERE issuer_id = ?) WHERE issuer_id = ?", id(1), id(2)).Error)
		_, _, err = right.Signer(ctx, id(2))
		wants(t, err, issuance.ErrSealed)
	})
}

func TestManyMaySignAtOnce(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		k := keyring(t, db, secure, "k")
		must(t, provision(t.Context(), k, id(1)))
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if _, signer, err := k.Signer(t.Context(), id(1)); err != nil || signer == nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
}

func TestKeysOfEveryKindSignAndArePublished(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, issuer, k := t.Context(), id(1), keyring(t, db, secure, "k")
		must(t, provision(ctx, k, issuer))
		for _, kind := range issuance.Kinds()[1:] {
			made, err := k.CreateKey(ctx, strings.ToUpper(issuer), issuance.Wanted{Kind: kind, Purposes: []string{issuance.Assertion, issuance.Authentication}})
			must(t, err)
			if made.State() != issuance.Active || made.Kind != kind || made.IssuerID != issuer {
				t.Errorf("made %+v", made)
			}
		}
		uri, document, err := k.Identity(ctx, issuer)
		must(t, err)
		if uri != secure+"/issuers/"+issuer || len(document.VerificationMethod) != 7 || len(document.AssertionMethod) != 7 || len(document.Authentication) != 5 {
			t.Errorf("%s publishes %+v", uri, document)
		}
		set, err := k.KeySet(ctx, issuer)
		must(t, err)
		var algorithms []string
		for _, jwk := range set {
			algorithms = append(algorithms, jwk.Alg)
			if jwk.Iss != uri || jwk.Use != "sig" || jwk.Kid == "" {
				t.Errorf("published %+v", jwk)
			}
			// A token names the key by the address at which it stands alone; no network is asked.
			key, err := did.Resolver{Local: k}.Resolve(ctx, secure+"/issuers/"+issuer+"/jwk/"+jwk.Kid)
			must(t, err)
			if belongs, why := key.Belongs(uri); !belongs {
				t.Errorf("%s does not belong to its issuer: %s", jwk.Alg, why)
			}
			if key, err = (did.Resolver{Local: k}).Resolve(ctx, uri+"#"+jwk.Kid); err != nil || !key.Proven {
				t.Errorf("%s: %+v, %v", jwk.Alg, key, err)
			}
		}
		slices.Sort(algorithms)
		if got := strings.Join(algorithms, " "); got != "ES256 ES384 EdDSA RS256" {
			t.Errorf("the algorithms are %s", got)
		}
		for name, address := range map[string]string{"no key": "/jwk/x", "another issuer": "/../" + id(2) + "/jwk/" + set[0].Kid} {
			if key, err := (did.Resolver{Local: k}).Resolve(ctx, uri+address); err == nil {
				t.Errorf("%s is %+v", name, key)
			}
		}
	})
}

func TestKeysAreRotatedRetiredAndRevoked(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, issuer, k := t.Context(), id(1), keyring(t, db, secure, "k")
		must(t, provision(ctx, k, issuer))
		states := func() string {
			keys, err := k.Keys(ctx, issuer)
			must(t, err)
			var out []string
			for _, key := range keys {
				out = append(out, string(key.Kind)+" "+string(key.State()))
			}
			slices.Sort(out)
			return strings.Join(out, ", ")
		}
		method := func() string {
			_, signer, err := k.Signer(ctx, issuer)
			must(t, err)
			return signer.VerificationMethod()
		}
		before := method()
		first, err := k.Keys(ctx, issuer)
		must(t, err)

		_, err = k.Retire(ctx, issuer, first[0].ID)
		wants(t, err, issuance.ErrKeyState) // the last one, by which lists are signed
		made, err := k.Rotate(ctx, issuer, issuance.Wanted{Kind: issuance.KindEd25519})
		must(t, err)
		if got := states(); got != "Ed25519 active, Ed25519 retired" || method() == before || !strings.HasSuffix(method(), made.Multikey) {
			t.Errorf("rotated: %s, signs by %s", got, method())
		}
		if _, listed, err := k.KeyOf(ctx, secure+"/issuers/"+issuer, first[0].Multikey); err != nil || !listed {
			t.Errorf("a retired key is not listed: %v", err)
		}
		_, err = k.Retire(ctx, issuer, first[0].ID)
		wants(t, err, issuance.ErrKeyState)

		// Revoked, it makes room for a new one at once.
		gone, err := k.RevokeKey(ctx, issuer, made.Multikey, "the laptop was stolen")
		must(t, err)
		if got := states(); gone.State() != issuance.Revoked || got != "Ed25519 active, Ed25519 retired, Ed25519 revoked" || strings.HasSuffix(method(), made.Multikey) {
			t.Errorf("revoked: %s, signs by %s", got, method())
		}
		_, listed, err := k.KeyOf(ctx, secure+"/issuers/"+issuer, made.Multikey)
		must(t, err)
		_, document, err := k.Identity(ctx, issuer)
		must(t, err)
		text, err := json.Marshal(document)
		must(t, err)
		if listed || !strings.Contains(string(text), `"revoked":"`) || strings.Count(string(text), made.Multikey) != 2 {
			t.Errorf("a revoked key is listed: %s", text)
		}
		jwk, err := made.JWK()
		must(t, err)
		_, err = k.PublicJWK(ctx, issuer, jwk.Kid)
		wants(t, err, issuance.ErrKeyRevoked)
		_, err = k.RevokeKey(ctx, issuer, made.ID, "")
		wants(t, err, issuance.ErrKeyState)

		for _, kind := range []issuance.Kind{"", "Ed448", "RSA-1024", "p-256"} {
			_, err := k.CreateKey(ctx, issuer, issuance.Wanted{Kind: kind, Purposes: nil})
			wants(t, err, issuance.ErrKeyKind)
		}
		_, err = k.CreateKey(ctx, issuer, issuance.Wanted{Kind: issuance.KindP256, Purposes: []string{issuance.Authentication}})
		wants(t, err, issuance.ErrKeyKind)
		_, err = k.CreateKey(ctx, id(404), issuance.Wanted{Kind: issuance.KindP256, Purposes: nil})
		wants(t, err, issuance.ErrIssuerUnknown)
		for _, name := range []string{"", id(404), "x\x00", "z"} {
			_, err := k.Key(ctx, issuer, name)
			wants(t, err, issuance.ErrKeyNotFound)
		}
	})
}

// What one replica does to keys another knows soon.
func TestReplicasFollowARotation(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, issuer := t.Context(), id(1)
		public, err := config.ParsePublicURL(secure)
		must(t, err)
		now := noon
		here := issuance.NewKeyring(public, issuance.NewStore(db), sealer(t, "k"), func() time.Time { return now }).Working(db)
		there := keyring(t, db, secure, "k")
		must(t, provision(ctx, here, issuer))
		_, old, err := here.Signer(ctx, issuer)
		must(t, err)
		made, err := there.Rotate(ctx, issuer, issuance.Wanted{Kind: issuance.KindEd25519})
		must(t, err)
		now = now.Add(issuance.Fresh)
		_, signer, err := here.Signer(ctx, issuer)
		must(t, err)
		if signer.VerificationMethod() == old.VerificationMethod() || !strings.HasSuffix(signer.VerificationMethod(), made.Multikey) {
			t.Errorf("it still signs by %s", signer.VerificationMethod())
		}
	})
}

func TestKeysAreSealedAgain(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx := t.Context()
		public, err := config.ParsePublicURL(secure)
		must(t, err)
		first := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("k"), 32))
		ring := func(key, previous string) *issuance.Keyring {
			s, err := issuance.OpenSealer(issuance.Config{Key: config.Secret(key), Previous: config.Secret(previous)}, slog.New(slog.DiscardHandler))
			must(t, err)
			return issuance.NewKeyring(public, issuance.NewStore(db), s, func() time.Time { return noon }).Working(db)
		}
		old := ring(first, "")
		must(t, provision(ctx, old, id(1)), provision(ctx, old, id(2)))
		_, err = old.CreateKey(ctx, id(2), issuance.Wanted{Kind: issuance.KindRSA, Purposes: nil})
		must(t, err)
		second := sealer(t, "k").NextKey()

		// Without the old key nothing is lost, only said.
		lost, err := ring(second, "").Reseal(ctx)
		if err != nil || len(lost.Lost) != 3 || lost.Changed != 0 {
			t.Errorf("without the old key: %+v, %v", lost, err)
		}
		both := ring(second, first)
		_, _, err = both.Signer(ctx, id(1))
		must(t, err)
		must(t, provision(ctx, both, id(3)))
		done, err := both.Reseal(ctx)
		if err != nil || done.Changed != 3 || done.Current != 1 || len(done.Lost) != 0 {
			t.Errorf("resealed %+v, %v", done, err)
		}
		if again, err := both.Reseal(ctx); err != nil || again.Changed != 0 || again.Current != 4 {
			t.Errorf("resealed again %+v, %v", again, err)
		}
		alone := ring(second, "")
		for n := 1; n <= 3; n++ {
			_, _, err := alone.Signer(ctx, id(n))
			must(t, err)
		}
		_, _, err = ring(first, "").Signer(ctx, id(1))
		wants(t, err, issuance.ErrSealed)
	})
}

// safe is a vault that holds one key, and answers with another one's signatures if told to.
type safe struct {
	key   ed25519.PrivateKey
	wrong bool
}

func (safe) Name(context.Context) (string, error) { return "safe", nil }
func (s safe) Generate(context.Context, string, string) ([]byte, string, error) {
	public, err := x509.MarshalPKIXPublicKey(s.key.Public())
	return public, "handle", err
}
func (s safe) Sign(_ context.Context, kind, handle string, message []byte) ([]byte, error) {
	if s.wrong || kind != "Ed25519" || handle != "handle" {
		message = append(message, '!')
	}
	return ed25519.Sign(s.key, message), nil
}

func TestKeysAreKeptElsewhere(t *testing.T) {
	each(t, func(t *testing.T, db *database.DB) {
		ctx, issuer := t.Context(), id(1)
		vault := safe{key: ed25519.NewKeyFromSeed(bytes.Repeat([]byte("s"), 32))}
		k := keyring(t, db, secure, "k").Vaulted(vault)
		must(t, provision(ctx, k, issuer))
		made, err := k.Rotate(ctx, issuer, issuance.Wanted{Kind: issuance.KindEd25519, Provider: "safe"})
		must(t, err)
		_, signer, err := k.Signer(ctx, issuer)
		must(t, err)
		signature, err := signer.Sign(ctx, []byte("message"))
		if err != nil || !ed25519.Verify(vault.key.Public().(ed25519.PublicKey), []byte("message"), signature) || made.Provider != "safe" || !strings.HasSuffix(signer.VerificationMethod(), made.Multikey) {
			t.Errorf("%+v signs %x, %v", made, signature, err)
		}
		vault.wrong = true
		for name, k := range map[string]*issuance.Keyring{"a vault that mixes up its keys": keyring(t, db, secure, "k").Vaulted(vault), "no vault any more": keyring(t, db, secure, "k")} {
			_, signer, err := k.Signer(ctx, issuer)
			must(t, err)
			if signature, err := signer.Sign(ctx, []byte("message")); !errors.Is(err, issuance.ErrVault) {
				t.Errorf("%s: %x, %v", name, signature, err)
			}
		}
		_, err = k.CreateKey(ctx, issuer, issuance.Wanted{Kind: issuance.KindEd25519, Provider: "another"})
		wants(t, err, issuance.ErrKeyKind)
		_, err = k.CreateKey(ctx, issuer, issuance.Wanted{Kind: issuance.KindP256, Provider: "safe"}) // it makes what was not asked for
		wants(t, err, issuance.ErrVault)
		_, err = keyring(t, db, secure, "k").CreateKey(ctx, issuer, issuance.Wanted{Kind: issuance.KindP256, Provider: "safe"})
		wants(t, err, issuance.ErrKeyKind)
	})
}
