package scim

import "context"

// Work runs fn as one unit: all of it is stored or none. Platform database serves it.
type Work interface {
	Do(ctx context.Context, fn func(ctx context.Context) error) error
}

// People says who of the organisation may come in. Module auth serves it. Both join
// the unit in ctx, so that nobody who was deactivated here can still come in there.
type People interface {
	// Deactivate shuts a person out: sessions and tokens end on every replica.
	Deactivate(ctx context.Context, tenantID, objectID string) error
	// Reactivate lets a person in again.
	Reactivate(ctx context.Context, tenantID, objectID string) error
}

// Roles says what members of a group may do. Module auth serves it.
type Roles interface {
	// GroupChanged is told of every change of a group or of its members, with the
	// external ids and names that it had and has. It joins the unit in ctx.
	GroupChanged(ctx context.Context, externalIDs, names []string) error
}

// Audit writes down what was done. Module audit serves it.
type Audit interface {
	// Record joins the unit in ctx, so that a deed and its event are stored
	// together, or neither. With a failure there is no deed; then it never fails.
	Record(ctx context.Context, action, target, detail string, failure error) error
}
