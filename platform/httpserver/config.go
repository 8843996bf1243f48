package httpserver

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Config is what an operator may say about the server.
type Config struct {
	Host            string        `env:"HOST" help:"address to listen on; every address of the machine when empty"`
	Port            int           `env:"PORT" help:"port to listen on; 0 takes a free one"`
	TLSCert         string        `env:"TLS_CERT_FILE" help:"PEM file of the certificate chain; plain HTTP when empty"`
	TLSKey          string        `env:"TLS_KEY_FILE" help:"PEM file of its private key"`
	RequestTimeout  time.Duration `env:"REQUEST_TIMEOUT" help:"how long an answer may take, where a route does not say otherwise"`
	ReadTimeout     time.Duration `env:"READ_TIMEOUT" help:"how long a request may take to arrive"`
	IdleTimeout     time.Duration `env:"IDLE_TIMEOUT" help:"how long an unused connection is kept"`
	BodyLimit       int           `env:"BODY_LIMIT" help:"largest request body in bytes, where a route does not say otherwise"`
	DrainDelay      time.Duration `env:"DRAIN_DELAY" help:"how long to go on serving after readiness began to fail at shutdown"`
	ShutdownTimeout time.Duration `env:"SHUTDOWN_TIMEOUT" help:"how long requests in flight may take to finish at shutdown"`
	CORSOrigins     []string      `env:"CORS_ORIGINS" help:"origins whose pages may call the API, separated by commas; nobody when empty, * for all"`
	TrustedProxies  []string      `env:"TRUSTED_PROXIES" help:"addresses or networks of the proxies whose X-Forwarded-For is believed"`
}

// Default listens on port 8000 of every address.
func Default() Config {
	return Config{
		Port:            8000,
		RequestTimeout:  30 * time.Second,
		ReadTimeout:     60 * time.Second,
		IdleTimeout:     120 * time.Second,
		BodyLimit:       12 << 20,
		ShutdownTimeout: 30 * time.Second,
	}
}

// Check refuses what cannot be served.
func (c Config) Check() error {
	var errs []error
	refuse := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.Port < 0 || c.Port > 65535 {
		refuse("PORT is %d; give a number from 0 to 65535", c.Port)
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		refuse("TLS_CERT_FILE and TLS_KEY_FILE must be given together")
	}
	for name, d := range map[string]time.Duration{"REQUEST_TIMEOUT": c.RequestTimeout, "READ_TIMEOUT": c.ReadTimeout, "IDLE_TIMEOUT": c.IdleTimeout, "SHUTDOWN_TIMEOUT": c.ShutdownTimeout} {
		if d <= 0 {
			refuse("%s must be longer than nothing, such as 30s", name)
		}
	}
	if c.DrainDelay < 0 {
		refuse("DRAIN_DELAY must not be negative")
	}
	if c.BodyLimit <= 0 {
		refuse("BODY_LIMIT must be a number of bytes above 0")
	}
	for _, origin := range c.CORSOrigins {
		if origin == "*" {
			continue
		}
		if u, err := url.Parse(origin); err != nil || u.Scheme == "" || u.Host == "" || origin != u.Scheme+"://"+u.Host {
			refuse("CORS_ORIGINS has %q; an origin is a scheme and a host without a trailing slash, such as https://app.example.org", origin)
		}
	}
	if _, err := parseNetworks(c.TrustedProxies); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func parseNetworks(list []string) ([]netip.Prefix, error) {
	var networks []netip.Prefix
	for _, s := range list {
		if !strings.Contains(s, "/") {
			a, err := netip.ParseAddr(s)
			if err != nil {
				return nil, fmt.Errorf("TRUSTED_PROXIES has %q; give addresses or networks such as 10.0.0.0/8", s)
			}
			networks = append(networks, netip.PrefixFrom(a, a.BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, fmt.Errorf("TRUSTED_PROXIES has %q; give addresses or networks such as 10.0.0.0/8", s)
		}
		networks = append(networks, p.Masked())
	}
	return networks, nil
}
