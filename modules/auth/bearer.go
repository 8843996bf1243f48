package auth

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/badge-engine/badge-engine/modules/auth/entra"
	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/principal"
)

var _ httpserver.Guard = (*Guard)(nil)

// Guard says who is calling, whichever way they show it: an API token, an access
// token of Entra, or, without an Authorization header, the cookie of a session.
// What is in the header alone counts where there is one.
type Guard struct {
	tokens   *Service
	bearers  *Bearers
	sessions *Sessions
}

// NewGuard makes the guard of the server.
func NewGuard(tokens *Service, bearers *Bearers, sessions *Sessions) *Guard {
	return &Guard{tokens: tokens, bearers: bearers, sessions: sessions}
}

// Authenticate implements [httpserver.Guard].
func (g *Guard) Authenticate(ctx context.Context, c httpserver.Credentials) (principal.Principal, error) {
	if c.Authorization == "" {
		if belowSCIM(c.Path) {
			return principal.Principal{}, nil // a browser has no business here
		}
		return g.sessions.Authenticate(ctx, c)
	}
	scheme, raw, _ := strings.Cut(c.Authorization, " ")
	if strings.EqualFold(scheme, "Bearer") && strings.Count(raw, ".") == 2 {
		raw = strings.TrimLeft(raw, " ")
		if sum := sha256.Sum256([]byte(raw)); !g.tokens.isBootstrap(sum) { // which may have dots
			return g.bearers.authenticate(ctx, c, raw, sum)
		}
	}
	return g.tokens.Authenticate(ctx, c)
}

// belowSCIM reports whether a path is for the provisioning service alone. Roles
// of people include every scope, that of provisioning too, so it is kept shut here.
func belowSCIM(path string) bool {
	return len(path) >= 5 && strings.EqualFold(path[:5], "/scim") && (len(path) == 5 || path[5] == '/')
}

// bearerMemory is how many access tokens are remembered.
const bearerMemory = 20_000

// Bearers knows the access tokens of Entra. Each is verified once, when it is
// first seen, and remembered by its hash until it expires; whether its person
// was shut out since is asked every time, and what they are every five minutes.
type Bearers struct {
	verifier Verifier // nil without
	people   *People
	roles    *Roles
	now      func() time.Time
	log      *slog.Logger
	known    *memo[[sha256.Size]byte, knownBearer]
	flight   singleflight.Group
}

type knownBearer struct {
	claims    entra.Claims
	who       person
	principal principal.Principal
	standing  Standing
}

// NewBearers makes a Bearers. Without a verifier it refuses every token.
func NewBearers(parts Parts, people *People, roles *Roles) *Bearers {
	return &Bearers{
		verifier: parts.Verifier, people: people, roles: roles, now: parts.Now, log: parts.Log,
		known: newMemo[[sha256.Size]byte, knownBearer](bearerMemory),
	}
}

// authenticate says whose access token raw is. It answers with a fault named for
// why the token is refused, [ErrNotHere], [ErrNoScope], [ErrNoRole],
// [ErrDeactivated], [ErrNotProvisioned], and with faults of kind Unavailable.
func (b *Bearers) authenticate(ctx context.Context, c httpserver.Credentials, raw string, sum [sha256.Size]byte) (principal.Principal, error) {
	p, err := b.judge(ctx, c.Path, raw, sum)
	if f, ok := fault.From(err); ok && f.Kind() != fault.Unavailable {
		b.log.InfoContext(ctx, "access token refused", slog.Any("reason", err), slog.String("remote_ip", c.RemoteIP))
	}
	return p, err
}

func (b *Bearers) judge(ctx context.Context, path, raw string, key [sha256.Size]byte) (principal.Principal, error) {
	if b.verifier == nil {
		return principal.Principal{}, ErrTokenInvalid
	}
	now := b.now()
	k, found := b.known.get(key)
	if !found || !now.Before(k.claims.Expires) || b.roles.stale(k.standing, now) {
		// Many requests with a new token are one verification.
		v, err, _ := b.flight.Do(string(key[:]), func() (any, error) {
			k, err := b.meet(context.WithoutCancel(ctx), raw, k, found)
			if err != nil {
				b.known.drop(key)
				return nil, err
			}
			b.known.put(key, k)
			return k, nil
		})
		if err != nil {
			return principal.Principal{}, err
		}
		k = v.(knownBearer)
	}
	if err := b.people.allowed(k.who, k.claims.Issued); err != nil {
		return principal.Principal{}, err
	}
	// People have no business there, whatever they are.
	if belowSCIM(path) && (k.claims.Kind != entra.App || !slices.Contains(k.principal.Roles, principal.RoleProvisioner)) {
		return principal.Principal{}, ErrNotHere.Detailf("Send an API token with the scope scim, or the token of an application with the role provisioner.")
	}
	return confine(k.principal, path)
}

// meet verifies a token that is not known, and finds out what its bearer is.
func (b *Bearers) meet(ctx context.Context, raw string, k knownBearer, known bool) (knownBearer, error) {
	if !known || !b.now().Before(k.claims.Expires) {
		claims, err := b.verifier.AccessToken(ctx, raw)
		if err != nil {
			return k, explain(err)
		}
		k = knownBearer{claims: claims, who: personOf(claims.TenantID, claims.ObjectID)}
	}
	// A token of a person that carries no scope was meant for something else.
	if k.claims.Kind != entra.App && len(k.claims.Scopes) == 0 {
		return k, ErrNoScope.Detailf("Ask for an access token with a scope of this server.")
	}
	if err := b.people.admit(ctx, k.claims, k.claims.Issued); err != nil {
		return k, err
	}
	// The claims are as fresh as Entra makes them: a new token comes every hour.
	standing, err := b.roles.Of(ctx, k.claims, true)
	if err != nil {
		return k, err
	}
	if k.principal.ID != "" && !slices.Equal(k.principal.Roles, standing.Roles) {
		b.log.InfoContext(ctx, "roles changed", slog.String("principal_id", k.principal.ID), slog.Any("before", k.principal.Roles), slog.Any("after", standing.Roles))
	}
	k.principal, k.standing = principalOf(k.claims, standing.Roles), standing
	return k, nil
}

// explain makes a fault of an error of package entra. The remedies there are safe
// to show.
func explain(err error) error {
	var refusal *entra.Refusal
	var authority *entra.AuthorityError
	switch {
	case errors.As(err, &refusal):
		return cmp.Or(tokenFaults[refusal.Reason], ErrTokenInvalid).Detailf("%s", refusal.Remedy).With(err)
	case errors.Is(err, entra.ErrUnavailable):
		return ErrUnavailable.With(err)
	case errors.As(err, &authority):
		return ErrSignIn.Detailf("%s", authorityText(authority)).With(err)
	}
	return err
}
