//go:build unix

package main

import (
	"os"
	"syscall"
)

// stopSignals are what asks us to stop.
var stopSignals = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}
