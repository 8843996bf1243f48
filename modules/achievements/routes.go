package achievements

import (
	"github.com/badge-engine/badge-engine/modules/internal/assertion"
	"github.com/badge-engine/badge-engine/platform/httpserver"
	"github.com/badge-engine/badge-engine/platform/paging"
	"github.com/badge-engine/badge-engine/platform/principal"
)

var (
	pictures = []string{"image/png", "image/svg+xml"}
	upload   = httpserver.Body{MediaTypes: append([]string{"multipart/form-data"}, pictures...), Note: "The picture as the body, or as the field image of a form."}
	download = httpserver.Body{MediaTypes: pictures}
	ifMatch  = httpserver.Header("If-Match", "The ETag you read: the change is refused with 412 if it was changed meanwhile.")
)

// Routes is the table of URLs of this module.
func Routes(h *handlers) httpserver.Table {
	read := httpserver.Authenticated()
	issuers := httpserver.Scope(principal.ScopeIssuersWrite)
	write := httpserver.Scope(principal.ScopeAchievementsWrite)
	draw := httpserver.Scope(principal.ScopeAchievementsWrite, principal.ScopeIssuersWrite)
	open := httpserver.Public()
	return httpserver.Table{
		{Method: "POST", Path: "/api/v1/issuers", Access: issuers, Handler: h.createIssuer, Tag: "Issuer profiles", Summary: "Create an issuer profile and its signing key", Request: newIssuerInput{}, Response: issuerOutput{}, Status: 201, Errors: []int{400, 415, 422, 503}},
		{Method: "GET", Path: "/api/v1/issuers", Access: read, Handler: h.listIssuers, Tag: "Issuer profiles", Summary: "List issuer profiles", Params: listParams(httpserver.Query("name", "only those whose name begins so")), Response: paging.Page[issuerOutput]{}, Errors: []int{400}},
		{Method: "GET", Path: "/api/v1/issuers/:id", Access: read, Handler: h.readIssuer, Tag: "Issuer profiles", Summary: "Read an issuer profile", Response: issuerOutput{}, Errors: []int{404}},
		{Method: "PUT", Path: "/api/v1/issuers/:id", Access: issuers, Handler: h.replaceIssuer, Tag: "Issuer profiles", Summary: "Replace an issuer profile", Params: []httpserver.Param{ifMatch}, Request: issuerInput{}, Response: issuerOutput{}, Errors: []int{400, 404, 412, 415, 422}},
		{Method: "DELETE", Path: "/api/v1/issuers/:id", Access: issuers, Handler: h.deleteIssuer, Tag: "Issuer profiles", Summary: "Delete an issuer profile that nothing depends on", Status: 204, Errors: []int{404, 409}},

		{Method: "POST", Path: "/api/v1/achievements", Access: write, Handler: h.createAchievement, Tag: "Achievements", Summary: "Define an achievement", Request: achievementInput{}, Response: achievementOutput{}, Status: 201, Errors: []int{400, 415, 422}},
		{Method: "GET", Path: "/api/v1/achievements", Access: read, Handler: h.listAchievements, Tag: "Achievements", Summary: "List achievements", Params: listParams(httpserver.Query("issuerId", "only those of this issuer profile"), httpserver.Query("name", "only those whose name begins so"), httpserver.Query("achievementType", "only those of this type")), Response: paging.Page[achievementOutput]{}, Errors: []int{400}},
		{Method: "GET", Path: "/api/v1/achievements/:id", Access: read, Handler: h.readAchievement, Tag: "Achievements", Summary: "Read an achievement", Response: achievementOutput{}, Errors: []int{404}},
		{Method: "PUT", Path: "/api/v1/achievements/:id", Access: write, Handler: h.replaceAchievement, Tag: "Achievements", Summary: "Replace an achievement; credentials already issued keep theirs", Params: []httpserver.Param{ifMatch}, Request: achievementInput{}, Response: achievementOutput{}, Errors: []int{400, 404, 412, 415, 422}},
		{Method: "DELETE", Path: "/api/v1/achievements/:id", Access: write, Handler: h.deleteAchievement, Tag: "Achievements", Summary: "Delete an achievement that was never awarded", Status: 204, Errors: []int{404, 409}},

		{Method: "POST", Path: "/api/v1/images", Access: draw, Handler: h.uploadImage, Tag: "Images", Summary: "Upload a picture, PNG or SVG", Request: upload, Response: imageOutput{}, Status: 201, Errors: []int{413, 415, 422}},
		{Method: "GET", Path: "/api/v1/images/:id", Access: read, Handler: h.readImage, Tag: "Images", Summary: "Describe an image", Response: imageOutput{}, Errors: []int{404}},
		{Method: "PUT", Path: "/api/v1/images/:id", Access: draw, Handler: h.putRendition, Tag: "Images", Summary: "Add or replace the rendition in the format uploaded", Request: upload, Response: imageOutput{}, Errors: []int{404, 413, 415, 422}},
		{Method: "DELETE", Path: "/api/v1/images/:id", Access: draw, Handler: h.deleteImage, Tag: "Images", Summary: "Delete an image that nothing shows", Status: 204, Errors: []int{404, 409}},

		{Method: "GET", Path: "/issuers/:id", Access: open, Handler: h.publicIssuer, AnyOrigin: true, Tag: "Public", Summary: "An issuer: profile and verification methods as JSON-LD, or a page", Response: PublicIssuer{}, Errors: []int{404}},
		{Method: "GET", Path: "/achievements/:id", Access: open, Handler: h.publicAchievement, AnyOrigin: true, Tag: "Public", Summary: "An achievement as JSON-LD, or a page", Response: PublicAchievement{}, Errors: []int{404}},
		{Method: "GET", Path: "/ob2/achievements/:id", Access: open, Handler: h.badgeClass, AnyOrigin: true, Tag: "Open Badges 2.0", Summary: "An achievement as a badge class", Response: assertion.BadgeClass{}, Errors: []int{404}},
		{Method: "GET", Path: "/ob2/issuers/:id", Access: open, Handler: h.hostedIssuer, AnyOrigin: true, Tag: "Open Badges 2.0", Summary: "An issuer profile as an issuer", Response: assertion.Issuer{}, Errors: []int{404}},
		{Method: "GET", Path: "/images/:id", Access: open, Handler: h.publicImage, AnyOrigin: true, Tag: "Public", Summary: "A picture, in the format asked for", Params: []httpserver.Param{httpserver.Query("format", "png or svg; the default follows Accept, then what there is", "png", "svg")}, Response: download, Errors: []int{404}},
	}
}

func listParams(filters ...httpserver.Param) []httpserver.Param {
	return append(httpserver.PageParams(sorts...), filters...)
}
