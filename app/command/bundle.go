package command

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/badge-engine/badge-engine/app/engine"
	"github.com/badge-engine/badge-engine/platform/config"
	"github.com/badge-engine/badge-engine/platform/logging"
)

// bundledLog is how much of the end of a log file goes into a bundle.
const bundledLog = 1 << 20

func doctorBundle() *cobra.Command {
	var out string
	bundle := &cobra.Command{
		Use:   "bundle [--out FILE]",
		Short: "Write what a bug report needs into one archive, without secrets and personal values",
		Long: "Writes a .tar.gz with the versions, the configuration without its secrets, what the doctor finds, the state of the schema and the ends of the log " +
			"files in LOG_DIR. Look into it before you send it.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			environ, err := config.Environment(".")
			if err != nil {
				return err
			}
			now := time.Now().UTC()
			if out == "" {
				out = "badge-engine-bundle-" + now.Format("20060102-150405") + ".tar.gz"
			}
			data, err := pack(cmd.Context(), environ, now)
			if err != nil {
				return err
			}
			if err := writeNew(out, data, 0o600); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s\nLook into it before you send it: tar -tzf %s\n", out, out)
			return nil
		},
	}
	bundle.Flags().StringVarP(&out, "out", "o", "", "where the archive goes")
	return bundle
}

// pack makes the archive. Each text goes through the redaction of the log once more.
func pack(ctx context.Context, environ map[string]string, now time.Time) ([]byte, error) {
	report := engine.Examine(ctx, environ, config.Sources("."), "")
	findings, err := marshal(report)
	if err != nil {
		return nil, err
	}
	var settings strings.Builder
	for _, f := range report.Findings {
		if strings.HasPrefix(f.Check, "config.") {
			fmt.Fprintf(&settings, "%s: %s\n", f.Looked, f.Found)
		}
	}
	files := []struct{ name, text string }{
		{"versions.txt", versions()},
		{"configuration.txt", settings.String()},
		{"findings.json", string(findings)},
		{"schema.txt", engine.SchemaVersion(ctx, environ)},
	}
	if dir := environ["LOG_DIR"]; dir != "" {
		for _, name := range []string{"error.log", "migration_errors.log"} {
			text, err := tail(filepath.Join(dir, name), bundledLog)
			if err != nil {
				text = "It cannot be read: " + err.Error() + "\n"
			}
			files = append(files, struct{ name, text string }{"log/" + name, text})
		}
	}
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	archive := tar.NewWriter(zipped)
	for _, f := range files {
		text := logging.Redact(f.text)
		if err := archive.WriteHeader(&tar.Header{Name: "badge-engine-bundle/" + f.name, Mode: 0o600, Size: int64(len(text)), ModTime: now}); err != nil {
			return nil, err
		}
		if _, err := io.WriteString(archive, text); err != nil {
			return nil, err
		}
	}
	err = errors.Join(archive.Close(), zipped.Close())
	return out.Bytes(), err
}

func versions() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s/%s, %d processors, GOMEMLIMIT %d\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), debug.SetMemoryLimit(-1))
	if info, ok := debug.ReadBuildInfo(); ok {
		b.WriteString(info.String())
	}
	return b.String()
}

// tail reads the end of a file, from the beginning of a line.
func tail(name string, most int64) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "", err
	}
	cut := max(0, info.Size()-most)
	data, err := io.ReadAll(io.NewSectionReader(file, cut, most))
	if cut > 0 {
		_, data, _ = bytes.Cut(data, []byte("\n"))
	}
	return string(data), err
}
