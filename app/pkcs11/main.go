//go:build cgo

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
)

// request and answer are the words of package platform/vault.
type request struct {
	ID      uint64 `json:"id"`
	Do      string `json:"do"`
	Kind    string `json:"kind"`
	Label   string `json:"label"`
	Handle  string `json:"handle"`
	Message []byte `json:"message"`
}

type answer struct {
	ID        uint64 `json:"id"`
	Name      string `json:"name,omitempty"`
	Handle    string `json:"handle,omitempty"`
	Public    []byte `json:"public,omitempty"`
	Signature []byte `json:"signature,omitempty"`
	Error     string `json:"error,omitempty"`
}

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "badge-engine-pkcs11:", err)
		os.Exit(1)
	}
}

// serve answers requests until there are no more.
func serve() error {
	pin := os.Getenv("PKCS11_PIN")
	if file := os.Getenv("PKCS11_PIN_FILE"); pin == "" && file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("PKCS11_PIN_FILE: %w", err)
		}
		pin = strings.TrimSpace(string(text))
	}
	t, err := open(os.Getenv("PKCS11_MODULE"), os.Getenv("PKCS11_TOKEN"), pin)
	if err != nil {
		return err
	}
	defer t.close()
	var out sync.Mutex
	var busy sync.WaitGroup
	defer busy.Wait()
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var r request
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return fmt.Errorf("a request is no JSON: %w", err)
		}
		busy.Go(func() {
			a := t.answer(r)
			if line, err := json.Marshal(a); err == nil {
				out.Lock()
				defer out.Unlock()
				os.Stdout.Write(append(line, '\n'))
			}
		})
	}
	return lines.Err()
}

func (t *token) answer(r request) answer {
	a := answer{ID: r.ID}
	var err error
	switch r.Do {
	case "hello":
		a.Name = "pkcs11"
	case "generate":
		a.Handle, a.Public, err = t.generate(r.Kind, r.Label)
	case "sign":
		a.Signature, err = t.sign(r.Kind, r.Handle, r.Message)
	default:
		err = fmt.Errorf("it is not known how to %q", r.Do)
	}
	if err != nil {
		a.Error = err.Error()
	}
	return a
}
