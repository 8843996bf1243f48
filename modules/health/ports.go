package health

// Phase says whether the server is still on its way in, or already on its way out.
type Phase interface {
	Starting() bool
	Draining() bool
}
