package entrasim

import (
	"fmt"
	"html"
	"net/http"
	"time"
)

// An oauthError is what Entra says with an AADSTS number: the error of RFC 6749
// and a sentence.
type oauthError struct {
	status   int
	code     string
	sentence string
}

// oauthErrors are the numbers the simulator gives by itself or on request.
var oauthErrors = map[int]oauthError{
	50011:   {400, "invalid_request", "The redirect URI specified in the request does not match the redirect URIs configured for the application."},
	50020:   {400, "interaction_required", "The user account does not exist in the tenant and cannot access the application."},
	50034:   {400, "invalid_grant", "The user account does not exist in the directory."},
	50057:   {400, "invalid_grant", "The user account is disabled."},
	50058:   {400, "login_required", "A silent sign-in request was sent but no user is signed in."},
	50076:   {400, "interaction_required", "Multi-factor authentication is required to access the resource."},
	50079:   {400, "interaction_required", "The user must enroll in multi-factor authentication."},
	50105:   {400, "access_denied", "The signed in user is not assigned to a role for the application."},
	50126:   {400, "invalid_grant", "The username or the password is wrong."},
	50194:   {400, "invalid_request", "The application is not configured as a multi-tenant application."},
	500011:  {400, "invalid_resource", "The resource principal was not found in the tenant."},
	500112:  {400, "invalid_grant", "The reply address does not match the one provided when the authorization code was requested."},
	501481:  {400, "invalid_grant", "The code_verifier does not match the code_challenge supplied in the authorization request."},
	53003:   {400, "interaction_required", "Access has been blocked by Conditional Access policies."},
	54005:   {400, "invalid_grant", "The authorization code was already redeemed."},
	65001:   {400, "consent_required", "The user or administrator has not consented to use the application."},
	65004:   {400, "access_denied", "The user declined to consent to access the app."},
	70000:   {400, "invalid_grant", "The provided value for the authorization code is not valid."},
	70003:   {400, "unsupported_grant_type", "The app requested an unsupported grant type."},
	70008:   {400, "invalid_grant", "The provided authorization code has expired."},
	70011:   {400, "invalid_scope", "The provided value for the input parameter scope is not valid."},
	700016:  {400, "unauthorized_client", "The application was not found in the directory."},
	700027:  {401, "invalid_client", "The client assertion failed signature validation or its claims are wrong."},
	700054:  {400, "unsupported_response_type", "The response_type id_token is not enabled for the application."},
	700082:  {400, "invalid_grant", "The refresh token has expired due to inactivity."},
	7000215: {401, "invalid_client", "Invalid client secret provided. Ensure the secret being sent is the value and not the id."},
	7000218: {401, "invalid_client", "The request body must contain client_assertion or client_secret."},
	7000222: {401, "invalid_client", "The provided client secret keys are expired."},
	90002:   {400, "invalid_request", "The tenant was not found."},
	90033:   {503, "temporarily_unavailable", "A transient error has occurred."},
	900144:  {400, "invalid_request", "The request body must contain all required parameters."},
	9002313: {400, "invalid_request", "The request is malformed or invalid."},
}

func explain(number int) oauthError {
	if e, ok := oauthErrors[number]; ok {
		return e
	}
	return oauthError{400, "invalid_request", "Simulated failure."}
}

func description(number int, trace, correlation, at string) string {
	return fmt.Sprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s", number, explain(number).sentence, trace, correlation, at)
}

// AADSTS is a refusal of the token endpoint by its number. A number the
// simulator does not know is an invalid_request.
func AADSTS(number int) Fault {
	return func(w http.ResponseWriter, _ *http.Request) { aadsts(w, number) }
}

func aadsts(w http.ResponseWriter, number int) {
	trace, correlation, at := guid(), guid(), time.Now().UTC().Format("2006-01-02 15:04:05Z")
	e := explain(number)
	writeJSON(w, e.status, map[string]any{
		"error":             e.code,
		"error_description": description(number, trace, correlation, at),
		"error_codes":       []int{number},
		"timestamp":         at,
		"trace_id":          trace,
		"correlation_id":    correlation,
		"error_uri":         fmt.Sprintf("https://login.microsoftonline.com/error?code=%d", number),
	})
}

// refusalPage is what a person sees when Entra cannot or must not send the
// browser back.
func refusalPage(w http.ResponseWriter, number int) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusBadRequest)
	fmt.Fprintf(w, "<!doctype html><title>Sign in</title><h1>Sorry, but we’re having trouble signing you in.</h1><p id=error>AADSTS%d: %s</p>",
		number, html.EscapeString(explain(number).sentence))
}

func graphError(w http.ResponseWriter, status int, code, message string) {
	writeJSON(w, status, map[string]any{"error": map[string]any{
		"code":    code,
		"message": message,
		"innerError": map[string]any{
			"date": time.Now().UTC().Format("2006-01-02T15:04:05"), "request-id": guid(), "client-request-id": guid(),
		},
	}})
}
