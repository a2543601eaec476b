package optim

import (
	"fmt"
	"testing"

	"github.com/nlpodyssey/spago/mat"
)

// sizes95M returns the elements of MERT-v1-95M's tensors, 94,371,712 in all.
func sizes95M() []int {
	const d, inner, conv = 768, 3072, 512
	sizes := []int{conv * 10, conv, conv} // the first convolution and its group norm
	for _, kernel := range []int{3, 3, 3, 3, 2, 2} {
		sizes = append(sizes, conv*conv*kernel)
	}
	sizes = append(sizes, conv, conv, d*conv, d)       // feature projection
	sizes = append(sizes, d, 128, d*d/16*128, d, d, d) // mask vector, positional convolution, layer norm
	for range 12 {
		for range 4 {
			sizes = append(sizes, d*d, d)
		}
		sizes = append(sizes, d, d, inner*d, inner, d*inner, d, d, d)
	}
	return sizes
}

// Benchmark95M runs an optimiser step at MERT-v1-95M's size, and the calls that it can be made of. It reports the bytes that
// each must move between memory and processor: what a step costs once its arithmetic keeps up.
func Benchmark95M(b *testing.B) {
	var params []Param
	var n int64
	for i, size := range sizes95M() {
		p := newParam(fmt.Sprint(i), filled(size, 1)...)
		p.Value.AccGrad(mat.NewDense[float32](mat.WithShape(size)))
		params, n = append(params, p), n+int64(size)
	}
	opt := NewAdamW(AdamWConfig{Beta2: 0.98, Eps: 1e-6, WeightDecay: 0.01}, params)
	opt.Step(1e-4) // allocates the moments
	for _, bench := range []struct {
		name  string
		bytes int64 // read and written for an element
		f     func()
	}{
		{"ClipGradNorm/measure", 4, func() { ClipGradNorm(params, 0) }},
		{"ClipGradNorm/clip", 12, func() { ClipGradNorm(params, 1) }},
		{"Step", 28, func() { opt.Step(1e-4) }},
		{"ZeroGrad", 4, func() { ZeroGrad(params) }},
		{"ClipGradNorm+Step+ZeroGrad", 44, func() { ClipGradNorm(params, 1); opt.Step(1e-4); ZeroGrad(params) }},
		{"ClipStep", 36, func() { opt.ClipStep(1e-4, 1) }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.SetBytes(bench.bytes * n)
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				for _, p := range params {
					g := gradOf(p)
					for i := range g {
						g[i] = float32(i&1023)/1024 - 0.5
					}
				}
				b.StartTimer()
				bench.f()
			}
		})
	}
}
