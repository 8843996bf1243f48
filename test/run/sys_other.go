//go:build !unix

package main

import (
	"os"
	"os/exec"
)

// stopSignals are what asks us to stop.
var stopSignals = []os.Signal{os.Interrupt}

// account is whom a server runs as: ourselves.
type account struct{}

func unprivileged() (account, error) { return account{}, nil }

func (account) folder() (string, error) { return os.MkdirTemp("", "badge-engine-postgres-") }

func (account) run(*exec.Cmd) {}

func apart(*exec.Cmd) {}
