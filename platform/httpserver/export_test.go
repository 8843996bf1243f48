package httpserver

import (
	"context"
	"time"

	"github.com/valyala/fasthttp"
)

// DelayBy replaces the waiting between failing readiness and closing the listener.
func (s *Server) DelayBy(wait func(context.Context, time.Duration)) { s.wait = wait }

// Handler answers requests without a connection.
func (s *Server) Handler() fasthttp.RequestHandler { return s.app.Server().Handler }
