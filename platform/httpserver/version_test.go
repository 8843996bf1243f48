package httpserver_test

import (
	"net/http/httptest"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/badge-engine/badge-engine/platform/httpserver"
)

func TestIfMatchTakesBackWhatSetVersionWrote(t *testing.T) {
	for tag, want := range map[string]struct {
		version int64
		ok      bool
	}{
		"":                       {0, true},
		"*":                      {0, true},
		`"7"`:                    {7, true},
		`W/"7"`:                  {7, true},
		` "7" `:                  {7, true},
		"7":                      {7, true},
		`"0"`:                    {0, false},
		`"-1"`:                   {-1, false},
		`"x"`:                    {0, false},
		`"7", "8"`:               {0, false},
		`"99999999999999999999"`: {0, false},
	} {
		app := fiber.New()
		app.Get("/", func(c *fiber.Ctx) error {
			version, ok := httpserver.IfMatch(c)
			if ok != want.ok || ok && version != want.version {
				t.Errorf("%q is %d, %t", tag, version, ok)
			}
			httpserver.SetVersion(c, 7)
			return nil
		})
		r := httptest.NewRequest("GET", "/", nil)
		if tag != "" {
			r.Header.Set("If-Match", tag)
		}
		answer, err := app.Test(r)
		if err != nil || answer.Header.Get("ETag") != `"7"` {
			t.Errorf("%v, %v", answer, err)
		}
	}
}
