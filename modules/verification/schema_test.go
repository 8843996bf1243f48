package verification_test

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/modules/internal/credential/integrity"
	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/modules/internal/jsonld"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
	"github.com/badge-engine/badge-engine/modules/verification"
)

// altered is a good badge, changed before it is signed by its own key.
func altered(t testing.TB, change func(map[string]any)) []byte {
	t.Helper()
	private := ed25519.NewKeyFromSeed([]byte(strings.Repeat("v", 32)))
	badge, multikey := issued(t, "")
	value, err := strictjson.Parse([]byte(badge))
	if err != nil {
		t.Fatal(err)
	}
	document := value.(map[string]any)
	delete(document, "proof")
	change(document)
	signer := integrity.NewEd25519Signer(private, did.KeyDID(multikey)+"#"+multikey)
	proof, err := integrity.Create(t.Context(), jsonld.New(), integrity.EdDSARDFC2022, signer, document, integrity.Options{Created: now})
	if err != nil {
		t.Fatal(err)
	}
	document["proof"] = []any{proof}
	text, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestSchemasThatACredentialNamesAreApplied(t *testing.T) {
	const url = "https://example.org/schema.json"
	var bomb strings.Builder
	bomb.WriteString(`{"$defs":{`)
	for i := range 40 {
		fmt.Fprintf(&bomb, `"d%d":{"allOf":[{"$ref":"#/$defs/d%d"},{"$ref":"#/$defs/d%d"}]},`, i, i+1, i+1)
	}
	bomb.WriteString(`"d40":{"type":"object"}},"$ref":"#/$defs/d0"}`)
	for name, row := range map[string]struct {
		pages documents
		want  credential.Outcome
		says  string
	}{
		"it is kept":                         {documents{url: `{"type":"object","required":["name"]}`}, credential.Passed, "keeps to the schema"},
		"it is broken":                       {documents{url: `{"properties":{"name":{"const":"Leadership"}}}`}, credential.Failed, "Leadership"},
		"it refers to another that is kept":  {documents{url: `{"$ref":"other.json"}`, "https://example.org/other.json": `{"type":"object"}`}, credential.Passed, ""},
		"it refers to one that is not there": {documents{url: `{"$ref":"other.json"}`}, credential.Unknown, "could not be fetched"},
		"it refers to a file":                {documents{url: `{"$ref":"file:///etc/passwd"}`}, credential.Unknown, "could not be fetched"},
		"it is not there":                    {documents{}, credential.Unknown, "could not be fetched"},
		"it is no schema":                    {documents{url: `{"type":"colour"}`}, credential.Unknown, "could not be applied"},
		"it is no JSON":                      {documents{url: `<html>`}, credential.Unknown, "could not be applied"},
		"it refers to itself":                {documents{url: `{"$ref":"#"}`}, credential.Failed, "cycle"},
		"it would take for ever":             {documents{url: bomb.String()}, credential.Unknown, "too long"},
		"it is of draft 7 and kept":          {documents{url: `{"$schema":"http://json-schema.org/draft-07/schema#","type":"object"}`}, credential.Passed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			badge := altered(t, func(d map[string]any) {
				d["@context"] = append(d["@context"].([]any), openbadges.ExtensionsContext)
				d["credentialSchema"] = []any{map[string]any{"id": url, "type": openbadges.TypeJSONSchemaValidator}}
			})
			r, err := verification.New(row.pages, nil, clock).Verify(t.Context(), badge, verification.Options{})
			if err != nil {
				t.Fatal(err)
			}
			c, _ := r.Check(credential.CheckSchema)
			if c.Outcome != row.want || r.Verified != (row.want == credential.Passed) || !strings.Contains(c.Detail, row.says) {
				t.Errorf("verified %t, %+v", r.Verified, c)
			}
		})
	}
}
