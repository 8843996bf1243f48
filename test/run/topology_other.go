//go:build !unix

package main

import (
	"context"
	"errors"
)

func runTopology(context.Context) error {
	return errors.New("the topology needs processes and signals as on Linux and macOS")
}
