package auth

// Seal puts the right checksum behind a text, whatever it says.
func Seal(text string) string { return text + "_" + checksum(text) }
