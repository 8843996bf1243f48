package issuance_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/badge-engine/badge-engine/modules/issuance"
	"github.com/badge-engine/badge-engine/platform/config"
)

func sealer(t testing.TB, letter string) *issuance.Sealer {
	t.Helper()
	s, err := issuance.NewSealer([]byte(strings.Repeat(letter, 32)))
	must(t, err)
	return s
}

func TestSealedValuesOpenOnlyWhereTheyBelong(t *testing.T) {
	s := sealer(t, "k")
	for _, secret := range [][]byte{{}, []byte("x"), bytes.Repeat([]byte{7}, 32), bytes.Repeat([]byte("long "), 1000)} {
		sealed, err := s.Seal("row 1", secret)
		must(t, err)
		again, err := s.Seal("row 1", secret)
		must(t, err)
		if bytes.Equal(sealed, again) || len(secret) > 1 && bytes.Contains(sealed, secret) {
			t.Errorf("%x shows what it seals", sealed)
		}
		if opened, err := s.Open("row 1", sealed); err != nil || !bytes.Equal(opened, secret) {
			t.Errorf("%q came back as %q, %v", secret, opened, err)
		}
		_, err = s.Open("row 2", sealed)
		wants(t, err, issuance.ErrSealed)
		_, err = sealer(t, "w").Open("row 1", sealed)
		wants(t, err, issuance.ErrSealed)
	}
	sealed, err := s.Seal("row 1", []byte("secret"))
	must(t, err)
	for i := range sealed {
		tampered := bytes.Clone(sealed)
		tampered[i] ^= 1
		if _, err := s.Open("row 1", tampered); !errors.Is(err, issuance.ErrSealed) {
			t.Errorf("with byte %d changed: %v", i, err)
		}
		if _, err := s.Open("row 1", sealed[:i]); !errors.Is(err, issuance.ErrSealed) {
			t.Errorf("cut at byte %d: %v", i, err)
		}
	}
	if _, err := s.Open("row 1", append(sealed, 0)); !errors.Is(err, issuance.ErrSealed) {
		t.Errorf("with a byte more: %v", err)
	}
}

func TestASealerTakesAKeyOfTheRightLengthOnly(t *testing.T) {
	for _, n := range []int{0, 16, 31, 33, 64} {
		if _, err := issuance.NewSealer(make([]byte, n)); err == nil {
			t.Errorf("a key of %d bytes is taken", n)
		}
	}
}

func TestTheIndexTellsNothingWithoutTheKey(t *testing.T) {
	const email = "ada@example.org"
	sum := sha256.Sum256([]byte(email))
	index := sealer(t, "k").Index(email)
	switch {
	case index != sealer(t, "k").Index(email):
		t.Error("the same key gives another index")
	case index == sealer(t, "w").Index(email), index == sealer(t, "k").Index("eve@example.org"):
		t.Error("another key, or another address, gives the same index")
	case index == hex.EncodeToString(sum[:]), strings.Contains(index, email):
		t.Error("anybody can make the index")
	}
}

// open opens a sealer and answers what was logged.
func open(cfg issuance.Config) (*issuance.Sealer, string, error) {
	var log bytes.Buffer
	s, err := issuance.OpenSealer(cfg, slog.New(slog.NewTextHandler(&log, nil)))
	return s, log.String(), err
}

func TestTheKeyFileIsMadeOnceByWhoeverIsFirst(t *testing.T) {
	const rounds, openers = 10, 10
	for round := range rounds {
		folder := filepath.Join(t.TempDir(), "data", "keys")
		cfg := issuance.Config{KeyFile: filepath.Join(folder, "kek")}
		var indexes [openers]string
		start := make(chan struct{})
		var wg sync.WaitGroup
		for i := range openers {
			wg.Go(func() {
				<-start
				s, _, err := open(cfg)
				if err != nil {
					t.Error(err)
					return
				}
				indexes[i] = s.Index("x")
			})
		}
		close(start)
		wg.Wait()
		for i, index := range indexes {
			if index != indexes[0] {
				t.Errorf("round %d: opener %d has another key", round, i)
			}
		}
		info, err := os.Stat(cfg.KeyFile)
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("the key file has mode %v", info.Mode())
		}
		if entries, err := os.ReadDir(folder); err != nil || len(entries) != 1 {
			t.Errorf("beside the key file lie %v, %v", entries, err)
		}
		before, err := os.ReadFile(cfg.KeyFile)
		must(t, err)
		s, log, err := open(cfg)
		must(t, err)
		if after, err := os.ReadFile(cfg.KeyFile); err != nil || !bytes.Equal(before, after) || s.Index("x") != indexes[0] || log != "" {
			t.Errorf("opening again changed or said something: %q, %v", log, err)
		}
	}
}

func TestTheKeyFileIsLookedAfter(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kek")
	_, log, err := open(issuance.Config{KeyFile: file})
	must(t, err)
	if strings.Count(log, "level=WARN") != 1 || !strings.Contains(log, file) {
		t.Errorf("a new key file is announced as %q", log)
	}
	text, err := os.ReadFile(file)
	must(t, err)
	if strings.Contains(log, strings.TrimSpace(string(text))) {
		t.Error("the log shows the key")
	}
	must(t, os.Chmod(file, 0o644))
	if _, log, err = open(issuance.Config{KeyFile: file}); err != nil || !strings.Contains(log, "chmod 600") {
		t.Errorf("an open key file is announced as %q, %v", log, err)
	}
}

func TestKeysThatCannotBeUsedAreRefusedByTheirVariable(t *testing.T) {
	good := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0xfb}, 32))
	for _, row := range []struct {
		name, text string
		ok         bool
	}{
		{"standard base64", good, true},
		{"base64 without padding", strings.TrimRight(good, "="), true},
		{"base64 for URLs", strings.NewReplacer("+", "-", "/", "_").Replace(good), true},
		{"base64 for URLs without padding", strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(good), "="), true},
		{"a passphrase", "correct horse battery staple", false},
		{"a byte too few", base64.StdEncoding.EncodeToString(make([]byte, 31)), false},
		{"a byte too many", base64.StdEncoding.EncodeToString(make([]byte, 33)), false},
		{"hexadecimal", strings.Repeat("ab", 32), false},
		{"white space", " ", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			refused := func(err error, variable string) {
				t.Helper()
				switch {
				case row.ok && err != nil:
					t.Error(err)
				case !row.ok && (err == nil || !strings.Contains(err.Error(), variable) || strings.TrimSpace(row.text) != "" && strings.Contains(err.Error(), row.text)):
					t.Errorf("error is %v", err)
				}
			}
			cfg := issuance.Config{Key: config.Secret(row.text), KeyFile: "never read"}
			refused(cfg.Check(), "KEY_ENCRYPTION_KEY:")
			_, _, err := open(cfg)
			refused(err, "KEY_ENCRYPTION_KEY:")

			file := filepath.Join(t.TempDir(), "kek")
			must(t, os.WriteFile(file, []byte(row.text+"\n"), 0o600))
			_, _, err = open(issuance.Config{KeyFile: file})
			refused(err, "KEY_ENCRYPTION_KEY_FILE")
			if !row.ok && !strings.Contains(err.Error(), file) {
				t.Errorf("%v does not name the file", err)
			}
		})
	}
	t.Run("a folder is no file", func(t *testing.T) {
		if _, _, err := open(issuance.Config{KeyFile: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "KEY_ENCRYPTION_KEY_FILE") {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("neither key nor file", func(t *testing.T) {
		if err := (issuance.Config{}).Check(); err == nil || !strings.Contains(err.Error(), "KEY_ENCRYPTION_KEY_FILE") {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("the default", func(t *testing.T) {
		must(t, issuance.Default().Check())
	})
}

// A key-encryption key is replaced without losing anything: what the old one sealed
// opens, and recipients are found by the same hash.
func TestAKeyEncryptionKeyIsReplaced(t *testing.T) {
	open := func(cfg issuance.Config) *issuance.Sealer {
		t.Helper()
		must(t, cfg.Check())
		s, err := issuance.OpenSealer(cfg, slog.New(slog.DiscardHandler))
		must(t, err)
		return s
	}
	first := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("k"), 32))
	old := open(issuance.Config{Key: config.Secret(first)})
	sealed, err := old.Seal("row 1", []byte("secret"))
	must(t, err)
	second := old.NextKey()
	if second == old.NextKey() || strings.Contains(second, first) {
		t.Errorf("the next key is %s", second)
	}
	alone := open(issuance.Config{Key: config.Secret(second)})
	_, err = alone.Open("row 1", sealed)
	wants(t, err, issuance.ErrSealed)
	third := alone.NextKey()
	both := open(issuance.Config{Key: config.Secret(third), Previous: config.Secret(second + " , " + first)})
	if secret, err := both.Open("row 1", sealed); err != nil || string(secret) != "secret" {
		t.Errorf("it opens as %q, %v", secret, err)
	}
	_, err = both.Open("row 2", sealed)
	wants(t, err, issuance.ErrSealed)
	for _, s := range []*issuance.Sealer{alone, both} {
		mine, err := s.Derive("a part")
		must(t, err)
		before, err := old.Derive("a part")
		must(t, err)
		if s.Index("ada@example.org") != old.Index("ada@example.org") || !bytes.Equal(mine, before) {
			t.Error("the index or a derived key changed")
		}
	}
	for _, bad := range []string{first + ".", first + "." + first, "." + first, second + "." + first, first + "," + first} {
		if err := (issuance.Config{Key: config.Secret(bad)}).Check(); err == nil || strings.Contains(err.Error(), bad) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if err := (issuance.Config{Key: config.Secret(first), Previous: "x"}).Check(); err == nil || !strings.Contains(err.Error(), "KEY_ENCRYPTION_KEY_PREVIOUS") {
		t.Errorf("err = %v", err)
	}
}
