package intake

import (
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/image"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/principal"
)

// manyLimit is the largest file of badges that is read at once.
const manyLimit = 16 << 20

// Routes is the table of URLs of this module.
func Routes(s *Service) httpserver.Table {
	h := handlers{s}
	dry := httpserver.Query("dryRun", "true says what would be done and does nothing.", "true", "false")
	return httpserver.Table{{
		Method: "POST", Path: "/api/v1/import/batch", Access: httpserver.Scope(principal.ScopeCredentialsIssue), Handler: h.takeMany,
		Tag: "Import", Summary: "Take over up to 500 badges of elsewhere",
		Description: "NDJSON: on each line `{\"badge\": …}` or `{\"url\": …}`, with `recipient`, `issuerId` and `achievementId` where they are other than those of all, or the badge, the token or the address alone. Each is taken over as by itself, and what came of it stands in the answer; one that cannot be does not hinder the others. Each badge is imported once however often it is sent, so that a request can be repeated. Where time runs out, `next` says from which line to go on; `badge-engine import` does it for files of any length.",
		Params: []httpserver.Param{
			httpserver.Query("issuerId", "The issuer profile here that issues them again, unless a line says otherwise."),
			httpserver.Query("achievementId", "The achievement here that stands for theirs, unless a line says otherwise."), dry,
		},
		Request:  httpserver.Body{MediaTypes: []string{"application/x-ndjson", "multipart/form-data"}, Note: "The file, or a form with it in the field file."},
		Response: Outcomes{}, Errors: []int{400, 413, 415, 422},
		Deadline: 2 * time.Minute, BodyLimit: manyLimit,
	}, {
		Method: "POST", Path: "/api/v1/import", Access: httpserver.Scope(principal.ScopeCredentialsIssue), Handler: h.take,
		Tag: "Import", Summary: "Take over a badge of elsewhere and issue it again",
		Description: "The badge as JSON, a compact JWS, a PNG or an SVG, of Open Badges 2.0 or 3.0; or `{\"url\": …}`; as the body or as the field `file` of a form, which may have the parameters as fields. It is verified first, and must be good. Its achievement is made here once (scope achievements:write), or is the one that achievementId names. The same badge is imported once: 200 instead of 201 answers what became of it. A badge that names its recipient only by a hash needs `recipient`.",
		Params: []httpserver.Param{
			httpserver.Query("issuerId", "The issuer profile here that issues it again; may be left out with achievementId."),
			httpserver.Query("achievementId", "The achievement here that stands for that of the badge."),
			httpserver.Query("recipient", "The e-mail address of the recipient. Give it in a form to keep it out of addresses."), dry,
		},
		Request:  httpserver.Body{MediaTypes: []string{"application/json", "text/plain", "image/png", "image/svg+xml", "multipart/form-data"}, Schema: request{}, Note: "The badge, or its address."},
		Response: Outcome{}, Status: 201, Errors: []int{400, 403, 404, 409, 413, 415, 422},
		Deadline: time.Minute, BodyLimit: image.MaxBytes + 64<<10,
	}}
}
