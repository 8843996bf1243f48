// Package auth says who is calling.
//
// It owns API tokens: their form, their making, listing and revocation, and the
// guard that turns the Authorization header of a request into a principal.
// BOOTSTRAP_ADMIN_TOKEN names a token that is not kept here and may do
// everything, for the first set-up.
//
// Routes: /api/v1/tokens, for admins.
//
// It leaves to package httpserver what a principal may call, since the route
// tables say so, and to package principal which scopes there are.
//
// Standards: RFC 6750 (Bearer Token Usage), RFC 6749 3.3 (scopes are words
// separated by spaces).
package auth
