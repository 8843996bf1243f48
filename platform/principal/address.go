package principal

import "context"

type addressKey struct{}

// WithAddress returns a context that carries where the caller calls from.
func WithAddress(ctx context.Context, address string) context.Context {
	return context.WithValue(ctx, addressKey{}, address)
}

// Address returns where the caller calls from, as far as the trusted proxies
// tell; empty when nobody calls from anywhere.
func Address(ctx context.Context) string {
	address, _ := ctx.Value(addressKey{}).(string)
	return address
}
