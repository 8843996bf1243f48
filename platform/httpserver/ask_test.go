package httpserver_test

import (
	"errors"
	"log/slog"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/badge-engine/badge-engine/platform/httpserver"
)

func TestAskAnswersWhatAnybodyMayRead(t *testing.T) {
	table := httpserver.Table{
		{Method: "GET", Path: "/things/:id", Access: httpserver.Public(), Summary: "s", Tag: "t", Handler: func(c *fiber.Ctx) error {
			if c.Params("id") == "gone" {
				return c.Status(410).SendString("it went")
			}
			return c.SendString(c.Params("id") + " " + c.Query("q") + " " + c.Get("Accept"))
		}},
		{Method: "POST", Path: "/deeds", Access: httpserver.Public(), Summary: "s", Tag: "t", Handler: func(c *fiber.Ctx) error { return c.SendString("done") }},
		{Method: "GET", Path: "/secrets", Access: httpserver.Authenticated(), Summary: "s", Tag: "t", Handler: func(c *fiber.Ctx) error { return c.SendString("secret") }},
	}
	s, err := httpserver.New(httpserver.Default(), httpserver.Parts{Tables: []httpserver.Table{table}, Guard: guard{}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string]struct {
		status int
		body   string
	}{
		"/things/a?q=b": {200, "a b text/plain"},
		"/things/gone":  {410, "it went"},
		"/deeds":        {405, ""},
		"/secrets":      {401, ""},
		"/nothing":      {404, ""},
	} {
		status, body, err := s.Ask(t.Context(), target, "text/plain")
		if err != nil || status != want.status || want.body != "" && string(body) != want.body {
			t.Errorf("%s: %d %s %v", target, status, body, err)
		}
	}
	for _, target := range []string{"", "things", "http://example.org/", "/a b", "/a\r\nX: y", "/a#b"} {
		if _, _, err := s.Ask(t.Context(), target, ""); !errors.Is(err, httpserver.ErrNotPublic) {
			t.Errorf("%q: %v", target, err)
		}
	}
}
