package auth

import (
	"context"
	"time"
)

// Tokens is where tokens are kept. The [Store] serves it.
type Tokens interface {
	// Insert stores a new token.
	Insert(ctx context.Context, t Token) error
	// Find answers one token, its hash included, or [ErrNotFound].
	Find(ctx context.Context, id string) (Token, error)
	// List answers every token, the newest first.
	List(ctx context.Context) ([]Token, error)
	// Revoke marks a token as revoked; the first time given stays. A token that
	// does not exist is no error.
	Revoke(ctx context.Context, id string, at time.Time) error
}

// Touch writes down when a token was used. The [Store] serves it.
type Touch interface {
	// Touch never moves the time back. A token that does not exist is no error.
	Touch(ctx context.Context, id string, at time.Time) error
}
