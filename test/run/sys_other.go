//go:build !unix

package main

import "os"

// stopSignals are what asks us to stop.
var stopSignals = []os.Signal{os.Interrupt}
