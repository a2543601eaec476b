package method

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"syncretic/checkpoint"
)

func TestSpectralByHand(t *testing.T) {
	const tolerance = 1e-6
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	square := []int{2, 2}
	zero := []float32{0, 0, 0, 0}
	for _, c := range []handCase{
		// Diagonal task vectors have their own elements for singular values, whatever the signs.
		{name: "of one is that one", method: "tsv_m", shape: square, in: [][]float32{{1, 1, 1, 1}, {4, 1, 1, -2}}, want: []float32{4, 1, 1, -2}},
		{name: "keeps half of each of two", method: "tsv_m", shape: square, in: [][]float32{zero, {3, 0, 0, 1}, {1, 0, 0, -2}}, want: []float32{3, 0, 0, -2}},
		// Both keep the first direction: the nearest orthonormal matrix to [e e] is [e e]/√2 on either side, so half of 3 + 4.
		{name: "halves what two share", method: "tsv_m", shape: square, in: [][]float32{zero, {3, 0, 0, 1}, {4, 0, 0, 2}}, want: []float32{3.5, 0, 0, 0}},
		{name: "of more models than directions keeps one each", method: "tsv_m", shape: square,
			in: [][]float32{zero, {3, 0, 0, 1}, {3, 0, 0, 1}, {1, 0, 0, 8}}, want: []float32{3, 0, 0, 8}},
		{name: "without a change", method: "tsv_m", shape: square, in: [][]float32{zero, zero, zero}, want: zero},
		{name: "leaves out what has weight 0", method: "tsv_m", shape: square, in: [][]float32{zero, {3, 0, 0, 1}, {nan, 0, 0, 1}},
			weight: []float64{1, 1, 0}, want: []float32{3, 0, 0, 1}},
		{name: "averages a row", method: "tsv_m", shape: []int{1, 2}, in: [][]float32{{0, 0}, {2, 0}, {0, 4}}, want: []float32{1, 2}},
		{name: "averages a column", method: "iso_c", shape: []int{2, 1}, in: [][]float32{{0, 0}, {2, 0}, {0, 4}}, want: []float32{1, 2}},
		{name: "averages where it is told to", method: "iso_c", shape: square, in: [][]float32{zero, {2, 0, 0, 0}, {0, 4, 0, 0}},
			params: Values{"matrix": asMatrixNo}, want: []float32{1, 2, 0, 0}},
		{name: "flattens the spectrum", method: "iso_c", shape: square, in: [][]float32{zero, {3, 0, 0, 0}, {0, 0, 0, -1}}, want: []float32{2, 0, 0, -2}},
		{name: "leaves unchanged rows", method: "iso_c", shape: square, in: [][]float32{{1, 1, 5, 5}, {4, 5, 5, 5}}, want: []float32{2.5, 3, 5, 5}},
		{name: "without a change", method: "iso_c", shape: square, in: [][]float32{zero, zero}, want: zero},
		{name: "of nothing", method: "iso_c", shape: []int{0, 3}, in: [][]float32{{}, {}}, want: []float32{}},
		{name: "with lambda", method: "iso_c", shape: square, in: [][]float32{{1, 1, 1, 1}, {4, 1, 1, 2}}, params: Values{"lambda": -0.5}, want: []float32{0, 1, 1, 0}},
		// One common direction, (1,0) with 3 + 2 = 5; the two models' own part would be half a direction each: none.
		{name: "without room for own directions", method: "iso_cts", shape: square, in: [][]float32{zero, {3, 0, 0, 1}, {2, 0, 0, 1}},
			params: Values{"common_space_fraction": 0.5}, want: []float32{3.5, 0, 0, 3.5}},
		// Common: e1 with 3 and e2 with 2; own: of the first e3 with 1; mean (3 + 2 + 1)/3.
		{name: "adds own directions", method: "iso_cts", shape: []int{3, 3}, in: [][]float32{make([]float32, 9), {3, 0, 0, 0, 2, 0, 0, 0, 1}},
			params: Values{"common_space_fraction": 0.7}, want: []float32{2, 0, 0, 0, 2, 0, 0, 0, 2}},
		{name: "without a change", method: "iso_cts", shape: square, in: [][]float32{zero, zero, zero}, want: zero},
		{name: "of one stays", method: "wudi", shape: square, in: [][]float32{zero, {3, 0, 0, 1}}, want: []float32{3, 0, 0, 1}},
		{name: "of orthogonal ones is their sum", method: "wudi", shape: square, in: [][]float32{zero, {3, 0, 0, 0}, {0, 0, 0, 1}}, want: []float32{3, 0, 0, 1}},
		// Adam's first step is the learning rate, against the sign of the gradient: at 3 + 1, of both.
		{name: "steps", method: "wudi", shape: square, in: [][]float32{zero, {3, 0, 0, 0}, {1, 0, 0, 0}},
			params: Values{"iterations": 1, "learning_rate": 0.25}, want: []float32{3.75, 0, 0, 0}},
		{name: "of none but zero", method: "wudi", shape: square, in: [][]float32{zero, zero}, want: zero},
		{name: "of a NaN", method: "tsv_m", shape: square, in: [][]float32{zero, {1, nan, 1, 1}}, err: "m1: element 1 is NaN from the base's, want finite values"},
		{name: "of an infinity", method: "iso_c", shape: square, in: [][]float32{zero, {1, 1, inf, 1}}, err: "m1: element 2 is +Inf"},
		{name: "of an infinite base", method: "iso_cts", shape: square, in: [][]float32{{inf, 0, 0, 0}, {1, 1, 1, 1}}, err: "m1: element 0 is -Inf"},
		{name: "of a NaN", method: "wudi", shape: square, in: [][]float32{zero, {1, 1, 1, 1}, {1, 1, 1, nan}}, err: "m2: element 3 is NaN"},
	} {
		c.run(t, tolerance)
	}
}

// TestMatrixByName: embeddings and heads are averaged unless the recipe says otherwise.
func TestMatrixByName(t *testing.T) {
	for name, want := range map[string]bool{
		"model.layers.0.mlp.up_proj.weight": true, "encoder.layers.3.attention.k_proj.weight": true, "feature_extractor.conv_layers.1.conv.weight": true,
		"model.embed_tokens.weight": false, "lm_head.weight": false, "transformer.wte.weight": false, "encoder.pos_conv_embed.conv.weight": false,
	} {
		task := Task{Name: name, Shape: []int{4, 3, 2}, Params: Values{"matrix": asMatrixAuto}}
		if got := task.asMatrix(); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
		task.Params["matrix"] = asMatrixYes
		if !task.asMatrix() {
			t.Errorf("%s: not a matrix though it is told to be", name)
		}
	}
}

// statisticsTask is a task of two models [2][2], with the given statistics of each: nil for none.
func statisticsTask(t *testing.T, method string, shape []int, statistics ...[]float32) (*Method, Task) {
	t.Helper()
	m, _ := Find(method)
	task := newTask(t, m, []int{2, 2}, -1, []float32{1, 2, 3, 4}, []float32{5, 6, 7, 8})
	for i, data := range statistics {
		tensors := []checkpoint.Tensor{{Name: "other", Data: []float32{1}}}
		if data != nil {
			tensors = append(tensors, checkpoint.Tensor{Name: "w", Shape: shape, Data: data})
		}
		src, err := checkpoint.NewMemory(tensors...)
		if err != nil {
			t.Fatal(err)
		}
		task.Inputs[i].Stats = src
	}
	return m, task
}

func TestStatisticsRefused(t *testing.T) {
	square, ones := []int{2, 2}, []float32{1, 1, 1, 1}
	nan := float32(math.NaN())
	for _, c := range []struct {
		name, method string
		shape        []int
		statistics   [][]float32
		params       Values
		weight       float64
		err          string
	}{
		{"none", "fisher", nil, nil, nil, 1, "m0: no statistics are given"},
		{"none", "regmean", nil, nil, nil, 1, "m0: no statistics are given"},
		{"without the tensor", "fisher", square, [][]float32{ones, nil}, nil, 1, `m1: statistics: tensor "w": not present`},
		{"of which one lacks the tensor", "regmean", square, [][]float32{ones, nil}, nil, 1, "the statistics of m1 lack the tensor"},
		{"of another shape", "fisher", []int{4}, [][]float32{ones, ones}, nil, 1, `m0: statistics: tensor "w": shape [4], want [2 2]`},
		{"of another shape", "regmean", []int{1, 4}, [][]float32{ones, ones}, nil, 1, `m0: statistics: tensor "w": shape [1 4], want [2 2]`},
		{"below 0", "fisher", square, [][]float32{ones, {1, 1, -1, 1}}, nil, 1, "m1: statistics: element 2 is -1, want a finite number of 0 or more"},
		{"a NaN", "fisher", square, [][]float32{ones, {1, nan, 1, 1}}, Values{"normalize_fisher": 0}, 1, "m1: statistics: element 1 is NaN"},
		{"a NaN in the norm", "fisher", square, [][]float32{ones, {1, nan, 1, 1}}, nil, 1, "m1: the Fisher information has the L2 norm NaN"},
		{"not symmetric", "regmean", square, [][]float32{ones, {1, 1, 0, 1}}, nil, 1, "m1: statistics: elements [0][1] and [1][0] of the Gram matrix are 1 and 0"},
		{"more beside the diagonal than on it", "regmean", square, [][]float32{ones, {1, 2, 2, 1}}, nil, 1, "want XᵀX"},
		{"a NaN beside the diagonal", "regmean", square, [][]float32{ones, {1, nan, nan, 1}}, nil, 1, "want XᵀX"},
		{"a NaN on the diagonal", "regmean", square, [][]float32{ones, {nan, 0, 0, 1}}, nil, 1, "m1: statistics: the diagonal of the Gram matrix reaches from NaN"},
		{"an infinity on the diagonal", "regmean", square, [][]float32{ones, {1, 0, 0, float32(math.Inf(1))}}, nil, 1, "want sums of squares"},
		{"with lambda but no base", "fisher", square, [][]float32{ones, ones}, Values{"lambda": 0.5}, 1, "there is no base_model"},
		{"with weights 0", "regmean", square, [][]float32{ones, ones}, nil, 0, "the weights are all 0"},
		{"with weights below 0", "fisher", square, [][]float32{ones, ones}, nil, -1, "m0: weight -1, want 0 or more"},
	} {
		t.Run(c.method+" "+c.name, func(t *testing.T) {
			m, task := statisticsTask(t, c.method, c.shape, c.statistics...)
			for name, x := range c.params {
				task.Params[name] = x
			}
			for i := range task.Inputs {
				task.Inputs[i].Params["weight"] = c.weight
			}
			if _, err := result(t, m, task); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.err) {
				t.Errorf("error %v, want one with %q", err, c.err)
			}
		})
	}
}

// TestRegMeanWithoutInput: a feature that no model ever sees is averaged, the other is weighed 1 to 3 by its squares.
func TestRegMeanWithoutInput(t *testing.T) {
	m, task := statisticsTask(t, "regmean", []int{2, 2}, []float32{1, 0, 0, 0}, []float32{3, 0, 0, 0})
	got, err := result(t, m, task)
	if want := []float32{4, 4, 6, 6}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	m, task = statisticsTask(t, "regmean", []int{2, 2}, make([]float32, 4), make([]float32, 4))
	got, err = result(t, m, task)
	if want := []float32{3, 4, 5, 6}; err != nil || !slices.Equal(got, want) {
		t.Errorf("without any input got %v, %v, want %v", got, err, want)
	}
}

// TestSpectralAnyThreads: the same bits on one core and on several, of a matrix large enough for gonum to share it out.
func TestSpectralAnyThreads(t *testing.T) {
	for _, name := range []string{"tsv_m", "iso_c", "iso_cts", "wudi"} {
		v := variant{method: name, params: Values{}, models: 2}
		m, task := v.task(t, []int{200, 150})
		if name == "wudi" {
			task.Params["iterations"] = 3
		}
		old := runtime.GOMAXPROCS(1)
		want, err := result(t, m, task)
		runtime.GOMAXPROCS(4)
		got, err2 := result(t, m, task)
		runtime.GOMAXPROCS(old)
		if err != nil || err2 != nil || !slices.Equal(got, want) {
			t.Errorf("%s: other bits on more cores, or %v, %v", name, err, err2)
		}
	}
}

// TestSpectralInterrupted: a decomposition that takes long is left at once.
func TestSpectralInterrupted(t *testing.T) {
	stop := errors.New("stop")
	v := variant{method: "iso_c", params: Values{}, models: 1}
	m, task := v.task(t, []int{500, 500})
	begin := time.Now()
	task.Interrupt = func() error {
		if time.Since(begin) > 20*time.Millisecond {
			return stop
		}
		return nil
	}
	out, err := m.Tensor(task)
	if err != nil {
		t.Fatal(err)
	}
	if err := out.Read(0, make([]float32, 10)); !errors.Is(err, stop) {
		t.Errorf("error %v, want the interrupt's", err)
	}
	if took := time.Since(begin); took > time.Second {
		t.Errorf("it took %v", took)
	}
}

// TestLambdasShare: what was found once serves every lambda.
func TestLambdasShare(t *testing.T) {
	for _, name := range []string{"tsv_m", "iso_c", "iso_cts", "wudi", "fisher", "regmean"} {
		v := variant{method: name, params: Values{"iterations": 2}, models: 2}
		m, task := v.task(t, []int{20, 10})
		for i := range task.Inputs {
			data := make([]float32, 200)
			shape := []int{20, 10}
			if name == "regmean" {
				data, shape = data[:100], []int{10, 10}
			}
			for j := range data {
				if name == "fisher" || j%11 == 0 {
					data[j] = float32(i + j%7 + 1)
				}
			}
			src, err := checkpoint.NewMemory(checkpoint.Tensor{Name: "w", Shape: shape, Data: data})
			if err != nil {
				t.Fatal(err)
			}
			task.Inputs[i].Stats = src
		}
		first, err := m.Tensor(task)
		if err != nil {
			t.Fatal(err)
		}
		if err := first.Read(0, make([]float32, 1)); err != nil {
			t.Fatal(name, err)
		}
		task.Params = Values{"iterations": 2}
		for _, p := range m.Params {
			if _, ok := task.Params[p.Name]; !ok {
				task.Params[p.Name] = p.Default
			}
		}
		task.Params["lambda"] = 0.5
		want, err := result(t, m, task)
		if err != nil {
			t.Fatal(name, err)
		}
		second, err := m.Tensor(task)
		if err != nil {
			t.Fatal(err)
		}
		second.Share(first)
		got := make([]float32, len(want))
		if err := second.Read(0, got); err != nil || !second.Shares(first) || !slices.Equal(got, want) {
			t.Errorf("%s: a shared tensor differs, or %v", name, err)
		}
		second.Release()
		if first.passes.kernel != nil {
			t.Errorf("%s: what was found is still held", name)
		}
	}
}

// BenchmarkSpectral is of one base and four models; wudi takes one step of its 300.
func BenchmarkSpectral(b *testing.B) {
	for _, name := range []string{"tsv_m", "iso_c", "iso_cts", "wudi"} {
		for _, shape := range [][]int{{768, 768}, {768, 3072}} {
			b.Run(fmt.Sprintf("%s/%dx%d", name, shape[0], shape[1]), func(b *testing.B) {
				v := variant{method: name, params: Values{"iterations": 1}, models: 4}
				m, task := v.task(b, shape)
				for b.Loop() {
					if _, err := result(b, m, task); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
