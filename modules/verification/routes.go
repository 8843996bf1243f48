package verification

import (
	"time"

	"github.com/badge-engine/badge-engine/modules/internal/image"
	"github.com/badge-engine/badge-engine/platform/httpserver"
)

// Routes is the table of URLs of this module.
func Routes(service *Service, p *Pages) httpserver.Table {
	h := handlers{service}
	return httpserver.Table{{
		Method: "GET", Path: "/verify", Access: httpserver.Public(), Handler: p.form,
		Tag: "Verification", Summary: "A page to check a badge on",
		Params:   []httpserver.Param{httpserver.Query("url", "An address to fill in; nothing is fetched before the form is sent.")},
		Response: httpserver.Body{MediaTypes: []string{"text/html"}},
	}, {
		Method: "POST", Path: "/verify", Access: httpserver.Public(), Handler: p.verify, Costly: true,
		Tag: "Verification", Summary: "Check a badge and show a page about it",
		Description: "The form of the page: a file, an address `url`, or the text `badge`; the first of these that is there counts. A field `recipient` may say whose badge it should be.",
		Request:     httpserver.Body{MediaTypes: []string{"multipart/form-data", "application/x-www-form-urlencoded"}},
		Response:    httpserver.Body{MediaTypes: []string{"text/html"}}, Errors: []int{413, 422},
		Deadline: 30 * time.Second, BodyLimit: image.MaxBytes + 64<<10,
	}, {
		Method: "POST", Path: "/api/v1/verify", Access: httpserver.Public(), Handler: h.verify, Costly: true,
		Tag: "Verification", Summary: "Verify a badge from anywhere",
		Description: "Send the credential itself, or `{\"verifiableCredential\": …, \"options\": {\"recipient\": …}}`, or `{\"url\": …}` with the address of a badge, as JSON; a compact JWS as text; or a PNG or SVG with a badge in it, as the body or as the field `file` of a form. The answer is 200 whenever a badge could be read: its member `verified` says whether it is good.",
		Params:      []httpserver.Param{httpserver.Query("recipient", "Whose badge it should be: an e-mail address or another identifier. A form or the options of a JSON body may say it too, which keeps it out of addresses.")},
		Request: httpserver.Body{
			MediaTypes: []string{"application/json", "text/plain", "image/png", "image/svg+xml", "multipart/form-data"},
			Schema:     request{}, Note: "A form may have a field recipient beside the file.",
		},
		Response: Report{}, Errors: []int{400, 404, 413, 415, 422},
		Deadline: 30 * time.Second, BodyLimit: image.MaxBytes + 64<<10,
		AnyOrigin: true,
	}}
}
