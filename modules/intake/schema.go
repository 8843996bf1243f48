package intake

import (
	"embed"

	"github.com/badge-engine/badge-engine/migrations"
)

//go:embed migrations
var files embed.FS

// Schema is this module's migrations.
func Schema() migrations.Set { return migrations.Set{Module: "intake", Files: files} }
