package scim

import (
	"context"
	"strings"

	"github.com/badge-engine/badge-engine/modules/scim/filter"
	"github.com/badge-engine/badge-engine/platform/fault"
)

// Directory answers what the rest of the house asks about people and groups.
type Directory struct {
	store  *Store
	tenant string
}

// NewDirectory makes a directory of the people of one tenant of Entra.
func NewDirectory(store *Store, tenant string) *Directory {
	return &Directory{store: store, tenant: tenant}
}

// ours reports whether a tenant is the one that is provisioned here.
func (d *Directory) ours(tenantID string) bool {
	return d.tenant != "" && strings.EqualFold(d.tenant, tenantID)
}

// User says whether a person is provisioned, and whether active. A person whom
// several users claim to be is active only if all of them are.
func (d *Directory) User(ctx context.Context, tenantID, objectID string) (found, active bool, err error) {
	if !d.ours(tenantID) || objectID == "" {
		return false, false, nil
	}
	return d.store.Standing(ctx, filter.Fold(objectID))
}

// Groups answers the external ids of the groups that have the person as a direct member.
func (d *Directory) Groups(ctx context.Context, tenantID, objectID string) ([]string, error) {
	if !d.ours(tenantID) || objectID == "" {
		return nil, nil
	}
	return d.store.ExternalGroups(ctx, filter.Fold(objectID))
}

// GroupsNamed answers the external id of each group of this name, of one that has
// none an empty text; of many of them, two.
func (d *Directory) GroupsNamed(ctx context.Context, name string) ([]string, error) {
	return d.store.ExternalGroupsNamed(ctx, filter.Fold(name))
}

// Recipient finds the e-mail address of a user who is named by id, external id or
// userName, whichever is not empty. It answers with a fault of kind not found that
// says what is missing.
func (d *Directory) Recipient(ctx context.Context, id, externalID, userName string) (email string, err error) {
	column, value := "id", id
	switch {
	case externalID != "":
		column, value = "external_id_fold", filter.Fold(externalID)
	case userName != "":
		column, value = "user_name_fold", filter.Fold(userName)
	}
	found, err := d.store.Reaches(ctx, column, value)
	switch {
	case err != nil:
		return "", err
	case len(found) == 0:
		return "", ErrRecipient.Detailf("No provisioned user is named like this.")
	case len(found) > 1:
		return "", ErrRecipient.Detailf("More than one provisioned user has this external id. Name one by its id.")
	case !found[0].IsActive:
		return "", ErrRecipient.Detailf("The user is deactivated.")
	case found[0].Email == "":
		return "", ErrRecipient.Detailf("The user has no e-mail address. Map one in Entra: emails[type eq \"work\"].value.")
	}
	return found[0].Email, nil
}

// ErrRecipient says why nobody is found to be awarded.
var ErrRecipient = fault.New(fault.NotFound, "scim.recipient", "There is no such recipient in the directory.")
