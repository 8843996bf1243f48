package logging

import (
	"context"
	"os"

	"github.com/badge-engine/badge-engine/platform/diagnosis"
)

// Examine tries whether the log files can be written.
func Examine(c Config) diagnosis.Examination {
	return func(_ context.Context, n *diagnosis.Notes) {
		if c.Dir == "" {
			n.OK("log.folder", "LOG_DIR", "No log files: everything goes to standard error.")
			return
		}
		probe, err := os.CreateTemp(c.Dir, ".doctor-*")
		if os.IsNotExist(err) {
			n.Warn("log.folder", c.Dir, "The folder does not exist; a start makes it.", "mkdir -p "+c.Dir+", owned by this program's user.")
			return
		}
		if err != nil {
			n.Fail("log.folder", c.Dir, "No file can be written there.", "Give this program's user the right: chown and chmod 700 "+c.Dir+"; or make room on its disk.")
			return
		}
		_ = probe.Close()
		_ = os.Remove(probe.Name())
		n.OK("log.folder", c.Dir, "Files can be written there.")
	}
}
