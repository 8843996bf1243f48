package scim

import (
	"errors"
	"fmt"
	"os"

	"github.com/badge-engine/badge-engine/modules/scim/schema"
)

// Config is what an operator may say about the directory.
type Config struct {
	UniqueGroupNames bool   `env:"SCIM_UNIQUE_GROUP_NAMES" help:"whether a second group of the same displayName is refused, as Microsoft's validator demands; set it to false where Entra has groups of one name and matches them by externalId"`
	ExtensionsFile   string `env:"SCIM_EXTENSIONS_FILE" help:"JSON file that declares further schemas of users and groups"`
	PageSize         int    `env:"SCIM_PAGE_SIZE" help:"how many resources a page holds when a client names no count"`
	MaxResults       int    `env:"SCIM_MAX_RESULTS" help:"how many resources a page holds at most"`
	BulkOperations   int    `env:"SCIM_BULK_OPERATIONS" help:"how many operations a bulk request may have"`
	BulkPayload      int    `env:"SCIM_BULK_PAYLOAD" help:"how many bytes a bulk request may have"`
	ListedMembers    int    `env:"SCIM_LISTED_MEMBERS" help:"lists leave the members of groups out that have more than these; a single group always shows them"`
}

// Default is what Entra works with.
func Default() Config {
	return Config{UniqueGroupNames: true, PageSize: 100, MaxResults: 200, BulkOperations: 1000, BulkPayload: 1 << 20, ListedMembers: 1000}
}

// Check refuses limits that mean nothing and extensions that cannot be read.
func (c Config) Check() error {
	var errs []error
	for _, l := range []struct {
		name               string
		value, least, most int
	}{
		{"SCIM_PAGE_SIZE", c.PageSize, 1, 1000},
		{"SCIM_MAX_RESULTS", c.MaxResults, 1, 1000},
		{"SCIM_BULK_OPERATIONS", c.BulkOperations, 1, 10_000},
		{"SCIM_BULK_PAYLOAD", c.BulkPayload, 1 << 10, 64 << 20},
		{"SCIM_LISTED_MEMBERS", c.ListedMembers, 0, 1_000_000},
	} {
		if l.value < l.least || l.value > l.most {
			errs = append(errs, fmt.Errorf("%s is %d; give a number from %d to %d", l.name, l.value, l.least, l.most))
		}
	}
	if c.PageSize > c.MaxResults {
		errs = append(errs, errors.New("SCIM_PAGE_SIZE must not be greater than SCIM_MAX_RESULTS"))
	}
	_, err := c.registry()
	return errors.Join(append(errs, err)...)
}

// registry is every schema, those of the operator included.
func (c Config) registry() (*schema.Registry, error) {
	var text []byte
	if c.ExtensionsFile != "" {
		var err error
		if text, err = os.ReadFile(c.ExtensionsFile); err != nil {
			return nil, fmt.Errorf("SCIM_EXTENSIONS_FILE cannot be read: %w", err)
		}
	}
	declared, err := schema.ParseDeclarations(string(text))
	if err != nil {
		return nil, fmt.Errorf("SCIM_EXTENSIONS_FILE: %w", err)
	}
	r, err := schema.NewRegistry(declared...)
	if err != nil {
		return nil, fmt.Errorf("SCIM_EXTENSIONS_FILE: %w", err)
	}
	return r, nil
}
