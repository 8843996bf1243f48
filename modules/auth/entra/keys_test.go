package entra_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/badge-engine/badge-engine/modules/auth/entra"
)

// signed makes a token under a key id.
func (h *house) signed(key int, kid string) string {
	return sign(pair(2048, key), merged(header, set{"kid": kid}), h.delegated())
}

func TestAFloodOfUnknownKeysCausesOneFetch(t *testing.T) {
	for _, row := range []struct {
		name string
		warm bool
	}{{"with keys at hand", true}, {"from a cold start", false}} {
		t.Run(row.name, func(t *testing.T) {
			h := newHouse(t)
			before := 0
			if row.warm {
				h.warm()
				before = 1
			}
			var wg sync.WaitGroup
			for i := range 1000 {
				token := h.signed(2, fmt.Sprintf("unknown-%d", i))
				wg.Go(func() {
					if _, err := h.access(token); reason(err) != "unknown_key" {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if n := h.count(keysPath) - before; n != 1 {
				t.Errorf("%d fetches", n)
			}
			if _, err := h.access(h.signed(1, "one")); err != nil {
				t.Errorf("a good token: %v", err)
			}
			h.clock.advance(4*time.Minute + 59*time.Second)
			_, _ = h.access(h.signed(2, "unknown-again"))
			if n := h.count(keysPath) - before; n != 1 {
				t.Errorf("%d fetches before five minutes", n)
			}
			h.clock.advance(time.Second)
			_, _ = h.access(h.signed(2, "unknown-again"))
			if n := h.count(keysPath) - before; n != 2 {
				t.Errorf("%d fetches after five minutes", n)
			}
		})
	}
}

func TestAFloodThatIsNotOursCausesNoFetch(t *testing.T) {
	h := newHouse(t)
	for name, edit := range map[string]set{
		"issuer": {"iss": "https://evil.example"}, "tenant": {"tid": callerID}, "audience": {"aud": callerID},
		"expired": {"iat": 1700000000, "exp": 1700003600}, "claims": {"oid": "x"},
	} {
		for range 20 {
			if _, err := h.access(sign(pair(2048, 2), merged(header, set{"kid": "two"}), merged(h.delegated(), edit))); reason(err) != name {
				t.Errorf("%v, want %s", err, name)
			}
		}
	}
	if len(h.calls) != 0 {
		t.Errorf("called %v", h.calls)
	}
}

func TestKeyRotation(t *testing.T) {
	h := newHouse(t).warm()
	h.publish(jwk("one", pair(2048, 1)), jwk("two", pair(2048, 2)))
	if _, err := h.access(h.signed(2, "two")); err != nil {
		t.Errorf("the new key: %v", err)
	}
	if _, err := h.access(h.signed(1, "one")); err != nil {
		t.Errorf("the old key while it is published: %v", err)
	}
	h.publish(jwk("two", pair(2048, 2)))
	h.warm() // as the background does once an hour
	if _, err := h.access(h.signed(1, "one")); reason(err) != "unknown_key" {
		t.Errorf("the withdrawn key: %v", err)
	}
}

func TestOutageOfTheAuthority(t *testing.T) {
	for _, row := range []struct {
		name   string
		path   string
		answer http.HandlerFunc
	}{
		{"metadata answers 500", metadataPath, status(500)},
		{"keys answer 500", keysPath, status(500)},
		{"keys are HTML", keysPath, html(200)},
		{"keys are more than a megabyte", keysPath, huge},
		{"keys are an empty list", keysPath, func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, set{"keys": []any{}}) }},
		{"keys are of no known form", keysPath, func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, set{"keys": "x"}) }},
		{"keys redirect to another host", keysPath, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://evil.example/keys", http.StatusFound)
		}},
		{"keys redirect to their own host", keysPath, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/keys", http.StatusFound) }},
		{"metadata is of another issuer", metadataPath, func(w http.ResponseWriter, _ *http.Request) {
			reply(w, 200, set{"issuer": strings.Replace(issuerV2, "aaaa", "bbbb", 1), "jwks_uri": "https://login.microsoftonline.com" + keysPath})
		}},
		{"metadata is of every tenant", metadataPath, func(w http.ResponseWriter, _ *http.Request) {
			reply(w, 200, set{"issuer": "https://login.microsoftonline.com/{tenantid}/v2.0", "jwks_uri": "https://login.microsoftonline.com" + keysPath})
		}},
		{"keys are at another host", metadataPath, func(w http.ResponseWriter, _ *http.Request) {
			reply(w, 200, set{"issuer": issuerV2, "jwks_uri": "https://evil.example" + keysPath})
		}},
		{"keys are at another port", metadataPath, func(w http.ResponseWriter, _ *http.Request) {
			reply(w, 200, set{"issuer": issuerV2, "jwks_uri": "https://login.microsoftonline.com:8443" + keysPath})
		}},
		{"keys are not at https", metadataPath, func(w http.ResponseWriter, _ *http.Request) {
			reply(w, 200, set{"issuer": issuerV2, "jwks_uri": "http://login.microsoftonline.com" + keysPath})
		}},
		{"keys are nowhere", metadataPath, func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, set{"issuer": issuerV2}) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := newHouse(t)
			whole := h.handlers[row.path]
			h.handle(row.path, row.answer)
			token := h.signed(1, "one")
			if _, err := h.access(token); !errors.Is(err, entra.ErrUnavailable) {
				t.Errorf("from a cold start: %v", err)
			}
			if hosts := h.hosts(); len(hosts) != 1 {
				t.Errorf("called %v", hosts)
			}
			asked := len(h.calls)
			if _, err := h.access(token); !errors.Is(err, entra.ErrUnavailable) || len(h.calls) != asked {
				t.Errorf("at once again: %v, %d more calls", err, len(h.calls)-asked)
			}
			h.handle(row.path, whole)
			h.clock.advance(10 * time.Second)
			if _, err := h.access(token); err != nil {
				t.Errorf("ten seconds after it is back: %v", err)
			}

			h.handle(row.path, row.answer) // the last good keys serve for a day, and no longer
			h.clock.advance(23 * time.Hour)
			if err := h.keys.Refresh(t.Context()); !errors.Is(err, entra.ErrUnavailable) {
				t.Errorf("refresh: %v", err)
			}
			if _, err := h.access(h.signed(1, "one")); err != nil {
				t.Errorf("with the last good keys: %v", err)
			}
			if _, err := h.access(h.signed(2, "two")); reason(err) != "unknown_key" {
				t.Errorf("an unknown key: %v", err)
			}
			h.clock.advance(time.Hour + time.Second)
			if _, err := h.access(h.signed(1, "one")); !errors.Is(err, entra.ErrUnavailable) {
				t.Errorf("after a day: %v", err)
			}
		})
	}
}

func TestAWithdrawnKeyIsForgottenWithinADay(t *testing.T) {
	h := newHouse(t).warm()
	h.publish(jwk("two", pair(2048, 2)))
	h.clock.advance(24*time.Hour + time.Second) // no background refresh has come
	if _, err := h.access(h.signed(1, "one")); reason(err) != "unknown_key" {
		t.Error(err)
	}
}

func TestASlowAuthorityIsGivenUpOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		h.handle(keysPath, stall)
		start := time.Now()
		_, err := h.access(h.signed(1, "one"))
		if !errors.Is(err, entra.ErrUnavailable) || !strings.Contains(err.Error(), "in time") {
			t.Error(err)
		}
		if d := time.Since(start); d != 5*time.Second {
			t.Errorf("gave up after %v", d)
		}
	})
}

func TestWhoeverLeavesDoesNotTakeTheFetchAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t)
		whole := h.handlers[keysPath]
		h.handle(keysPath, func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(2 * time.Second)
			whole(w, r)
		})
		token := h.signed(1, "one")
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		first := make(chan error)
		go func() {
			_, err := h.verifier.AccessToken(impatient, token)
			first <- err
		}()
		synctest.Wait()
		late, cancelLate := context.WithTimeout(t.Context(), time.Second)
		defer cancelLate()
		if _, err := h.verifier.AccessToken(late, token); !errors.Is(err, entra.ErrUnavailable) {
			t.Errorf("who waits for the fetch leaves when its time is over: %v", err)
		}
		if _, err := h.access(token); err != nil {
			t.Errorf("who stays: %v", err)
		}
		<-first
		if n := h.count(keysPath); n != 1 {
			t.Errorf("%d fetches", n)
		}
	})
}

func TestBackgroundRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTenant(t, time.Now)
		keys := entra.NewKeys(settings(), s.client(), time.Now, slog.New(slog.NewTextHandler(io.Discard, nil)))
		keys.Start()
		defer keys.Stop()
		synctest.Wait()
		if n := s.count(keysPath); n != 1 {
			t.Errorf("%d fetches at the start", n)
		}
		time.Sleep(24 * time.Hour)
		if n := s.count(keysPath); n < 22 || n > 28 {
			t.Errorf("%d fetches in a day", n)
		}
		before := s.count(keysPath)
		s.handle(keysPath, status(500))
		time.Sleep(2 * time.Hour)
		if n := s.count(keysPath) - before; n < 50 || n > 140 {
			t.Errorf("%d attempts in two hours of an outage", n)
		}
	})
}

func TestStopEndsAStalledFetch(t *testing.T) {
	defer goleak.VerifyNone(t)
	h := newHouse(t)
	asked := make(chan struct{})
	h.handle(metadataPath, func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		stall(w, r)
	})
	h.keys.Start()
	<-asked
	h.keys.Stop()
	if strings.Contains(h.log.String(), "WARN") {
		t.Errorf("an end is no trouble: %s", h.log)
	}
}

func TestNothingStartsWithoutATenant(t *testing.T) {
	h := newHouse(t, func(c *entra.Config) { *c = entra.Default() })
	h.keys.Start()
	h.keys.Stop()
	if len(h.calls) != 0 {
		t.Errorf("called %v", h.calls)
	}
}

func TestOnlyGoodKeysAreTaken(t *testing.T) {
	for _, row := range []struct {
		name string
		edit set
		want string
	}{
		{"as Entra publishes it", nil, ""},
		{"with alg RS256", set{"alg": "RS256"}, ""},
		{"with the issuer spelled out", set{"issuer": issuerV2}, ""},
		{"without issuer", set{"issuer": ""}, ""},
		{"without use", set{"use": ""}, "unknown_key"},
		{"an elliptic one", set{"kty": "EC"}, "unknown_key"},
		{"a modulus that is no base64url", set{"n": "+/="}, "unknown_key"},
		{"exponent one", set{"e": "AQ"}, "unknown_key"},
		{"an even exponent", set{"e": "BA"}, "unknown_key"},
		{"an exponent that is too long", set{"e": "AQAAAAAB"}, "unknown_key"},
		{"a modulus that is too long", set{"n": strings.Repeat("_", 1400)}, "unknown_key"},
		{"an even modulus", set{"n": segment(append(pair(2048, 1).N.Bytes()[:255], 0))}, "unknown_key"},
		{"a member of another type", set{"use": 1}, "unknown_key"},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := newHouse(t)
			h.publish(jwk("one", pair(2048, 1), row.edit), jwk("two", pair(2048, 2)))
			h.warm()
			if _, err := h.access(h.signed(1, "one")); reason(err) != row.want {
				t.Error(err)
			}
			if _, err := h.access(h.signed(2, "two")); err != nil {
				t.Errorf("the other key: %v", err)
			}
		})
	}
}
