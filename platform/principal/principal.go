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
	ScopeCredentialsSign   = "credentials:sign" // any credential that the caller wrote, in an issuer's name
	ScopeAuditRead         = "audit:read"
	ScopeMetricsRead       = "metrics:read"
	ScopeSCIM              = "scim"
)

// Scopes lists every scope there is, in the order they are shown.
func Scopes() []string {
	return []string{ScopeIssuersWrite, ScopeAchievementsWrite, ScopeCredentialsIssue, ScopeCredentialsRead, ScopeCredentialsSign, ScopeAuditRead, ScopeMetricsRead, ScopeSCIM, ScopeAdmin}
}

// Principal is whoever is calling. The zero value is nobody.
type Principal struct {
	ID     string   // stable identifier, unique among all principals
	Name   string   // what a person would call it; never an e-mail address
	Scopes []string // what it may do
	Roles  []string // what it is in the organisation: RoleAdmin and so on; empty for API tokens
}

// The roles of people and applications of the organisation.
const (
	RoleAdmin   = "admin"   // everything
	RoleIssuer  = "issuer"  // defines achievements and issues them
	RoleAuditor = "auditor" // reads credentials and the audit trail
	RoleMember  = "member"  // is known, no more

	RoleProvisioner = "provisioner" // keeps the directory, and nothing else; for applications
)

// ScopesOf answers what the roles together may do.
func ScopesOf(roles ...string) []string {
	var scopes []string
	add := func(more ...string) {
		for _, scope := range more {
			if !slices.Contains(scopes, scope) {
				scopes = append(scopes, scope)
			}
		}
	}
	for _, role := range roles {
		switch role {
		case RoleAdmin:
			add(ScopeAdmin)
		case RoleIssuer:
			add(ScopeIssuersWrite, ScopeAchievementsWrite, ScopeCredentialsIssue, ScopeCredentialsRead)
		case RoleAuditor:
			add(ScopeCredentialsRead, ScopeAuditRead)
		case RoleProvisioner:
			add(ScopeSCIM)
		}
	}
	return scopes
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
