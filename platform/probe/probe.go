package probe

import "context"

// Probe is one question about the health of a part.
type Probe struct {
	Name  string                          // short and stable: "database", "cache", "schema", "keys"
	Check func(ctx context.Context) error // must honour ctx; nil means healthy
	// Spare says that the server does its work without this part, only worse:
	// traffic may still be sent to it.
	Spare bool
}
