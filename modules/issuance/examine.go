package issuance

import (
	"context"
	"crypto/ed25519"
	"errors"
	"os"
	"strings"

	"github.com/badge-engine/badge-engine/modules/internal/did"
	"github.com/badge-engine/badge-engine/platform/diagnosis"
)

// ExamineKey looks at the key-encryption key without making one.
func ExamineKey(cfg Config) diagnosis.Examination {
	return func(_ context.Context, n *diagnosis.Notes) {
		const make = "Make one, and the same for every replica: openssl rand -base64 32."
		if cfg.Key != "" {
			if _, err := decodeKey(cfg.Key.Reveal()); err != nil {
				n.Fail("keys.encryption", "KEY_ENCRYPTION_KEY", "It is not 32 bytes in base64.", make)
				return
			}
			n.OK("keys.encryption", "KEY_ENCRYPTION_KEY", "It has the right form.")
			return
		}
		text, err := os.ReadFile(cfg.KeyFile)
		switch {
		case errors.Is(err, os.ErrNotExist):
			n.Warn("keys.encryption", cfg.KeyFile, "There is no such file; a start makes one.", "If there are signing keys already, bring the old file back: without it none of them opens.")
			return
		case err != nil:
			n.Fail("keys.encryption", cfg.KeyFile, "It cannot be read.", "Give this program's user the right: chown and chmod 600 "+cfg.KeyFile+".")
			return
		}
		if _, err := decodeKey(strings.TrimSpace(string(text))); err != nil {
			n.Fail("keys.encryption", cfg.KeyFile, "It does not hold 32 bytes in base64.", "Bring the old file back from the backup. Where nothing was issued yet: "+make)
			return
		}
		if info, err := os.Stat(cfg.KeyFile); err == nil && info.Mode().Perm()&0o077 != 0 {
			n.Warn("keys.encryption", cfg.KeyFile, "Others on this machine may read it.", "chmod 600 "+cfg.KeyFile)
			return
		}
		n.OK("keys.encryption", cfg.KeyFile, "It is there, and its owner's alone.")
	}
}

// Examine opens the newest signing key and signs something with it.
func Examine(k *Keyring) diagnosis.Examination {
	return func(ctx context.Context, n *diagnosis.Notes) {
		const looked = "the newest signing key"
		key, sealed, found, err := k.store.NewestKey(ctx)
		switch {
		case err != nil:
			n.Skip("keys.signing", looked, "The database cannot be asked, or has no schema yet.")
			return
		case !found:
			n.OK("keys.signing", looked, "There is none yet: no issuer has been created.")
			return
		}
		if _, err := k.sealer.Open(key.ID, sealed); err != nil {
			n.Fail("keys.signing", looked, "Key "+key.ID+" does not open under the key-encryption key.",
				"Configure the key-encryption key under which it was sealed, the same on every replica: KEY_ENCRYPTION_KEY or KEY_ENCRYPTION_KEY_FILE, from the backup.")
			return
		}
		_, signer, err := k.Signer(ctx, key.IssuerID)
		if err != nil {
			n.Fail("keys.signing", looked, "It cannot be used: "+err.Error()+".", "Look the code up in the guide.")
			return
		}
		message := []byte("badge-engine doctor")
		signature, err := signer.Sign(ctx, message)
		public, bad := did.DecodeMultikey(key.Multikey)
		verifier, ok := public.(ed25519.PublicKey)
		if err != nil || bad != nil || ok && !ed25519.Verify(verifier, message, signature) {
			n.Fail("keys.signing", looked, "What it signs does not verify with the public key that is published.", "Bring the database back from a backup.")
			return
		}
		n.OK("keys.signing", looked, "Key %s opens, and what it signs verifies.", key.ID)
	}
}
