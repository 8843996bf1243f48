//go:build !cgo

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "badge-engine-pkcs11 was built without cgo, by which alone it can load the library of a hardware module: build it with CGO_ENABLED=1 go build ./app/pkcs11")
	os.Exit(1)
}
