package tracing

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
)

const (
	firstPause  = time.Second
	complaint   = time.Minute // the least between two lines in the log
	maxResponse = 64 << 10
)

// exporter posts batches to the collector. The batch processor of the library calls
// it from one goroutine, and drops what comes while the queue is full: nobody waits.
type exporter struct {
	cfg     Config
	log     *slog.Logger
	address string
	header  http.Header
	client  *http.Client
	pause   time.Duration   // before a batch is sent once more; twice as long each time
	ended   context.Context // ends what is under way at a stop
	abort   context.CancelFunc

	sent, lost atomic.Int64

	mu       sync.Mutex
	troubled bool      // the last batch was lost
	said     time.Time // when the log was last told so
}

var _ sdk.SpanExporter = (*exporter)(nil)

func newExporter(cfg Config, log *slog.Logger) (*exporter, error) {
	address, err := cfg.address()
	if err != nil {
		return nil, err
	}
	header, err := cfg.header()
	if err != nil {
		return nil, err
	}
	secure, err := cfg.tls()
	if err != nil {
		return nil, err
	}
	header.Set("Content-Type", "application/x-protobuf")
	header.Set("User-Agent", "BadgeEngine")
	if cfg.Compression == "gzip" {
		header.Set("Content-Encoding", "gzip")
	}
	e := &exporter{cfg: cfg, log: log, address: address, header: header, pause: firstPause}
	e.client = &http.Client{
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: secure, ForceAttemptHTTP2: true,
			MaxIdleConnsPerHost: 1, IdleConnTimeout: 90 * time.Second, TLSHandshakeTimeout: milliseconds(cfg.Timeout),
		},
		// A collector that moved must be named anew: headers may hold its key.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	e.ended, e.abort = context.WithCancel(context.Background())
	return e, nil
}

// ExportSpans implements [sdk.SpanExporter]. It answers no error, since the library
// would print it past our log.
func (e *exporter) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	if len(spans) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, milliseconds(e.cfg.Timeout))
	defer cancel()
	defer context.AfterFunc(e.ended, cancel)()
	lost, err := e.send(ctx, encode(spans))
	if err != nil && lost == 0 {
		lost = int64(len(spans))
	}
	e.lost.Add(lost)
	e.sent.Add(int64(len(spans)) - lost)
	e.tell(ctx, lost, err)
	return nil
}

// Shutdown implements [sdk.SpanExporter].
func (e *exporter) Shutdown(context.Context) error {
	e.client.CloseIdleConnections()
	return nil
}

// send posts a batch, again and again while the collector says that it may take it
// later. An error with a number says that only so many of its spans were lost.
//
// OTLP Specification, OTLP/HTTP Response: 429, 502, 503 and 504 may be tried again.
func (e *exporter) send(ctx context.Context, data []byte) (lost int64, err error) {
	if e.cfg.Compression == "gzip" {
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		_, err := w.Write(data)
		if err = errors.Join(err, w.Close()); err != nil {
			return 0, err
		}
		data = packed.Bytes()
	}
	for pause := e.pause; ; pause *= 2 {
		lost, wait, err := e.post(ctx, data)
		if err == nil || wait < 0 {
			return lost, err
		}
		timer := time.NewTimer(max(wait, pause))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return 0, err
		}
	}
}

// post is one attempt. A wait below zero says that another is of no use.
func (e *exporter) post(ctx context.Context, data []byte) (lost int64, wait time.Duration, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.address, bytes.NewReader(data))
	if err != nil {
		return 0, -1, errors.New("the endpoint is no URL")
	}
	request.Header = e.header.Clone()
	response, err := e.client.Do(request)
	if err != nil {
		var where *url.Error // it repeats the address; the log has it
		if errors.As(err, &where) {
			err = where.Err
		}
		return 0, 0, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxResponse))
	if err != nil {
		return 0, 0, err
	}
	switch response.StatusCode {
	case http.StatusOK, http.StatusAccepted, http.StatusNoContent:
		// OTLP Specification, Partial Success: what was refused is not sent again.
		if lost, why := rejected(body); lost > 0 {
			return lost, -1, fmt.Errorf("the collector refused some: %s", why)
		}
		return 0, -1, nil
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds > 0 {
			wait = time.Duration(seconds) * time.Second
		}
	default:
		wait = -1
	}
	return 0, wait, fmt.Errorf("the collector answers %d", response.StatusCode)
}

// tell writes in the log when spans begin to be lost, once a minute while they are,
// and when they are taken again.
func (e *exporter) tell(ctx context.Context, lost int64, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case err == nil && e.troubled:
		e.troubled = false
		e.log.InfoContext(ctx, "traces are taken again", slog.Any("to", e.cfg))
	case err != nil:
		e.troubled = true
		if now := time.Now(); now.Sub(e.said) >= complaint {
			e.said = now
			e.log.WarnContext(ctx, "traces are lost", slog.Any("to", e.cfg), slog.Int64("spans", lost), slog.Int64("lost_so_far", e.lost.Load()), slog.Any("error", err))
		}
	}
}
