package auth

import (
	"slices"
	"strings"

	"github.com/badge-engine/badge-engine/platform/principal"
)

// provisioning is the part of the server for whoever keeps the directory.
const provisioning = "/scim/v2"

// confine keeps provisioning apart from all the rest, whatever a route says: below
// [provisioning] nothing counts but the scopes scim and admin, and nowhere else does
// the scope scim open anything. The path is that by which the route was found.
func confine(p principal.Principal, path string) (principal.Principal, error) {
	if p.Anonymous() || slices.Contains(p.Scopes, principal.ScopeAdmin) {
		return p, nil
	}
	holds := slices.Contains(p.Scopes, principal.ScopeSCIM)
	if path == provisioning || strings.HasPrefix(path, provisioning+"/") {
		if !holds {
			return principal.Principal{}, ErrProvisioning
		}
		p.Scopes = scimOnly
		return p, nil
	}
	switch {
	case !holds:
		return p, nil
	case len(p.Scopes) == 1:
		return principal.Principal{}, ErrElsewhere
	}
	p.Scopes = slices.DeleteFunc(slices.Clone(p.Scopes), func(scope string) bool { return scope == principal.ScopeSCIM })
	return p, nil
}

var scimOnly = []string{principal.ScopeSCIM}
