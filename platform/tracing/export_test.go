package tracing

import "time"

// Hurry shortens the pauses between two attempts.
func Hurry(t *Tracer) { t.exporter.pause = time.Millisecond }

// Counts are the spans that were sent, and those that were lost.
func Counts(t *Tracer) (sent, lost int64) { return t.exporter.sent.Load(), t.exporter.lost.Load() }
