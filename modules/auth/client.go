package auth

import (
	"context"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"github.com/badge-engine/badge-engine/platform/fault"
	"github.com/badge-engine/badge-engine/platform/ratelimit"
)

// liveSecrets is how many secrets of a client work at a time: the one in use, and
// the one that is about to take its place.
const liveSecrets = 2

// Client is a program that asks for access tokens of its own (RFC 6749, 4.4).
type Client struct {
	ID       string
	Name     string
	Scopes   []string       // the most that its tokens may do
	Secrets  []ClientSecret // the newest first, those that work no more included
	Binding  *Binding       // nil: it shows secrets alone
	Created  time.Time
	Disabled time.Time // zero: not
	LastUsed time.Time // zero: never; when it last was granted a token
}

// ClientSecret is what is known of a secret. The secret itself is not: that is
// shown once, when it is made.
type ClientSecret struct {
	ID       string
	Prefix   string // how the secret begins: to recognise it by
	Created  time.Time
	Expires  time.Time // zero: never
	Revoked  time.Time // zero: not
	LastUsed time.Time // zero: never

	hash []byte // SHA-256, for the reason that [Token] gives
}

// Live reports whether the secret works at this time.
func (s ClientSecret) Live(now time.Time) bool {
	return s.Revoked.IsZero() && (s.Expires.IsZero() || now.Before(s.Expires))
}

// Binding is whose assertions prove that a client is calling, in place of a secret
// (RFC 7521, 4.2). Every part is compared exactly: a signature of Entra alone says
// only that some application of some tenant is calling.
type Binding struct {
	Issuer   string // as the assertion has it; that of the tenant's tokens of version 2 when left out
	Tenant   string // the tenant's id
	Subject  string // the object id of the service principal
	Party    string // the application (azp); not compared when empty
	Audience string // this server, as the authority knows it, such as api:// and an application id
}

// AssertionClaims are what a verified assertion says of its sender.
type AssertionClaims struct {
	Issuer   string
	Tenant   string
	Subject  string
	Party    string // azp, or appid in version 1
	Audience []string
	TokenID  string // jti, or Entra's uti
	Issued   time.Time
	Expires  time.Time
}

// Clients holds the rules of OAuth clients and of what they are granted.
type Clients struct {
	lifetime   time.Duration // of access tokens
	records    ClientRecords
	work       Work
	tokens     *Service
	assertions Assertions // nil: none are taken
	audit      Audit      // nil: none
	limiter    *ratelimit.Limiter
	log        *slog.Logger
}

// NewClients builds the rules. The tokens that clients are granted are kept and
// checked where API tokens are.
func NewClients(cfg Config, records ClientRecords, tokens *Service, near ClientNeighbours, log *slog.Logger) *Clients {
	return &Clients{
		lifetime: cfg.accessLifetime(), records: records, work: near.Work, tokens: tokens,
		assertions: near.Assertions, audit: near.Audit, limiter: ratelimit.New("client", 4096, tokens.now), log: log,
	}
}

// Create makes a client. Without a binding it has a first secret, whose text is
// answered this one time and kept nowhere; a zero expires means that this secret
// never expires. It answers with [ErrClientInvalid].
func (c *Clients) Create(ctx context.Context, name string, scopes []string, expires time.Time, binding *Binding) (text string, client Client, err error) {
	name = strings.TrimSpace(name)
	violations := append(checkName(name), checkScopes(scopes)...)
	violations = append(violations, checkExpiry(expires, c.tokens.now())...)
	if binding != nil {
		var more []fault.Violation
		binding, more = binding.complete()
		violations = append(violations, more...)
		if !expires.IsZero() {
			violations = append(violations, fault.Violation{
				Pointer: "/expires", Rule: "Badge Engine: only a secret expires", Detail: "A client that shows assertions has no secret yet.",
				Remedy: "Leave the expiry out; give it with a secret that is added later.",
			})
		}
	}
	if len(violations) > 0 {
		return "", Client{}, invalidAs(ErrClientInvalid, violations...)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return "", Client{}, err
	}
	client = Client{ID: id.String(), Name: name, Scopes: inOrder(scopes), Binding: binding, Created: c.tokens.stamp()}
	if binding == nil {
		var secret ClientSecret
		if text, secret, err = c.secret(expires); err != nil {
			return "", Client{}, err
		}
		client.Secrets = []ClientSecret{secret}
	}
	err = c.work.Do(ctx, func(ctx context.Context) error {
		if err := c.records.Insert(ctx, client); err != nil {
			return err
		}
		return c.record(ctx, "auth.client.created", client.ID)
	})
	if err != nil {
		return "", Client{}, err
	}
	c.log.InfoContext(ctx, "client created", slog.String("client_id", client.ID), slog.Any("scopes", client.Scopes))
	return text, client, nil
}

func (c *Clients) secret(expires time.Time) (text string, s ClientSecret, err error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", ClientSecret{}, err
	}
	text, prefix, hash := composeAs(secretMark, id)
	return text, ClientSecret{ID: id.String(), Prefix: prefix, Created: c.tokens.stamp(), Expires: expires, hash: hash}, nil
}

// List answers every client, disabled ones included, the newest first.
func (c *Clients) List(ctx context.Context) ([]Client, error) { return c.records.List(ctx) }

// Rotate gives a client one more secret beside the one in use, whose text is
// answered this one time. It answers with [ErrClientNotFound], [ErrClientDisabled],
// [ErrSecretLimit] or [ErrClientInvalid].
func (c *Clients) Rotate(ctx context.Context, id string, expires time.Time) (text string, secret ClientSecret, err error) {
	if id, err = clientID(id); err != nil {
		return "", ClientSecret{}, err
	}
	if v := checkExpiry(expires, c.tokens.now()); len(v) > 0 {
		return "", ClientSecret{}, invalidAs(ErrClientInvalid, v...)
	}
	if text, secret, err = c.secret(expires); err != nil {
		return "", ClientSecret{}, err
	}
	err = c.work.Do(ctx, func(ctx context.Context) error {
		client, err := c.records.Lock(ctx, id)
		if err != nil {
			return err
		}
		if !client.Disabled.IsZero() {
			return ErrClientDisabled
		}
		if live := client.live(c.tokens.now()); len(live) >= liveSecrets {
			return ErrSecretLimit.Detailf("Revoke the one that is not used any more: %s.", strings.Join(live, " or "))
		}
		if err := c.records.AddSecret(ctx, id, secret); err != nil {
			return err
		}
		return c.record(ctx, "auth.client.secret_added", id)
	})
	if err != nil {
		return "", ClientSecret{}, err
	}
	c.log.InfoContext(ctx, "client secret added", slog.String("client_id", id), slog.String("secret_id", secret.ID))
	return text, secret, nil
}

// live answers the ids and last uses of the secrets that work.
func (c Client) live(now time.Time) []string {
	var live []string
	for _, s := range c.Secrets {
		if s.Live(now) {
			used := "never used"
			if !s.LastUsed.IsZero() {
				used = "last used " + s.LastUsed.UTC().Format(time.RFC3339)
			}
			live = append(live, s.ID+" ("+s.Prefix+"…, "+used+")")
		}
	}
	return live
}

// RevokeSecret ends a secret, given by its id or by how it begins, and every token
// that was granted for it. It answers with [ErrClientNotFound] or
// [ErrSecretNotFound]. Revoking again changes nothing.
func (c *Clients) RevokeSecret(ctx context.Context, id, reference string) error {
	id, err := clientID(id)
	if err != nil {
		return err
	}
	var secret ClientSecret
	err = c.end(ctx, id, "auth.client.secret_revoked", func(ctx context.Context, client Client, at time.Time) ([]string, error) {
		i := slices.IndexFunc(client.Secrets, func(s ClientSecret) bool {
			return s.ID == reference || s.Prefix == strings.TrimSuffix(reference, "…")
		})
		if i < 0 {
			return nil, ErrSecretNotFound
		}
		secret = client.Secrets[i]
		return c.records.RevokeSecret(ctx, id, secret.ID, at)
	})
	if err == nil {
		c.log.InfoContext(ctx, "client secret revoked", slog.String("client_id", id), slog.String("secret_id", secret.ID))
	}
	return err
}

// Disable ends a client and every token that it was granted. It answers with
// [ErrClientNotFound]. Disabling again changes nothing.
func (c *Clients) Disable(ctx context.Context, id string) error {
	id, err := clientID(id)
	if err != nil {
		return err
	}
	err = c.end(ctx, id, "auth.client.disabled", func(ctx context.Context, _ Client, at time.Time) ([]string, error) {
		return c.records.Disable(ctx, id, at)
	})
	if err == nil {
		c.log.InfoContext(ctx, "client disabled", slog.String("client_id", id))
	}
	return err
}

// end does what ends tokens, while nothing can be granted, and forgets them.
func (c *Clients) end(ctx context.Context, id, action string, do func(ctx context.Context, client Client, at time.Time) (ended []string, err error)) error {
	var ended []string
	err := c.work.Do(ctx, func(ctx context.Context) error {
		client, err := c.records.Lock(ctx, id)
		if err != nil {
			return err
		}
		if ended, err = do(ctx, client, c.tokens.stamp()); err != nil {
			return err
		}
		return c.record(ctx, action, id)
	})
	if err == nil {
		c.tokens.forget(ctx, ended...)
	}
	return err
}

func (c *Clients) record(ctx context.Context, action, target string) error {
	if c.audit == nil {
		return nil
	}
	return c.audit.Record(ctx, Event{Action: action, Target: target, Outcome: "success"})
}

// clientID reads the identifier of a client in any case of letters.
func clientID(s string) (string, error) {
	u, err := uuid.Parse(s)
	if err != nil {
		return "", ErrClientNotFound.Detailf("%q is not an identifier; identifiers here are UUIDs.", clip(s))
	}
	return u.String(), nil
}

// complete checks a binding and fills in what follows from the rest.
func (b Binding) complete() (*Binding, []fault.Violation) {
	var violations []fault.Violation
	refuse := func(member, detail, remedy string) {
		violations = append(violations, fault.Violation{
			Pointer: "/assertion/" + member, Rule: "RFC 7523, 3 (JWT Format and Processing Requirements)", Detail: detail, Remedy: remedy,
		})
	}
	tenant, err := uuid.Parse(b.Tenant)
	if err != nil {
		refuse("tenant", "The tenant is no UUID.", "Give the id of the Entra tenant.")
	}
	b.Tenant = tenant.String()
	for _, text := range []*string{&b.Subject, &b.Party} { // Entra's own are in lower case
		if id, err := uuid.Parse(*text); err == nil {
			*text = id.String()
		}
	}
	if b.Subject == "" {
		refuse("subject", "The subject is missing.", "Give the object id of the service principal that signs in, from its page under Enterprise applications.")
	}
	if b.Audience == "" {
		refuse("audience", "The audience is missing.", "Give the aud of its assertions, such as api://00000000-0000-0000-0000-000000000000.")
	}
	if b.Issuer == "" {
		b.Issuer = "https://login.microsoftonline.com/" + b.Tenant + "/v2.0"
	}
	for member, text := range map[string]string{"issuer": b.Issuer, "subject": b.Subject, "party": b.Party, "audience": b.Audience} {
		if len(text) > 500 || strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsGraphic(r) || r == ' ' }) {
			refuse(member, "The text "+strconv.Quote(clip(text))+" can be in no token.", "Give it as the token has it.")
		}
	}
	return &b, violations
}

// matches says which part of an assertion is not that of the binding.
func (b Binding) matches(a AssertionClaims) error {
	for _, pin := range []struct{ name, want, got string }{
		{"iss", b.Issuer, a.Issuer}, {"tid", b.Tenant, a.Tenant}, {"sub", b.Subject, a.Subject}, {"azp", b.Party, a.Party},
	} {
		if pin.name == "azp" && b.Party == "" {
			continue
		}
		if subtle.ConstantTimeCompare([]byte(pin.want), []byte(pin.got)) != 1 {
			return fmt.Errorf("the %s of the assertion is another", pin.name)
		}
	}
	if !slices.Contains(a.Audience, b.Audience) {
		return fmt.Errorf("the aud of the assertion is another")
	}
	return nil
}
