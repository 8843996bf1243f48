package entra

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/badge-engine/badge-engine/platform/tracing"
)

const maxBody = 1 << 20

// bounded is client, or the default one, with a time limit and without redirects:
// whoever answers for a configured host must not name another.
func bounded(client *http.Client, timeout time.Duration) *http.Client {
	var own http.Client
	if client != nil {
		own = *client
	}
	if own.Timeout == 0 || own.Timeout > timeout {
		own.Timeout = timeout
	}
	if own.Transport == nil {
		own.Transport = http.DefaultTransport
	}
	own.Transport = tracing.Transport(own.Transport)
	own.Jar = nil
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &own
}

// body reads an answer of at most a megabyte.
func body(response *http.Response) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	if err == nil && len(data) > maxBody {
		err = errors.New("the answer is longer than a megabyte")
	}
	return data, err
}

// unavailable wraps [ErrUnavailable]. The cause stays visible to errors.Is only
// where it is the caller's own doing.
func unavailable(who string, cause error) error {
	var timeout net.Error
	switch {
	case errors.Is(cause, context.Canceled):
		return fmt.Errorf("%w of %s: %w", ErrUnavailable, who, context.Canceled)
	case errors.Is(cause, context.DeadlineExceeded), errors.As(cause, &timeout) && timeout.Timeout():
		return fmt.Errorf("%w of %s: it did not answer in time", ErrUnavailable, who)
	}
	return fmt.Errorf("%w of %s: %w", ErrUnavailable, who, cause)
}
