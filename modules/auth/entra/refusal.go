package entra

import (
	"errors"
	"fmt"
	"strconv"
)

// ErrUnavailable is wrapped by every error that means: the authority or Graph
// could not be asked or did not answer as it should. Nothing is known of the
// caller then, which is no refusal.
var ErrUnavailable = errors.New("entra: no usable answer")

// Reason is the stable name of why a token is refused.
type Reason = string

// The reasons of refusals.
const (
	ReasonTooLarge    Reason = "too_large"
	ReasonMalformed   Reason = "malformed"
	ReasonAlgorithm   Reason = "algorithm"
	ReasonType        Reason = "type"
	ReasonKeyID       Reason = "key_id"
	ReasonClaims      Reason = "claims"
	ReasonIssuer      Reason = "issuer"
	ReasonTenant      Reason = "tenant"
	ReasonAudience    Reason = "audience"
	ReasonExpired     Reason = "expired"
	ReasonNotYetValid Reason = "not_yet_valid"
	ReasonLifetime    Reason = "lifetime"
	ReasonUnknownKey  Reason = "unknown_key"
	ReasonSignature   Reason = "signature"
	ReasonIDToken     Reason = "id_token"
	ReasonNoRole      Reason = "no_role"
	ReasonClient      Reason = "client"
	ReasonNonce       Reason = "nonce"
)

// remedies are safe to show: they are the same for everybody, and name nothing
// of the configuration.
var remedies = map[Reason]string{
	ReasonTooLarge:    "The token is longer than any that Entra issues. Send the access token alone.",
	ReasonMalformed:   "This is not a signed JWT in compact form. Send the access token as it was received, without quotes and line breaks.",
	ReasonAlgorithm:   "Entra signs with RS256; this token says something else. Send the access token as it was received.",
	ReasonType:        "This is another kind of token. Send an access token to the API, and an ID token only to the sign-in.",
	ReasonKeyID:       "The token does not say which key signed it in the way Entra does. Send the access token as it was received.",
	ReasonClaims:      "A claim that every Entra token has is missing or not of its type. Ask Entra for a new access token for this server.",
	ReasonIssuer:      "The token was issued by another authority or tenant, or in a version that is not accepted. Ask the tenant of this server for one.",
	ReasonTenant:      "The account belongs to another tenant. Sign in with an account of the tenant of this server.",
	ReasonAudience:    "The token is meant for another application, such as Microsoft Graph. Ask for one with a scope of this server, as in api://<client id>/.default.",
	ReasonExpired:     "The token has expired. Ask for a new one; if it is new, set the clock of this computer.",
	ReasonNotYetValid: "The token is valid only in the future. Clocks may differ by five minutes at most; synchronise them.",
	ReasonLifetime:    "The token says that it lives longer than Entra lets any. Ask for a new one.",
	ReasonUnknownKey:  "The token is signed with a key that the tenant does not publish. Ask for a new one; after a change of keys try again in five minutes.",
	ReasonSignature:   "The signature does not match the token. Send the access token as it was received; a token for Microsoft Graph cannot be verified by others.",
	ReasonIDToken:     "This is an ID token, which says who signed in. Send an access token with a scope of this server, as in api://<client id>/.default.",
	ReasonNoRole:      "The application has no app role of this server. Assign it one in Entra, give admin consent, and ask for a new token.",
	ReasonClient:      "The application that asked for this token may not call this server. An administrator can allow its client id.",
	ReasonNonce:       "The answer does not belong to this sign-in. Start to sign in again, in one window.",
}

// Refusal says why a token is not accepted. Reason and Remedy may be shown to
// whoever sent it; Detail may quote the token and is for the log.
type Refusal struct {
	Reason Reason
	Remedy string
	Detail string
}

// Error implements error; it is for the log.
func (r *Refusal) Error() string {
	if r.Detail == "" {
		return "entra: token refused: " + r.Reason
	}
	return "entra: token refused: " + r.Reason + ": " + r.Detail
}

func refuse(reason Reason, format string, args ...any) *Refusal {
	return &Refusal{Reason: reason, Remedy: remedies[reason], Detail: fmt.Sprintf(format, args...)}
}

// quoted shows foreign text in the log, harmless and short.
func quoted(s string) string {
	const most = 100
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strconv.QuoteToASCII(s)
}
