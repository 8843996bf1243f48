//go:build !unix

package servers

import (
	"os"
	"os/exec"
)

// Account is whom a server runs as: ourselves.
type Account struct{}

// Unprivileged is ourselves.
func Unprivileged() (Account, error) { return Account{}, nil }

// Folder makes a temporary folder.
func (Account) Folder() (string, error) { return os.MkdirTemp("", "badge-engine-postgres-") }

// Run changes nothing.
func (Account) Run(*exec.Cmd) {}

// Apart changes nothing.
func Apart(*exec.Cmd) {}
