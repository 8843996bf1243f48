package logging

import "context"

type requestKey struct{}

// RequestKey is the place of the request id, a string, in a context: for contexts that
// carry it without being made by [ContextWith].
var RequestKey any = requestKey{}

// ContextWith returns a context whose records carry the request id.
func ContextWith(ctx context.Context, requestID string) context.Context {
	return context.WithValue(ctx, requestKey{}, requestID)
}

// RequestID gives the request id that ctx carries, or nothing.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}
