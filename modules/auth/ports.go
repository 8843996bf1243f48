package auth

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/badge-engine/badge-engine/modules/auth/entra"
	"github.com/badge-engine/badge-engine/platform/cache"
)

// Tokens is where tokens are kept. The [Store] serves it.
type Tokens interface {
	// Insert stores a new token.
	Insert(ctx context.Context, t Token) error
	// Find answers one token, its hash included, or [ErrNotFound].
	Find(ctx context.Context, id string) (Token, error)
	// List answers every token, the newest first.
	List(ctx context.Context) ([]Token, error)
	// Revoke marks a token as revoked; the first time given stays. A token that
	// does not exist is no error.
	Revoke(ctx context.Context, id string, at time.Time) error
}

// Touch writes down when a token was used. The [Store] serves it.
type Touch interface {
	// Touch never moves the time back. A token that does not exist is no error.
	Touch(ctx context.Context, id string, at time.Time) error
}

// Verifier checks tokens of Entra. [*entra.Verifier] serves it.
type Verifier interface {
	AccessToken(ctx context.Context, raw string) (entra.Claims, error)
}

// Flow is the code flow of Entra. [*entra.CodeFlow] serves it.
type Flow interface {
	AuthorizeURL(state, nonce, challenge, loginHint string) (string, error)
	Redeem(ctx context.Context, code, codeVerifier, nonce string) (entra.Claims, error)
	LogoutURL(returnTo, hint string) string
}

// Memberships asks Entra itself in which of some groups a person is, directly or
// through other groups. [*entra.Graph] serves it.
type Memberships interface {
	MemberOf(ctx context.Context, objectID string, groupIDs []string) ([]string, error)
}

// Directory is the provisioned people and groups. Identifiers are those of
// Entra, in any case of letters; module scim knows them as externalId.
type Directory interface {
	// User says whether a person is provisioned, and whether active.
	User(ctx context.Context, tenantID, objectID string) (found, active bool, err error)
	// Groups answers the external ids of the groups that have the person as a member.
	Groups(ctx context.Context, tenantID, objectID string) ([]string, error)
	// GroupsNamed answers the external id of every group of this name; of one
	// that has none, an empty text.
	GroupsNamed(ctx context.Context, name string) ([]string, error)
}

// Shutouts is where it is written down who may not come in any more. The [Store]
// serves it.
type Shutouts interface {
	// Shut answers whether somebody is shut out at present.
	Shut(ctx context.Context, tenantID, objectID string) (bool, error)
	// Mark writes a change down, in the unit of work of ctx, under a sequence
	// that is greater than that of every change visible before.
	Mark(ctx context.Context, s Shutout) error
	// Since answers at most limit changes beyond a sequence, in order. It must not
	// read what is not yet committed.
	Since(ctx context.Context, sequence int64, limit int) ([]Shutout, error)
}

// Eras is where it is counted how often a group that gives roles was changed in the
// directory. The [ShutoutStore] serves it.
type Eras interface {
	// Era answers the count.
	Era(ctx context.Context) (int64, error)
	// Advance counts one more, in the unit of work of ctx.
	Advance(ctx context.Context) error
}

// Work runs a unit of work. [*database.DB] serves it.
type Work interface {
	Do(ctx context.Context, fn func(ctx context.Context) error) error
	// Stored runs fn once the unit in ctx is stored, and never if it is not.
	Stored(ctx context.Context, fn func())
}

// Event is a fact for the audit trail: ids alone, never a name or a secret. Who
// caused it and from where is in the context, unless Actor says who.
type Event struct {
	Action  string // such as "auth.signed_in"
	Actor   string // the principal's id, where the context does not know it yet
	Target  string // whom or what it was done to
	Outcome string // "success", "refused" or "failed"
	Reason  string // the stable code of why, unless it succeeded
}

// Audit writes down what happened.
type Audit interface {
	Record(ctx context.Context, e Event) error
}

// Parts are what whoever knows people is made of. Each neighbour may be missing.
type Parts struct {
	Config Config
	Tenant entra.Config
	Cache  cache.Cache
	Now    func() time.Time
	Log    *slog.Logger

	Eras Eras          // without, changed groups take effect when roles are found out again
	Era  *atomic.Int64 // as People last read it; nil makes one that nobody reads

	Directory   Directory
	Memberships Memberships
	Verifier    Verifier
	Flow        Flow
	Audit       Audit
}

// ClientRecords is where OAuth clients are kept. The [ClientStore] serves it.
type ClientRecords interface {
	// Insert stores a new client with its secrets.
	Insert(ctx context.Context, c Client) error
	// Find answers one client with its secrets, or [ErrClientNotFound].
	Find(ctx context.Context, id string) (Client, error)
	// Lock is Find for the unit of work of ctx: until that ends nobody else locks
	// this client.
	Lock(ctx context.Context, id string) (Client, error)
	// List answers every client, the newest first.
	List(ctx context.Context) ([]Client, error)

	// AddSecret stores one more secret.
	AddSecret(ctx context.Context, client string, s ClientSecret) error
	// RevokeSecret marks a secret as revoked, and the live tokens that were
	// granted for it, whose ids it answers.
	RevokeSecret(ctx context.Context, client, secret string, at time.Time) (tokens []string, err error)
	// Disable marks a client as disabled and its live tokens as revoked, whose ids
	// it answers.
	Disable(ctx context.Context, client string, at time.Time) (tokens []string, err error)

	// Grant stores a token of a client, and that client and secret were used.
	Grant(ctx context.Context, t Token) error
	// Sweep deletes tokens of clients that expired before a time.
	Sweep(ctx context.Context, before time.Time) error
}

// Assertions verifies what other authorities say of a client.
type Assertions interface {
	// Assertion verifies signature and times of a JWT and answers what it says;
	// whom it speaks for is not its business. An error says, for the log alone, what
	// is wrong with it; a fault of kind Unavailable, that nobody can tell now.
	Assertion(ctx context.Context, raw string) (AssertionClaims, error)
}

// ClientNeighbours are whom [Clients] asks. All but Work may be missing.
type ClientNeighbours struct {
	Work       Work
	Assertions Assertions
	Audit      Audit
}
