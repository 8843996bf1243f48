package datamodel_test

import (
	"maps"
	"testing"

	"github.com/badge-engine/badge-engine/modules/internal/datamodel"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

type doc = map[string]any

func credential(changes ...any) doc {
	return with(doc{
		"@context": []any{datamodel.ContextV2}, "type": []any{"VerifiableCredential"}, "id": "urn:uuid:0198f2a0-0000-7000-8000-000000000001",
		"issuer": "did:example:1", "credentialSubject": doc{"id": "did:example:2", "name": "Ada"}, "validFrom": "2026-01-01T00:00:00Z",
	}, changes...)
}

func with(m doc, changes ...any) doc {
	m = maps.Clone(m)
	for i := 0; i < len(changes); i += 2 {
		if changes[i+1] == "-" {
			delete(m, changes[i].(string))
			continue
		}
		m[changes[i].(string)] = changes[i+1]
	}
	return m
}

func old(changes ...any) doc {
	return with(credential("@context", []any{datamodel.ContextV1}, "validFrom", "-", "issuanceDate", "2026-01-01T00:00:00Z"), changes...)
}

func TestCheckCredential(t *testing.T) {
	sub := func(changes ...any) doc { return with(doc{"id": "did:example:2", "name": "Ada"}, changes...) }
	const good = "sha256-WZVc7WaX1h4D8rJVb+vlMIqxaEKEb1tYbX8fet7JJzQ="
	for name, row := range map[string]struct {
		document doc
		want     string // pointer of the first violation; empty for none
	}{
		"the least":                        {credential("id", "-", "validFrom", "-"), ""},
		"version 1.1":                      {old(), ""},
		"several subjects":                 {credential("credentialSubject", []any{sub(), sub()}), ""},
		"an issuer as an object":           {credential("issuer", doc{"id": "did:example:1", "name": "A"}), ""},
		"texts with language":              {credential("name", []any{doc{"@value": "A", "@language": "en", "@direction": "ltr"}, doc{"@value": "B"}}), ""},
		"far in the future":                {credential("validFrom", "9000-01-01T00:00:00+14:00"), ""},
		"a related resource":               {credential("relatedResource", []any{doc{"id": datamodel.ContextV2, "digestSRI": good}}), ""},
		"an unknown resource":              {credential("relatedResource", []any{doc{"id": "https://example.org/x", "digestMultibase": "uAA"}}), ""},
		"an id that is null":               {credential("id", nil), "/id"},
		"an id that is a list":             {credential("id", []any{"urn:uuid:1"}), "/id"},
		"an id with a space":               {credential("id", "https ://example.org"), "/id"},
		"an id that is a name":             {credential("id", "one"), "/id"},
		"no context":                       {credential("@context", "-"), "/@context"},
		"a context that is a text":         {credential("@context", datamodel.ContextV2), "/@context"},
		"a context that is null":           {credential("@context", nil), "/@context"},
		"the base context late":            {credential("@context", []any{"https://example.org/c", datamodel.ContextV2}), "/@context/0"},
		"a context that is a number":       {credential("@context", []any{datamodel.ContextV2, 5}), "/@context/1"},
		"a context that is no URL":         {credential("@context", []any{datamodel.ContextV2, "one two"}), "/@context/1"},
		"no type":                          {credential("type", "-"), "/type"},
		"a type that is a text":            {credential("type", "VerifiableCredential"), "/type"},
		"another type":                     {credential("type", []any{"Other"}), "/type"},
		"a type that is a number":          {credential("type", []any{"VerifiableCredential", 5}), "/type"},
		"no issuer":                        {credential("issuer", "-"), "/issuer"},
		"an issuer that is null":           {credential("issuer", nil), "/issuer"},
		"an issuer that is a list":         {credential("issuer", []any{}), "/issuer"},
		"an issuer that is a name":         {credential("issuer", "Academy"), "/issuer"},
		"an issuer without an id":          {credential("issuer", doc{"id": nil}), "/issuer/id"},
		"no subject":                       {credential("credentialSubject", "-"), "/credentialSubject"},
		"an empty subject":                 {credential("credentialSubject", doc{}), "/credentialSubject"},
		"an empty subject among others":    {credential("credentialSubject", []any{sub(), doc{}}), "/credentialSubject/1"},
		"a subject without claims":         {credential("credentialSubject", doc{}), "/credentialSubject"},
		"one of several without claims":    {credential("credentialSubject", []any{doc{"id": "did:example:1"}, doc{}}), "/credentialSubject/1"},
		"a subject by its id alone":        {credential("credentialSubject", doc{"id": "did:example:1"}), ""},
		"no subjects":                      {credential("credentialSubject", []any{}), "/credentialSubject"},
		"a subject that is a text":         {credential("credentialSubject", "did:example:2"), "/credentialSubject"},
		"a subject with a name as its id":  {credential("credentialSubject", sub("id", "Ada")), "/credentialSubject/id"},
		"a date without a zone":            {credential("validFrom", "2026-01-01T00:00:00"), "/validFrom"},
		"a date that is a number":          {credential("validUntil", 5), "/validUntil"},
		"it ends before it begins":         {credential("validUntil", "2025-01-01T00:00:00Z"), "/validUntil"},
		"1.1 without a date":               {old("issuanceDate", "-"), "/issuanceDate"},
		"a status without a type":          {credential("credentialStatus", doc{"id": "urn:x:1"}), "/credentialStatus/type"},
		"a status whose id is a list":      {credential("credentialStatus", doc{"type": "T", "id": []any{}}), "/credentialStatus/id"},
		"a status of 1.1 without an id":    {old("credentialStatus", doc{"type": "T"}), "/credentialStatus/id"},
		"a schema without a type":          {credential("credentialSchema", []any{doc{"id": "https://example.org/s"}}), "/credentialSchema/0/type"},
		"a schema without an id":           {credential("credentialSchema", doc{"type": "JsonSchema"}), "/credentialSchema/id"},
		"evidence without a type":          {credential("evidence", []any{doc{"id": "https://example.org/e"}}), "/evidence/0/type"},
		"evidence that is a text":          {credential("evidence", "e"), "/evidence"},
		"terms without a type":             {credential("termsOfUse", doc{"id": "https://example.org/t"}), "/termsOfUse/type"},
		"a refresh service without a type": {credential("refreshService", doc{"id": "https://example.org/r"}), "/refreshService/type"},
		"a text with more members":         {credential("name", doc{"@value": "A", "url": "x"}), "/name"},
		"a text without its text":          {credential("description", doc{"@language": "en"}), "/description"},
		"a name that is a number":          {credential("name", 5), "/name"},
		"the issuer's name with more":      {credential("issuer", doc{"id": "did:example:1", "name": doc{"@value": "A", "x": "y"}}), "/issuer/name"},
		"a resource without an id":         {credential("relatedResource", []any{doc{"digestSRI": good}}), "/relatedResource/0/id"},
		"a resource without a digest":      {credential("relatedResource", doc{"id": datamodel.ContextV2}), "/relatedResource/0"},
		"a resource twice":                 {credential("relatedResource", []any{doc{"id": datamodel.ContextV2, "digestSRI": good}, doc{"id": datamodel.ContextV2, "digestSRI": good}}), "/relatedResource/1/id"},
		"a resource with another digest":   {credential("relatedResource", doc{"id": datamodel.ContextV2, "digestSRI": "sha256-AAAA"}), "/relatedResource/0/digestSRI"},
		"another digest in multibase":      {credential("relatedResource", doc{"id": datamodel.ContextV2, "digestMultibase": "uEiAA"}), "/relatedResource/0/digestMultibase"},
	} {
		t.Run(name, func(t *testing.T) {
			found := datamodel.CheckCredential(row.document, true)
			got := ""
			if len(found) > 0 {
				got = found[0].Pointer
				if found[0].Rule == "" || found[0].Detail == "" || found[0].Remedy == "" {
					t.Errorf("%+v", found[0])
				}
			}
			if got != row.want {
				t.Errorf("%+v, want one at %q", found, row.want)
			}
		})
	}
	if found := datamodel.CheckCredential(credential("type", "VerifiableCredential"), false); len(found) > 0 {
		t.Errorf("a reader does not take one type as a text: %+v", found)
	}
}

func TestCheckPresentation(t *testing.T) {
	good := doc{"@context": []any{datamodel.ContextV2}, "type": []any{"VerifiablePresentation"}, "holder": "did:example:1", "verifiableCredential": []any{doc{}}}
	for name, row := range map[string]struct {
		document doc
		want     string
	}{
		"a good one":                    {good, ""},
		"without credentials":           {with(good, "verifiableCredential", "-"), ""},
		"a holder as an object":         {with(good, "holder", doc{"id": "did:example:1"}), ""},
		"a holder that is a name":       {with(good, "holder", "Ada"), "/holder"},
		"another type":                  {with(good, "type", []any{"VerifiableCredential"}), "/type"},
		"no context":                    {with(good, "@context", "-"), "/@context"},
		"a credential that is a token":  {with(good, "verifiableCredential", []any{"eyJ.eyJ.AA"}), "/verifiableCredential/0"},
		"an id that is a name":          {with(good, "id", "x"), "/id"},
		"a credential that is a number": {with(good, "verifiableCredential", 5), "/verifiableCredential/0"},
	} {
		t.Run(name, func(t *testing.T) {
			found := datamodel.CheckPresentation(row.document)
			if got := append(found, datamodel.Violation{})[0].Pointer; got != row.want {
				t.Errorf("%+v, want one at %q", found, row.want)
			}
		})
	}
}

// FuzzCheck: whatever is JSON can be judged.
func FuzzCheck(f *testing.F) {
	f.Add(`{"@context":[],"type":[[]],"issuer":{"name":{"@value":[]}},"credentialSubject":[[]],"relatedResource":[{"id":[]}]}`)
	f.Add(`{"credentialStatus":[null],"name":[null],"verifiableCredential":[null],"validFrom":"0000-01-01T00:00:00Z"}`)
	f.Fuzz(func(_ *testing.T, text string) {
		value, err := strictjson.Parse([]byte(text))
		document, ok := value.(map[string]any)
		if err != nil || !ok {
			return
		}
		datamodel.CheckCredential(document, true)
		datamodel.CheckPresentation(document)
	})
}
