package auth

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/badge-engine/badge-engine/platform/config"
	"github.com/badge-engine/badge-engine/platform/principal"
)

// bootstrapLength is the least length of BOOTSTRAP_ADMIN_TOKEN: 32 characters
// of hex are 128 bits, which nobody guesses.
const bootstrapLength = 32

// Config is what an operator may say about who is calling.
type Config struct {
	BootstrapAdminToken config.Secret `env:"BOOTSTRAP_ADMIN_TOKEN" help:"token that may do everything, at least 32 characters, for the first set-up; unset it once a token with scope admin exists"`

	AppRoles        []string      `env:"AUTH_APP_ROLES" help:"which app roles of Entra mean which role here, such as Badge.Admin=admin,Badges.Issue.All=issuer"`
	AdminGroups     []string      `env:"ENTRA_ADMIN_GROUPS" help:"object ids of the groups whose members are admins; nobody when empty"`
	IssuerGroups    []string      `env:"ENTRA_ISSUER_GROUPS" help:"object ids of the groups whose members are issuers; nobody when empty"`
	AuditorGroups   []string      `env:"AUTH_AUDITOR_GROUPS" help:"object ids of the groups whose members are auditors; nobody when empty"`
	GroupsFromGraph bool          `env:"AUTH_GROUPS_FROM_GRAPH" help:"whether Microsoft Graph is asked for a signed-in person's groups every five minutes, not only when they are too many for a token"`
	ProvisionedOnly bool          `env:"AUTH_PROVISIONED_ONLY" help:"whether only people whom Entra has provisioned may sign in"`
	SessionIdle     time.Duration `env:"AUTH_SESSION_IDLE" help:"how long a session lives without being used"`
	SessionLimit    time.Duration `env:"AUTH_SESSION_LIMIT" help:"how long a session lives at most"`
	SessionKey      config.Secret `env:"AUTH_SESSION_KEY" help:"secret that seals sessions, the same on every replica; the client secret of Entra when empty"`

	AccessLifetime time.Duration `env:"OAUTH_TOKEN_LIFETIME" help:"how long the access tokens of OAuth clients work, from 1h to 6h"`

	DevelopmentSignIn bool `env:"AUTH_DEVELOPMENT_SIGN_IN" help:"lets everybody at this machine sign in as anybody, without Entra; only with HOST=127.0.0.1, and never for anything real"`
}

// Default knows no token but those that were created, and nobody as an admin.
func Default() Config {
	return Config{
		AppRoles:     []string{"Badge.Admin=admin", "Badge.Issuer=issuer", "Badge.Auditor=auditor", "Badges.Issue.All=issuer", "Scim.Provision=provisioner"},
		SessionIdle:  time.Hour,
		SessionLimit: 12 * time.Hour,

		AccessLifetime: time.Hour,
	}
}

// Check refuses a bootstrap token that could be guessed or could not be sent,
// and roles and limits that mean nothing.
func (c Config) Check() error {
	_, err := parseAppRoles(c.AppRoles)
	errs := []error{c.checkBootstrap(), err}
	for name, list := range map[string][]string{"ENTRA_ADMIN_GROUPS": c.AdminGroups, "ENTRA_ISSUER_GROUPS": c.IssuerGroups, "AUTH_AUDITOR_GROUPS": c.AuditorGroups} {
		if slices.ContainsFunc(list, func(group string) bool { return strings.TrimSpace(group) == "" }) {
			errs = append(errs, fmt.Errorf("%s has an empty entry; give object ids separated by commas", name))
		}
	}
	for name, d := range map[string]time.Duration{"AUTH_SESSION_IDLE": c.SessionIdle, "AUTH_SESSION_LIMIT": c.SessionLimit} {
		if d != 0 && d < time.Minute { // zero is the default
			errs = append(errs, fmt.Errorf("%s is %s; give at least 1m", name, d))
		}
	}
	if key := c.SessionKey.Reveal(); key != "" && len(key) < bootstrapLength {
		errs = append(errs, errors.New("AUTH_SESSION_KEY must have at least 32 characters; make one with: openssl rand -hex 32"))
	}
	if d := c.AccessLifetime; d != 0 && (d < time.Hour || d > 6*time.Hour) { // Entra asks for 60 to 360 minutes
		errs = append(errs, fmt.Errorf("OAUTH_TOKEN_LIFETIME is %s; give 1h to 6h", d))
	}
	return errors.Join(errs...)
}

// accessLifetime is in whole seconds, as the answer has it.
func (c Config) accessLifetime() time.Duration {
	if c.AccessLifetime == 0 {
		return time.Hour
	}
	return c.AccessLifetime.Truncate(time.Second)
}

func (c Config) checkBootstrap() error {
	token := c.BootstrapAdminToken.Reveal()
	switch {
	case token == "":
		return nil
	case len(token) < bootstrapLength:
		return errors.New("BOOTSTRAP_ADMIN_TOKEN must have at least 32 characters; make one with: openssl rand -hex 32")
	case len(token) > maxBearer || !bearer(token):
		return errors.New("BOOTSTRAP_ADMIN_TOKEN must be at most 512 letters, digits and - . _ ~ + /, since it is sent in a header")
	}
	return nil
}

// parseAppRoles reads the pairs of AUTH_APP_ROLES.
func parseAppRoles(pairs []string) (map[string]string, error) {
	roles := []string{principal.RoleAdmin, principal.RoleIssuer, principal.RoleAuditor, principal.RoleMember, principal.RoleProvisioner}
	parsed := map[string]string{}
	for _, pair := range pairs {
		value, role, _ := strings.Cut(pair, "=")
		value, role = strings.TrimSpace(value), strings.TrimSpace(role)
		if value == "" || !slices.Contains(roles, role) {
			return nil, fmt.Errorf("AUTH_APP_ROLES has %q; give the value of an app role, an equals sign and one of %s", pair, strings.Join(roles, ", "))
		}
		parsed[value] = role
	}
	return parsed, nil
}
