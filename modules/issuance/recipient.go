package issuance

import (
	"context"

	"github.com/badge-engine/badge-engine/platform/fault"
)

const directoryRule = "Badge Engine: a recipient is named by an e-mail address or by one user of the directory"

// addressed finds the e-mail address of a recipient who is named as a user of the
// directory. Others come back as they are.
func (s *Service) addressed(ctx context.Context, r Recipient) (Recipient, error) {
	at, names := "", 0
	for _, name := range []struct{ pointer, value string }{{"/recipient/userId", r.UserID}, {"/recipient/externalId", r.ExternalID}, {"/recipient/userName", r.UserName}} {
		if name.value != "" {
			at = name.pointer
			names++
		}
	}
	switch {
	case names == 0:
		return r, nil
	case names > 1 || r.Email != "":
		return r, refuse(at, directoryRule, "The recipient is named more than once.", "Give one of email, userId, externalId and userName.")
	case s.recipients == nil:
		return r, refuse(at, directoryRule, "There is no directory here.", "Give the recipient's e-mail address.")
	}
	email, err := s.recipients.Recipient(ctx, r.UserID, r.ExternalID, r.UserName)
	if f, ok := fault.From(err); ok && f.Kind() == fault.NotFound {
		return r, refuse(at, directoryRule, f.Detail(), "Name a provisioned user who is active and has an e-mail address, or give the address.")
	}
	r.Email, r.UserID, r.ExternalID, r.UserName = email, "", "", ""
	return r, err
}
