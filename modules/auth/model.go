package auth

import (
	"strings"
	"time"
)

type tokenRow struct {
	ID         string `gorm:"primaryKey"`
	Name       string
	Prefix     string
	SecretHash []byte
	Scopes     string // separated by spaces, as in RFC 6749, 3.3
	CreatedAt  time.Time
	ExpiresAt  *time.Time
	RevokedAt  *time.Time
	LastUsedAt *time.Time
}

// TableName implements the naming of gorm.
func (tokenRow) TableName() string { return "auth_tokens" }

func toRow(t Token) tokenRow {
	return tokenRow{
		ID: t.ID, Name: t.Name, Prefix: t.Prefix, SecretHash: t.hash, Scopes: strings.Join(t.Scopes, " "), CreatedAt: t.Created,
		ExpiresAt: optional(t.Expires), RevokedAt: optional(t.Revoked), LastUsedAt: optional(t.LastUsed),
	}
}

func (r tokenRow) token() Token {
	return Token{
		ID: r.ID, Name: r.Name, Prefix: r.Prefix, hash: r.SecretHash, Scopes: strings.Fields(r.Scopes), Created: r.CreatedAt,
		Expires: value(r.ExpiresAt), Revoked: value(r.RevokedAt), LastUsed: value(r.LastUsedAt),
	}
}

func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func value(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}
