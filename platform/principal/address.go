package principal

import "context"

type addressKey struct{}

// AddressKey is the place of the address, a string, in a context: for contexts that
// carry it without being made by [WithAddress].
var AddressKey any = addressKey{}

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
