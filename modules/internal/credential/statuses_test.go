package credential_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/modules/internal/credential/integrity"
	"github.com/badge-engine/badge-engine/modules/internal/credential/status"
	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
)

// kept is the status list of one address that is kept here.
type kept struct {
	url   string
	found status.Standing
	err   error
}

func (k kept) StatusOf(_ context.Context, issuer, list string, index uint64) (status.Standing, bool, error) {
	if !strings.HasPrefix(issuer, "did:key:") {
		panic("the issuer of the credential is " + issuer)
	}
	return k.found, list == k.url && index == 22, k.err
}

func TestListsThatAreKeptHereAreNotFetched(t *testing.T) {
	const url = "https://example.org/status/3"
	private, multikey := key(t, "a")
	self := did.KeyDID(multikey)
	d := unsigned(t, self)
	d["credentialStatus"] = map[string]any{"id": url + "#22", "type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "22", "statusListCredential": url}
	badge := sign(t, d, integrity.EdDSARDFC2022, integrity.NewEd25519Signer(private, self+"#"+multikey))
	broken := errors.New("the database is away")
	for name, row := range map[string]struct {
		kept   kept
		want   string
		detail string
	}{
		"nothing is the matter":       {kept{url, status.Standing{Purpose: "revocation"}, nil}, "", "It is not revoked."},
		"it is revoked":               {kept{url, status.Standing{Purpose: "revocation", Revoked: true, Reason: "a mistake"}, nil}, "status failed", `The issuer revoked it: "a mistake".`},
		"it is suspended":             {kept{url, status.Standing{Purpose: "revocation", Suspended: true}, nil}, "status failed", "The issuer suspended it."},
		"the list is about something": {kept{url, status.Standing{Purpose: "suspension"}, nil}, "status failed", "The list is not about \"revocation\"."},
		"the index is not in it":      {kept{url, status.Standing{}, &status.Error{Code: status.RangeError, Problem: "it is out"}}, "status failed", "It is out."},
	} {
		t.Run(name, func(t *testing.T) {
			v := verifier(nil)
			v.Resolver.Fetch = func(_ context.Context, url string) ([]byte, error) {
				t.Errorf("%s was fetched", url)
				return nil, errors.New("no")
			}
			v.Statuses = row.kept
			r, err := v.Verify(t.Context(), []byte(badge), credential.Options{})
			if err != nil {
				t.Fatal(err)
			}
			check, _ := r.Check(credential.CheckStatus)
			if outcomes(r) != row.want || r.Verified != (row.want == "") || !strings.Contains(check.Detail, row.detail) {
				t.Errorf("%q, %q", outcomes(r), check.Detail)
			}
		})
	}
	t.Run("our own trouble is no report", func(t *testing.T) {
		v := verifier(nil)
		v.Statuses = kept{url, status.Standing{}, broken}
		if _, err := v.Verify(t.Context(), []byte(badge), credential.Options{}); !errors.Is(err, broken) {
			t.Errorf("it answered %v", err)
		}
	})
}

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares with what was on the wire when it was last reviewed.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(append(got, '\n'), want) {
		t.Errorf("%s is not what it was; if that is meant, run the tests of this package with -update\n%s", name, got)
	}
}

func TestListsAndEndorsementsAreSignedLikeBadges(t *testing.T) {
	private, multikey := key(t, "a")
	self := did.KeyDID(multikey)
	signer := integrity.NewEd25519Signer(private, self+"#"+multikey)
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	const url = "https://example.org/status/3"
	segment, err := status.Pack([]uint32{23})
	if err != nil {
		t.Fatal(err)
	}
	v := verifier(nil)
	prepared, err := credential.PrepareList(v.Canonicalizer, status.NewList(url, self, "revocation", []status.Segment{segment}, at, v.Now().AddDate(0, 0, 1), time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	page, err := prepared.Issue(t.Context(), signer, at)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "statuslist.json", page)
	for index, want := range map[string]string{"22": "", "23": "status failed"} {
		d := unsigned(t, self)
		d["credentialStatus"] = map[string]any{"id": url + "#" + index, "type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": index, "statusListCredential": url}
		r, err := verifier(map[string]string{url: string(page)}).Verify(t.Context(), []byte(sign(t, d, integrity.EdDSARDFC2022, signer)), credential.Options{})
		if err != nil || outcomes(r) != want {
			t.Errorf("entry %s: %q, %v\n%s", index, outcomes(r), err, mustJSON(t, r))
		}
	}

	endorsement := openbadges.EndorsementCredential{
		ID: "urn:uuid:0192f0c0-abcd-7000-8000-000000000001", Name: "Endorsement", Issuer: openbadges.Profile{ID: self}, ValidFrom: "2026-01-01T00:00:00Z",
		CredentialSubject: openbadges.EndorsementSubject{ID: "https://example.org/achievements/1", EndorsementComment: "Sound."},
	}
	endorsement.Complete(func() string { return "" })
	made, err := credential.PrepareEndorsement(v.Canonicalizer, endorsement)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := made.Issue(t.Context(), signer, at)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := v.Verify(t.Context(), signed, credential.Options{}); err != nil || !r.Verified {
		t.Errorf("%s, %v", mustJSON(t, r), err)
	}
	endorsement.CredentialSubject.ID = ""
	var lint *credential.LintError
	if _, err := credential.PrepareEndorsement(v.Canonicalizer, endorsement); !errors.As(err, &lint) {
		t.Errorf("an endorsement of nothing: %v", err)
	}
}
