// Command badge-engine issues, bakes and verifies Open Badges 3.0.
package main

import (
	"context"
	"os"

	"github.com/badge-engine/badge-engine/app/command"
)

func main() {
	os.Exit(command.Run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}
