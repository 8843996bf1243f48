package principal

import (
	"context"
	"slices"
)

// The scopes a principal may hold. Admin includes every other.
const (
	ScopeAdmin             = "admin"
	ScopeIssuersWrite      = "issuers:write"
	ScopeAchievementsWrite = "achievements:write"
	ScopeCredentialsIssue  = "credentials:issue"
	ScopeCredentialsRead   = "credentials:read"
	ScopeSCIM              = "scim"
)

// Scopes lists every scope there is, in the order they are shown.
func Scopes() []string {
	return []string{ScopeIssuersWrite, ScopeAchievementsWrite, ScopeCredentialsIssue, ScopeCredentialsRead, ScopeSCIM, ScopeAdmin}
}

// Principal is whoever is calling. The zero value is nobody.
type Principal struct {
	ID     string   // stable identifier, unique among all principals
	Name   string   // what a person would call it; never an e-mail address
	Scopes []string // what it may do
}

// Anonymous reports whether nobody known is calling.
func (p Principal) Anonymous() bool { return p.ID == "" }

// May reports whether p holds the scope, or the admin scope. The scope "scim"
// opens only provisioning, and provisioning opens only by it or admin.
func (p Principal) May(scope string) bool {
	return slices.Contains(p.Scopes, scope) || slices.Contains(p.Scopes, ScopeAdmin)
}

type key struct{}

// With returns a context that carries p.
func With(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, key{}, p)
}

// From returns the principal that ctx carries, or nobody.
func From(ctx context.Context) Principal {
	p, _ := ctx.Value(key{}).(Principal)
	return p
}
