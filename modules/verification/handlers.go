package verification

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/httpserver"
)

type handlers struct{ service *Service }

type request struct {
	VerifiableCredential json.RawMessage `json:"verifiableCredential,omitempty" doc:"The credential; it may also stand alone as the whole body."`
	URL                  string          `json:"url,omitempty" format:"uri" doc:"Instead of the credential, the address of a badge, its picture or its assertion."`
	Options              Options         `json:"options" doc:"What else to check."`
}

func (h handlers) verify(c *fiber.Ctx) error {
	upload, mediaType, err := httpserver.Upload(c, "file")
	if err != nil {
		return err
	}
	o := Options{Recipient: recipient(c)}
	switch {
	case mediaType == "application/json" || strings.HasSuffix(mediaType, "+json"):
		if address, asked, ok := addressIn(upload); ok {
			report, err := h.service.VerifyAt(c.UserContext(), address, asked.or(o))
			if err != nil {
				return err
			}
			return httpserver.JSON(c, http.StatusOK, report)
		}
		if upload, o, err = unwrap(upload, o); err != nil {
			return err
		}
	case mediaType == "" || mediaType == "text/plain" || mediaType == "application/octet-stream" ||
		strings.HasPrefix(mediaType, "image/") || strings.HasSuffix(mediaType, "jwt") || mediaType == "application/jose":
		// What it is, its first bytes tell.
	default:
		return ErrMediaType.Detailf("%s is none of these.", mediaType)
	}
	report, err := h.service.Verify(c.UserContext(), upload, o)
	if err != nil {
		return err
	}
	return httpserver.JSON(c, http.StatusOK, report)
}

// recipient comes beside the badge: in the query, or in the form.
func recipient(c *fiber.Ctx) string {
	if name := c.Query("recipient"); name != "" || httpserver.MediaType(c) != fiber.MIMEMultipartForm {
		return name
	}
	return httpserver.Form(c, "recipient")
}

// addressIn reads {"url": …, "options": …}, which is no credential: it has no context.
func addressIn(body []byte) (address string, o Options, ok bool) {
	if len(body) > 64<<10 || !bytes.Contains(body, []byte(`"url"`)) {
		return "", o, false
	}
	members, err := strictjson.Read(body)
	if err != nil || !members.Is(strictjson.Object) {
		return "", o, false
	}
	for m := members.First(); m != nil; m = m.Next() {
		if m.Name != "url" && m.Name != "options" {
			return "", o, false
		}
	}
	url := members.Get("url")
	if !url.Is(strictjson.String) {
		return "", o, false
	}
	o.Recipient = members.Get("options").Member("recipient")
	return url.Text, o, true
}

// or takes from other what o does not say.
func (o Options) or(other Options) Options {
	if o.Recipient == "" {
		o.Recipient = other.Recipient
	}
	return o
}

// unwrap opens {"verifiableCredential": …, "options": …}; anything else is the
// credential itself. Options that are not known are passed over: callers send some.
func unwrap(body []byte, o Options) ([]byte, Options, error) {
	if !bytes.Contains(body, []byte(`"verifiableCredential"`)) {
		return body, o, nil
	}
	members, err := strictjson.Read(body)
	if err != nil {
		return body, o, nil // the service says what is wrong with it
	}
	inner := members.Get("verifiableCredential")
	if inner == nil || members.Get("@context") != nil {
		return body, o, nil
	}
	if name := members.Get("options").Get("recipient"); name.Is(strictjson.String) {
		o.Recipient = name.Text
	}
	if inner.Is(strictjson.String) && !strings.HasPrefix(strings.TrimSpace(inner.Text), "{") {
		return []byte(inner.Text), o, nil
	}
	var raw map[string]json.RawMessage // unlike a struct it takes names exactly
	if err := json.Unmarshal(body, &raw); err != nil {
		return nil, o, ErrUnreadable.With(err)
	}
	if !inner.Is(strictjson.Object) {
		return nil, o, ErrUnreadable.Violating(fault.Violation{Pointer: "/verifiableCredential", Rule: "request schema", Detail: "the credential is no object and no compact JWS", Remedy: "Give the credential itself, not as text."})
	}
	return raw["verifiableCredential"], o, nil
}
