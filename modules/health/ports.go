package health

// Drainer says whether the server is on its way out.
type Drainer interface{ Draining() bool }
