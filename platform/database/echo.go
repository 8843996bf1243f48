package database

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// echo is gorm's logger on slog. Statements are shown as they were prepared;
// the values bound to them never are.
type echo struct {
	log *slog.Logger
	all bool
	// slow is from when on a statement is worth a warning; none is while it is 0.
	slow time.Duration
}

var (
	_ logger.Interface  = (*echo)(nil)
	_ gorm.ParamsFilter = (*echo)(nil)
)

// LogMode implements [logger.Interface]. The levels are slog's business.
func (e *echo) LogMode(logger.LogLevel) logger.Interface { return e }

// Info implements [logger.Interface].
func (e *echo) Info(ctx context.Context, message string, _ ...any) { e.log.DebugContext(ctx, message) }

// Warn implements [logger.Interface].
func (e *echo) Warn(ctx context.Context, message string, _ ...any) { e.log.WarnContext(ctx, message) }

// Error implements [logger.Interface].
func (e *echo) Error(ctx context.Context, message string, _ ...any) { e.log.ErrorContext(ctx, message) }

// ParamsFilter implements [gorm.ParamsFilter]: it withholds the values.
func (e *echo) ParamsFilter(_ context.Context, sql string, _ ...any) (string, []any) {
	return sql, nil
}

// Trace implements [logger.Interface]. An error is not logged for its own sake,
// since it is returned to somebody who handles it.
func (e *echo) Trace(ctx context.Context, begin time.Time, statement func() (string, int64), err error) {
	took := time.Since(begin)
	slow := e.slow > 0 && took >= e.slow
	if !e.all && !slow {
		return
	}
	sql, rows := statement()
	attrs := []slog.Attr{slog.String("sql", sql), slog.Duration("duration", took), slog.Int64("rows", rows)}
	if err != nil && !errors.Is(err, gorm.ErrRecordNotFound) {
		attrs = append(attrs, slog.Any("error", err))
	}
	if slow {
		e.log.LogAttrs(ctx, slog.LevelWarn, "statement was slow", attrs...)
		return
	}
	e.log.LogAttrs(ctx, slog.LevelInfo, "statement executed", attrs...)
}
