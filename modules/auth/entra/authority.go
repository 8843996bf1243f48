package entra

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"golang.org/x/oauth2"
)

const tokenTimeout = 10 * time.Second // of one request to the token endpoint

// AuthorityError is an error that Entra names. Its members are safe to show; the
// description is not kept, since it may hold names, addresses and foreign markup.
type AuthorityError struct {
	Number  int    // as in AADSTS50105; 0 if there is none
	Code    string // as in RFC 6749, such as invalid_grant
	Hint    string // what to do about it
	TraceID string // what Microsoft's support asks for; may be empty
}

// Error implements error.
func (e *AuthorityError) Error() string {
	text := "entra: the authority answered " + e.Code
	if e.Number != 0 {
		text += " AADSTS" + strconv.Itoa(e.Number)
	}
	if e.TraceID != "" {
		text += " (trace " + e.TraceID + ")"
	}
	return text + ": " + e.Hint
}

// hints are by number; what is common to several stands once more by code.
var hints = map[int]string{
	50011:   "The redirect URI is not registered. It must be the same in ENTRA_REDIRECT_URI and in the app registration, platform Web: scheme, case, path and trailing slash.",
	700016:  "The application is not known in this tenant. Check ENTRA_CLIENT_ID and ENTRA_TENANT_ID.",
	90002:   "The tenant does not exist. Check ENTRA_TENANT_ID, and ENTRA_AUTHORITY in a national cloud.",
	7000215: "The client secret is wrong. ENTRA_CLIENT_SECRET must be the value of the secret, not its id.",
	7000222: "The client secret has expired. Create a new one, set ENTRA_CLIENT_SECRET, and think of a certificate instead.",
	7000218: "The application did not prove itself. Set ENTRA_CLIENT_SECRET, or a certificate, and register the redirect URI under platform Web.",
	65001:   "Consent is missing. An administrator must grant it to the application in Entra.",
	65004:   "Consent was declined. Sign in again and accept, or ask an administrator to grant it.",
	50105:   "The account is not assigned to the application. An administrator can assign the user or a group under Enterprise applications.",
	50020:   "The account belongs to another tenant or is a personal one. Sign in with another account, or have it invited as a guest.",
	500011:  "The resource of the scope is not known in the tenant. Check the application id URI and that its enterprise application exists.",
	54005:   "The code was used before, as happens when the page is reloaded. Start to sign in again.",
	501481:  "The code belongs to another sign-in. Start to sign in again, in one window.",
	53003:   "Conditional Access blocks this sign-in. The sign-in log in Entra tells the administrator which policy.",
	50034:   "The account does not exist in this tenant. Sign in with another account.",
	50053:   "The account is locked after too many attempts. Wait, or ask an administrator.",
	50055:   "The password has expired. Change it and sign in again.",
	50057:   "The account is disabled. Ask an administrator.",
	50058:   "Nobody is signed in to Entra in this browser. Sign in.",
	50076:   "Another factor is needed. Sign in again.",
	50079:   "The account must set up another factor first. Sign in again.",
	50126:   "User name or password is wrong.",
	50194:   "The application is for one tenant only. ENTRA_TENANT_ID must be that tenant's id.",
	700027:  "The certificate is not accepted. Upload the one of ENTRA_CLIENT_CERTIFICATE_FILE to the app registration; check its expiry and this server's clock.",
	700054:  "The sign-in asked for a kind of answer that the app registration does not allow. Register the redirect URI under platform Web.",
	70008:   "The code or token has expired. Start to sign in again.",
	700082:  "The token has expired. Start to sign in again.",
	900144:  "The request lacks a parameter. Start to sign in again.",
	9002313: "The request is malformed. Start to sign in again.",
	9002325: "The redirect URI is registered for a single-page application. Register it under platform Web.",
	9002327: "The redirect URI is registered for a single-page application. Register it under platform Web.",
}

var codeHints = map[string]string{
	"access_denied":           "The sign-in was declined or not allowed. Try again, or ask an administrator.",
	"consent_required":        "Consent is missing. An administrator must grant it to the application in Entra.",
	"interaction_required":    "Entra wants to ask something. Sign in again.",
	"login_required":          "Nobody is signed in to Entra in this browser. Sign in.",
	"invalid_client":          "The application could not prove itself. Check ENTRA_CLIENT_ID and its secret or certificate.",
	"unauthorized_client":     "The application is not allowed to do this. Check ENTRA_CLIENT_ID and ENTRA_TENANT_ID.",
	"invalid_grant":           "The code is not valid, or not any more. Start to sign in again.",
	"invalid_scope":           "A scope is not known. Check the application id URI of the app registration.",
	"invalid_resource":        "The resource is not known in the tenant. Check the application id URI of the app registration.",
	"temporarily_unavailable": "Entra is busy. Try again in a moment.",
	"server_error":            "Entra had an error. Try again in a moment.",
}

const anyHint = "The sign-in log in Entra tells an administrator more."

var (
	oauthCode   = regexp.MustCompile(`^[a-z_]{1,64}$`)
	descNumber  = regexp.MustCompile(`AADSTS([0-9]{4,9})\b`)
	descTraceID = regexp.MustCompile(`(?i)Trace ID: ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})`)
)

// ParseAuthorityError reads the parameters error and error_description with
// which Entra may send the browser back (RFC 6749, 4.1.2.1, Error Response).
// Whoever made the link may have written them.
func ParseAuthorityError(code, description string) *AuthorityError {
	e := &AuthorityError{Code: code}
	if match := descNumber.FindStringSubmatch(description); match != nil {
		e.Number, _ = strconv.Atoi(match[1])
	}
	if match := descTraceID.FindStringSubmatch(description); match != nil {
		e.TraceID = match[1]
	}
	return e.finished()
}

func (e *AuthorityError) finished() *AuthorityError {
	if !oauthCode.MatchString(e.Code) {
		e.Code = "unknown_error"
	}
	if !guid.MatchString(e.TraceID) {
		e.TraceID = ""
	}
	var found bool
	if e.Hint, found = hints[e.Number]; !found {
		if e.Hint, found = codeHints[e.Code]; !found {
			e.Hint = anyHint
		}
	}
	return e
}

// tokenError makes an [*AuthorityError] of what the token endpoint answered, or
// wraps [ErrUnavailable].
func tokenError(err error) error {
	var answer *oauth2.RetrieveError
	if !errors.As(err, &answer) {
		return unavailable("the authority", err)
	}
	// RFC 6749, 5.2 (Error Response), with Entra's additions.
	var fault struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
		Numbers     []int  `json:"error_codes"`
		TraceID     string `json:"trace_id"`
	}
	if json.Unmarshal(answer.Body, &fault) != nil || fault.Error == "" {
		return unavailable("the authority", fmt.Errorf("status %d without an error that could be read", answer.Response.StatusCode))
	}
	e := ParseAuthorityError(fault.Error, fault.Description)
	if len(fault.Numbers) > 0 {
		e.Number = fault.Numbers[0]
	}
	if fault.TraceID != "" {
		e.TraceID = fault.TraceID
	}
	e.finished()
	if answer.Response.StatusCode >= http.StatusInternalServerError {
		return unavailable("the authority", e)
	}
	return e
}

// calling hands the library our client.
func calling(ctx context.Context, client *http.Client) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, client)
}
