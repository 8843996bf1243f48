package assertion

import (
	"net/url"
	"strings"

	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// rules collects what breaks the data model.
type rules struct{ found []openbadges.Violation }

const maxViolations = 100

func (r *rules) report(pointer, class, what, detail, remedy string) {
	if len(r.found) < maxViolations {
		r.found = append(r.found, openbadges.Violation{Pointer: pointer, Rule: "Open Badges 2.0, " + class + ": " + what, Detail: detail, Remedy: remedy})
	}
}

// text asks for a string that is not empty.
func (r *rules) text(at string, m map[string]any, class, name, remedy string) {
	switch v := m[name].(type) {
	case nil:
		r.report(at+"/"+name, class, name+" is required", name+" is missing", remedy)
	case string:
		if strings.TrimSpace(v) == "" {
			r.report(at+"/"+name, class, name+" is required", name+" is empty", remedy)
		}
	default:
		r.report(at+"/"+name, class, name+" is a text", name+" is no text", remedy)
	}
}

// either asks for an identifier, or for an object that check looks into.
func (r *rules) either(at string, m map[string]any, class, name, remedy string, check func(at string, m map[string]any)) {
	switch v := m[name].(type) {
	case nil:
		r.report(at+"/"+name, class, name+" is required", name+" is missing", remedy)
	case string:
		if v == "" {
			r.report(at+"/"+name, class, name+" is required", name+" is empty", remedy)
		}
	case map[string]any:
		if check != nil {
			check(at+"/"+name, v)
		}
	default:
		r.report(at+"/"+name, class, name+" is an id or an object", name+" is neither", remedy)
	}
}

func (r *rules) class(at string, m map[string]any, class string, also ...string) {
	for _, name := range append(also, class) {
		if is(m, name) {
			return
		}
	}
	r.report(at+"/type", class, "type says what it is", "type does not say "+class, `Give "type": "`+class+`".`)
}

func (r *rules) date(at string, m map[string]any, class, name string, needed bool) {
	value, there := m[name]
	if !there && !needed {
		return
	}
	s, _ := value.(string)
	if _, ok := moment(s); !ok {
		r.report(at+"/"+name, class, name+" is a date and time of ISO 8601", name+" is missing or no date and time", "Give it as 2006-01-02T15:04:05Z.")
	}
}

// id asks for an absolute URI.
func (r *rules) id(at string, m map[string]any, class string) {
	id := strictjson.Text(m, "id")
	if u, err := url.Parse(id); err != nil || u.Scheme == "" {
		r.report(at+"/id", class, "id is an absolute URI", "id is missing or no absolute URI", "Give the address it is published at, or urn:uuid for a signed badge.")
	}
}

// assertion judges an Assertion. Open Badges 2.0, Assertion.
func (r *rules) assertion(m map[string]any) {
	const class = typeAssertion
	r.id("", m, class)
	r.class("", m, class)
	recipient, ok := m["recipient"].(map[string]any)
	if !ok {
		r.report("/recipient", class, "recipient is required", "recipient is missing or no object", "Give type, hashed and identity of the recipient.")
	} else {
		r.text("/recipient", recipient, "IdentityObject", "identity", "Give the identity, or its hash.")
		if len(strictjson.Texts(recipient["type"])) == 0 {
			r.report("/recipient/type", "IdentityObject", "type is required", "type is missing", "Give the kind of identity, such as email.")
		}
		if _, ok := recipient["hashed"].(bool); !ok {
			r.report("/recipient/hashed", "IdentityObject", "hashed is true or false", "hashed is missing or neither", "Say whether identity is a hash.")
		}
	}
	r.either("", m, class, "badge", "Name the badge class by its address, or embed it.", nil)
	if _, ok := m["verification"].(map[string]any); !ok {
		r.report("/verification", class, "verification is required", "verification is missing or no object", `Give {"type": "HostedBadge"}, or SignedBadge with the key.`)
	}
	r.date("", m, class, "issuedOn", true)
	r.date("", m, class, "expires", false)
}

// endorsement judges an Endorsement. Open Badges 2.0, Endorsement.
func (r *rules) endorsement(m map[string]any) {
	const class = typeEndorsement
	r.id("", m, class)
	r.class("", m, class)
	claim, ok := m["claim"].(map[string]any)
	if !ok || strictjson.Text(claim, "id") == "" {
		r.report("/claim", class, "claim names what is endorsed", "claim or its id is missing", "Give claim with the id of what is endorsed.")
	}
	r.either("", m, class, "issuer", "Name the endorser by address.", nil)
	r.date("", m, class, "issuedOn", true)
}

// badgeClass judges a BadgeClass. Open Badges 2.0, BadgeClass.
func (r *rules) badgeClass(at string, m map[string]any) {
	const class = typeBadgeClass
	r.class(at, m, class)
	r.text(at, m, class, "name", "Give the name of the achievement.")
	r.text(at, m, class, "description", "Give a short description.")
	r.either(at, m, class, "image", "Give the address of the picture.", nil)
	r.either(at, m, class, "criteria", "Give the address of the criteria, or an object with a narrative.", func(at string, c map[string]any) {
		if strictjson.Text(c, "id") == "" && strictjson.Text(c, "narrative") == "" {
			r.report(at, "Criteria", "it has an id or a narrative", "it has neither", "Say how the badge is earned.")
		}
	})
	r.either(at, m, class, "issuer", "Name the issuer by its address.", nil)
}

// issuer judges a Profile that issues. Open Badges 2.0, Profile.
func (r *rules) issuer(at string, m map[string]any) {
	const class = "Issuer"
	r.class(at, m, class, "Profile")
	r.text(at, m, class, "name", "Give the name of the issuer.")
	r.text(at, m, class, "url", "Give the web site of the issuer.")
	r.text(at, m, class, "email", "Give an address at which the issuer is reached.")
}
