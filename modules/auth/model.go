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
	ClientID   *string // of an access token; null for API tokens
	SecretID   *string
}

// TableName implements the naming of gorm.
func (tokenRow) TableName() string { return "auth_tokens" }

func toRow(t Token) tokenRow {
	return tokenRow{
		ID: t.ID, Name: t.Name, Prefix: t.Prefix, SecretHash: t.hash, Scopes: strings.Join(t.Scopes, " "), CreatedAt: t.Created,
		ExpiresAt: optional(t.Expires), RevokedAt: optional(t.Revoked), LastUsedAt: optional(t.LastUsed),
		ClientID: optionalText(t.Client), SecretID: optionalText(t.Secret),
	}
}

func (r tokenRow) token() Token {
	return Token{
		ID: r.ID, Name: r.Name, Prefix: r.Prefix, hash: r.SecretHash, Scopes: strings.Fields(r.Scopes), Created: r.CreatedAt,
		Expires: value(r.ExpiresAt), Revoked: value(r.RevokedAt), LastUsed: value(r.LastUsedAt),
		Client: plain(r.ClientID), Secret: plain(r.SecretID),
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

type clientRow struct {
	ID                string `gorm:"primaryKey"`
	Name              string
	Scopes            string // separated by spaces, as in RFC 6749, 3.3
	AssertionIssuer   *string
	AssertionTenant   *string
	AssertionSubject  *string
	AssertionParty    *string
	AssertionAudience *string
	CreatedAt         time.Time
	DisabledAt        *time.Time
	LastUsedAt        *time.Time
}

// TableName implements the naming of gorm.
func (clientRow) TableName() string { return "auth_clients" }

type clientSecretRow struct {
	ID         string `gorm:"primaryKey"`
	ClientID   string
	Prefix     string
	SecretHash []byte
	CreatedAt  time.Time
	ExpiresAt  *time.Time
	RevokedAt  *time.Time
	LastUsedAt *time.Time
}

// TableName implements the naming of gorm.
func (clientSecretRow) TableName() string { return "auth_client_secrets" }

func toClientRow(c Client) clientRow {
	row := clientRow{
		ID: c.ID, Name: c.Name, Scopes: strings.Join(c.Scopes, " "), CreatedAt: c.Created,
		DisabledAt: optional(c.Disabled), LastUsedAt: optional(c.LastUsed),
	}
	if b := c.Binding; b != nil {
		row.AssertionIssuer, row.AssertionTenant, row.AssertionSubject = optionalText(b.Issuer), optionalText(b.Tenant), optionalText(b.Subject)
		row.AssertionParty, row.AssertionAudience = optionalText(b.Party), optionalText(b.Audience)
	}
	return row
}

func (r clientRow) client(secrets []clientSecretRow) Client {
	c := Client{
		ID: r.ID, Name: r.Name, Scopes: strings.Fields(r.Scopes), Created: r.CreatedAt,
		Disabled: value(r.DisabledAt), LastUsed: value(r.LastUsedAt),
	}
	if r.AssertionSubject != nil {
		c.Binding = &Binding{
			Issuer: plain(r.AssertionIssuer), Tenant: plain(r.AssertionTenant), Subject: plain(r.AssertionSubject),
			Party: plain(r.AssertionParty), Audience: plain(r.AssertionAudience),
		}
	}
	for _, s := range secrets {
		c.Secrets = append(c.Secrets, ClientSecret{
			ID: s.ID, Prefix: s.Prefix, hash: s.SecretHash, Created: s.CreatedAt,
			Expires: value(s.ExpiresAt), Revoked: value(s.RevokedAt), LastUsed: value(s.LastUsedAt),
		})
	}
	return c
}

func toSecretRow(client string, s ClientSecret) clientSecretRow {
	return clientSecretRow{
		ID: s.ID, ClientID: client, Prefix: s.Prefix, SecretHash: s.hash, CreatedAt: s.Created,
		ExpiresAt: optional(s.Expires), RevokedAt: optional(s.Revoked), LastUsedAt: optional(s.LastUsed),
	}
}

func optionalText(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func plain(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

type shutoutRow struct {
	TenantID string `gorm:"primaryKey"`
	ObjectID string `gorm:"primaryKey"`
	Active   bool
	At       time.Time
	Sequence int64
}

// TableName implements the naming of gorm.
func (shutoutRow) TableName() string { return "auth_shutouts" }
