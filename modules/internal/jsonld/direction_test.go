package jsonld_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/badge-engine/badge-engine/modules/internal/jsonld"
)

// JSON-LD 1.1 Processing Algorithms and API: with an rdfDirection of null a direction is dropped. An independent
// implementation and the same document without its direction must both come to the same bytes. With i18n-datatype it
// stands in the datatype.
func TestADirectionIsTypedOrDroppedWhereThatIsAskedFor(t *testing.T) {
	strict := jsonld.New()
	for name, row := range map[string]struct{ directed, plain, literal string }{
		"a text":               {badge(`"description":{"@value":"x","@direction":"rtl"},`, ""), badge(`"description":"x",`, ""), `"x"^^<https://www.w3.org/ns/i18n#_rtl> .`},
		"a text of a language": {badge(`"description":{"@value":"x","@language":"ar","@direction":"rtl"},`, ""), badge(`"description":{"@value":"x","@language":"ar"},`, ""), `"x"^^<https://www.w3.org/ns/i18n#ar_rtl> .`},
		"several texts":        {badge(`"description":["y",{"@value":"x","@direction":"ltr"}],`, ""), badge(`"description":["y","x"],`, ""), `"x"^^<https://www.w3.org/ns/i18n#_ltr> .`},
	} {
		t.Run(name, func(t *testing.T) {
			directed := parse(t, row.directed)
			var refused *jsonld.Error
			if _, err := strict.Canonicalize(directed); !errors.As(err, &refused) || refused.Code != jsonld.CodeDirection {
				t.Errorf("the strict one says %v", err)
			}
			got, err := strict.Undirected().Canonicalize(directed)
			if err != nil {
				t.Fatal(err)
			}
			want, err := strict.Canonicalize(parse(t, row.plain))
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != string(want) || string(got) != oracle(t, directed) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if typed, err := strict.Directed().Canonicalize(directed); err != nil || !strings.Contains(string(typed), row.literal) || len(typed) <= len(got) {
				t.Errorf("with its direction: %v\n%s", err, typed)
			}
			if again, err := strict.Directed().Undirected().Canonicalize(directed); err != nil || string(again) != string(got) {
				t.Errorf("again: %v\n%s", err, again)
			}
		})
	}
	for name, text := range map[string]string{
		"a direction that is none":  badge(`"description":{"@value":"x","@direction":"up"},`, ""),
		"the direction of a number": badge(`"description":{"@value":7,"@direction":"rtl"},`, ""),
		"a direction and a type":    badge(`"description":{"@value":"x","@type":"https://example.org/t","@direction":"rtl"},`, ""),
	} {
		var refused *jsonld.Error
		for _, p := range []*jsonld.Processor{strict.Directed(), strict.Undirected()} {
			if _, err := p.Canonicalize(parse(t, text)); !errors.As(err, &refused) || refused.Code != jsonld.CodeInvalid {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
