package tracing

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"

	"github.com/badge-engine/badge-engine/platform/config"
)

// Config says where traces go, and which. The names and their meaning are those of
// OpenTelemetry's environment variable specification; what holds for traces alone
// wins over what holds for all signals.
type Config struct {
	Disabled       bool   `env:"OTEL_SDK_DISABLED" help:"true sends no traces, whatever else is set"`
	Exporter       string `env:"OTEL_TRACES_EXPORTER" help:"otlp, or none to send no traces"`
	Endpoint       string `env:"OTEL_EXPORTER_OTLP_ENDPOINT" help:"where traces go by OTLP over HTTP, such as http://collector:4318; nowhere when empty"`
	TracesEndpoint string `env:"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" help:"the same for traces alone, with its whole path, such as http://collector:4318/v1/traces"`
	Protocol       string `env:"OTEL_EXPORTER_OTLP_PROTOCOL" help:"http/protobuf, the one that is spoken"`
	TracesProtocol string `env:"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL" help:"the same for traces alone"`

	Headers       config.Secret `env:"OTEL_EXPORTER_OTLP_HEADERS" help:"headers for the collector, as in authorization=Bearer%20key,tenant=a"`
	TracesHeaders config.Secret `env:"OTEL_EXPORTER_OTLP_TRACES_HEADERS" help:"the same for traces alone"`
	Compression   string        `env:"OTEL_EXPORTER_OTLP_COMPRESSION" help:"gzip or none"`
	// Milliseconds, as the specification has it.
	Timeout     int    `env:"OTEL_EXPORTER_OTLP_TIMEOUT" help:"how many milliseconds the collector may take for one batch, with all attempts"`
	Authority   string `env:"OTEL_EXPORTER_OTLP_CERTIFICATE" help:"file of the certificate authorities that the collector is known by; those of the system when empty"`
	Certificate string `env:"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE" help:"file of the certificate that this server shows the collector"`
	Key         string `env:"OTEL_EXPORTER_OTLP_CLIENT_KEY" help:"file of its key"`

	Service    string `env:"OTEL_SERVICE_NAME" help:"what traces call this server"`
	Attributes string `env:"OTEL_RESOURCE_ATTRIBUTES" help:"further attributes of this server, as in deployment.environment.name=production,service.namespace=badges"`
	Sampler    string `env:"OTEL_TRACES_SAMPLER" help:"which requests are followed: always_on, always_off, traceidratio, or with parentbased_ before it, whatever the caller decided"`
	SamplerArg string `env:"OTEL_TRACES_SAMPLER_ARG" help:"the share of requests for traceidratio, 0 to 1"`

	Delay int `env:"OTEL_BSP_SCHEDULE_DELAY" help:"how many milliseconds spans are gathered before they are sent"`
	Queue int `env:"OTEL_BSP_MAX_QUEUE_SIZE" help:"how many spans may wait to be sent; more are dropped"`
	Batch int `env:"OTEL_BSP_MAX_EXPORT_BATCH_SIZE" help:"how many spans are sent at once"`
}

// Default sends nothing; the rest is as the specification has it.
func Default() Config {
	return Config{
		Exporter: "otlp", Protocol: protobuf, Timeout: 10_000, Compression: "none",
		Service: "badge-engine", Sampler: "parentbased_always_on", Delay: 5000, Queue: 2048, Batch: 512,
	}
}

const protobuf = "http/protobuf"

// On reports whether traces go anywhere.
func (c Config) On() bool {
	return !c.Disabled && c.Exporter != "none" && (c.Endpoint != "" || c.TracesEndpoint != "")
}

// Check names the first variable whose value cannot be used.
func (c Config) Check() error {
	switch {
	case c.Exporter != "otlp" && c.Exporter != "none":
		return fmt.Errorf("OTEL_TRACES_EXPORTER is %q; give otlp or none", c.Exporter)
	case c.Protocol != protobuf:
		return fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL is %q; give %s, which every collector takes, at port 4318 and not at 4317", c.Protocol, protobuf)
	case c.TracesProtocol != "" && c.TracesProtocol != protobuf:
		return fmt.Errorf("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL is %q; give %s, which every collector takes, at port 4318 and not at 4317", c.TracesProtocol, protobuf)
	case c.Compression != "none" && c.Compression != "gzip":
		return fmt.Errorf("OTEL_EXPORTER_OTLP_COMPRESSION is %q; give gzip or none", c.Compression)
	case c.Timeout < 1 || c.Timeout > 600_000:
		return errors.New("OTEL_EXPORTER_OTLP_TIMEOUT must be between 1 and 600000 milliseconds, such as 10000")
	case c.Delay < 1 || c.Delay > 600_000:
		return errors.New("OTEL_BSP_SCHEDULE_DELAY must be between 1 and 600000 milliseconds, such as 5000")
	case c.Queue < 1 || c.Queue > 1_000_000:
		return errors.New("OTEL_BSP_MAX_QUEUE_SIZE must be between 1 and 1000000, such as 2048")
	case c.Batch < 1 || c.Batch > c.Queue:
		return errors.New("OTEL_BSP_MAX_EXPORT_BATCH_SIZE must be between 1 and OTEL_BSP_MAX_QUEUE_SIZE, such as 512")
	case (c.Certificate == "") != (c.Key == ""):
		return errors.New("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_CLIENT_KEY belong together; set both or none")
	}
	if _, err := c.sampler(); err != nil {
		return err
	}
	if _, err := c.address(); err != nil {
		return err
	}
	if _, err := c.header(); err != nil {
		return err
	}
	if _, err := pairs("OTEL_RESOURCE_ATTRIBUTES", c.Attributes); err != nil {
		return err
	}
	_, err := c.tls()
	return err
}

// address is where batches are posted, or nothing.
//
// OpenTelemetry Protocol Exporter, Endpoint URLs for OTLP/HTTP: the one for all
// signals is a base, the one for traces is taken as it is.
func (c Config) address() (string, error) {
	name, address := "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", c.TracesEndpoint
	if address == "" {
		name, address = "OTEL_EXPORTER_OTLP_ENDPOINT", c.Endpoint
	}
	if address == "" {
		return "", nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("%s must be the address of a collector, without a user, such as http://collector:4318; keys go into OTEL_EXPORTER_OTLP_HEADERS", name)
	}
	if c.TracesEndpoint == "" {
		u = u.JoinPath("v1/traces")
	} else if u.Path == "" {
		u.Path = "/"
	}
	return u.String(), nil
}

func (c Config) header() (http.Header, error) {
	header := http.Header{}
	for _, from := range []struct {
		name  string
		value config.Secret
	}{{"OTEL_EXPORTER_OTLP_HEADERS", c.Headers}, {"OTEL_EXPORTER_OTLP_TRACES_HEADERS", c.TracesHeaders}} {
		list, err := pairs(from.name, from.value.Reveal())
		if err != nil {
			return nil, err
		}
		for name, value := range list {
			if strings.ContainsAny(name, " \r\n:") || strings.ContainsAny(value, "\r\n\x00") {
				return nil, fmt.Errorf("%s has a header that cannot be sent; give name=value,name=value, with %%20 for a space", from.name)
			}
			header.Set(name, value)
		}
	}
	return header, nil
}

// pairs reads name=value,name=value as W3C Baggage, 3.2 (Header Content) has it,
// without properties. Errors do not repeat what may be a secret.
func pairs(variable, text string) (map[string]string, error) {
	list := map[string]string{}
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, value, ok := strings.Cut(part, "=")
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if name = strings.TrimSpace(name); !ok || name == "" || err != nil {
			return nil, fmt.Errorf("%s must be a list such as name=value,name=value, with %%20 for a space and %%2C for a comma", variable)
		}
		list[name] = value
	}
	return list, nil
}

func (c Config) sampler() (sdk.Sampler, error) {
	share := 1.0
	if c.SamplerArg != "" {
		var err error
		if share, err = strconv.ParseFloat(c.SamplerArg, 64); err != nil || !(share >= 0 && share <= 1) {
			return nil, fmt.Errorf("OTEL_TRACES_SAMPLER_ARG is %q; give a share from 0 to 1, such as 0.1", c.SamplerArg)
		}
	}
	name, based := strings.CutPrefix(c.Sampler, "parentbased_")
	var s sdk.Sampler
	switch name {
	case "always_on":
		s = sdk.AlwaysSample()
	case "always_off":
		s = sdk.NeverSample()
	case "traceidratio":
		s = sdk.TraceIDRatioBased(share)
	default:
		return nil, fmt.Errorf("OTEL_TRACES_SAMPLER is %q; give always_on, always_off or traceidratio, or one of them with parentbased_ before it", c.Sampler)
	}
	if based {
		s = sdk.ParentBased(s)
	}
	return s, nil
}

func (c Config) tls() (*tls.Config, error) {
	t := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.Authority != "" {
		data, err := os.ReadFile(c.Authority)
		if err != nil {
			return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_CERTIFICATE cannot be read: %w", err)
		}
		if t.RootCAs = x509.NewCertPool(); !t.RootCAs.AppendCertsFromPEM(data) {
			return nil, errors.New("OTEL_EXPORTER_OTLP_CERTIFICATE has no certificate in PEM")
		}
	}
	if c.Certificate != "" {
		pair, err := tls.LoadX509KeyPair(c.Certificate, c.Key)
		if err != nil {
			return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_CLIENT_KEY cannot be used: %w", err)
		}
		t.Certificates = []tls.Certificate{pair}
	}
	return t, nil
}

// resource is what traces say of this server. instance tells replicas apart.
//
// OpenTelemetry Resource SDK: OTEL_SERVICE_NAME wins over service.name in
// OTEL_RESOURCE_ATTRIBUTES, unless it has its default here.
func (c Config) resource(version, instance string) ([]attribute.KeyValue, error) {
	said, err := pairs("OTEL_RESOURCE_ATTRIBUTES", c.Attributes)
	if err != nil {
		return nil, err
	}
	all := map[string]string{
		"telemetry.sdk.name": "opentelemetry", "telemetry.sdk.language": "go",
		"service.name": c.Service, "service.version": version, "service.instance.id": instance,
	}
	for name, value := range said {
		if name != "service.name" || c.Service == Default().Service {
			all[name] = value
		}
	}
	var list []attribute.KeyValue
	for _, name := range slices.Sorted(maps.Keys(all)) {
		list = append(list, attribute.String(name, all[name]))
	}
	return list, nil
}

// String shows where traces go, without what the headers hold.
func (c Config) String() string {
	address, err := c.address()
	if err != nil || !c.On() {
		return ""
	}
	return address
}

// LogValue implements [slog.LogValuer].
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

func milliseconds(n int) time.Duration { return time.Duration(n) * time.Millisecond }
