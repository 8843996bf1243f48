package openbadges_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/badge-engine/badge-engine/modules/internal/openbadges"
	"github.com/badge-engine/badge-engine/modules/internal/strictjson"
)

// FuzzCheckCredential asks that no document makes the check panic, and that
// what may be issued may be read.
func FuzzCheckCredential(f *testing.F) {
	for _, c := range []openbadges.AchievementCredential{simple(), full()} {
		data, err := json.Marshal(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, text := range []string{
		`{}`, `{"@context":[{},[],null]}`, `{"@context":["https://www.w3.org/2018/credentials/v1"],"issuanceDate":[]}`,
		`{"type":[null,{},[]],"issuer":[],"credentialSubject":{"result":[[],{}],"achievement":{"resultDescription":{}}}}`,
		`{"credentialStatus":{"type":["BitstringStatusListEntry"],"statusSize":1e300,"statusMessage":{}}}`,
		`{"endorsement":{"endorsement":{"@context":[]}},"proof":{"type":"DataIntegrityProof"}}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := strictjson.Parse(data)
		if err != nil {
			t.Skip()
		}
		doc, ok := v.(map[string]any)
		if !ok {
			t.Skip()
		}
		strict := openbadges.CheckCredential(doc, openbadges.Issuing)
		loose := openbadges.CheckCredential(doc, openbadges.Reading)
		openbadges.CheckEndorsement(doc, openbadges.Issuing)
		n := strictjson.NodeOf(doc)
		if loud := openbadges.CheckLoudly(n, openbadges.Issuing); !slices.Equal(strict, loud) {
			t.Errorf("at first sight:%s\nin order:%s", show(strict), show(loud))
		}
		if loud := openbadges.CheckLoudly(n, openbadges.Reading); !slices.Equal(loose, loud) {
			t.Errorf("at first sight, read:%s\nin order:%s", show(loose), show(loud))
		}
		if len(strict) == 0 && len(loose) != 0 {
			t.Errorf("issued but not read:%s", show(loose))
		}
		for _, found := range [][]openbadges.Violation{strict, loose} {
			for _, violation := range found {
				if violation.Rule == "" || violation.Detail == "" || violation.Remedy == "" {
					t.Errorf("incomplete violation %+v", violation)
				}
			}
		}
	})
}

func BenchmarkCheckCredential(b *testing.B) {
	for name, credential := range map[string]openbadges.AchievementCredential{"simple": simple(), "full": full()} {
		doc := document(b, credential)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if found := openbadges.CheckCredential(doc, openbadges.Issuing); len(found) != 0 {
					b.Fatal(show(found))
				}
			}
		})
	}
}
