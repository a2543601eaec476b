package arithmetic

import (
	"testing"

	"syncretic/checkpoint"
)

func TestProvenanceNamesBothModels(t *testing.T) {
	model := func(v float32) checkpoint.Source {
		m, err := checkpoint.NewMemory(checkpoint.Tensor{Name: "w", Shape: []int{1}, Data: []float32{v}})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	base, tuned := model(1), model(2)
	meta, err := Provenance(tuned, base)
	if err != nil {
		t.Fatal(err)
	}
	for key, src := range map[string]checkpoint.Source{BaseKey: base, TunedKey: tuned} {
		want, err := checkpoint.Hash(src)
		if err != nil {
			t.Fatal(err)
		}
		if meta[key] != want {
			t.Errorf("%s: %q, want %q", key, meta[key], want)
		}
	}
	if meta[BaseKey] == meta[TunedKey] || meta[KindKey] != VectorKind {
		t.Errorf("got %v", meta)
	}
}
