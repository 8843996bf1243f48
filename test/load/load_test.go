package main

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

func TestARowSaysWhetherItIsShort(t *testing.T) {
	for want, r := range map[string]row{
		"sign 1.9× ≤2× ok":              {name: "sign", measured: 1.9, unit: "×", target: 2},
		"sign 2.01× ≤2× short":          {name: "sign", measured: 2.01, unit: "×", target: 2},
		"read 80% ≥80% ok":              {name: "read", measured: 80, unit: "%", target: 80, least: true},
		"read 79.99% ≥80% short":        {name: "read", measured: 79.99, unit: "%", target: 80, least: true},
		"batch unmeasured ≥60% short":   {name: "batch", unit: "%", target: 60, least: true, missing: "there is no PostgreSQL"},
		"size 2390 bytes":               {name: "size", measured: 2390, unit: " bytes", free: true},
		"allocations 133 ≤150 ok":       {name: "allocations", measured: 133, target: 150},
		"health-p99 0.2ms ≤50ms ok":     {name: "health-p99", measured: 0.2, unit: "ms", target: 50},
		"failed 0 ≤0 ok":                {name: "failed"},
		"failed 1 ≤0 short":             {name: "failed", measured: 1},
		"sign unmeasured ≤2× short":     {name: "sign", unit: "×", target: 2, missing: "there is no benchmark"},
		"ratio 0.5× ≥70× short":         {name: "ratio", measured: 0.5, unit: "×", target: 70, least: true},
		"growth 1.1× ≤1.1× ok":          {name: "growth", measured: 1.1, unit: "×", target: 1.1},
		"mixed-read 1568/s":             {name: "mixed-read", measured: 1568, unit: "/s", free: true},
		"member 1.5× ≤1.5× ok":          {name: "member", measured: 1.5, unit: "×", target: 1.5},
		"p99 1234ms ≤1000ms short":      {name: "p99", measured: 1234.4, unit: "ms", target: 1000},
		"issue-sqlite 70.1% ≥70% ok":    {name: "issue-sqlite", measured: 70.1, unit: "%", target: 70, least: true},
		"issue-sqlite 9.75% ≥70% short": {name: "issue-sqlite", measured: 9.75, unit: "%", target: 70, least: true},
	} {
		if got := r.String(); got != want {
			t.Errorf("the row reads %q, want %q", got, want)
		}
	}
}

func TestBenchmarksAreReadWithTheLeastOfSeveralRounds(t *testing.T) {
	b := bench{}
	b.read([]byte("goos: linux\nBenchmarkLimits/sign-2  \t 100\t 50000 ns/op\t 40000 median-ns/op\t 12 B/op\t 3 allocs/op\nPASS\n"))
	b.read([]byte("BenchmarkLimits/sign-2  \t 100\t 30000 ns/op\t 45000 median-ns/op\t 12 B/op\t 4 allocs/op\nBenchmarkBare-16 9 20000 ns/op\n"))
	if got := b["Limits/sign"]; got != (result{time: 40000, allocs: 3}) {
		t.Errorf("Limits/sign is %+v", got)
	}
	if r := b.over(row{}, "Limits/sign", "Bare"); r.measured != 2 || r.missing != "" {
		t.Errorf("the ratio is %+v", r)
	}
	if r := b.over(row{}, "Limits/sign", "Gone"); r.missing == "" {
		t.Error("a benchmark that is not there has a ratio")
	}
}

func TestTheMedianOfTheRatiosCounts(t *testing.T) {
	ours, theirs := []float64{50, 90, 70}, []float64{100, 100, 100}
	n := -1
	ratio, best, ceiling, err := turns(3, func() (load, error) { n++; return load{rate: ours[n]}, nil }, func() (load, error) { return load{rate: theirs[n]}, nil })
	if err != nil || ratio != 0.7 || best.rate != 90 || ceiling.rate != 100 {
		t.Errorf("turns = %v, %v, %v, %v", ratio, best.rate, ceiling.rate, err)
	}
	if _, _, _, err := turns(1, func() (load, error) { return load{}, nil }, func() (load, error) { return load{}, errors.New("gone") }); err == nil {
		t.Error("a ceiling that fails is none")
	}
}

func TestPlotsAreWellFormed(t *testing.T) {
	drawing := plot("a < b & c", "x", "y", []series{{"one", []float64{1, 10, 100}, []float64{3, 30, 301}}, {"two", []float64{1}, []float64{5}}})
	decoder := xml.NewDecoder(strings.NewReader(drawing))
	circles := 0
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "circle" {
			circles++
		}
	}
	if circles != 4 {
		t.Errorf("%d points are drawn, want 4", circles)
	}
	if strings.Contains(drawing, "NaN") || strings.Contains(drawing, "Inf") {
		t.Errorf("it is drawn beyond the page: %s", drawing)
	}
}

func TestThePageSaysWhatIsShortAndWhy(t *testing.T) {
	a := account{Date: "2026-01-01", Soak: time.Minute.String()}
	a.add(scenario{}, row{name: "verify", measured: 3, unit: "×", target: 1.8, detail: "in detail"})
	a.add(scenario{}, row{name: "jwt", measured: 1, unit: "×", target: 1.7})
	a.add(scenario{}, row{name: "mixed-read", measured: 7, unit: "/s", free: true})
	var page strings.Builder
	if err := performance.Execute(&page, a); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"| verify | 3× | ≤ 1.8× | short | in detail |", "| jwt | 1× | ≤ 1.7× | **ok** |", "- **verify**: ", "| mixed-read | 7/s |"} {
		if !strings.Contains(page.String(), part) {
			t.Errorf("the page does not say %q:\n%s", part, page.String())
		}
	}
	if strings.Contains(page.String(), "- **jwt**") || a.Short != 1 {
		t.Errorf("%d rows are short", a.Short)
	}
}
