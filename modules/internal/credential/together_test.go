package credential_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/modules/internal/credential/integrity"
	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/modules/internal/jsonld"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
)

// TestATemplateServesManyAtOnce issues by one template from several goroutines, which remember things for one another, and
// verifies each badge by one verifier: all are as if each had been made alone.
func TestATemplateServesManyAtOnce(t *testing.T) {
	private, multikey := key(t, "a")
	signer := integrity.NewEd25519Signer(private, did.KeyDID(multikey)+"#"+multikey)
	c := realistic(did.KeyDID(multikey))
	fresh := jsonld.New() // so that its tables are made meanwhile
	template, err := credential.NewTemplate(fresh, c)
	if err != nil {
		t.Fatal(err)
	}
	v := verifier(nil)
	v.Canonicalizer = fresh
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := range 40 {
				d := c
				d.ID = fmt.Sprintf("https://badges.example.org/credentials/%d-%d", worker, i)
				d.CredentialSubject.Identifier = []openbadges.IdentityObject{openbadges.NewEmailIdentity(fmt.Sprint(worker, i, "@example.org"), "salt")}
				p, err := template.Prepare(&d)
				if err != nil {
					t.Error(err)
					return
				}
				signed, err := p.Issue(t.Context(), signer, now)
				if err != nil {
					t.Error(err)
					return
				}
				if r, err := v.Verify(t.Context(), signed, credential.Options{}); err != nil || !r.Verified {
					t.Errorf("badge %d of worker %d: %v, %+v", i, worker, err, r)
				}
			}
		})
	}
	all.Wait()
}
