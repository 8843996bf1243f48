package logging

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/badge-engine/badge-engine/platform/principal"
	"github.com/badge-engine/badge-engine/platform/tracing"
)

// ModuleKey is the attribute that names the module a record comes from.
const ModuleKey = "module"

const migrations = "migrations" // the module whose errors have a file of their own

// New makes the logger of the program, writing to the standard error stream. Unless that
// is a terminal, lines below a warning may be held for a tenth of a second. Closing the
// Closer writes what is held and closes the files of Config.Dir.
func New(c Config) (*slog.Logger, io.Closer, error) {
	// A terminal is a person looking on; everything else is a machine.
	info, err := os.Stderr.Stat()
	watched := err == nil && info.Mode()&os.ModeCharDevice != 0
	if c.Format == "" {
		c.Format = "json"
		if watched {
			c.Format = "text"
		}
	}
	if watched {
		return NewOn(os.Stderr, c)
	}
	return newBuffered(os.Stderr, c)
}

// newBuffered is NewOn of a stream that is written to seldom.
func newBuffered(w io.Writer, c Config) (*slog.Logger, io.Closer, error) {
	b := &buffer{to: w}
	log, files, err := newOn(b, b.flush, c)
	if err != nil {
		return nil, nil, err
	}
	return log, closers{b, files}, nil
}

// NewOn is New with another stream than the standard error stream.
func NewOn(w io.Writer, c Config) (*slog.Logger, io.Closer, error) {
	return newOn(w, func() error { return nil }, c)
}

func newOn(w io.Writer, flush func() error, c Config) (*slog.Logger, io.Closer, error) {
	if err := c.Check(); err != nil {
		return nil, nil, err
	}
	l, err := parseLevels(c.Level)
	if err != nil {
		return nil, nil, err
	}
	options := &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: redactAttr} // levels are filtered before
	stream := slog.Handler(slog.NewJSONHandler(w, options))
	if c.Format == "text" {
		stream = slog.NewTextHandler(w, options)
	}
	h := &handler{levels: l, level: l.general, stream: stream, flush: flush}
	var f files
	if c.Dir != "" {
		if err := f.open(c.Dir); err != nil {
			return nil, nil, errors.Join(err, f.Close())
		}
		h.errors = slog.NewJSONHandler(f[0], options)
		h.migrations = slog.NewJSONHandler(f[1], options)
	}
	return slog.New(h), f, nil
}

// files are error.log and migration_errors.log.
type files []*os.File

func (f *files) open(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("LOG_DIR cannot be made: %w", err)
	}
	for _, name := range []string{"error.log", "migration_errors.log"} {
		file, err := os.OpenFile(filepath.Join(dir, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return fmt.Errorf("LOG_DIR cannot be written to: %w", err)
		}
		*f = append(*f, file)
	}
	return nil
}

// Close implements [io.Closer].
func (f files) Close() error {
	var err error
	for _, file := range f {
		err = errors.Join(err, file.Close())
	}
	return err
}

type handler struct {
	levels levels
	level  slog.Level // of this module
	module string
	groups int // open groups: the module is named outside of them

	stream, errors, migrations slog.Handler // the latter two are nil without LOG_DIR
	flush                      func() error // of the stream
}

// Enabled implements [slog.Handler].
func (h *handler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level }

// Handle implements [slog.Handler].
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	if id := RequestID(ctx); id != "" {
		r.AddAttrs(slog.String("request_id", id))
	}
	if id := tracing.ID(ctx); id != "" {
		r.AddAttrs(slog.String("trace_id", id))
	}
	if p := principal.From(ctx); !p.Anonymous() {
		r.AddAttrs(slog.String("principal", p.ID))
	}
	err := h.stream.Handle(ctx, r)
	if r.Level >= slog.LevelWarn {
		err = errors.Join(err, h.flush())
	}
	if h.errors != nil && r.Level >= slog.LevelError {
		err = errors.Join(err, h.errors.Handle(ctx, r))
		if h.module == migrations {
			err = errors.Join(err, h.migrations.Handle(ctx, r))
		}
	}
	return err
}

// WithAttrs implements [slog.Handler].
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := h.each(func(to slog.Handler) slog.Handler { return to.WithAttrs(attrs) })
	for _, a := range attrs {
		if a.Key == ModuleKey && h.groups == 0 {
			c.module = a.Value.String()
			c.level = h.levels.of(c.module)
		}
	}
	return c
}

// WithGroup implements [slog.Handler].
func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	c := h.each(func(to slog.Handler) slog.Handler { return to.WithGroup(name) })
	c.groups++
	return c
}

func (h *handler) each(change func(slog.Handler) slog.Handler) *handler {
	c := *h
	c.stream = change(h.stream)
	if h.errors != nil {
		c.errors, c.migrations = change(h.errors), change(h.migrations)
	}
	return &c
}
