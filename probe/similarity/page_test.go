package similarity

import (
	"bytes"
	"math"
	"strings"
	"testing"
)

func TestWritePage(t *testing.T) {
	nan := math.NaN()
	r := Result{Items: 12, Unbiased: [][]float64{{1, 0.25}, {nan, -0.01}}, Biased: [][]float64{{1, 0.5}, {nan, 0.75}}}
	p := Page{NameA: "base", NameB: "<makam>", Provenance: [][2]string{{"window", "5 s"}}}
	var first, second bytes.Buffer
	if err := WritePage(&first, r, p); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`<td class="h9">1.00</td>`, `<td class="h2">0.25</td>`, "<td>–</td>", "on 12 items", "&lt;makam&gt;", "The same layer in both", "<dt>window</dt><dd>5 s</dd>"} {
		if !strings.Contains(first.String(), want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if err := WritePage(&second, r, p); err != nil || first.String() != second.String() {
		t.Errorf("the same result gives another page, %v", err)
	}
	oblong := Result{Items: 12, Unbiased: [][]float64{{1, 0.25}}, Biased: [][]float64{{1, 0.5}}}
	first.Reset()
	if err := WritePage(&first, oblong, p); err != nil || strings.Contains(first.String(), "The same layer in both") {
		t.Errorf("models of another depth: %v, or a curve over depth", err)
	}
	undefined := Result{Items: 4, Unbiased: [][]float64{{nan, nan}, {nan, nan}}, Biased: [][]float64{{nan, nan}, {nan, nan}}}
	if err := WritePage(&first, undefined, p); err != nil {
		t.Errorf("all undefined: %v", err)
	}
}
