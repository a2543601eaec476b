package op

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/nlpodyssey/spago/ag"
	"github.com/nlpodyssey/spago/mat"
)

// scale is the size of an encoder and of a batch for the benchmarks.
type scale struct {
	name                          string
	clips, samples, conv, dim     int
	ffn, heads, layers            int
	posTaps, posGroups, codebooks int
}

// demo is the demonstration's training step, large one five-second clip of MERT-95M.
var (
	demo  = scale{"demo", 8, 24000, 32, 96, 384, 4, 3, 32, 4, 8}
	large = scale{"mert95m", 1, 120000, 512, 768, 3072, 12, 12, 128, 16, 8}
)

// frames returns the number of frames of a clip.
func (s scale) frames() int {
	n := (s.samples-10)/5 + 1
	for _, k := range []int{3, 3, 3, 3, 2, 2} {
		n = (n-k)/2 + 1
	}
	return n
}

func randomTensor(rows, cols int, spread float64) *mat.Dense[float32] {
	r := rand.New(rand.NewPCG(uint64(rows), uint64(cols)))
	x := make([]float32, rows*cols)
	for i := range x {
		x[i] = float32(spread * r.NormFloat64())
	}
	return Tensor(rows, cols, x)
}

func randomParam(rows, cols int, spread float64) mat.Tensor {
	return Param(rows, cols, mat.Data[float32](randomTensor(rows, cols, spread)))
}

func BenchmarkOperators(b *testing.B) {
	for _, s := range []scale{demo, large} {
		rows, c := s.clips*s.frames(), s.dim
		t1 := (s.samples-10)/5 + 1
		t2 := (t1-3)/2 + 1
		masked := make([]int, rows/2)
		targets := make([][]int32, s.codebooks)
		for i := range masked {
			masked[i] = 2 * i
		}
		sizes := make([]int, s.codebooks)
		for q := range targets {
			targets[q], sizes[q] = make([]int32, len(masked)), 64
			if s.dim == 768 {
				sizes[q] = 1024
			}
		}
		x := randomParam(rows, c, 1)
		z, tables := randomParam(rows, s.codebooks*64, 1), randomParam(s.codebooks*sizes[0], 64, 1)
		small := 1 / float64(c)
		for _, op := range []struct {
			name  string
			flops int // of the forward pass; the backward pass has twice as many
			bytes int // for operators bound by memory
			f     func() mat.Tensor
		}{
			{"Linear+GELU", 2 * rows * c * s.ffn, 0, func() func() mat.Tensor {
				a1 := randomParam(s.ffn, c, small)
				a2 := randomParam(s.ffn, 1, 1)
				return func() mat.Tensor { return Linear(x, a1, a2, GELU) }
			}()},
			{"Attention", 4 * rows * s.frames() * c, 0, func() func() mat.Tensor {
				a0 := randomParam(rows, 3*c, 1)
				return func() mat.Tensor { return Attention(a0, s.heads, s.clips, Drop{}) }
			}()},
			{"Attention+dropout", 4 * rows * s.frames() * c, 0, func() func() mat.Tensor {
				a0 := randomParam(rows, 3*c, 1)
				return func() mat.Tensor { return Attention(a0, s.heads, s.clips, Drop{P: 0.1, Seed: 1}) }
			}()},
			{"LayerNorm", 0, 8 * rows * c, func() func() mat.Tensor {
				a1 := randomParam(c, 1, 1)
				a2 := randomParam(c, 1, 1)
				return func() mat.Tensor { return LayerNorm(x, a1, a2, float32(1e-5)) }
			}()},
			{"Dropout", 0, 8 * rows * c, func() func() mat.Tensor { return func() mat.Tensor { return Dropout(x, Drop{P: 0.1, Seed: 1}) } }()},
			{"GroupNorm+GELU", 0, 16 * s.clips * t1 * s.conv, func() func() mat.Tensor {
				a0 := randomParam(s.clips*t1, s.conv, 1)
				a1 := randomParam(s.conv, 1, 1)
				a2 := randomParam(s.conv, 1, 1)
				return func() mat.Tensor { return GroupNorm(a0, a1, a2, s.clips, float32(1e-5), GELU) }
			}()},
			{"Conv1D/first", 2 * s.clips * t1 * s.conv * 10, 0, func() func() mat.Tensor {
				a0 := randomTensor(s.clips*s.samples, 1, 1)
				a1 := randomParam(s.conv, 10, 1)
				return func() mat.Tensor { return Conv1D(a0, a1, nil, s.clips, 10, 5, None) }
			}()},
			{"Conv1D/second+GELU", 2 * s.clips * t2 * s.conv * s.conv * 3, 0, func() func() mat.Tensor {
				a0 := randomParam(s.clips*t1, s.conv, 1)
				a1 := randomParam(s.conv, 3*s.conv, small)
				return func() mat.Tensor { return Conv1D(a0, a1, nil, s.clips, 3, 2, GELU) }
			}()},
			{"PosConv", 2 * rows * c * c / s.posGroups * s.posTaps, 0, func() func() mat.Tensor {
				a1 := randomParam(s.posTaps, 1, 1)
				a2 := randomParam(c, c/s.posGroups*s.posTaps, small)
				a3 := randomParam(c, 1, 1)
				return func() mat.Tensor { return PosConv(x, a1, a2, a3, s.clips, s.posGroups, s.posTaps) }
			}()},
			{"CodebookLoss", 2 * len(masked) * s.codebooks * sizes[0] * 64, 0, func() mat.Tensor {
				y, _ := CodebookLoss(z, tables, sizes, masked, targets, 0.1)
				return y
			}},
		} {
			b.Run(fmt.Sprintf("%s/%s", s.name, op.name), func(b *testing.B) {
				b.SetBytes(int64(3 * op.bytes))
				for b.Loop() {
					y := op.f()
					y.AccGrad(y.Value())
					if err := ag.Backward(y); err != nil {
						b.Fatal(err)
					}
				}
				if op.flops > 0 {
					b.ReportMetric(3*float64(op.flops)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOPS")
				}
			})
		}
	}
}

// step builds the graph of a whole training step of the encoder with its losses.
func (s scale) step() (forward func() mat.Tensor) {
	wave := randomTensor(s.clips*s.samples, 1, 1)
	kernels, strides := []int{10, 3, 3, 3, 3, 2, 2}, []int{5, 2, 2, 2, 2, 2, 2}
	var filters []mat.Tensor
	in := 1
	for _, k := range kernels {
		filters = append(filters, randomParam(s.conv, in*k, 0.1))
		in = s.conv
	}
	vector := func(n int) mat.Tensor { return randomParam(n, 1, 1) }
	square := func(out, in int) mat.Tensor { return randomParam(out, in, 0.05) }
	c, f := s.dim, s.ffn
	gn, gb, pw, pb := vector(s.conv), vector(s.conv), square(c, s.conv), vector(c)
	g, v, vb := vector(s.posTaps), square(c, c/s.posGroups*s.posTaps), vector(c)
	type layer struct{ p [16]mat.Tensor }
	layers := make([]layer, s.layers)
	for i := range layers {
		layers[i].p = [16]mat.Tensor{square(c, c), vector(c), square(c, c), vector(c), square(c, c), vector(c), square(c, c), vector(c),
			vector(c), vector(c), square(f, c), vector(f), square(c, f), vector(c), vector(c), vector(c)}
	}
	return func() mat.Tensor {
		x := mat.Tensor(wave)
		for i, w := range filters {
			if i == 0 {
				x = GroupNorm(Conv1D(x, w, nil, s.clips, 10, 5, None), gn, gb, s.clips, 1e-5, GELU)
			} else {
				x = Conv1D(x, w, nil, s.clips, kernels[i], strides[i], GELU)
			}
		}
		h := PosConv(Linear(x, pw, pb, None), g, v, vb, s.clips, s.posGroups, s.posTaps)
		for _, l := range layers {
			p := l.p
			a := Attention(QKV(h, p[0], p[1], p[2], p[3], p[4], p[5]), s.heads, s.clips, Drop{})
			h = LayerNorm(Add(h, Linear(a, p[6], p[7], None)), p[8], p[9], 1e-5)
			h = LayerNorm(Add(h, Linear(Linear(h, p[10], p[11], GELU), p[12], p[13], None)), p[14], p[15], 1e-5)
		}
		return MeanSquare(h)
	}
}

func BenchmarkStep(b *testing.B) {
	for _, s := range []scale{demo, large} {
		forward := s.step()
		b.Run(s.name, func(b *testing.B) {
			for b.Loop() {
				if err := ag.Backward(forward()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
