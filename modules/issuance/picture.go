package issuance

import (
	"encoding/base64"
	"fmt"

	"github.com/badge-engine/badge-engine/modules/internal/image"
)

// frame makes an SVG that shows a PNG, so that a badge with one picture can be had
// in both formats.
func frame(png []byte) ([]byte, error) {
	info, err := image.Inspect(png)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d"><image width="%d" height="%d" href="data:image/png;base64,%s"/></svg>
`, info.Width, info.Height, info.Width, info.Height, info.Width, info.Height, base64.StdEncoding.EncodeToString(png)), nil
}
