package baking

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/badge-engine/badge-engine/modules/internal/image"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/httpserver"
)

type handlers struct{ service *Service }

type bakeInput struct {
	Credential json.RawMessage `json:"credential" doc:"The credential as a JSON object; or a string: a compact JWS, or a data URL of a baked picture whose credential is taken."`
	Image      string          `json:"image" doc:"The picture as a data URL." example:"data:image/png;base64,iVBORw0KGgo="`
	Overwrite  bool            `json:"overwrite,omitempty" doc:"Replace the credential that the picture already carries."`
	Version    string          `json:"version,omitempty" enum:"3.0,2.0" doc:"As which edition of Open Badges to bake; what the credential says of itself when not given."`
}

type extractOutput struct {
	Format     string   `json:"format" enum:"png,svg,json,jws" doc:"What was sent."`
	Version    string   `json:"version" enum:"3.0,2.0" doc:"As which edition of Open Badges it was baked."`
	Form       string   `json:"form" enum:"json,jws,url" doc:"Whether the credential is a document, a compact JWS, or only the address of an assertion."`
	Warnings   []string `json:"warnings" doc:"What another baker did wrong."`
	Credential any      `json:"credential" doc:"The document byte for byte, or a string. It is not verified."`
}

// order is what a caller wants baked, whichever way it was sent.
type order struct {
	picture, credential []byte
	mediaType           string // of the picture, as declared
	overwrite           bool
	version             string
}

func (h handlers) bake(c *fiber.Ctx) error {
	read := fromJSON
	if httpserver.MediaType(c) == fiber.MIMEMultipartForm {
		read = fromForm
	}
	o, err := read(c)
	if err != nil {
		return err
	}
	picture, err := h.service.Bake(c.UserContext(), o.picture, o.credential, o.overwrite, o.version)
	if err != nil {
		return declared(err, o.mediaType)
	}
	format, _ := image.Sniff(picture)
	c.Set(fiber.HeaderContentDisposition, fmt.Sprintf(`attachment; filename="badge.%s"`, format))
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	// An SVG is a document: opened by itself it may do nothing at all.
	c.Set(fiber.HeaderContentSecurityPolicy, "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:")
	return httpserver.Bytes(c, http.StatusOK, format.MediaType(), picture)
}

func (h handlers) extract(c *fiber.Ctx) error {
	data, mediaType, err := httpserver.Upload(c, "image")
	if err != nil {
		return err
	}
	x, err := h.service.Extract(c.UserContext(), data)
	if err != nil {
		return declared(err, mediaType)
	}
	body, err := x.encode()
	if err != nil {
		return err
	}
	return httpserver.Bytes(c, http.StatusOK, fiber.MIMEApplicationJSON, body)
}

// encode writes the answer. A JSON credential is put in as it is, since
// encoding/json would alter its white space and its escapes.
func (x Extraction) encode() ([]byte, error) {
	frame := extractOutput{Format: x.Format, Version: x.Version, Form: x.Form, Warnings: x.Warnings}
	if x.Form != FormJSON {
		frame.Credential = string(x.Payload)
		return json.Marshal(frame)
	}
	body, err := json.Marshal(frame)
	if err != nil {
		return nil, err
	}
	body, _ = bytes.CutSuffix(body, []byte("null}")) // the credential is the last member
	return append(append(body, x.Payload...), '}'), nil
}

func fromJSON(c *fiber.Ctx) (order, error) {
	var in bakeInput
	if err := httpserver.Decode(c, &in, strictjson.Unmarshal); err != nil {
		return order{}, err
	}
	if len(in.Credential) == 0 {
		return order{}, missing("/credential")
	}
	if in.Image == "" {
		return order{}, missing("/image")
	}
	o := order{credential: in.Credential, overwrite: in.Overwrite, version: in.Version}
	var err error
	if o.picture, o.mediaType, err = dataURL(in.Image, "/image"); err != nil {
		return order{}, err
	}
	var text string
	if json.Unmarshal(in.Credential, &text) == nil {
		o.credential = []byte(text)
		if strings.HasPrefix(text, "data:") {
			if o.credential, _, err = dataURL(text, "/credential"); err != nil {
				return order{}, err
			}
		}
	}
	return o, nil
}

func fromForm(c *fiber.Ctx) (order, error) {
	var o order
	var err error
	if o.picture, o.mediaType, err = httpserver.Upload(c, "image"); err != nil {
		return order{}, err
	}
	if file, err := c.FormFile("credential"); err == nil {
		if o.credential, err = contents(file); err != nil {
			return order{}, err
		}
	} else if o.credential = []byte(httpserver.Form(c, "credential")); len(o.credential) == 0 {
		return order{}, missing("/credential")
	}
	switch overwrite := httpserver.Form(c, "overwrite"); overwrite {
	case "":
	case "on":
		o.overwrite = true // a checked box of an HTML form
	default:
		if o.overwrite, err = strconv.ParseBool(overwrite); err != nil {
			return order{}, ErrInput.Violating(fault.Violation{Pointer: "/overwrite", Rule: "request schema", Detail: "it is neither true nor false"})
		}
	}
	o.version = httpserver.Form(c, "version")
	return o, nil
}

func contents(header *multipart.FileHeader) ([]byte, error) {
	file, err := header.Open()
	if err != nil {
		return nil, fmt.Errorf("baking: open upload: %w", err)
	}
	data, err := io.ReadAll(file)
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("baking: read upload: %w", err)
	}
	return data, nil
}

func missing(pointer string) error {
	return ErrInput.Violating(fault.Violation{Pointer: pointer, Rule: "request schema", Detail: "it is missing", Remedy: "Send both image and credential."})
}

// dataURL reads RFC 2397 (The "data" URL scheme), in base64 or percent-encoded.
func dataURL(s, pointer string) (data []byte, mediaType string, err error) {
	refuse := func(detail string) error {
		return ErrInput.Violating(fault.Violation{Pointer: pointer, Rule: "RFC 2397 (The \"data\" URL scheme)", Detail: detail, Remedy: "Give a data URL such as data:image/png;base64,… of the whole file."})
	}
	rest, ok := strings.CutPrefix(s, "data:")
	head, body, comma := strings.Cut(rest, ",")
	if !ok || !comma {
		return nil, "", refuse("this is no data URL")
	}
	mediaType, _, _ = strings.Cut(head, ";")
	mediaType = strings.ToLower(strings.TrimSpace(mediaType))
	if strings.HasSuffix(head, ";base64") {
		if data, err = base64.StdEncoding.DecodeString(body); err != nil {
			return nil, "", refuse("its base64 is malformed")
		}
		return data, mediaType, nil
	}
	text, err := url.PathUnescape(body)
	if err != nil {
		return nil, "", refuse("its percent-encoding is malformed")
	}
	return []byte(text), mediaType, nil
}
