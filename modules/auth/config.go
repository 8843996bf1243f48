package auth

import (
	"errors"

	"github.com/badge-engine/badge-engine/platform/config"
)

// bootstrapLength is the least length of BOOTSTRAP_ADMIN_TOKEN: 32 characters
// of hex are 128 bits, which nobody guesses.
const bootstrapLength = 32

// Config is what an operator may say about who is calling.
type Config struct {
	BootstrapAdminToken config.Secret `env:"BOOTSTRAP_ADMIN_TOKEN" help:"token that may do everything, at least 32 characters, for the first set-up; unset it once a token with scope admin exists"`
}

// Default knows no token but those that were created.
func Default() Config { return Config{} }

// Check refuses a bootstrap token that could be guessed or could not be sent.
func (c Config) Check() error {
	token := c.BootstrapAdminToken.Reveal()
	switch {
	case token == "":
		return nil
	case len(token) < bootstrapLength:
		return errors.New("BOOTSTRAP_ADMIN_TOKEN must have at least 32 characters; make one with: openssl rand -hex 32")
	case len(token) > maxBearer || !bearer.MatchString(token):
		return errors.New("BOOTSTRAP_ADMIN_TOKEN must be at most 512 letters, digits and - . _ ~ + /, since it is sent in a header")
	}
	return nil
}
