package op

import (
	"math"

	"github.com/nlpodyssey/spago/mat"
)

func gelu(x float64) float64 { return x * 0.5 * math.Erfc(-x/math.Sqrt2) }

func activate(x float64, act Activation) float64 {
	switch act {
	case GELU:
		return gelu(x)
	case ReLU:
		return max(x, 0)
	}
	return x
}

func refLinear(x, w, b []float64, rows, in, out int, act Activation) []float64 {
	y := make([]float64, rows*out)
	for r := range rows {
		for o := range out {
			var s float64
			if b != nil {
				s = b[o]
			}
			for i := range in {
				s += x[r*in+i] * w[o*in+i]
			}
			y[r*out+o] = activate(s, act)
		}
	}
	return y
}

// refAttention is scaled dot-product attention; keep[clip][head][query][key]
// multiplies the probabilities where it is not nil.
func refAttention(x []float64, clips, t, c, heads int, keep []float64) []float64 {
	d := c / heads
	y := make([]float64, clips*t*c)
	for clip := range clips {
		for h := range heads {
			for i := range t {
				p := make([]float64, t)
				var sum float64
				for j := range t {
					var s float64
					for k := range d {
						s += x[(clip*t+i)*3*c+h*d+k] * x[(clip*t+j)*3*c+c+h*d+k]
					}
					p[j] = math.Exp(s / math.Sqrt(float64(d)))
					sum += p[j]
				}
				for j := range t {
					w := p[j] / sum
					if keep != nil {
						w *= keep[((clip*heads+h)*t+i)*t+j]
					}
					for k := range d {
						y[(clip*t+i)*c+h*d+k] += w * x[(clip*t+j)*3*c+2*c+h*d+k]
					}
				}
			}
		}
	}
	return y
}

// refNormalise normalises n values of x that are stride apart.
func refNormalise(y, x []float64, n, stride int, eps, w, b float64) {
	var mean, variance float64
	for i := range n {
		mean += x[i*stride] / float64(n)
	}
	for i := range n {
		variance += (x[i*stride] - mean) * (x[i*stride] - mean) / float64(n)
	}
	for i := range n {
		y[i*stride] = (x[i*stride]-mean)/math.Sqrt(variance+eps)*w + b
	}
}

func refConv(x, w, b []float64, clips, tin, in, out, kernel, stride int, act Activation) []float64 {
	tout := (tin-kernel)/stride + 1
	y := make([]float64, clips*tout*out)
	for clip := range clips {
		for t := range tout {
			for o := range out {
				var s float64
				if b != nil {
					s = b[o]
				}
				for i := range in {
					for k := range kernel {
						s += w[(o*in+i)*kernel+k] * x[(clip*tin+t*stride+k)*in+i]
					}
				}
				y[(clip*tout+t)*out+o] = activate(s, act)
			}
		}
	}
	return y
}

func refPosConv(x, g, v, b []float64, clips, t, c, groups, kernel int) []float64 {
	cg := c / groups
	norm := make([]float64, kernel)
	for i, a := range v {
		norm[i%kernel] += a * a
	}
	y := make([]float64, clips*t*c)
	for clip := range clips {
		for at := range t {
			for o := range c {
				s := b[o]
				for k := range kernel {
					from := at - kernel/2 + k
					if from < 0 || from >= t {
						continue
					}
					for i := range cg {
						s += g[k] * v[(o*cg+i)*kernel+k] / math.Sqrt(norm[k]) * x[(clip*t+from)*c+o/cg*cg+i]
					}
				}
				y[(clip*t+at)*c+o] = x[(clip*t+at)*c+o] + gelu(s)
			}
		}
	}
	return y
}

func refCodebook(z, e []float64, dim int, sizes, rows []int, targets [][]int32, temperature float64) []float64 {
	c := len(sizes) * dim
	var loss float64
	start := 0
	for q, n := range sizes {
		for i, r := range rows {
			logits := make([]float64, n)
			var sum float64
			for k := range n {
				var dot, zz, ee float64
				for j := range dim {
					a, b := z[r*c+q*dim+j], e[(start+k)*dim+j]
					dot, zz, ee = dot+a*b, zz+a*a, ee+b*b
				}
				logits[k] = dot / math.Sqrt(zz*ee) / temperature
				sum += math.Exp(logits[k])
			}
			loss += (math.Log(sum) - logits[targets[q][i]]) / float64(len(rows))
		}
		start += n
	}
	return []float64{loss}
}

// checks lists every operator with small odd shapes.
func checks() []check {
	var cs []check
	for _, act := range []struct {
		name string
		act  Activation
	}{{"none", None}, {"gelu", GELU}, {"relu", ReLU}} {
		cs = append(cs, check{name: "Linear/" + act.name, operands: []shape{{7, 5}, {11, 5}, {11, 1}},
			f:    func(x []mat.Tensor) mat.Tensor { return Linear(x[0], x[1], x[2], act.act) },
			want: func(x [][]float64) []float64 { return refLinear(x[0], x[1], x[2], 7, 5, 11, act.act) }})
		cs = append(cs, check{name: "Conv1D/" + act.name, operands: []shape{{2 * 13, 3}, {5, 3 * 3}, {5, 1}},
			f:    func(x []mat.Tensor) mat.Tensor { return Conv1D(x[0], x[1], x[2], 2, 3, 2, act.act) },
			want: func(x [][]float64) []float64 { return refConv(x[0], x[1], x[2], 2, 13, 3, 5, 3, 2, act.act) }})
		cs = append(cs, check{name: "GroupNorm/" + act.name, operands: []shape{{2 * 9, 5}, {5, 1}, {5, 1}},
			f: func(x []mat.Tensor) mat.Tensor { return GroupNorm(x[0], x[1], x[2], 2, 1e-3, act.act) },
			want: func(x [][]float64) []float64 {
				y := make([]float64, len(x[0]))
				for clip := range 2 {
					for j := range 5 {
						at := clip*9*5 + j
						refNormalise(y[at:], x[0][at:], 9, 5, 1e-3, x[1][j], x[2][j])
					}
				}
				for i, v := range y {
					y[i] = activate(v, act.act)
				}
				return y
			}})
	}
	cs = append(cs,
		check{name: "Linear/no bias", operands: []shape{{3, 4}, {2, 4}},
			f:    func(x []mat.Tensor) mat.Tensor { return Linear(x[0], x[1], nil, None) },
			want: func(x [][]float64) []float64 { return refLinear(x[0], x[1], nil, 3, 4, 2, None) }},
		check{name: "Activate", operands: []shape{{5, 7}},
			f: func(x []mat.Tensor) mat.Tensor { return Activate(x[0], GELU) },
			want: func(x [][]float64) []float64 {
				y := make([]float64, len(x[0]))
				for i, v := range x[0] {
					y[i] = gelu(v)
				}
				return y
			}},
		check{name: "QKV/no biases", operands: []shape{{5, 4}, {4, 4}, {4, 4}, {4, 4}},
			f: func(x []mat.Tensor) mat.Tensor { return QKV(x[0], x[1], nil, x[2], nil, x[3], nil) },
			want: func(x [][]float64) []float64 {
				y := make([]float64, 5*12)
				for i := range 3 {
					part := refLinear(x[0], x[1+i], nil, 5, 4, 4, None)
					for r := range 5 {
						copy(y[r*12+i*4:r*12+i*4+4], part[r*4:])
					}
				}
				return y
			}},
		check{name: "QKV", operands: []shape{{5, 4}, {4, 4}, {4, 1}, {4, 4}, {4, 1}, {4, 4}, {4, 1}},
			f: func(x []mat.Tensor) mat.Tensor { return QKV(x[0], x[1], x[2], x[3], x[4], x[5], x[6]) },
			want: func(x [][]float64) []float64 {
				y := make([]float64, 5*12)
				for i := range 3 {
					part := refLinear(x[0], x[1+2*i], x[2+2*i], 5, 4, 4, None)
					for r := range 5 {
						copy(y[r*12+i*4:r*12+i*4+4], part[r*4:])
					}
				}
				return y
			}},
		check{name: "Attention", operands: []shape{{2 * 5, 3 * 6}},
			f:    func(x []mat.Tensor) mat.Tensor { return Attention(x[0], 3, 2, Drop{}) },
			want: func(x [][]float64) []float64 { return refAttention(x[0], 2, 5, 6, 3, nil) }},
		check{name: "Attention/dropout", operands: []shape{{2 * 5, 3 * 6}},
			f: func(x []mat.Tensor) mat.Tensor { return Attention(x[0], 3, 2, Drop{P: 0.3, Seed: 9}) },
			want: func(x [][]float64) []float64 {
				return refAttention(x[0], 2, 5, 6, 3, kept(Drop{P: 0.3, Seed: 9}, 2*3*5*5))
			}},
		check{name: "LayerNorm", operands: []shape{{4, 13}, {13, 1}, {13, 1}},
			f: func(x []mat.Tensor) mat.Tensor { return LayerNorm(x[0], x[1], x[2], 1e-3) },
			want: func(x [][]float64) []float64 {
				y := make([]float64, 4*13)
				for r := range 4 {
					refNormalise(y[r*13:], x[0][r*13:], 13, 1, 1e-3, 1, 0)
					for j := range 13 {
						y[r*13+j] = y[r*13+j]*x[1][j] + x[2][j]
					}
				}
				return y
			}},
		check{name: "Conv1D/first layer", operands: []shape{{2 * 31, 1}, {32, 10}},
			f:    func(x []mat.Tensor) mat.Tensor { return Conv1D(x[0], x[1], nil, 2, 10, 5, None) },
			want: func(x [][]float64) []float64 { return refConv(x[0], x[1], nil, 2, 31, 1, 32, 10, 5, None) }},
		check{name: "Conv1D/one clip, taps not overlapping", operands: []shape{{14, 3}, {4, 3 * 2}},
			f:    func(x []mat.Tensor) mat.Tensor { return Conv1D(x[0], x[1], nil, 1, 2, 2, GELU) },
			want: func(x [][]float64) []float64 { return refConv(x[0], x[1], nil, 1, 14, 3, 4, 2, 2, GELU) }},
		check{name: "Conv1D/gaps between windows", operands: []shape{{14, 3}, {4, 3 * 2}},
			f:    func(x []mat.Tensor) mat.Tensor { return Conv1D(x[0], x[1], nil, 1, 2, 3, None) },
			want: func(x [][]float64) []float64 { return refConv(x[0], x[1], nil, 1, 14, 3, 4, 2, 3, None) }},
		check{name: "Conv1D/kernel of several strides", operands: []shape{{2 * 12, 2}, {3, 2 * 5}},
			f:    func(x []mat.Tensor) mat.Tensor { return Conv1D(x[0], x[1], nil, 2, 5, 2, None) },
			want: func(x [][]float64) []float64 { return refConv(x[0], x[1], nil, 2, 12, 2, 3, 5, 2, None) }},
		check{name: "PosConv/even", operands: []shape{{2 * 7, 6}, {4, 1}, {6, 3 * 4}, {6, 1}},
			f:    func(x []mat.Tensor) mat.Tensor { return PosConv(x[0], x[1], x[2], x[3], 2, 2, 4) },
			want: func(x [][]float64) []float64 { return refPosConv(x[0], x[1], x[2], x[3], 2, 7, 6, 2, 4) }},
		check{name: "PosConv/odd, longer than the clip", operands: []shape{{3, 4}, {9, 1}, {4, 2 * 9}, {4, 1}},
			f:    func(x []mat.Tensor) mat.Tensor { return PosConv(x[0], x[1], x[2], x[3], 1, 2, 9) },
			want: func(x [][]float64) []float64 { return refPosConv(x[0], x[1], x[2], x[3], 1, 3, 4, 2, 9) }},
		check{name: "Add", operands: []shape{{3, 5}, {3, 5}},
			f: func(x []mat.Tensor) mat.Tensor { return Add(x[0], x[1]) },
			want: func(x [][]float64) []float64 {
				y := append([]float64(nil), x[0]...)
				for i, v := range x[1] {
					y[i] += v
				}
				return y
			}},
		check{name: "AddScaled", operands: []shape{{3, 5}, {3, 5}},
			f: func(x []mat.Tensor) mat.Tensor { return AddScaled(x[0], x[1], 1.75) },
			want: func(x [][]float64) []float64 {
				y := append([]float64(nil), x[0]...)
				for i, v := range x[1] {
					y[i] += 1.75 * v
				}
				return y
			}},
		check{name: "MaskRows", operands: []shape{{4, 3}, {3, 1}},
			f: func(x []mat.Tensor) mat.Tensor { return MaskRows(x[0], x[1], []bool{false, true, true, false}) },
			want: func(x [][]float64) []float64 {
				y := append([]float64(nil), x[0]...)
				copy(y[3:], x[1])
				copy(y[6:], x[1])
				return y
			}},
		check{name: "Dropout", operands: []shape{{6, 5}},
			f: func(x []mat.Tensor) mat.Tensor { return Dropout(x[0], Drop{P: 0.4, Seed: 5}) },
			want: func(x [][]float64) []float64 {
				y := kept(Drop{P: 0.4, Seed: 5}, 30)
				for i, v := range x[0] {
					y[i] *= v
				}
				return y
			}},
		check{name: "Concat", operands: []shape{{4, 3}, {4, 2}},
			f: func(x []mat.Tensor) mat.Tensor { return Concat(x[0], x[1]) },
			want: func(x [][]float64) []float64 {
				var y []float64
				for r := range 4 {
					y = append(append(y, x[0][r*3:r*3+3]...), x[1][r*2:r*2+2]...)
				}
				return y
			}},
		check{name: "MeanSquare", operands: []shape{{4, 3}},
			f: func(x []mat.Tensor) mat.Tensor { return MeanSquare(x[0]) },
			want: func(x [][]float64) []float64 {
				var s float64
				for _, v := range x[0] {
					s += v * v / 12
				}
				return []float64{s}
			}},
		check{name: "CodebookLoss", operands: []shape{{6, 3 * 4}, {5 + 7 + 3, 4}},
			f: func(x []mat.Tensor) mat.Tensor {
				y, _ := CodebookLoss(x[0], x[1], codebookSizes, codebookMasked, codebookTargets, 0.5)
				return y
			},
			want: func(x [][]float64) []float64 {
				return refCodebook(x[0], x[1], 4, codebookSizes, codebookMasked, codebookTargets, 0.5)
			}},
		check{name: "MaskedMSE", operands: []shape{{5, 3}},
			f: func(x []mat.Tensor) mat.Tensor { return MaskedMSE(x[0], []float32{1, 2, 3, 4, 5, 6}, []int{1, 4}) },
			want: func(x [][]float64) []float64 {
				var s float64
				for i, at := range []int{3, 4, 5, 12, 13, 14} {
					d := x[0][at] - float64(i+1)
					s += d * d / 6
				}
				return []float64{s}
			}},
		check{name: "WeightedSum", operands: []shape{{1, 1}, {1, 1}},
			f:    func(x []mat.Tensor) mat.Tensor { return WeightedSum([]float32{0.5, -2}, x[0], x[1]) },
			want: func(x [][]float64) []float64 { return []float64{0.5*x[0][0] - 2*x[1][0]} }},
		check{name: "LayerMix", operands: []shape{{4, 3 * 5}, {3, 1}},
			f: func(x []mat.Tensor) mat.Tensor { return LayerMix(x[0], x[1], 3) },
			want: func(x [][]float64) []float64 {
				y := make([]float64, 20)
				var sum float64
				for _, w := range x[1] {
					sum += math.Exp(w)
				}
				for r := range 4 {
					for l, w := range x[1] {
						for j := range 5 {
							y[r*5+j] += math.Exp(w) / sum * x[0][r*15+l*5+j]
						}
					}
				}
				return y
			}},
		check{name: "BCEWithLogits", operands: []shape{{2, 3}},
			f: func(x []mat.Tensor) mat.Tensor { return BCEWithLogits(x[0], []float32{0, 1, 1, 0, 0.25, 1}) },
			want: func(x [][]float64) []float64 {
				var s float64
				for i, t := range []float64{0, 1, 1, 0, 0.25, 1} {
					p := 1 / (1 + math.Exp(-x[0][i]))
					s -= (t*math.Log(p) + (1-t)*math.Log(1-p)) / 6
				}
				return []float64{s}
			}},
	)
	return cs
}

var (
	codebookSizes   = []int{5, 7, 3}
	codebookMasked  = []int{0, 2, 5}
	codebookTargets = [][]int32{{1, 4, 0}, {6, 2, 2}, {0, 0, 2}}
)

// kept returns what dropout multiplies n elements by.
func kept(d Drop, n int) []float64 {
	ones := make([]float32, n)
	for i := range ones {
		ones[i] = 1
	}
	d.apply(ones, ones, 0)
	return widen([][]float32{ones})[0]
}
