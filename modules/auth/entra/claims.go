package entra

import "time"

// Kind says what kind of caller a token speaks for.
type Kind string

// The kinds of callers.
const (
	User Kind = "user" // a person, or an application on behalf of one
	App  Kind = "app"  // an application by itself
)

// Claims is what a verified token says. Its slices are shared between callers
// and must not be changed; appending to them is safe.
type Claims struct {
	Kind Kind

	// TenantID and ObjectID together are the identity, in lower case. Nothing
	// else is: names and addresses change, and their owners can choose them.
	TenantID string
	ObjectID string

	Name     string // display only
	Username string // display only
	Client   string // application that asked for the token
	TokenID  string
	Session  string // Entra's own session, which front-channel logout names

	// LoginHint lets Entra sign out the right account; see [CodeFlow.LogoutURL].
	LoginHint string

	Scopes []string // delegated permissions; only users have them
	Roles  []string // values of app roles
	Groups []string // object ids in lower case, direct and indirect

	// GroupsOverage says that the groups did not fit into the token: Groups is
	// empty and [Graph.MemberOf] knows.
	GroupsOverage bool

	Issued  time.Time
	Expires time.Time

	Issuer   string   // as the token has it
	Audience []string // as the token has it
}
