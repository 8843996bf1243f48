package jsonld

import "github.com/badge-engine/badge-engine/modules/internal/strictjson"

// Direct is the direct way alone; false means that it leaves the document to the general processor.
func (p *Processor) Direct(doc map[string]any) ([]byte, bool) {
	w, ok := p.direct(strictjson.NodeOf(doc), nil)
	if !ok {
		return nil, false
	}
	defer w.release()
	return w.write(make([]byte, 0, w.sizeFrom(0)), 0), true
}
