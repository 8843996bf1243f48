package httpserver

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/problem"
	"github.com/badge-engine/badge-engine/platform/ratelimit"
	"github.com/badge-engine/badge-engine/platform/tracing"
)

// Phase says whether the server is still on its way in, or already on its way
// out, so that readiness can fail meanwhile. It is a thing of its own because
// whoever reports readiness is served by the server.
type Phase struct{ starting, draining atomic.Bool }

// NewPhase makes the Phase of a server that simply serves.
func NewPhase() *Phase { return &Phase{} }

// Starting reports whether the server listens while other parts still start.
func (p *Phase) Starting() bool { return p.starting.Load() }

// Draining reports whether the server is shutting down.
func (p *Phase) Draining() bool { return p.draining.Load() }

// Parts are what a server is assembled from.
type Parts struct {
	Tables   []Table
	Dialects []Dialect
	Guard    Guard             // may be nil while every route is public
	Witness  Witness           // may be nil
	Observer Observer          // may be nil
	Tracer   *tracing.Tracer   // may be nil
	Limits   *ratelimit.Limits // may be nil: nobody is limited
	Phase    *Phase            // may be nil
	Listener net.Listener      // may be nil: Start then listens on Config.Host and Config.Port
}

// Server serves the route tables.
type Server struct {
	cfg      Config
	app      *fiber.App
	routes   []Route
	dialects []Dialect
	guard    Guard
	witness  Witness
	observer Observer
	tracer   *tracing.Tracer
	limits   *ratelimit.Limits
	phase    *Phase
	log      *slog.Logger
	proxies  []netip.Prefix
	origins  origins
	document document
	listener net.Listener
	silence  *silence

	opened chan struct{}      // closed by Start, for those who came early
	abort  context.CancelFunc // ends the contexts of all requests
	served chan struct{}      // closed when serving has ended; nil before Start
	onLost func()             // called when serving ends without being asked to
	wait   func(context.Context, time.Duration)
}

// New checks the route tables and assembles the server. It refuses a route
// that is declared twice or does not say who may call it.
func New(cfg Config, parts Parts, log *slog.Logger) (*Server, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	proxies, err := parseNetworks(cfg.TrustedProxies)
	if err != nil {
		return nil, err
	}
	s := &Server{
		cfg:      cfg,
		dialects: parts.Dialects,
		guard:    parts.Guard,
		witness:  parts.Witness,
		observer: parts.Observer,
		tracer:   parts.Tracer,
		limits:   parts.Limits,
		phase:    parts.Phase,
		log:      log,
		proxies:  proxies,
		origins:  cfg.CORSOrigins,
		listener: parts.Listener,
		onLost:   func() {},
		wait:     wait,
		silence:  &silence{conns: map[*watched]time.Time{}, slack: min(cfg.ReadTimeout, cfg.IdleTimeout) / 64},
		opened:   make(chan struct{}),
	}
	if s.phase == nil {
		s.phase = NewPhase()
	}
	if s.routes, err = arrange(append([]Table{s.ownRoutes()}, parts.Tables...)); err != nil {
		return nil, err
	}
	limit := cfg.BodyLimit
	for _, r := range s.routes {
		limit = max(limit, r.BodyLimit)
		if s.guard == nil && !r.Access.public {
			return nil, fmt.Errorf("httpserver: route %s %s is not public, but there is no guard", r.Method, r.Path)
		}
	}
	if err := s.describe(); err != nil {
		return nil, err
	}
	s.app = fiber.New(fiber.Config{
		AppName:               "Badge Engine",
		DisableStartupMessage: true,
		Immutable:             true, // strings outlive the request: services keep them
		CaseSensitive:         true,
		BodyLimit:             limit,
		ReadTimeout:           cfg.ReadTimeout,
		IdleTimeout:           cfg.IdleTimeout,
		ReadBufferSize:        16 << 10, // the whole header of a request
		ErrorHandler:          s.unreadable,
		// Parsed when a handler asks, from a body that is already within the limit.
		DisablePreParseMultipartForm: true,
	})
	s.app.Server().Handler = s.entrance(s.app.Handler())
	// Requests are handled in the scope of the server, not of whoever started it.
	base, abort := context.WithCancel(context.Background())
	s.abort = abort
	s.app.Use(s.surround(base))
	for _, r := range s.routes {
		if r.Method == fiber.MethodGet {
			s.app.Get(r.Path, s.serve(r))
		} else {
			s.app.Add(r.Method, r.Path, s.serve(r))
		}
	}
	return s, nil
}

// Routes lists the table in the order in which routes are tried.
func (s *Server) Routes() []Route { return append([]Route(nil), s.routes...) }

// Draining reports whether the server is shutting down.
func (s *Server) Draining() bool { return s.phase.Draining() }

// Addr is where the server listens; nil before Start, unless it was given a listener.
func (s *Server) Addr() net.Addr {
	if s.listener == nil {
		return nil
	}
	return s.listener.Addr()
}

// Test answers a request without a listener, for tests of handlers.
func (s *Server) Test(r *http.Request) (*http.Response, error) { return s.app.Test(r, -1) }

// Start begins to serve, and listens if it does not yet. Stop must follow a
// Start that succeeded.
func (s *Server) Start(ctx context.Context) error {
	if s.served == nil {
		if err := s.Listen(ctx); err != nil {
			return err
		}
	}
	s.phase.starting.Store(false)
	close(s.opened)
	return nil
}

// startPatience is how long a request may wait for the start. A proxy that has
// noticed the open port sends requests at once, and most starts take less.
const startPatience = 5 * time.Second

// opens waits for the start, and says whether it came in time.
func (s *Server) opens(patience time.Duration) bool {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-s.opened:
		return true
	case <-timer.C:
		return false
	}
}

// Listen lets the server answer before the parts that it needs have started:
// the routes that say Early do at once; all others wait a while for Start, and are
// refused when it does not come. Stop must follow a Listen that succeeded.
func (s *Server) Listen(ctx context.Context) error {
	var certificates []tls.Certificate
	if s.cfg.TLSCert != "" {
		pair, err := tls.LoadX509KeyPair(s.cfg.TLSCert, s.cfg.TLSKey)
		if err != nil {
			return fmt.Errorf("TLS_CERT_FILE and TLS_KEY_FILE cannot be used: %w", err)
		}
		certificates = []tls.Certificate{pair}
	}
	if s.listener == nil {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(s.cfg.Host, strconv.Itoa(s.cfg.Port)))
		if err != nil {
			return fmt.Errorf("PORT %d cannot be listened on: %w", s.cfg.Port, err)
		}
		s.listener = l
	}
	var listener net.Listener = lingerListener{s.listener}
	if certificates != nil {
		listener = tls.NewListener(listener, &tls.Config{Certificates: certificates, MinVersion: tls.VersionTLS12})
	}
	s.phase.starting.Store(true)
	s.served = make(chan struct{})
	go func() {
		defer close(s.served)
		err := s.app.Listener(watchingListener{listener, s.silence})
		if !s.Draining() {
			s.log.Error("serving ended unexpectedly", "error", err)
			s.onLost()
		}
	}()
	s.log.InfoContext(ctx, "listening", "address", s.listener.Addr().String(), "tls", certificates != nil)
	return nil
}

// Stop drains the server: readiness fails first, Config.DrainDelay later no
// connection is taken any more, requests in flight may finish within
// Config.ShutdownTimeout, and what is left then is cut off. A connection on which
// nothing was ever received is not waited for.
func (s *Server) Stop(ctx context.Context) error {
	s.phase.draining.Store(true)
	if s.served == nil {
		return nil
	}
	s.log.InfoContext(ctx, "draining", "delay", s.cfg.DrainDelay)
	if !s.phase.Starting() { // nobody was sent here yet
		s.wait(ctx, s.cfg.DrainDelay)
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.ShutdownTimeout)
	defer cancel()
	drained := make(chan struct{})
	var dismissal sync.WaitGroup
	dismissal.Go(func() { s.silence.dismiss(drained) })
	err := s.app.ShutdownWithContext(ctx)
	close(drained)
	dismissal.Wait()
	s.abort()
	// Should the goroutine not have come to serve yet, the closed listener ends it.
	if closed := s.listener.Close(); closed != nil && !errors.Is(closed, net.ErrClosed) {
		err = errors.Join(err, closed)
	}
	select {
	case <-s.served:
	case <-ctx.Done():
	}
	if err != nil {
		return fmt.Errorf("httpserver: requests were cut off: %w", err)
	}
	return nil
}

func wait(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

var (
	errTooLarge = fault.New(fault.TooLarge, "httpserver.too_large", "The body is larger than what is taken here.")
	errStarting = fault.New(fault.Unavailable, "httpserver.starting", "The server is still starting.").RetryAfter(time.Second)
	errEncoding = fault.New(fault.Unsupported, "httpserver.content_encoding", "Compressed bodies are not taken here.")
)

var allowOrigin, anyOrigin = []byte(fiber.HeaderAccessControlAllowOrigin), []byte("*")

// serve surrounds the handler of one route: who may call, how long, how much.
func (s *Server) serve(r Route) fiber.Handler {
	deadline, limit := r.Deadline, r.BodyLimit
	if deadline <= 0 {
		deadline = s.cfg.RequestTimeout
	}
	if limit <= 0 {
		limit = s.cfg.BodyLimit
	}
	return func(c *fiber.Ctx) error {
		started := time.Now()
		if p := passageOf(c); p != nil {
			p.route, started = &r, p.started
		}
		if !r.Early && s.phase.Starting() && !s.opens(min(startPatience, deadline)) {
			return errStarting
		}
		ctx := withDeadline(c.UserContext(), started.Add(deadline))
		defer ctx.end()
		c.SetUserContext(ctx)
		if r.AnyOrigin {
			c.Response().Header.SetCanonical(allowOrigin, anyOrigin)
		}
		if err := s.admit(c, r.Access); err != nil {
			return s.counted(c, err)
		}
		if r.Costly {
			if err := s.spare(c); err != nil {
				return err
			}
		}
		if err := legible(c); err != nil {
			return err
		}
		if len(c.Request().Body()) > limit {
			return errTooLarge.Detailf("At most %d bytes are taken.", limit)
		}
		// fiber would unpack it without a limit, so that a small body could fill the memory.
		if encoding := c.Request().Header.ContentEncoding(); len(encoding) > 0 && !strings.EqualFold(string(encoding), "identity") {
			return errEncoding.Detailf("Send the bytes as they are, without Content-Encoding.")
		}
		err := r.Handler(c)
		if err == nil {
			return nil
		}
		if _, declared := fault.From(err); !declared && ctx.Err() != nil {
			err = errors.Join(ctx.Err(), err) // drivers have their own words for an expired context
		}
		return s.counted(c, err)
	}
}

// legible refuses query parameters that no store could hold or compare: what is
// not UTF-8, and U+0000.
func legible(c *fiber.Ctx) (err error) {
	if len(c.Context().URI().QueryString()) == 0 {
		return nil
	}
	c.Context().QueryArgs().VisitAll(func(name, value []byte) {
		if !utf8.Valid(name) || !utf8.Valid(value) || bytes.IndexByte(value, 0) >= 0 {
			err = ErrQuery.Detailf("%q is not legible: send UTF-8 without U+0000.", strings.ToValidUTF8(string(name), "?"))
		}
	})
	return err
}

// refuse renders an error.
func (s *Server) refuse(c *fiber.Ctx, err error) error {
	s.testify(c, err)
	announce(c, err)
	path := c.Path()
	var speaks Dialect
	for _, d := range s.dialects {
		below := path == d.Prefix || strings.HasPrefix(path, strings.TrimRight(d.Prefix, "/")+"/")
		if below && len(d.Prefix) >= len(speaks.Prefix) {
			speaks = d
		}
	}
	problem.Speak(c, speaks.Write)
	return problem.Render(c, err, s.log)
}

// unreadable is fiber's error handler, reached only by requests that never came
// to a route: too large, too slow, or no HTTP.
func (s *Server) unreadable(c *fiber.Ctx, err error) error {
	s.prepare(c, context.Background())
	var e *fiber.Error
	if errors.As(err, &e) && e.Code == http.StatusBadGateway {
		err = fiber.ErrBadRequest // fiber's word for a connection that broke
	}
	if err := s.refuse(c, err); err != nil {
		return err
	}
	s.log.InfoContext(c.UserContext(), "request not read", "method", c.Method(), "status", c.Response().StatusCode())
	return nil
}

// entrance stands before fiber's own handler and catches what fiber would
// answer with plain text.
func (s *Server) entrance(next fasthttp.RequestHandler) fasthttp.RequestHandler {
	known := map[string]bool{}
	for _, m := range fiber.DefaultMethods {
		known[m] = true
	}
	render := s.app.Server().ErrorHandler
	s.app.Server().ErrorHandler = func(ctx *fasthttp.RequestCtx, err error) {
		if w := watchedOf(ctx.Conn()); w != nil && w.state.Load() == left {
			return // nobody asked for anything
		}
		hearOut(ctx.Conn())
		render(ctx, err)
	}
	return func(ctx *fasthttp.RequestCtx) {
		if known[string(ctx.Method())] {
			next(ctx)
			return
		}
		c := s.app.AcquireCtx(ctx)
		defer s.app.ReleaseCtx(c)
		if err := s.unreadable(c, fiber.ErrNotImplemented); err != nil {
			ctx.SetStatusCode(http.StatusNotImplemented)
		}
	}
}
