package credential_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/modules/internal/credential/integrity"
	"github.com/badge-engine/badge-engine/modules/internal/credential/status"
	"github.com/badge-engine/badge-engine/modules/internal/did"
)

// tallying counts how often a document is canonicalized, which every check of a proof does.
type tallying struct {
	integrity.Canonicalizer
	n *int
}

func (c tallying) Canonicalize(doc map[string]any) ([]byte, error) {
	*c.n++
	return c.Canonicalizer.Canonicalize(doc)
}

// town is an issuer with one badge and a status list, a cache on the way to it, and a
// verifier, by a clock of the test.
type town struct {
	credential.Verifier
	at      time.Time
	checks  int // of proofs
	asked   int // of the issuer, past the cache
	sign    func(bits []uint32, from, until time.Time) string
	page    string // what the issuer answers; nothing when empty
	kept    string // in the cache
	keptAt  time.Time
	ageless bool // whoever is asked past the cache has kept it himself, and says so
	badge   []byte
}

func settle(t testing.TB) *town {
	private, multikey := key(t, "a")
	self := did.KeyDID(multikey)
	signer := integrity.NewEd25519Signer(private, self+"#"+multikey)
	const url = "https://example.org/status/3"
	w := &town{at: now}
	w.sign = func(bits []uint32, from, until time.Time) string {
		segment, err := status.Pack(bits)
		if err != nil {
			t.Fatal(err)
		}
		prepared, err := credential.PrepareList(processor, status.NewList(url, self, "revocation", []status.Segment{segment}, from, until, time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		page, err := prepared.Issue(t.Context(), signer, from)
		if err != nil {
			t.Fatal(err)
		}
		return string(page)
	}
	d := unsigned(t, self)
	d["credentialStatus"] = map[string]any{"id": url + "#22", "type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "22", "statusListCredential": url}
	w.badge = []byte(sign(t, d, integrity.EdDSARDFC2022, signer))
	w.Verifier = credential.Verifier{
		Canonicalizer: tallying{processor, &w.checks}, Now: func() time.Time { return w.at }, Lists: &credential.Lists{},
		Within: func(_ context.Context, _ string, atMost time.Duration) ([]byte, time.Duration, error) {
			if age := w.at.Sub(w.keptAt); w.kept != "" && age <= atMost {
				return []byte(w.kept), age, nil
			}
			w.asked++
			if w.page == "" {
				return nil, 0, errors.New("it does not answer")
			}
			if w.ageless {
				return []byte(w.page), w.at.Sub(w.keptAt), nil
			}
			w.kept, w.keptAt = w.page, w.at
			return []byte(w.page), 0, nil
		},
	}
	return w
}

func (w *town) verify(t *testing.T, want string) (checks, asked int) {
	t.Helper()
	w.checks, w.asked = 0, 0
	r, err := w.Verify(t.Context(), w.badge, credential.Options{})
	if err != nil || outcomes(r) != want {
		t.Errorf("%q, %v; want %q\n%s", outcomes(r), err, want, mustJSON(t, r))
	}
	return w.checks, w.asked
}

func TestACheckedListIsNotCheckedAgainAndNeverTrustedBeyondItsTime(t *testing.T) {
	w := settle(t)
	day := 24 * time.Hour
	w.page = w.sign(nil, w.at, w.at.Add(day))
	first, _ := w.verify(t, "")
	again, asked := w.verify(t, "")
	if again >= first || asked != 0 {
		t.Errorf("the first time cost %d canonical forms, the next %d, and the issuer was asked %d times", first, again, asked)
	}

	// Revoked at the issuer: within the time to live of the kept list nobody knows.
	w.page = w.sign([]uint32{22}, w.at, w.at.Add(day))
	w.at = w.at.Add(time.Minute)
	if _, asked := w.verify(t, ""); asked != 0 {
		t.Errorf("a list within its time is fetched anew")
	}
	w.at = w.at.Add(time.Second) // the cache on the way would keep it for five minutes
	if _, asked := w.verify(t, "status failed"); asked != 1 {
		t.Errorf("a list beyond its time was fetched %d times", asked)
	}

	// Beyond its time, and nothing newer to be had: unknown, never good.
	w = settle(t)
	w.page = w.sign(nil, w.at, w.at.Add(day))
	w.verify(t, "")
	w.page = ""
	w.at = w.at.Add(61 * time.Second)
	w.verify(t, "status unknown")
	w.page, w.ageless = w.kept, true // somebody on the way gives an old copy
	w.verify(t, "status unknown")

	// What is kept has ended, and its issuer has a new one.
	w = settle(t)
	w.page = w.sign(nil, w.at, w.at.Add(30*time.Second))
	w.verify(t, "")
	w.page = w.sign([]uint32{22}, w.at, w.at.Add(day))
	w.at = w.at.Add(31 * time.Second)
	if _, asked := w.verify(t, "status failed"); asked != 1 {
		t.Errorf("it was asked %d times", asked)
	}

	// A list that ended is not good because it once was, even in memory.
	w = settle(t)
	w.page = w.sign(nil, w.at, w.at.Add(30*time.Second))
	w.verify(t, "")
	w.at = w.at.Add(31 * time.Second)
	w.verify(t, "status failed")

	// A clock that is set back finds nothing that was checked later.
	w = settle(t)
	w.page = w.sign(nil, w.at.Add(-day), w.at.Add(day))
	full, _ := w.verify(t, "")
	w.at, w.keptAt = w.at.Add(-time.Hour), w.at.Add(-time.Hour)
	if checks, _ := w.verify(t, ""); checks != full {
		t.Errorf("%d canonical forms, want %d", checks, full)
	}
}

func TestWhatIsRememberedIsOfThatIssuerAndThoseBytesAlone(t *testing.T) {
	w := settle(t)
	w.page = w.sign(nil, w.at, w.at.Add(time.Hour))
	w.verify(t, "")
	good := w.kept
	for name, bad := range map[string]string{
		"another proof":   good[:len(good)-20] + "A" + good[len(good)-19:],
		"no list":         `{"type":"Profile"}`,
		"nothing to read": "x",
	} {
		t.Run(name, func(t *testing.T) {
			w.kept = bad
			w.verify(t, "status failed")
		})
	}
	w.kept = good
	w.verify(t, "")
	// Another issuer's badge that points at it: a list speaks for its own issuer alone.
	private, multikey := key(t, "b")
	self := did.KeyDID(multikey)
	d := unsigned(t, self)
	d["credentialStatus"] = map[string]any{"id": "https://example.org/status/3#22", "type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "22", "statusListCredential": "https://example.org/status/3"}
	w.badge = []byte(sign(t, d, integrity.EdDSARDFC2022, integrity.NewEd25519Signer(private, self+"#"+multikey)))
	w.verify(t, "status failed")
}

func BenchmarkListOfAnother(b *testing.B) {
	for _, row := range []struct {
		name  string
		lists *credential.Lists
	}{{"anew", nil}, {"remembered", &credential.Lists{}}} {
		b.Run(row.name, func(b *testing.B) {
			w := settle(b)
			w.Canonicalizer, w.Lists = processor, row.lists
			w.page = w.sign(nil, w.at, w.at.Add(time.Hour))
			b.ReportAllocs()
			for b.Loop() {
				if r, err := w.Verify(b.Context(), w.badge, credential.Options{}); err != nil || !r.Verified {
					b.Fatal(err)
				}
			}
		})
	}
}
