package command

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/fx"

	"github.com/badge-engine/badge-engine/app/engine"
	"github.com/badge-engine/badge-engine/platform/config"
)

func serveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Run the server",
		Long:  "Runs the server until SIGINT or SIGTERM. Without configuration it listens on port 8000 and keeps everything below ./data.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			environ, err := config.Environment(".")
			if err != nil {
				return err
			}
			cfg, err := engine.Load(environ)
			if err != nil {
				return err
			}
			for _, s := range config.Strangers(&cfg, environ) {
				fmt.Fprintln(cmd.ErrOrStderr(), "badge-engine: "+s.String())
			}
			spareCollector()
			engine.HeedContainer(environ)
			e, err := engine.New(engine.Options{Config: cfg, Environ: environ, Sources: config.Sources(".")})
			if err != nil {
				return err
			}
			begun := time.Now()
			// A start may wait for its database; a signal ends that too.
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			if err := e.Start(ctx); err != nil {
				return err
			}
			welcome(cmd, cfg, e, time.Since(begun))
			var end fx.ShutdownSignal
			select {
			case end = <-e.Wait():
			case <-ctx.Done():
			}
			// The context of the command may be what ended: stopping has its own time.
			if err := e.Stop(context.WithoutCancel(cmd.Context())); err != nil {
				return err
			}
			if end.ExitCode != 0 {
				return errSilent
			}
			return nil
		},
	}
}

// spareCollector lets the heap grow to four times what lives before it is collected,
// unless GOGC says otherwise. Little lives here, some twenty megabytes, so that under
// load the collector would run a dozen times a second and take an eighth of the
// processor; this takes some fifty megabytes instead.
func spareCollector() {
	const usual = 100
	if set := debug.SetGCPercent(3 * usual); set != usual {
		debug.SetGCPercent(set)
	}
}

// welcome says where to look next.
func welcome(cmd *cobra.Command, cfg engine.Config, e *engine.Engine, took time.Duration) {
	local := localURL(cfg, e.Addr())
	w := cmd.ErrOrStderr()
	fmt.Fprintf(w, "\nBadge Engine is up after %s.\n\n", took.Round(time.Millisecond))
	fmt.Fprintf(w, "  API and its documentation   %s/docs\n", local)
	fmt.Fprintf(w, "  Health                      %s/health\n", local)
	fmt.Fprintf(w, "  Public address of badges    %s\n", e.PublicURL())
	if cfg.Auth.BootstrapAdminToken == "" {
		fmt.Fprintf(w, "  A token to begin with       badge-engine token create --name first --scope admin\n")
	}
	fmt.Fprintln(w)
}

func localURL(cfg engine.Config, addr net.Addr) string {
	scheme, port := "http", cfg.HTTP.Port
	if cfg.HTTP.TLSCert != "" {
		scheme = "https"
	}
	if tcp, ok := addr.(*net.TCPAddr); ok {
		port = tcp.Port
	}
	host := "localhost"
	if ip := net.ParseIP(cfg.HTTP.Host); ip != nil && !ip.IsUnspecified() {
		host = cfg.HTTP.Host
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(port))
}

func healthcheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "healthcheck",
		Short: "Ask the server on this machine whether it is ready",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := configured()
			if err != nil {
				return err
			}
			// The certificate names the public host, not this loopback address.
			client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
			request, err := http.NewRequestWithContext(cmd.Context(), http.MethodGet, localURL(cfg, nil)+"/health/ready", nil)
			if err != nil {
				return err
			}
			answer, err := client.Do(request)
			if err != nil {
				return err
			}
			answer.Body.Close()
			if answer.StatusCode != http.StatusOK {
				return fmt.Errorf("the server is not ready: %s", answer.Status)
			}
			fmt.Fprintln(cmd.OutOrStdout(), "ready")
			return nil
		},
	}
}
