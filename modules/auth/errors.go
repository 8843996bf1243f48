package auth

import (
	"strings"

	"github.com/badge-engine/badge-engine/modules/auth/entra"
	"github.com/badge-engine/badge-engine/platform/fault"
)

// The faults of this module.
var (
	ErrTokenInvalid = fault.New(fault.Unauthenticated, "auth.token_invalid", "The token is not valid.")
	ErrNotFound     = fault.New(fault.NotFound, "auth.token_not_found", "There is no such token.")
	ErrAmbiguous    = fault.New(fault.Conflict, "auth.token_ambiguous", "More than one token is meant.")
	ErrProvisioning = fault.New(fault.Forbidden, "auth.scim_needed", "Only a token for provisioning may call this.")
	ErrElsewhere    = fault.New(fault.Forbidden, "auth.scim_only", "A token for provisioning opens nothing but /scim/v2.")
	ErrInvalid      = fault.New(fault.Invalid, "auth.invalid", "The token cannot be created like this.")
)

// tokenFaults are what tokens of Entra are refused for, a code each. Knowing it
// helps nobody to make a better one.
var tokenFaults = map[entra.Reason]*fault.Fault{
	entra.ReasonTooLarge:    fault.New(fault.Unauthenticated, "auth.token_too_large", "The token is too long."),
	entra.ReasonMalformed:   fault.New(fault.Unauthenticated, "auth.token_malformed", "The token cannot be read."),
	entra.ReasonAlgorithm:   fault.New(fault.Unauthenticated, "auth.token_algorithm", "The token is signed in a way that is not accepted."),
	entra.ReasonType:        fault.New(fault.Unauthenticated, "auth.token_type", "The token is of another kind."),
	entra.ReasonKeyID:       fault.New(fault.Unauthenticated, "auth.token_key_id", "The token names no key that could be one of Entra."),
	entra.ReasonClaims:      fault.New(fault.Unauthenticated, "auth.token_claims", "The token lacks a claim."),
	entra.ReasonIssuer:      fault.New(fault.Unauthenticated, "auth.token_issuer", "The token was issued by somebody else."),
	entra.ReasonTenant:      fault.New(fault.Unauthenticated, "auth.token_tenant", "The token is of another tenant."),
	entra.ReasonAudience:    fault.New(fault.Unauthenticated, "auth.token_audience", "The token is meant for somebody else."),
	entra.ReasonExpired:     fault.New(fault.Unauthenticated, "auth.token_expired", "The token has expired."),
	entra.ReasonNotYetValid: fault.New(fault.Unauthenticated, "auth.token_not_yet_valid", "The token is not valid yet."),
	entra.ReasonLifetime:    fault.New(fault.Unauthenticated, "auth.token_lifetime", "The token lives too long."),
	entra.ReasonUnknownKey:  fault.New(fault.Unauthenticated, "auth.token_unknown_key", "The token is signed with an unknown key."),
	entra.ReasonSignature:   fault.New(fault.Unauthenticated, "auth.token_signature", "The signature of the token is not valid."),
	entra.ReasonIDToken:     fault.New(fault.Unauthenticated, "auth.token_id_token", "An ID token is no access token."),
	entra.ReasonNoRole:      ErrNoRole,
	entra.ReasonClient:      fault.New(fault.Forbidden, "auth.token_client", "The application may not call this server."),
	entra.ReasonNonce:       fault.New(fault.Unauthenticated, "auth.token_nonce", "The token belongs to another sign-in."),
}

// The faults of people and of applications of the organisation.
var (
	ErrNoRole         = fault.New(fault.Forbidden, "auth.token_no_role", "The application has no role here.")
	ErrNoScope        = fault.New(fault.Unauthenticated, "auth.token_no_scope", "The token carries no scope.")
	ErrNotHere        = fault.New(fault.Unauthenticated, "auth.token_not_here", "Provisioning takes only tokens made for it.")
	ErrDeactivated    = fault.New(fault.Unauthenticated, "auth.deactivated", "This account may not come in.")
	ErrNotProvisioned = fault.New(fault.Unauthenticated, "auth.not_provisioned", "This account is not provisioned here.")
	ErrUnsure         = fault.New(fault.Unavailable, "auth.unsure", "It cannot be told at the moment who may come in.")
	ErrUnavailable    = fault.New(fault.Unavailable, "auth.entra_unavailable", "Microsoft Entra cannot be asked at the moment.")
	ErrSessionEnded   = fault.New(fault.Unauthenticated, "auth.session_ended", "The session has ended.")
	ErrCSRF           = fault.New(fault.Forbidden, "auth.csrf", "The request does not prove that it comes from a page of this server.")
	ErrNoSignIn       = fault.New(fault.NotFound, "auth.sign_in_off", "Nobody can sign in here.")
	ErrState          = fault.New(fault.Malformed, "auth.state", "This sign-in was not begun here, or has been used already.")
	ErrSignIn         = fault.New(fault.Forbidden, "auth.sign_in_refused", "Microsoft Entra did not let you sign in.")
	ErrPerson         = fault.New(fault.NotFound, "auth.person_not_found", "There is no such person.")
	ErrNotLocal       = fault.New(fault.Forbidden, "auth.not_local", "The development sign-in is only for people at this machine.")
)

// The faults of OAuth clients.
var (
	ErrClientNotFound = fault.New(fault.NotFound, "auth.client_not_found", "There is no such client.")
	ErrClientDisabled = fault.New(fault.Conflict, "auth.client_disabled", "The client is disabled.")
	ErrClientInvalid  = fault.New(fault.Invalid, "auth.client_invalid", "The client cannot be like this.")
	ErrSecretNotFound = fault.New(fault.NotFound, "auth.secret_not_found", "The client has no such secret.")
	ErrSecretLimit    = fault.New(fault.Conflict, "auth.secret_limit", "The client has two secrets that work already.")
)

// The faults of the token endpoint, one for each error of RFC 6749, 5.2 (Error
// Response) that the client credentials grant knows.
var (
	ErrOAuthRequest   = fault.New(fault.Malformed, "auth.oauth_invalid_request", "The token request cannot be read.")
	ErrOAuthClient    = fault.New(fault.Unauthenticated, "auth.oauth_invalid_client", "Client authentication failed.")
	ErrOAuthGrantType = fault.New(fault.Malformed, "auth.oauth_unsupported_grant_type", "This grant type is not known here.")
	ErrOAuthScope     = fault.New(fault.Malformed, "auth.oauth_invalid_scope", "A scope is asked for that the client may not have.")
)

// invalid says every violation in the detail too, for callers at a terminal.
func invalid(violations ...fault.Violation) *fault.Fault { return invalidAs(ErrInvalid, violations...) }

func invalidAs(f *fault.Fault, violations ...fault.Violation) *fault.Fault {
	var sentences []string
	for _, v := range violations {
		sentences = append(sentences, v.Detail, v.Remedy)
	}
	return f.Detailf("%s", strings.Join(sentences, " ")).Violating(violations...)
}
