package httpserver

import (
	"context"
	"errors"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// ErrNotPublic says that Ask was asked for something else than a public document.
var ErrNotPublic = errors.New("httpserver: only paths are asked for")

// Ask gets a document from this very server as anybody would, without a connection:
// what is published here must not need a network that leads back here. The target is
// a path and perhaps a query. Whoever asks is nobody, so that only public routes answer.
func (s *Server) Ask(ctx context.Context, target, accept string) (status int, body []byte, err error) {
	if !strings.HasPrefix(target, "/") || strings.ContainsAny(target, "\r\n #") {
		return 0, nil, ErrNotPublic
	}
	if err := ctx.Err(); err != nil {
		return 0, nil, err
	}
	var request fasthttp.Request
	request.Header.SetMethod(fiber.MethodGet)
	request.SetRequestURI(target)
	request.Header.SetHost("localhost")
	request.Header.Set(fiber.HeaderAccept, accept)
	var c fasthttp.RequestCtx
	c.Init(&request, nil, nil)
	s.app.Handler()(&c)
	return c.Response.StatusCode(), append([]byte(nil), c.Response.Body()...), nil
}
