package method

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

// handCase is a case that can be worked out by hand.
type handCase struct {
	name   string
	method string
	shape  []int // nil: a vector
	base   int
	in     [][]float32
	params Values
	weight []float64 // of every input
	want   []float32
	err    string
}

// run compares up to tolerance, which is absolute.
func (c handCase) run(t *testing.T, tolerance float64) {
	t.Run(c.method+" "+c.name, func(t *testing.T) {
		m, ok := Find(c.method)
		if !ok {
			t.Fatal("no such method")
		}
		if c.shape == nil {
			c.shape = []int{len(c.in[0])}
		}
		task := newTask(t, m, c.shape, c.base, c.in...)
		for name, x := range c.params {
			if _, ok := m.Param(name); !ok {
				t.Fatalf("no parameter %s", name)
			}
			task.Params[name] = x
		}
		for i, w := range c.weight {
			task.Inputs[i].Params["weight"] = w
		}
		got, err := result(t, m, task)
		switch {
		case c.err != "":
			if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.err) {
				t.Fatalf("error %v, want one with %q", err, c.err)
			}
			return
		case err != nil:
			t.Fatal(err)
		}
		for i, x := range got {
			if !(math.Abs(float64(x)-float64(c.want[i])) <= tolerance) {
				t.Errorf("got %v, want %v", got, c.want)
				return
			}
		}
	})
}

func TestSphericalByHand(t *testing.T) {
	const tolerance = 1e-6
	half := float32(math.Sqrt(0.5))
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, c := range []handCase{
		// Halfway along a quarter of the circle both coefficients are sin 45° = √½; norms differ and stay.
		{name: "of a right angle", method: "slerp", in: [][]float32{{2, 0}, {0, 4}}, params: Values{"t": 0.5}, want: []float32{2 * half, 4 * half}},
		{name: "beyond the end", method: "slerp", in: [][]float32{{1, 0}, {0, 1}}, params: Values{"t": 2}, want: []float32{-1, 0}},
		{name: "of one direction is linear", method: "slerp", in: [][]float32{{1, 1}, {3, 3}}, params: Values{"t": 0.25}, want: []float32{1.5, 1.5}},
		{name: "of opposite directions is linear", method: "slerp", in: [][]float32{{2, 0}, {-2, 0}}, params: Values{"t": 0.25}, want: []float32{1, 0}},
		// A zero vector has cosine 0 with all: sin(t·90°) of the other.
		{name: "from zero", method: "slerp", in: [][]float32{{0, 0}, {3, 0}}, params: Values{"t": 0.5}, want: []float32{3 * half, 0}},
		{name: "of scalars", method: "slerp", shape: []int{}, in: [][]float32{{2}, {4}}, params: Values{"t": 0.5}, want: []float32{3}},
		{name: "of a NaN", method: "slerp", in: [][]float32{{1, 2}, {nan, 2}}, params: Values{"t": 0.5}, err: "m1: norm is NaN, want finite values"},
		{name: "of an infinity", method: "slerp", in: [][]float32{{1, inf}, {1, 2}}, params: Values{"t": 0.5}, err: "m0: norm is +Inf"},

		{name: "with equal weights", method: "nuslerp", base: -1, in: [][]float32{{2, 0}, {0, 4}}, weight: []float64{3, 3}, want: []float32{2 * half, 4 * half}},
		{name: "of task vectors", method: "nuslerp", in: [][]float32{{1, 1}, {3, 1}, {1, 5}}, weight: []float64{0, 1, 1}, want: []float32{1 + 2*half, 1 + 4*half}},
		{name: "with weights that cancel counts them equal", method: "nuslerp", base: -1, in: [][]float32{{1, 0}, {0, 1}}, weight: []float64{1, -1}, want: []float32{half, half}},
		{name: "of opposite directions is linear", method: "nuslerp", base: -1, in: [][]float32{{0.1, 0.7}, {-0.3, -2.1}}, weight: []float64{3, 1}, want: []float32{0, 0}},
		// Rows are (1,0)-(0,1) and (1,0)-(2,0); columns are (1,1)-(0,2) and (0,0)-(1,0).
		{name: "by row", method: "nuslerp", base: -1, shape: []int{2, 2}, in: [][]float32{{1, 0, 1, 0}, {0, 1, 2, 0}}, weight: []float64{1, 1},
			params: Values{"nuslerp_flatten": 0}, want: []float32{half, half, 1.5, 0}},
		{name: "by column", method: "nuslerp", base: -1, shape: []int{2, 2}, in: [][]float32{{1, 0, 1, 0}, {0, 1, 2, 0}}, weight: []float64{1, 1},
			params: Values{"nuslerp_flatten": 0, "nuslerp_row_wise": 1},
			// The first column's angle is 45°: both coefficients are sin 22.5°/sin 45°.
			want: []float32{0.5411961, half, 3 * 0.5411961, 0}},
		{name: "without a change", method: "nuslerp", in: [][]float32{{1, 2}, {1, 2}, {1, 2}}, weight: []float64{0, 1, 1}, want: []float32{1, 2}},

		{name: "of one is a copy", method: "multislerp", in: [][]float32{{9, 9}, {1, 2}}, weight: []float64{0, 7}, want: []float32{1, 2}},
		// Directions (1,0) and (0,1), mean norm 3.
		{name: "of two", method: "multislerp", base: -1, in: [][]float32{{2, 0}, {0, 4}}, weight: []float64{1, 1}, want: []float32{3 * half, 3 * half}},
		// Directions weigh (3/4, 1/4), mean norm 3/4·2 + 1/4·4 = 2.5, of a direction of length √10/4.
		{name: "with weights", method: "multislerp", in: [][]float32{{1, 1}, {3, 1}, {1, 5}}, weight: []float64{0, 3, 1},
			want: []float32{1 + 2.5*0.9486833, 1 + 2.5*0.31622777}},
		{name: "without normalising", method: "multislerp", base: -1, in: [][]float32{{2, 0}, {0, 4}}, weight: []float64{1, 1}, params: Values{"normalize_weights": 0},
			want: []float32{6 * half, 6 * half}},
		{name: "of two opposed is linear", method: "multislerp", base: -1, in: [][]float32{{0.3, 0.1}, {-0.9, -0.3}}, weight: []float64{1, 1}, want: []float32{-0.3, -0.1}},
		{name: "of four that balance", method: "multislerp", base: -1, in: [][]float32{{1, 0}, {-1, 0}, {0, 1}, {0, -1}}, weight: []float64{1, 1, 1, 1},
			err: "the weighted mean of the directions is 0"},
		{name: "with weights that cancel", method: "multislerp", base: -1, in: [][]float32{{1, 0}, {0, 1}}, weight: []float64{1, -1}, err: "the weights' sum is 0"},
		{name: "of three without a change", method: "multislerp", in: [][]float32{{1, 2}, {1, 2}, {1, 2}, {1, 2}}, weight: []float64{0, 1, 1, 1}, want: []float32{1, 2}},
		{name: "with one that did not change", method: "multislerp", base: -1, in: [][]float32{{2, 0}, {0, 0}}, weight: []float64{1, 1}, params: Values{"eps": 0}, want: []float32{1, 0}},

		{name: "of one is a copy", method: "karcher", base: -1, in: [][]float32{{1, 2}}, want: []float32{1, 2}},
		{name: "of two halves the angle", method: "karcher", base: -1, in: [][]float32{{2, 0}, {0, 4}}, want: []float32{3 * half, 3 * half}},
		// At 0°, 0° and 90° the mean is at 30°, where the mean of unit vectors (26.6°) is not.
		{name: "of three in a plane", method: "karcher", base: -1, in: [][]float32{{1, 0}, {1, 0}, {0, 1}}, want: []float32{0.8660254, 0.5}},
		{name: "counts the base", method: "karcher", in: [][]float32{{2, 0}, {0, 4}}, want: []float32{3 * half, 3 * half}},
		{name: "of opposite vectors stays at the first", method: "karcher", base: -1, in: [][]float32{{0.3, 0.1}, {-0.9, -0.3}}, want: []float32{0.6, 0.2}},
		{name: "with a zero, whose norm counts", method: "karcher", base: -1, in: [][]float32{{0, 0}, {3, 0}, {0, 3}}, want: []float32{2 * half, 2 * half}},
		{name: "of zeros", method: "karcher", base: -1, in: [][]float32{{0, 0}, {0, 0}}, want: []float32{0, 0}},
		{name: "without tolerance", method: "karcher", base: -1, in: [][]float32{{1, 0}, {1, 0}, {0, 1}}, params: Values{"tol": 0, "max_iter": 50}, want: []float32{0.8660254, 0.5}},

		{name: "of orthogonal task vectors is the base", method: "model_stock", in: [][]float32{{1, 1}, {2, 1}, {1, 3}}, want: []float32{1, 1}},
		{name: "of equal ones is their mean", method: "model_stock", in: [][]float32{{1, 1}, {2, 3}, {2, 3}}, want: []float32{2, 3}},
		// cos = 2/√5, t = 2·0.8944272/1.8944272 = 0.9442719; the mean is (1.5, 0.5) from the base.
		{name: "between", method: "model_stock", in: [][]float32{{0, 0}, {1, 0}, {2, 1}}, want: []float32{0.9442719 * 1.5, 0.9442719 * 0.5}},
		{name: "singular is the base", method: "model_stock", in: [][]float32{{1, 1}, {2, 3}, {0, -1}}, want: []float32{1, 1}},
		// Three at 120°: every pair has cosine −½, 1 + 2·(−½) = 0.
		{name: "singular of three", method: "model_stock", in: [][]float32{{0, 0}, {1, 0}, {-0.5, 0.8660254}, {-0.5, -0.8660254}}, want: []float32{0, 0}},
		{name: "without a change", method: "model_stock", in: [][]float32{{1, 1}, {1, 1}, {1, 1}}, want: []float32{1, 1}},
		// Norms below 1e-3 count for more than they are: cos = 1e-8/1e-6.
		{name: "of tiny ones", method: "model_stock", in: [][]float32{{0}, {1e-4}, {1e-4}}, want: []float32{1.980198e-6}},
		{name: "by row", method: "model_stock", shape: []int{2, 2}, in: [][]float32{{1, 1, 1, 1}, {2, 1, 2, 3}, {1, 3, 2, 3}}, params: Values{"filter_wise": 1}, want: []float32{1, 1, 2, 3}},
	} {
		c.run(t, tolerance)
	}
}

// TestEndsOfTheArc: t = 0 is the base and t = 1 the other model, bit for bit, negative zeros too.
func TestEndsOfTheArc(t *testing.T) {
	v := variant{method: "slerp", models: 1}
	for end := range 2 {
		m, task := v.task(t, []int{100, 130})
		task.Params["t"] = float64(end)
		want := make([]float32, task.Elements())
		if err := task.Inputs[end].read(0, want); err != nil {
			t.Fatal(err)
		}
		want[7] = float32(math.Copysign(0, -1)) // Memory hands out its slice's values: set in both
		src := newTask(t, m, task.Shape, 0, want).Inputs[0].Source
		task.Inputs[end].Source = src
		got, err := result(t, m, task)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.EqualFunc(got, want, func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }) {
			t.Errorf("t = %d does not give input %d bit for bit", end, end)
		}
	}
}

// TestOrderOfModelsDoesNotMatter: means on the sphere are symmetric, up to rounding of the sum.
func TestOrderOfModelsDoesNotMatter(t *testing.T) {
	const tolerance = 4 * 0x1p-24
	for _, name := range []string{"karcher", "multislerp", "model_stock"} {
		v := variant{method: name, models: 3}
		m, task := v.task(t, []int{90, 70})
		for i := range task.Inputs {
			if name == "multislerp" {
				task.Inputs[i].Params["weight"] = float64(1 + i)
			}
		}
		first, err := result(t, m, task)
		if err != nil {
			t.Fatal(err)
		}
		first = slices.Clone(first)
		turned := task
		turned.Inputs = []Input{task.Inputs[2], task.Inputs[0], task.Inputs[3], task.Inputs[1]}
		turned.Base = 1
		second, err := result(t, m, turned)
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range first {
			if math.Abs(float64(x-second[i])) > tolerance*max(1, math.Abs(float64(x))) {
				t.Fatalf("%s: element %d is %v, and %v in another order", name, i, x, second[i])
			}
		}
	}
}
