package baking

import (
	"net/http"

	"github.com/badge-engine/badge-engine/platform/httpserver"
)

// bodyLimit leaves room for the largest picture and credential in base64.
const bodyLimit = 32 << 20

var (
	pictures  = []string{"image/png", "image/svg+xml"}
	toBake    = httpserver.Body{MediaTypes: []string{"application/json", "multipart/form-data"}, Schema: bakeInput{}, Note: "A form has the fields image (a file), credential (a file or text), overwrite and version."}
	baked     = httpserver.Body{MediaTypes: pictures, Note: "The picture, every byte as it was but for the credential."}
	toExtract = httpserver.Body{MediaTypes: append([]string{"multipart/form-data", "application/json", "application/vc+ld+json", "text/plain"}, pictures...), Note: "The picture as the body or as the field image of a form; a credential by itself is answered as it is."}
)

// Routes is the URL table of this module.
func Routes(s *Service) httpserver.Table {
	h := handlers{s}
	return httpserver.Table{
		{Method: http.MethodPost, Path: "/api/v1/bake", Access: httpserver.Authenticated(), Handler: h.bake, Tag: "Baking", Summary: "Bake a credential into a PNG or an SVG", Request: toBake, Response: baked, Errors: []int{400, 409, 413, 415, 422}, BodyLimit: bodyLimit},
		{Method: http.MethodPost, Path: "/api/v1/extract", Access: httpserver.Authenticated(), Handler: h.extract, Tag: "Baking", Summary: "Take the credential out of a baked PNG or SVG", Request: toExtract, Response: extractOutput{}, Errors: []int{400, 404, 413, 415, 422}, BodyLimit: bodyLimit},
	}
}
