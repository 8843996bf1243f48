package integrity

import (
	"slices"
	"strconv"
	"strings"
)

// maxPointers is how many places of a document may be named.
const maxPointers = 1024

// selection is the part of a document that JSON Pointers name, as a tree. The id,
// the type and the contexts of what they lead through always belong to it.
//
// Data Integrity ECDSA Cryptosuites 1.0, Selective Disclosure Functions:
// createInitialSelection, selectPaths and selectJsonLd.
type selection struct {
	all     bool                  // this and everything within
	members map[string]*selection // by reference token
}

// selectionOf reads JSON Pointers. RFC 6901, 3 (Syntax).
func selectionOf(pointers []string) (*selection, error) {
	if len(pointers) > maxPointers {
		return nil, trouble(ProofGenerationError, "Name larger parts of the document.", "there are %d pointers, and at most %d are taken", len(pointers), maxPointers)
	}
	root := &selection{}
	for _, pointer := range pointers {
		tokens, err := tokensOf(pointer)
		if err != nil {
			return nil, err
		}
		at := root
		for _, token := range tokens {
			next := at.members[token]
			if next == nil {
				next = &selection{}
				if at.members == nil {
					at.members = map[string]*selection{}
				}
				at.members[token] = next
			}
			at = next
		}
		at.all = true
	}
	return root, nil
}

func tokensOf(pointer string) ([]string, error) {
	if pointer == "" {
		return nil, nil // the whole document
	}
	rest, ok := strings.CutPrefix(pointer, "/")
	if !ok || strings.Count(rest, "~") != strings.Count(rest, "~0")+strings.Count(rest, "~1") {
		return nil, trouble(ProofGenerationError, "Give JSON Pointers such as /credentialSubject/achievement.", "%s is no JSON Pointer", shown(pointer))
	}
	tokens := strings.Split(rest, "/")
	for i := range tokens {
		tokens[i] = unescaper.Replace(tokens[i])
	}
	return tokens, nil
}

// unescaper looks from left to right, so that ~01 becomes ~1 and not a slash.
var unescaper = strings.NewReplacer("~1", "/", "~0", "~")

// always names the members that a selection keeps of every object it leads through.
func always(name string) bool { return name == "type" || name == "@type" }

// of is the part of a document that was selected; parts taken whole are shared with
// it. An error says which pointer leads nowhere.
func (s *selection) of(document map[string]any) (map[string]any, error) {
	if s.all {
		return document, nil
	}
	part, err := s.within(document, "")
	if err != nil {
		return nil, err
	}
	selected := part.(map[string]any)
	if context, there := document["@context"]; there {
		selected["@context"] = context
	}
	return selected, nil
}

func (s *selection) within(value any, at string) (any, error) {
	if s.all {
		return value, nil
	}
	nowhere := func(token string) error {
		return trouble(ProofGenerationError, "Point at what the document contains.", "the pointer %s leads to nothing in the document", shown(at+"/"+token))
	}
	switch value := value.(type) {
	case map[string]any:
		selected := map[string]any{}
		for _, name := range [...]string{"id", "@id", "type", "@type"} {
			if v, there := value[name]; there {
				if id, ok := v.(string); ok && !always(name) && strings.HasPrefix(id, "_:") {
					continue // a name that means nothing outside of the document
				}
				selected[name] = v
			}
		}
		for token, inner := range s.members {
			member, there := value[token]
			if !there {
				return nil, nowhere(token)
			}
			if always(token) || at == "" && token == "@context" {
				selected[token] = member
				continue
			}
			part, err := inner.within(member, at+"/"+token)
			if err != nil {
				return nil, err
			}
			selected[token] = part
		}
		return selected, nil
	case []any:
		indexes := make([]int, 0, len(s.members))
		for token := range s.members {
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(value) || strconv.Itoa(i) != token {
				return nil, nowhere(token)
			}
			indexes = append(indexes, i)
		}
		slices.Sort(indexes)
		selected := make([]any, len(indexes))
		for n, i := range indexes {
			token := strconv.Itoa(i)
			part, err := s.members[token].within(value[i], at+"/"+token)
			if err != nil {
				return nil, err
			}
			selected[n] = part
		}
		return selected, nil
	}
	for token := range s.members {
		return nil, nowhere(token)
	}
	return value, nil
}

// covers reports whether what is said at a place of the document is said in the
// selected part of it as well: the place is within, or on the way to something that is.
func (s *selection) covers(source string) bool {
	if source == "" {
		return true
	}
	for _, token := range strings.Split(source[1:], "/") {
		if strings.Contains(token, "~") {
			token = unescaper.Replace(token)
		}
		next := s.members[token]
		switch {
		case s.all || always(token):
			return true
		case next == nil:
			return false
		}
		s = next
	}
	return true
}
