package vault

import (
	"fmt"
	"os/exec"
	"strings"
)

// Config is the program that keeps keys elsewhere.
type Config struct {
	Command string `env:"KEY_VAULT_COMMAND" help:"program, with its arguments, that keeps signing keys elsewhere, such as badge-engine-pkcs11 for a hardware module; none when empty"`
}

// Default is no program.
func Default() Config { return Config{} }

// Check refuses a program that is not there.
func (c Config) Check() error {
	if words := strings.Fields(c.Command); len(words) > 0 {
		if _, err := exec.LookPath(words[0]); err != nil {
			return fmt.Errorf("KEY_VAULT_COMMAND: %w", err)
		}
	}
	return nil
}
