package probe

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"syncretic/checkpoint"
)

// BenchmarkCacheRows streams features [2048 rows][13][768], 82 MB as float32, from a cache: every row is found and its values are moved
// once, as a head that gathers batches moves them. MB are of float32 values. opening is the time of opening and checking all shards.
func BenchmarkCacheRows(b *testing.B) {
	const items, layers, dim = 2048, 13, 768
	path := filepath.Join(b.TempDir(), "tone.wav")
	writeTone(b, path, 3)
	ds := &Dataset{Name: "bench"}
	for i := range items {
		ds.Items = append(ds.Items, Item{ID: fmt.Sprint(i), Path: path, Split: Train, Start: float64(i) / 1000, End: float64(i)/1000 + 0.01})
	}
	ex := encoder(func(samples []float32) ([][]float32, error) {
		out := make([][]float32, layers)
		for l := range out {
			out[l] = make([]float32, dim)
			for d := range out[l] {
				out[l][d] = float32(l) + samples[d%len(samples)]
			}
		}
		return out, nil
	})
	for _, dtype := range []checkpoint.DType{checkpoint.F32, checkpoint.F16} {
		opts := ExtractOptions{Cache: b.TempDir(), DType: dtype, Encoder: map[string]string{"model": "bench"}}
		open := func() *Features {
			f, err := Extract(context.Background(), ds, ex, opts)
			if err != nil {
				b.Fatal(err)
			}
			return f
		}
		open().Close()
		b.Run(string(dtype)+"/opening", func(b *testing.B) {
			b.SetBytes(4 * items * layers * dim)
			for b.Loop() {
				open().Close()
			}
		})
		b.Run(string(dtype)+"/rows", func(b *testing.B) {
			f := open()
			defer f.Close()
			buf, to := make([]float32, layers*dim), make([]float32, layers*dim)
			b.SetBytes(4 * items * layers * dim)
			for b.Loop() {
				for i := range items {
					row, err := f.Row(i, buf)
					if err != nil {
						b.Fatal(err)
					}
					copy(to, row)
				}
			}
		})
	}
}
