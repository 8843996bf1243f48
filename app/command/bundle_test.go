package command

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestABundleHoldsNoSecretAndNothingPersonal(t *testing.T) {
	dir := t.TempDir()
	logged := `{"msg":"x","to":"ada.lovelace@example.org","token":"be_0123456789abcdef0123"}` + "\n"
	if err := os.WriteFile(filepath.Join(dir, "error.log"), []byte(strings.Repeat(logged, 20_000)), 0o600); err != nil {
		t.Fatal(err)
	}
	data, err := pack(t.Context(), map[string]string{
		"DATABASE_URL": "postgres://badge_user:hunter2@database.invalid/badge_engine", "REDIS_URL": "redis://:hunter2@redis.invalid:6379/0",
		"KEY_ENCRYPTION_KEY": "hunter2hunter2", "BOOTSTRAP_ADMIN_TOKEN": "hunter2-hunter2-hunter2-hunter2-hunter2", "AUTH_SESSION_KEY": "hunter2",
		"ENTRA_CLIENT_SECRET": "hunter2~", "LOG_DIR": dir, "ENTRA_CLIENT_SECRT": "hunter2~",
	}, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	zipped, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for archive := tar.NewReader(zipped); ; {
		header, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		files[strings.TrimPrefix(header.Name, "badge-engine-bundle/")] = string(text)
	}
	for name, want := range map[string]string{
		"versions.txt": "go1.", "configuration.txt": "DATABASE_URL", "findings.json": "database.connection", "schema.txt": "cannot", "log/error.log": "[e-mail]", "log/migration_errors.log": "cannot be read",
	} {
		if !strings.Contains(files[name], want) {
			t.Errorf("%s does not say %q: %.200s", name, want, files[name])
		}
	}
	for name, text := range files {
		for _, secret := range []string{"hunter2", "ada.lovelace", "be_0123"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds %q", name, secret)
			}
		}
	}
	if size := len(files["log/error.log"]); size > bundledLog {
		t.Errorf("%d bytes of log", size)
	}
}
