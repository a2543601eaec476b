package method

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

func TestSelectiveByHand(t *testing.T) {
	const tolerance = 1e-6
	nan := float32(math.NaN())
	for _, c := range []handCase{
		// Distances 0.5, 2, 4 and 0 with t = 1: weights 1, ½, ¼, 1.
		{name: "moves by at most t", method: "nearswap", in: [][]float32{{1, 1, 1, 1}, {1.5, 3, -3, 1}}, params: Values{"t": 1}, want: []float32{1.5, 2, 0, 1}},
		{name: "with t 0 is the base", method: "nearswap", in: [][]float32{{1, 2}, {3, 4}}, params: Values{"t": 0}, want: []float32{1, 2}},
		{name: "with t below 0 is the base", method: "nearswap", in: [][]float32{{1, 2}, {3, 4}}, params: Values{"t": -1}, want: []float32{1, 2}},

		{name: "of the base alone", method: "ram", in: [][]float32{{1, 2}}, want: []float32{1, 2}},
		// The first element is one model's own, the second is shared by two (mean of 2 and 4), the third by none.
		{name: "adds own and averages shared", method: "ram", in: [][]float32{{0, 1, 5}, {2, 3, 5}, {0, 5, 5}}, want: []float32{2, 4, 5}},
		{name: "with a threshold", method: "ram", in: [][]float32{{0, 0}, {0.5, 0.5}, {0.25, 1}}, params: Values{"epsilon": 0.25}, want: []float32{0.5, 0.75}},
		// The first model has 1 own and 3 shared elements: its own count 1 + 0.1·min(0.2, 3) = 1.02 times.
		{name: "amplifies own elements", method: "ramplus_tl", in: [][]float32{{0, 0, 0, 0}, {1, 2, 2, 2}, {0, 4, 4, 4}}, want: []float32{1.02, 3, 3, 3}},
		{name: "amplifies more", method: "ramplus_tl", in: [][]float32{{0, 0, 0, 0}, {1, 2, 2, 2}, {0, 4, 4, 4}}, params: Values{"alpha": 5}, want: []float32{1.3, 3, 3, 3}},
		{name: "without own elements", method: "ramplus_tl", in: [][]float32{{0, 0}, {1, 2}, {3, 4}}, params: Values{"epsilon": 0}, want: []float32{2, 3}},

		{name: "of the base alone", method: "sce", in: [][]float32{{1, 2}}, want: []float32{1, 2}},
		{name: "of one adds all", method: "sce", in: [][]float32{{1, 2}, {3, 1}}, want: []float32{3, 1}},
		{name: "of one selects none", method: "sce", in: [][]float32{{1, 2}, {3, 1}}, params: Values{"select_topk": 0.5}, want: []float32{1, 2}},
		// Squares 1+1+4 and 4+1+4: weights 0.4 and 0.6. First: both, 0.4·1 + 0.6·2; second: the sum is 0, so + wins; third: sum −4.
		{name: "weighs by squares and elects signs", method: "sce", in: [][]float32{{0, 0, 0}, {1, -1, -2}, {2, 1, -2}}, want: []float32{1.6, 1, -2}},
		// Variances ¼, 1, 0: half of the 2 that vary is the second. Squares after it 1 and 1: sum 0 elects +.
		{name: "selects by variance", method: "sce", in: [][]float32{{0, 0, 0}, {1, -1, -2}, {2, 1, -2}}, params: Values{"select_topk": 0.5}, want: []float32{0, 1, 0}},
		// Equal variances: the first of them.
		{name: "selects the first of equals", method: "sce", in: [][]float32{{0, 0, 0}, {1, 1, 1}, {3, 3, 3}}, params: Values{"select_topk": 0.34}, want: []float32{2.8, 0, 0}},
		// 100·0.29 is 28.999… in float64, and 29 in float32: see the next test. Here ⌊3·0.3⌋ = 0.
		{name: "selects none of few", method: "sce", in: [][]float32{{0, 0, 0}, {1, 1, 1}, {3, 3, 3}}, params: Values{"select_topk": 0.3}, want: []float32{0, 0, 0}},
		// Mean squares sum to less than 1e-6: equal weights.
		{name: "of tiny ones", method: "sce", in: [][]float32{{0}, {0.0001}, {0.0005}}, want: []float32{0.0003}},
		{name: "of a NaN", method: "sce", in: [][]float32{{0, 1}, {0, nan}, {2, 3}}, err: "m1: mean square of the task vector is NaN"},

		// Rows of one element have equal softmax: importance 0 everywhere, which the threshold 0 lets pass.
		{name: "of a column takes all", method: "arcee_fusion", shape: []int{3, 1}, in: [][]float32{{1, 2, 3}, {4, 5, 7}}, want: []float32{4, 5, 7}},
		// Quartiles of |d| are numbers 1, 3 and 5: 0.2, 0.4, 0.6; the threshold is 0.4 + 1.5·0.4 = 1, times the row's divergence.
		{name: "takes what stands out", method: "arcee_fusion", in: [][]float32{make([]float32, 8), {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 4}},
			want: []float32{0, 0, 0, 0, 0, 0, 0, 4}},
		// The first row moves as a whole, which softmax does not see. Of the second's quartiles, 0, 0 and 0.2, the threshold is 0.3.
		{name: "takes rows that changed", method: "arcee_fusion", shape: []int{2, 4}, in: [][]float32{make([]float32, 8), {9, 9, 9, 9, 0.1, 0.2, 0.25, 4}},
			want: []float32{0, 0, 0, 0, 0, 0, 0, 4}},
		{name: "of a NaN", method: "arcee_fusion", shape: []int{2, 2}, in: [][]float32{{0, 0, 0, nan}, {1, 2, 3, 4}}, err: "row 1 or the base's holds values that are not finite"},
		{name: "of nothing", method: "arcee_fusion", shape: []int{0, 4}, in: [][]float32{{}, {}}, want: []float32{}},
		{name: "of differences beyond float32", method: "arcee_fusion", shape: []int{1, 2}, in: [][]float32{{3e38, -3e38}, {-3e38, 3e38}}, err: "m1: differences from the base exceed"},
	} {
		c.run(t, tolerance)
	}
}

// TestCountsAsMergekit: the number of elements that sce selects is a product in float32: ⌊100·0.29⌋ is 29, not 28.
func TestCountsAsMergekit(t *testing.T) {
	m, _ := Find("sce")
	in := [][]float32{make([]float32, 100), make([]float32, 100), make([]float32, 100)}
	for i := range 100 {
		in[1][i], in[2][i] = float32(i+1), float32(-i-1)/2
	}
	task := newTask(t, m, []int{100}, 0, in...)
	task.Params["select_topk"] = 0.29
	got, err := result(t, m, task)
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range got {
		if (x != 0) != (i >= 71) {
			t.Errorf("element %d is %v, want the last 29 selected", i, x)
		}
	}
}

// TestReadsAreOneTensor: whatever is read first, in whatever pieces, on however many cores, the bits are those of one read.
func TestReadsAreOneTensor(t *testing.T) {
	for _, v := range variants() {
		m, task := v.task(t, []int{700, 3, 130}) // more than one chunk, more than one stripe, rows across blocks
		old := runtime.GOMAXPROCS(1)
		want, err := result(t, m, task)
		runtime.GOMAXPROCS(5)
		out, err2 := m.Tensor(task)
		if err != nil || err2 != nil {
			t.Fatal(v.method, err, err2)
		}
		got := make([]float32, len(want))
		r := rand.New(rand.NewPCG(1, 1))
		bounds := []int{0, len(want)}
		for range 60 {
			bounds = append(bounds, r.IntN(len(want)))
		}
		slices.Sort(bounds)
		for _, i := range r.Perm(len(bounds) - 1) {
			if err := out.Read(bounds[i], got[bounds[i]:bounds[i+1]]); err != nil {
				t.Fatal(v.method, err)
			}
		}
		runtime.GOMAXPROCS(old)
		for i := range want {
			if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
				t.Errorf("%s %v: element %d is %v in pieces, %v at once", v.method, v.params, i, got[i], want[i])
				break
			}
		}
	}
}

// TestEqualTaskVectorsDoNotVary: where all models changed by the same, the variance is exactly 0, whatever the number, and such
// elements do not count among those of which sce selects a share.
func TestEqualTaskVectorsDoNotVary(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 8))
	same := make([]float32, 5000)
	for i := range same {
		same[i] = float32(r.NormFloat64())
	}
	for n := 2; n < 9; n++ {
		var w work
		for i, v := range variance(slices.Repeat([][]float32{same}, n), len(same), &w) {
			if v != 0 {
				t.Fatalf("%d models that changed by %v: variance %v, want 0", n, same[i], v)
			}
		}
	}
}
