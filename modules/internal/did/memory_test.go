package did_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/badge-engine/badge-engine/modules/internal/did"
)

// profile is a document that lists one key.
func profile(t testing.TB, id, multikey string) string {
	t.Helper()
	return fmt.Sprintf(`{"@context":["https://www.w3.org/ns/did/v1","https://w3id.org/security/multikey/v1"],"id":%q,"verificationMethod":[{"id":"%[1]s#k","type":"Multikey","controller":%[1]q,"publicKeyMultibase":%[2]q}],"assertionMethod":["%[1]s#k"],"name":%[3]q}`,
		id, multikey, strings.Repeat("x", 500))
}

func multikeyOf(t testing.TB, seed byte) string {
	t.Helper()
	key := make([]byte, 32)
	key[0] = seed
	multikey, err := did.EncodeMultikey(ed25519.NewKeyFromSeed(key).Public())
	if err != nil {
		t.Fatal(err)
	}
	return multikey
}

func TestWhatIsRememberedIsWhatTheAddressSaysNow(t *testing.T) {
	const id = "did:web:example.org"
	var answer string
	r := did.Resolver{Memory: &did.Memory{}, Fetch: func(context.Context, string) ([]byte, error) { return []byte(answer), nil }}
	answer = profile(t, id, multikeyOf(t, 1))
	first, err := r.Resolve(t.Context(), id+"#k")
	if err != nil || !first.Proven {
		t.Fatalf("%+v, %v", first, err)
	}
	again, err := r.Resolve(t.Context(), id+"#k")
	if err != nil || fmt.Sprint(again) != fmt.Sprint(first) {
		t.Errorf("%+v, %v", again, err)
	}
	answer = profile(t, id, multikeyOf(t, 2))
	other, err := r.Resolve(t.Context(), id+"#k")
	if err != nil || fmt.Sprint(other.Public) == fmt.Sprint(first.Public) {
		t.Errorf("a new key is not seen: %v, %v", other.Public, err)
	}
	for _, answer = range []string{"", "null", "[1]", "{", `{"id":1}`} {
		for range 2 {
			if key, err := r.Resolve(t.Context(), id+"#k"); err == nil {
				t.Errorf("%q gives %+v", answer, key)
			}
		}
	}
}

func TestManyMayReadOneMemory(t *testing.T) {
	var memory did.Memory
	keys := []string{multikeyOf(t, 1), multikeyOf(t, 2), multikeyOf(t, 3)}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 3000 { // more than is remembered
				id := fmt.Sprintf("did:web:host%d.example.org", (i*7+w)%2500)
				r := did.Resolver{Memory: &memory, Fetch: func(context.Context, string) ([]byte, error) { return []byte(profile(t, id, keys[i%3])), nil }}
				if key, err := r.Resolve(t.Context(), id+"#k"); err != nil || key.Controller != id {
					t.Errorf("%s gives %+v, %v", id, key, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkResolve(b *testing.B) {
	const id = "did:web:example.org"
	answer := []byte(profile(b, id, multikeyOf(b, 1)))
	for _, row := range []struct {
		name   string
		memory *did.Memory
	}{{"read", nil}, {"remembered", &did.Memory{}}} {
		b.Run(row.name, func(b *testing.B) {
			r := did.Resolver{Memory: row.memory, Fetch: func(context.Context, string) ([]byte, error) { return answer, nil }}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Resolve(b.Context(), id+"#k"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
