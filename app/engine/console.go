package engine

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/badge-engine/badge-engine/modules/audit"
	"github.com/badge-engine/badge-engine/modules/auth"
	"github.com/badge-engine/badge-engine/modules/issuance"
	"github.com/badge-engine/badge-engine/platform/principal"
)

// consoleID is the principal of whoever runs commands on the machine itself.
const consoleID = "console"

var errNoKey = errors.New("this needs the key-encryption key of the servers, and there is none here: set KEY_ENCRYPTION_KEY or KEY_ENCRYPTION_KEY_FILE")

// Audit is the audit trail, to be listed and checked. It makes no key where there is
// none.
func (t *Tools) Audit() (*audit.Service, error) {
	if t.keyless() {
		return nil, errNoKey
	}
	return t.openAudit()
}

func (t *Tools) keyless() bool {
	_, err := os.Stat(t.keys.KeyFile)
	return t.keys.Key == "" && errors.Is(err, fs.ErrNotExist)
}

func (t *Tools) openAudit() (*audit.Service, error) {
	sealer, err := issuance.OpenSealer(t.keys, t.log)
	if err != nil {
		return nil, err
	}
	key, err := auditKey(sealer)
	if err != nil {
		return nil, err
	}
	return audit.New(key, audit.NewStore(t.db), time.Now), nil
}

// NextKey makes a key-encryption key that can take the place of the present one.
func (t *Tools) NextKey() (string, error) {
	if t.keyless() {
		return "", errNoKey
	}
	sealer, err := issuance.OpenSealer(t.keys, t.log)
	if err != nil {
		return "", err
	}
	return sealer.NextKey(), nil
}

// Keyring is the signing keys, to be changed by commands; the context that comes with
// it says so. It needs the key-encryption key of the servers, and makes none.
func (t *Tools) Keyring(ctx context.Context, cfg Config) (*issuance.Keyring, context.Context, error) {
	trail, err := t.Audit()
	if err == nil {
		err = trail.Open(ctx)
	}
	if err != nil {
		return nil, nil, err
	}
	sealer, err := issuance.OpenSealer(t.keys, t.log)
	if err != nil {
		return nil, nil, err
	}
	public, err := cfg.public()
	if err != nil {
		return nil, nil, err
	}
	k := issuance.NewKeyring(public, issuance.NewStore(t.db), sealer, time.Now).Audited(trail).Working(t.db).Vaulted(issuanceVault(t.vault))
	return k, principal.With(ctx, principal.Principal{ID: consoleID}), nil
}

// console writes down what commands do. The key is looked for only then, since most
// commands need none; a command with another key than the servers' does nothing,
// or its events would count as forged.
type console struct {
	tools *Tools
	open  *audit.Service // nil before the first event
}

// Record implements [auth.Audit].
func (c *console) Record(ctx context.Context, e auth.Event) error {
	if c.open == nil {
		if c.tools.keyless() { // fine on a new machine, before anything was recorded
			head, _, _, err := audit.NewStore(c.tools.db).Head(ctx)
			if err != nil {
				return err
			}
			if head.Sequence > 0 {
				return errNoKey
			}
		}
		service, err := c.tools.openAudit()
		if err != nil {
			return err
		}
		if err := service.Open(ctx); err != nil {
			return err
		}
		c.open = service
	}
	e.Actor = cmp.Or(e.Actor, consoleID)
	return authAudit{c.open}.Record(ctx, e)
}
