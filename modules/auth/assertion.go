package auth

import (
	"context"
	"errors"

	"github.com/badge-engine/badge-engine/modules/auth/entra"
)

// entraAssertions takes the assertions by which applications of the tenant prove
// themselves to the token endpoint.
type entraAssertions struct{ verifier *entra.Verifier }

// NewAssertions answers who verifies client assertions, or nothing where Entra is
// not set up: then none are taken.
func NewAssertions(verifier *entra.Verifier) Assertions {
	if verifier == nil {
		return nil
	}
	return entraAssertions{verifier}
}

// Assertion implements [Assertions].
func (e entraAssertions) Assertion(ctx context.Context, raw string) (AssertionClaims, error) {
	c, err := e.verifier.Assertion(ctx, raw)
	if errors.Is(err, entra.ErrUnavailable) {
		return AssertionClaims{}, ErrUnavailable.With(err)
	}
	if err != nil {
		return AssertionClaims{}, err
	}
	return AssertionClaims{
		Issuer: c.Issuer, Tenant: c.TenantID, Subject: c.ObjectID, Party: c.Client, Audience: c.Audience,
		TokenID: c.TokenID, Issued: c.Issued, Expires: c.Expires,
	}, nil
}
