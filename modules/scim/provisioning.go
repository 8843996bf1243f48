package scim

import (
	"cmp"
	"context"
	"strconv"
)

// Overview is what an administrator looks at to see whether provisioning goes well.
type Overview struct {
	Contacts []Contact
	Counts   Counts
	Failures []Failure
	Warnings []string
}

// Overview tells who provisions, how many resources there are, what was refused
// lately, and what to look after.
func (s *Service) Overview(ctx context.Context, failures int) (Overview, error) {
	var o Overview
	var err error
	if o.Contacts, err = s.store.Contacts(ctx); err != nil {
		return o, err
	}
	if o.Counts, err = s.store.Counts(ctx); err != nil {
		return o, err
	}
	if o.Failures, err = s.store.Failures(ctx, failures); err != nil {
		return o, err
	}
	warn := func(n int64, of, text string) {
		if n > 0 {
			o.Warnings = append(o.Warnings, strconv.FormatInt(n, 10)+" "+of+text)
		}
	}
	warn(o.Counts.UnlinkedUsers, "users", " have no externalId that is an object id of Entra: whoever signs in is not recognized as one of them. Map objectId to externalId in the attribute mapping of users, and restart provisioning.")
	warn(o.Counts.UnlinkedGroups, "groups", " have no externalId that is an object id of Entra: membership in them gives no role. Map objectId to externalId in the attribute mapping of groups.")
	if s.tenant == "" {
		o.Warnings = append(o.Warnings, "ENTRA_TENANT_ID is not set: nobody who signs in is recognized as somebody of this directory.")
	}
	return o, nil
}

// rule says by which rule a code refuses, and how to mend what was sent.
type rule struct{ rule, remedy string }

var rules = map[string]rule{
	"scim.uniqueness":               {"RFC 7643, 7 (uniqueness)", "Another resource has this userName or displayName. Let Entra match by an attribute that differs, or delete the other resource; for groups of one name set SCIM_UNIQUE_GROUP_NAMES=false and match by externalId."},
	"scim.invalid_value":            {"RFC 7643, 2.3 (data types)", "Look at the mapping of the attribute that the detail names: its source must have a value of that type. For a member that is not there yet nothing is to be done; Entra repeats it in the next cycle."},
	"scim.invalid_path":             {"RFC 7644, 3.5.2 (PATCH)", "Correct the target attribute of the mapping, or take the mapping out. GET /scim/v2/Schemas lists every attribute there is; further ones are declared by SCIM_EXTENSIONS_FILE."},
	"scim.invalid_filter":           {"RFC 7644, 3.4.2.2 (filtering)", "Correct the matching attribute of the mapping."},
	"scim.invalid_syntax":           {"RFC 7644, 3.1 and 3.5.2", "What was sent is no SCIM message. If Entra sent it, look for a proxy that changes bodies."},
	"scim.mutability":               {"RFC 7643, 7 (mutability)", "Take the mapping of this attribute out: the server alone gives it its value."},
	"scim.no_target":                {"RFC 7644, 3.5.2 (PATCH)", "The path selects no value. Use a filter of eq only, which makes the value where it is missing."},
	"scim.not_found":                {"RFC 7644, 3.12", "The resource was deleted here. Restart provisioning, so that Entra looks it up anew."},
	"scim.version":                  {"RFC 7644, 3.14 (versions)", "Somebody else changed the resource in between. Repeat the request."},
	"scim.too_large":                {"RFC 7644, 3.7.4 (maximum operations)", "Send fewer operations in one request; GET /scim/v2/ServiceProviderConfig names the limits."},
	"httpserver.too_large":          {"RFC 9110, 15.5.14", "Send less in one request."},
	"httpserver.media_type":         {"RFC 7644, 3.1", "Send application/scim+json."},
	"auth.token_invalid":            {"RFC 6750, 3.1", "The secret token in Entra is wrong, expired or revoked. Make a new one (badge-engine token create --scope scim), paste it into Entra, and press Test Connection."},
	"httpserver.unauthenticated":    {"RFC 6750, 3", "Enter a secret token in Entra; without one it sends a token of its own, which is not taken here."},
	"auth.scim_needed":              {"RFC 6750, 3.1", "The token lacks the scope scim."},
	"database.unavailable":          {"RFC 9110, 15.6.4", "The database could not be reached. Entra repeats the request by itself."},
	"httpserver.deadline":           {"RFC 9110, 15.6.4", "The answer took too long. Look at the load of the database; Entra repeats the request by itself."},
	"httpserver.internal":           {"RFC 9110, 15.6.1", "This is a fault of the server: the log has the cause under the request id."},
	"httpserver.not_found":          {"RFC 7644, 3.2", "There is nothing at this address. The tenant URL in Entra ends with /scim/v2."},
	"ratelimit.exceeded":            {"RFC 6585, 4", "More requests came than RATE_LIMIT allows."},
	"scim.sensitive":                {"RFC 7644, 7.5.2", "Search by POST to /.search."},
	"scim.too_many":                 {"RFC 7644, 3.4.2", "Narrow the filter."},
	"scim.invalid_cursor":           {"RFC 9865, 2.1", "Begin again with an empty cursor."},
	"scim.expired_cursor":           {"RFC 9865, 2.1", "Begin again with an empty cursor."},
	"scim.invalid_count":            {"RFC 9865, 2.1", "Ask for a page of a size that ServiceProviderConfig allows."},
	"scim.invalid_vers":             {"RFC 7644, 3.13", "The tenant URL in Entra ends with /scim/v2."},
	"httpserver.method_not_allowed": {"RFC 7644, 3.2", "This address does not take this method."},
}

// Rule says by which rule the failure was refused, and how to mend it.
func (f Failure) Rule() (name, remedy string) {
	r := rules[f.Code]
	return cmp.Or(r.rule, "RFC 7644, 3.12"), cmp.Or(r.remedy, "See docs/errors.md for the code.")
}
