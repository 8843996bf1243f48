package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/badge-engine/badge-engine/platform/config"
	"github.com/badge-engine/badge-engine/platform/fetch"
	"github.com/badge-engine/badge-engine/platform/httpserver"
)

// home fetches what badges point at: from this very server where the address is our
// own, so that a badge of ours needs no network and no exception to the guard, and
// from the world for all others.
type home struct {
	public config.PublicURL
	world  *fetch.Client
	server *httpserver.Server // there once the graph is built
}

func newHome(public config.PublicURL, world *fetch.Client) *home {
	return &home{public: public, world: world}
}

// move tells home which server is its own: the server is made of the modules that
// ask home, so that it cannot be there before.
func (h *home) move(s *httpserver.Server) { h.server = s }

var errAway = errors.New("engine: there is no server yet")

// Get implements the ports of the modules that fetch.
func (h *home) Get(ctx context.Context, url string) ([]byte, error) {
	data, _, err := h.GetWithin(ctx, url, forever)
	return data, err
}

const forever = time.Duration(math.MaxInt64)

// GetWithin implements [verification.Aged]. What is our own is never old.
func (h *home) GetWithin(ctx context.Context, url string, atMost time.Duration) ([]byte, time.Duration, error) {
	target, ours := strings.CutPrefix(url, h.public.String())
	if !ours || !strings.HasPrefix(target, "/") {
		return h.world.GetWithin(ctx, url, atMost)
	}
	body, err := h.own(ctx, target)
	return body, 0, err
}

func (h *home) own(ctx context.Context, target string) ([]byte, error) {
	if h.server == nil {
		return nil, errAway
	}
	target, _, _ = strings.Cut(target, "#")
	// PUBLIC_URL may have a path of its own, which a proxy takes away before us.
	status, body, err := h.server.Ask(ctx, target, fetch.Accept)
	switch {
	case err != nil:
		return nil, err
	case status != http.StatusOK:
		return nil, fmt.Errorf("engine: %w", &fetch.Refusal{Status: status, Body: body})
	}
	return body, nil
}
