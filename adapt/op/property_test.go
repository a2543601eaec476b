package op

import (
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/nlpodyssey/spago/ag"
	"github.com/nlpodyssey/spago/mat"
)

func everything(int) bool { return true }

func gradient(t mat.Tensor) []float32 { return mat.Data[float32](t.Grad()) }

// TestGradientsAccumulate runs two graphs over the same parameters: their
// gradients add up, in the buffers of the first.
func TestGradientsAccumulate(t *testing.T) {
	for _, c := range checks() {
		t.Run(c.name, func(t *testing.T) {
			ts := c.tensors(c.draw(1), everything)
			backward(t, c.f, ts)
			first := make([][]float32, len(ts))
			for i, x := range ts {
				first[i] = slices.Clone(gradient(x))
			}
			before := make([]*float32, len(ts))
			for i, x := range ts {
				before[i] = &gradient(x)[0]
			}
			backward(t, c.f, ts)
			for i, x := range ts {
				want := widen(first)[i]
				for j := range want {
					want[j] *= 2
				}
				near(t, "sum of gradients", gradient(x), want, valueTolerance)
				if &gradient(x)[0] != before[i] {
					t.Errorf("operand %d: the gradient's buffer was replaced", i)
				}
			}
		})
	}
}

// TestFrozenOperands lets each operand alone require a gradient: the others get
// none, and its own is the same.
func TestFrozenOperands(t *testing.T) {
	for _, c := range checks() {
		t.Run(c.name, func(t *testing.T) {
			all := c.tensors(c.draw(1), everything)
			y := backward(t, c.f, all)
			if y.HasGrad() {
				t.Error("the output's gradient is kept after the backward pass")
			}
			for only := range all {
				ts := c.tensors(c.draw(1), func(i int) bool { return i == only })
				backward(t, c.f, ts)
				for i, x := range ts {
					if i != only && x.HasGrad() {
						t.Errorf("operand %d has a gradient, only %d requires one", i, only)
					}
				}
				if !slices.Equal(gradient(ts[only]), gradient(all[only])) {
					t.Errorf("operand %d: gradient differs when the others are frozen", only)
				}
			}
		})
	}
}

// TestInference checks that without gradients the value is the same and the
// result is a plain matrix that holds on to nothing.
func TestInference(t *testing.T) {
	for _, c := range checks() {
		t.Run(c.name, func(t *testing.T) {
			want := c.f(c.tensors(c.draw(1), everything))
			got := c.f(c.tensors(c.draw(1), func(int) bool { return false }))
			if !slices.Equal(values(got), values(want)) {
				t.Error("value differs from the training graph's")
			}
			if _, ok := got.(*ag.Operator); ok {
				t.Error("result is a node of a graph, want a plain matrix")
			}
		})
	}
}

// TestOperatorOperands puts every operand behind another operator: Backward ends,
// and the gradients arrive.
func TestOperatorOperands(t *testing.T) {
	for _, c := range checks() {
		t.Run(c.name, func(t *testing.T) {
			direct := c.tensors(c.draw(1), everything)
			backward(t, c.f, direct)
			behind := c.tensors(c.draw(1), everything)
			backward(t, func(x []mat.Tensor) mat.Tensor {
				scaled := make([]mat.Tensor, len(x))
				for i := range x {
					scaled[i] = ScaleGrad(x[i], 2)
				}
				return c.f(scaled)
			}, behind)
			for i, x := range behind {
				want := widen([][]float32{gradient(direct[i])})[0]
				for j := range want {
					want[j] *= 2
				}
				near(t, "gradient behind ScaleGrad", gradient(x), want, valueTolerance)
			}
		})
	}
}

// TestSharedOperands feeds a residual branch: both consumers' gradients add up.
func TestSharedOperands(t *testing.T) {
	x := Param(1, 3, []float32{1, -2, 3})
	h := ScaleGrad(x, 1)
	y := Add(h, Add(h, h))
	y.AccGrad(Tensor(1, 3, []float32{1, 10, 100}))
	if err := ag.Backward(y); err != nil {
		t.Fatal(err)
	}
	if want := []float32{3, 30, 300}; !slices.Equal(gradient(x), want) {
		t.Errorf("gradient %v, want %v", gradient(x), want)
	}
}

// batched are operators on clips at sizes that take every parallel path.
func batched() []check {
	const clips, t, c = 3, 150, 32
	rows := shape{clips * t, c}
	return []check{
		{name: "Conv1D", operands: []shape{rows, {c, 3 * c}}, f: func(x []mat.Tensor) mat.Tensor {
			return Conv1D(x[0], x[1], nil, dimsOf(x[0])/t, 3, 2, GELU)
		}},
		{name: "Conv1D/first layer", operands: []shape{{clips * 3005, 1}, {c, 10}}, f: func(x []mat.Tensor) mat.Tensor {
			return Conv1D(x[0], x[1], nil, dimsOf(x[0])/3005, 10, 5, None)
		}},
		{name: "GroupNorm", operands: []shape{rows, {c, 1}, {c, 1}}, f: func(x []mat.Tensor) mat.Tensor {
			return GroupNorm(x[0], x[1], x[2], dimsOf(x[0])/t, 1e-5, GELU)
		}},
		{name: "PosConv", operands: []shape{rows, {16, 1}, {c, c / 2 * 16}, {c, 1}}, f: func(x []mat.Tensor) mat.Tensor {
			return PosConv(x[0], x[1], x[2], x[3], dimsOf(x[0])/t, 2, 16)
		}},
		{name: "Attention", operands: []shape{{clips * t, 3 * c}}, f: func(x []mat.Tensor) mat.Tensor {
			return Attention(x[0], 4, dimsOf(x[0])/t, Drop{})
		}},
		{name: "LayerNorm", operands: []shape{rows, {c, 1}, {c, 1}}, f: func(x []mat.Tensor) mat.Tensor {
			return LayerNorm(x[0], x[1], x[2], 1e-5)
		}},
		{name: "Linear", operands: []shape{rows, {3 * c, c}, {3 * c, 1}}, f: func(x []mat.Tensor) mat.Tensor {
			return Linear(x[0], x[1], x[2], GELU)
		}},
	}
}

func dimsOf(x mat.Tensor) int { rows, _ := dims(x); return rows }

// TestBatchIsClipsOneByOne compares a batch's rows with those of its clips alone.
func TestBatchIsClipsOneByOne(t *testing.T) {
	for _, c := range batched() {
		t.Run(c.name, func(t *testing.T) {
			ts := c.tensors(c.draw(1), func(int) bool { return false })
			batch := values(c.f(ts))
			x, rows, cols := values(ts[0]), dimsOf(ts[0])/3, c.operands[0].cols
			for clip := range 3 {
				alone := slices.Clone(ts)
				alone[0] = Tensor(rows, cols, x[clip*rows*cols:(clip+1)*rows*cols])
				y := values(c.f(alone))
				if !slices.Equal(y, batch[clip*len(y):(clip+1)*len(y)]) {
					t.Errorf("clip %d differs from the batch", clip)
				}
			}
		})
	}
}

// TestThreadsDoNotMatter asks for the same bits on one, two and three threads.
func TestThreadsDoNotMatter(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	all := append(batched(), check{name: "Attention/dropout", operands: []shape{{300, 96}}, f: func(x []mat.Tensor) mat.Tensor {
		return Attention(x[0], 4, 2, Drop{P: 0.2, Seed: 3})
	}}, check{name: "CodebookLoss", operands: []shape{{600, 3 * 32}, {300, 32}}, f: func(x []mat.Tensor) mat.Tensor {
		rows, codes := make([]int, 400), make([]int32, 400)
		for i := range rows {
			rows[i], codes[i] = i, int32(i%100)
		}
		y, _ := CodebookLoss(x[0], x[1], []int{100, 100, 100}, rows, [][]int32{codes, codes, codes}, 0.1)
		return y
	}})
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) {
			var want [][]float32
			for threads := 1; threads <= 3; threads++ {
				runtime.GOMAXPROCS(threads)
				ts := c.tensors(c.draw(1), everything)
				got := [][]float32{values(backward(t, c.f, ts))}
				for _, x := range ts {
					got = append(got, gradient(x))
				}
				for i := range want {
					if !slices.Equal(got[i], want[i]) {
						t.Errorf("%d threads: result %d differs from one thread's", threads, i)
					}
				}
				if want == nil {
					want = got
				}
			}
		})
	}
}

func TestDropoutStatistics(t *testing.T) {
	const n = 1 << 18
	for _, p := range []float32{0.05, 0.1, 0.5} {
		drop := Drop{P: p, Seed: 42}
		scale := kept(drop, n)
		var zeros, pairs int
		for i, v := range scale {
			if v == 0 {
				zeros++
				if i > 0 && scale[i-1] == 0 {
					pairs++
				}
			} else if v != float64(1/(1-p)) {
				t.Fatalf("P = %v: a kept element is scaled by %v, want %v", p, v, 1/(1-p))
			}
		}
		// Five standard deviations of a binomial count.
		within := func(what string, count int, q float64) {
			if math.Abs(float64(count)-q*n) > 5*math.Sqrt(n*q*(1-q))+1 {
				t.Errorf("P = %v: %d %s of %d, want about %.0f", p, count, what, n, q*n)
			}
		}
		within("zeros", zeros, float64(p))
		within("zeros side by side", pairs, float64(p)*float64(p))
		if !slices.Equal(scale, kept(drop, n)) {
			t.Errorf("P = %v: not the same twice", p)
		}
		if slices.Equal(scale, kept(Drop{P: p, Seed: 43}, n)) {
			t.Errorf("P = %v: two seeds, one mask", p)
		}
	}
	x := Tensor(1, 2, []float32{1, 2})
	if Dropout(x, Drop{}) != mat.Tensor(x) {
		t.Error("Dropout with P = 0 does not return its operand")
	}
}

func TestCodebookStats(t *testing.T) {
	z := Tensor(3, 2, []float32{1, 0, 0, 1, -1, 0})
	tables := Tensor(3, 2, []float32{2, 0, 0, 3, -4, 0})
	y, stats := CodebookLoss(z, tables, []int{3}, []int{0, 2}, [][]int32{{0, 1}}, 1)
	want := refCodebook(widen([][]float32{values(z)})[0], widen([][]float32{values(tables)})[0], 2, []int{3}, []int{0, 2}, [][]int32{{0, 1}}, 1)
	near(t, "loss", values(y), want, valueTolerance)
	if stats.Rows != 2 || stats.Correct[0] != 1 || math.Abs(stats.Loss[0]-want[0]) > valueTolerance {
		t.Errorf("stats = %+v, want 2 rows, 1 correct, loss %v", *stats, want)
	}
	empty, stats := CodebookLoss(z, tables, []int{3}, nil, [][]int32{{}}, 1)
	if values(empty)[0] != 0 || stats.Rows != 0 {
		t.Errorf("without rows: loss %v, stats %+v, want 0", values(empty)[0], *stats)
	}
}

func TestWrongShapesPanic(t *testing.T) {
	x := Tensor(4, 3, make([]float32, 12))
	for name, f := range map[string]func(){
		"Linear":        func() { Linear(x, Tensor(2, 4, make([]float32, 8)), nil, None) },
		"Attention":     func() { Attention(x, 1, 3, Drop{}) },
		"Conv1D":        func() { Conv1D(x, Tensor(2, 15, make([]float32, 30)), nil, 1, 5, 1, None) },
		"MaskRows":      func() { MaskRows(x, Tensor(3, 1, make([]float32, 3)), []bool{true}) },
		"Dropout":       func() { Dropout(x, Drop{P: 1}) },
		"MaskedMSE":     func() { MaskedMSE(x, make([]float32, 3), []int{4}) },
		"CodebookLoss":  func() { CodebookLoss(x, Tensor(2, 3, make([]float32, 6)), []int{2}, []int{0}, [][]int32{{2}}, 1) },
		"BCEWithLogits": func() { BCEWithLogits(x, make([]float32, 3)) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		})
	}
}
