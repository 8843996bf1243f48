// Package auth says who is calling.
//
// It owns API tokens: their form, their making, listing and revocation, and the
// guard that turns the Authorization header of a request into a principal.
// BOOTSTRAP_ADMIN_TOKEN names a token that is not kept here and may do
// everything, for the first set-up.
//
// It owns OAuth clients too: the secrets they rotate, the assertions they may be
// bound to in their place, and the access tokens they are granted, which are kept
// and checked like API tokens. A token with the scope scim opens only /scim/v2, and
// nothing else but admin opens that.
//
// And it owns people: their sign-in with Microsoft Entra and their sessions, which
// lie sealed in the cache; the access tokens of Entra on the API; the roles that
// follow from app roles, groups and memberships; and who is shut out, which every
// replica learns within two seconds, the cache being away or not. Identity is the
// tenant and the object id; names are for show. A change of a provisioned group that
// gives roles reaches every replica the same way: an era is counted, and whatever was
// found out in an earlier one is found out again. Package entra speaks with Entra.
//
// Routes: /api/v1/tokens and /api/v1/clients, for admins; /oauth/token and
// /scim/oauth/token, where clients show who they are; /auth/login, /auth/callback,
// /auth/me, /auth/logout and /auth/frontchannel-logout, for browsers;
// /api/v1/people/…/deactivate and reactivate, for admins.
//
// It leaves to package httpserver what a principal may call, since the route
// tables say so, and to package principal which scopes there are.
//
// Standards: RFC 6750 (Bearer Token Usage), RFC 6749 3.3 (scopes are words
// separated by spaces), 4.4 (Client Credentials Grant) and 5 (Issuing an Access
// Token), RFC 7617 (Basic), RFC 7521 and 7523 (Assertions), RFC 7636 (PKCE), RFC
// 6265bis (Cookies), OpenID Connect Core 1.0 and Front-Channel Logout 1.0.
package auth
