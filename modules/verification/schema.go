package verification

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/badge-engine/badge-engine/modules/internal/credential"
	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
)

const (
	// maxSchemaSteps bounds the work of one schema: a small one can ask for any amount
	// by referring to itself twice at every level.
	maxSchemaSteps  = 200_000
	maxSchemaErrors = 20
)

var errSchemaWork = errors.New("applying it would take too long")

// applySchema applies the schema at an address to a credential. What the schema refers
// to is fetched the same guarded way; files are never read.
//
// Open Badges 3.0, CredentialSchema: 1EdTechJsonSchemaValidator2019 is JSON Schema
// 2019-09, which counts where a schema does not say what it is.
func applySchema(ctx context.Context, fetch credential.Fetch, url string, document map[string]any) (violations []openbadges.Violation, err error) {
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2019)
	compiler.UseLoader(schemaLoader(func(url string) (any, error) {
		data, err := fetch(ctx, url)
		if err != nil {
			return nil, fmt.Errorf("%s could not be fetched", url)
		}
		return jsonschema.UnmarshalJSON(bytes.NewReader(data))
	}))
	// Every part of a schema takes part in the count. The library knows no other way
	// out of a validation than a panic, which is caught here.
	count := &steps{left: maxSchemaSteps, stop: ctx.Err}
	compiler.AssertVocabs()
	compiler.RegisterVocabulary(&jsonschema.Vocabulary{
		URL:     "urn:badge-engine:steps",
		Compile: func(*jsonschema.CompilerContext, map[string]any) (jsonschema.SchemaExt, error) { return count, nil },
	})
	defer func() {
		if r := recover(); r != nil {
			if r != count { //nolint:errorlint // it is no error but the counter itself
				panic(r)
			}
			violations, err = nil, errSchemaWork
		}
	}()
	schema, err := compiler.Compile(url)
	if err != nil {
		return nil, errors.New(firstLine(err.Error()))
	}
	err = schema.Validate(document)
	var broken *jsonschema.ValidationError
	switch {
	case err == nil:
		return nil, nil
	case !errors.As(err, &broken):
		return nil, err
	}
	collectViolations(broken, url, &violations)
	return violations, nil
}

type schemaLoader func(url string) (any, error)

// Load implements [jsonschema.URLLoader].
func (l schemaLoader) Load(url string) (any, error) { return l(url) }

type steps struct {
	left int
	stop func() error
}

// Validate implements [jsonschema.SchemaExt].
func (s *steps) Validate(*jsonschema.ValidatorContext, any) {
	s.left--
	if s.left < 0 || s.left%1000 == 0 && s.stop() != nil {
		panic(s)
	}
}

var printer = message.NewPrinter(language.English)

// collectViolations gathers the ends of the tree of errors: those say what is wrong.
func collectViolations(e *jsonschema.ValidationError, url string, into *[]openbadges.Violation) {
	if len(*into) >= maxSchemaErrors {
		return
	}
	if len(e.Causes) > 0 {
		for _, cause := range e.Causes {
			collectViolations(cause, url, into)
		}
		return
	}
	var pointer strings.Builder
	for _, name := range e.InstanceLocation {
		pointer.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name))
	}
	*into = append(*into, openbadges.Violation{
		Pointer: pointer.String(), Rule: "the schema " + url,
		Detail: firstLine(e.ErrorKind.LocalizedString(printer)), Remedy: "Ask the issuer for a badge that keeps to its own schema.",
	})
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	if len(s) > 300 {
		s = s[:300] + "…"
	}
	return s
}
