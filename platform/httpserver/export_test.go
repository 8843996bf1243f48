package httpserver

import (
	"context"
	"time"
)

// DelayBy replaces the waiting between failing readiness and closing the listener.
func (s *Server) DelayBy(wait func(context.Context, time.Duration)) { s.wait = wait }
