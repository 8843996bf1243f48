package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"
)

// Config is where the profiles of the process are served.
type Config struct {
	Profiles string `env:"PPROF_LISTEN" help:"loopback address, such as 127.0.0.1:6060, at which the profiles of the process (pprof) are served; nowhere when empty"`
}

// Default serves no profiles.
func Default() Config { return Config{} }

// Check refuses an address that others could reach: profiles show what the process
// does and cost it time, and they ask for no token.
func (c Config) Check() error {
	if c.Profiles == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(c.Profiles)
	if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return errors.New("PPROF_LISTEN must be a loopback address with a port, such as 127.0.0.1:6060; reach it from elsewhere through ssh -L or kubectl port-forward")
	}
	return nil
}

// Profiler serves the profiles from Start to Stop, on a listener of its own.
type Profiler struct {
	cfg    Config
	log    *slog.Logger
	server *http.Server
	served chan struct{}
	addr   net.Addr
}

// NewProfiler makes a profiler that does not listen yet.
func NewProfiler(cfg Config, log *slog.Logger) *Profiler { return &Profiler{cfg: cfg, log: log} }

// Addr is where it listens; nil where it does not.
func (p *Profiler) Addr() net.Addr { return p.addr }

// Start begins to serve, if the configuration says where.
func (p *Profiler) Start(ctx context.Context) error {
	if p.cfg.Profiles == "" {
		return nil
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", p.cfg.Profiles)
	if err != nil {
		return fmt.Errorf("PPROF_LISTEN %s cannot be listened on: %w", p.cfg.Profiles, err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }) // arguments may hold secrets
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	p.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	p.addr, p.served = listener.Addr(), make(chan struct{})
	go func() {
		defer close(p.served)
		if err := p.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			p.log.Error("profiles are not served any more", "error", err)
		}
	}()
	p.log.InfoContext(ctx, "profiles are served", "address", p.addr.String())
	return nil
}

// Stop ends it at once: profiles are for nobody to wait for.
func (p *Profiler) Stop() {
	if p.server != nil {
		_ = p.server.Close()
		<-p.served
	}
}
