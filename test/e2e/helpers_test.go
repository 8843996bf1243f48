package e2e

import "encoding/base64"

// rawJSON keeps JSON byte for byte.
type rawJSON []byte

// UnmarshalJSON implements [json.Unmarshaler].
func (r *rawJSON) UnmarshalJSON(data []byte) error {
	*r = append((*r)[:0], data...)
	return nil
}

func base64Of(data []byte) string { return base64.StdEncoding.EncodeToString(data) }
