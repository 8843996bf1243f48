package logging

import "context"

type requestKey struct{}

// ContextWith returns a context whose records carry the request id.
func ContextWith(ctx context.Context, requestID string) context.Context {
	return context.WithValue(ctx, requestKey{}, requestID)
}

// RequestID gives the request id that ctx carries, or nothing.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}
