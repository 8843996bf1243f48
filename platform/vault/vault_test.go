package vault_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/badge-engine/badge-engine/platform/vault"
)

// The tests run themselves as the program: how it behaves stands in the environment.
func TestMain(m *testing.M) {
	how := os.Getenv("VAULT_TEST_PROGRAM")
	if how == "" {
		os.Exit(m.Run())
	}
	lines := bufio.NewScanner(os.Stdin)
	var held []string
	for lines.Scan() {
		var r struct {
			ID                  uint64
			Do, Handle, Message string
		}
		json.Unmarshal(lines.Bytes(), &r)
		line := fmt.Sprintf(`{"id":%d,"name":"fake","handle":"h","public":"AQ==","signature":"%s"}`, r.ID, r.Message)
		switch {
		case how == "garbage":
			line = "what?"
		case how == "mute":
			continue
		case how == "empty":
			line = fmt.Sprintf(`{"id":%d}`, r.ID)
		case how == "dies" && r.Do == "sign":
			os.Exit(3)
		case r.Handle == "none":
			line = fmt.Sprintf(`{"id":%d,"error":"there is no such key"}`, r.ID)
		case how == "backwards": // two at a time, the last first
			if held = append(held, line); len(held) < 2 {
				continue
			}
			line, held = held[1]+"\n"+held[0], nil
		}
		fmt.Println(line)
	}
}

func program(t *testing.T, how string) *vault.Vault {
	t.Helper()
	t.Setenv("VAULT_TEST_PROGRAM", how)
	cfg := vault.Config{Command: os.Args[0]}
	if err := cfg.Check(); err != nil {
		t.Fatal(err)
	}
	v := vault.New(cfg, slog.New(slog.DiscardHandler))
	t.Cleanup(v.Close)
	return v
}

func TestAVaultSpeaksToItsProgram(t *testing.T) {
	v := program(t, "well")
	if name, err := v.Name(t.Context()); name != "fake" || err != nil {
		t.Errorf("it is called %q, %v", name, err)
	}
	if public, handle, err := v.Generate(t.Context(), "P-256", "label"); len(public) != 1 || handle != "h" || err != nil {
		t.Errorf("it made %x, %q, %v", public, handle, err)
	}
	if _, err := v.Sign(t.Context(), "P-256", "none", []byte("m")); err == nil || !strings.Contains(err.Error(), "no such key") {
		t.Errorf("err = %v", err)
	}
	if signature, err := v.Sign(t.Context(), "P-256", "h", []byte("message")); string(signature) != "message" || err != nil {
		t.Errorf("it signed %q, %v", signature, err)
	}
}

func TestAnswersFindWhoAsked(t *testing.T) {
	v := program(t, "backwards")
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			message := fmt.Sprint("message ", i)
			if signature, err := v.Sign(t.Context(), "P-256", "h", []byte(message)); string(signature) != message || err != nil {
				t.Errorf("%q was signed as %q, %v", message, signature, err)
			}
		})
	}
	wg.Wait()
}

func TestAProgramThatFailsIsStartedAgain(t *testing.T) {
	for how, name := range map[string]string{"dies": "fake", "garbage": "", "empty": ""} {
		v := program(t, how)
		for range 3 {
			if _, err := v.Sign(t.Context(), "P-256", "h", []byte("m")); err == nil {
				t.Errorf("%s: it signed", how)
			}
		}
		if got, _ := v.Name(t.Context()); got != name {
			t.Errorf("%s: it is called %q", how, got)
		}
	}
	v := program(t, "mute")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := v.Name(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("err = %v", err)
	}
	v.Close()
	if _, err := v.Name(t.Context()); err == nil {
		t.Error("a closed vault answers")
	}
}

func TestNoProgramIsNoVault(t *testing.T) {
	v := vault.New(vault.Config{}, slog.New(slog.DiscardHandler))
	if _, err := v.Name(t.Context()); v.Configured() || !errors.Is(err, vault.ErrNone) {
		t.Errorf("err = %v", err)
	}
	if err := (vault.Config{Command: "/nowhere/program -x"}).Check(); err == nil || !strings.Contains(err.Error(), "KEY_VAULT_COMMAND") {
		t.Errorf("err = %v", err)
	}
}
