package health

import (
	"context"

	"github.com/badge-engine/badge-engine/platform/diagnosis"
)

// Phase says whether the server is still on its way in, or already on its way out.
type Phase interface {
	Starting() bool
	Draining() bool
}

// Doctor examines every part of the program, which may take seconds.
type Doctor interface {
	Examine(ctx context.Context) diagnosis.Report
}
