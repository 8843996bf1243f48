package main

import (
	"strings"
	"testing"
)

func TestReportSaysWhatGoTestSays(t *testing.T) {
	const stream = `{"Action":"start","Package":"x/good"}
{"Action":"output","Package":"x/good","Test":"TestA","Output":"chatter\n"}
{"Action":"pass","Package":"x/good","Test":"TestA","Elapsed":0.1}
{"Action":"skip","Package":"x/good","Test":"TestB"}
{"Action":"output","Package":"x/good","Output":"ok  \tx/good\t(cached)\n"}
{"Action":"pass","Package":"x/good","Elapsed":0.2}
{"Action":"output","Package":"x/bad","Test":"TestC/sub","Output":"    c_test.go:1: broken\n"}
{"Action":"fail","Package":"x/bad","Test":"TestC/sub"}
{"Action":"fail","Package":"x/bad","Test":"TestC"}
{"Action":"output","Package":"x/bad","Output":"FAIL\n"}
{"Action":"fail","Package":"x/bad","Elapsed":1}
{"Action":"build-output","ImportPath":"x/ugly","Output":"ugly.go:1: syntax error\n"}
{"Action":"fail","Package":"x/ugly"}
{"Action":"output","Package":"x/crash","Test":"TestD","Output":"panic: boom\n"}
{"Action":"fail","Package":"x/crash"}
{"Action":"skip","Package":"x/none"}
something else
`
	var out strings.Builder
	r := newReport(&out)
	if err := r.read(strings.NewReader(stream)); err != nil {
		t.Fatal(err)
	}
	if r.passed != 1 || r.failed != 4 || r.skipped != 1 {
		t.Errorf("%d passed, %d failed, %d skipped; want 1, 4, 1", r.passed, r.failed, r.skipped)
	}
	for _, want := range []string{"ok  \tx/good\t0.2s (cached)\n", "c_test.go:1: broken\n", "FAIL\tx/bad\t1.0s\n", "ugly.go:1: syntax error\n", "panic: boom\n", "x/none\t0.0s [no test files]\n", "something else\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "chatter") {
		t.Error("the report repeats what a passed test said")
	}
}
