package audit

// Pack and Unpack are what parcels hold.
var (
	Pack   = pack
	Unpack = unpacked
)
