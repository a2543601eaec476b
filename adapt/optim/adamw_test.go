package optim

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/nlpodyssey/spago/mat"
	"github.com/nlpodyssey/spago/nn"
)

// names are the golden's parameters, in the order of its torch parameters.
var names = [...]string{"weight", "bias", "late"}

// golden is testdata/adamw.json, which testdata/make_adamw.py wrote.
type golden struct {
	Rates []float64
	Cases []struct {
		Name              string
		Fairseq           bool
		Beta1, Beta2, Eps float64
		Decay             float64
		Start             map[string][]float32
		Grads, Values     []map[string][]float32
		State             map[string]struct {
			Step int
			M, V []float32
		}
	}
	Clip []struct {
		Max, Norm     float64
		Before, After map[string][]float32
	}
}

func readGolden(t *testing.T) golden {
	t.Helper()
	data, err := os.ReadFile("testdata/adamw.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	if len(g.Cases) != 4 || len(g.Clip) != 3 || len(g.Rates) != 10 {
		t.Fatalf("testdata/adamw.json holds %d cases, %d clips, %d rates: want 4, 3, 10", len(g.Cases), len(g.Clip), len(g.Rates))
	}
	return g
}

// newParam returns a parameter that requires a gradient and has none yet.
func newParam(name string, values ...float32) Param {
	return Param{name, nn.NewParam(mat.NewDense[float32](mat.WithBacking(slices.Clone(values))))}
}

// setGrad replaces the gradient of p.
func setGrad(p Param, values ...float32) {
	p.Value.ZeroGrad()
	p.Value.AccGrad(mat.NewDense[float32](mat.WithBacking(slices.Clone(values))))
}

func valueOf(p Param) []float32 { return mat.Data[float32](p.Value.Matrix) }
func gradOf(p Param) []float32  { return mat.Data[float32](p.Value.Grad()) }

// near fails where got and want differ by more than 1e-6, relative to values
// above 1: both round ten steps to float32, in different orders.
func near(t *testing.T, what string, got, want []float32) {
	t.Helper()
	const tolerance = 1e-6
	if len(got) != len(want) {
		t.Fatalf("%s: %d elements, want %d", what, len(got), len(want))
	}
	for i := range want {
		if d := math.Abs(float64(got[i]) - float64(want[i])); !(d <= tolerance*max(1, math.Abs(float64(want[i])))) {
			t.Fatalf("%s: element %d = %g, want %g", what, i, got[i], want[i])
		}
	}
}

func TestAdamWGolden(t *testing.T) {
	g := readGolden(t)
	for _, c := range g.Cases {
		t.Run(c.Name, func(t *testing.T) {
			var params []Param
			for _, n := range names {
				params = append(params, newParam(n, c.Start[n]...))
			}
			cfg := AdamWConfig{Beta1: c.Beta1, Beta2: c.Beta2, Eps: c.Eps, WeightDecay: c.Decay}
			if c.Fairseq {
				cfg.Variant = Fairseq
			}
			opt := NewAdamW(cfg, params)
			for s, rate := range g.Rates {
				for _, p := range params {
					if grad, ok := c.Grads[s][p.Name]; ok {
						setGrad(p, grad...)
					}
				}
				opt.Step(rate)
				for _, p := range params {
					near(t, fmt.Sprintf("step %d: %s", s, p.Name), valueOf(p), c.Values[s][p.Name])
				}
			}
			for _, s := range opt.State() {
				want := c.State[s.Name]
				if s.Step != want.Step {
					t.Errorf("%s: %d steps, want %d", s.Name, s.Step, want.Step)
				}
				near(t, "first moment of "+s.Name, s.M, want.M)
				near(t, "second moment of "+s.Name, s.V, want.V)
			}
		})
	}
}

// The two definitions differ visibly in the first step where eps matters, so that
// the goldens above tell them apart: g/(|g|+eps) and g/(|g|+eps/√(1-β2)).
func TestVariantsDiffer(t *testing.T) {
	for _, test := range []struct {
		variant Variant
		want    float64
	}{
		{PyTorch, 1 - 0.1*0.5/(0.5+0.01)},
		{Fairseq, 1 - 0.1*0.5/(0.5+0.01/math.Sqrt(0.01))},
	} {
		p := newParam("p", 1)
		setGrad(p, 0.5)
		NewAdamW(AdamWConfig{Beta2: 0.99, Eps: 0.01, Variant: test.variant}, []Param{p}).Step(0.1)
		near(t, test.variant.String(), valueOf(p), []float32{float32(test.want)})
	}
}

func TestDefaults(t *testing.T) {
	o := NewAdamW(AdamWConfig{}, nil)
	if o.Beta1 != 0.9 || o.Beta2 != 0.999 || o.Eps != 1e-8 || o.WeightDecay != 0 || o.Variant != PyTorch {
		t.Errorf("zero configuration gives %+v, want PyTorch's defaults without decay", *o)
	}
	o.Step(1)
}

func TestSkipped(t *testing.T) {
	frozen, fresh, used := newParam("frozen", 1, 2), newParam("fresh", 3), newParam("used", 4)
	setGrad(frozen, 9, 9)
	setGrad(used, 1)
	frozen.Value.SetRequiresGrad(false)
	params := []Param{frozen, fresh, used}
	opt := NewAdamW(AdamWConfig{WeightDecay: 0.1}, params)
	opt.Step(0.5)
	if got := fmt.Sprint(valueOf(frozen), valueOf(fresh)); got != "[1 2] [3]" {
		t.Errorf("skipped parameters became %s", got)
	}
	if valueOf(used)[0] == 4 {
		t.Error("the parameter with a gradient did not move")
	}
	if states := opt.State(); len(states) != 1 || states[0].Name != "used" || states[0].Step != 1 {
		t.Errorf("states %v, want one of used", states)
	}
	if norm := ClipGradNorm(params, 0); norm != 1 {
		t.Errorf("norm %v, want 1: the frozen gradient does not count", norm)
	}
}

func TestGroups(t *testing.T) {
	scale, bias, slow := newParam("norm.weight", 1), newParam("x.bias", 1), newParam("conv.weight", 1)
	params := []Param{scale, bias, slow}
	for _, p := range params {
		setGrad(p, 0)
	}
	opt := NewAdamW(AdamWConfig{
		WeightDecay: 0.5,
		NoDecay:     func(name string) bool { return strings.HasSuffix(name, ".bias") },
		LRFactor: func(name string) float64 {
			if strings.HasPrefix(name, "conv.") {
				return 0.1
			}
			return 1
		},
	}, params)
	opt.Step(0.2)
	for i, want := range []float32{0.9, 1, 0.99} {
		near(t, params[i].Name, valueOf(params[i]), []float32{want})
	}
}

// filled returns n values from a fixed sequence in [-0.5, 0.5).
func filled(n, seed int) []float32 {
	s := make([]float32, n)
	for i := range s {
		s[i] = float32((i*7919+seed*104729)%1000)/1000 - 0.5
	}
	return s
}

// train runs steps of an optimizer on two parameters of several blocks and returns
// the bits of the values.
func train(opt *AdamW, params []Param, from, to int) {
	for s := from; s < to; s++ {
		for i, p := range params {
			setGrad(p, filled(len(valueOf(p)), 10*s+i)...)
		}
		ClipGradNorm(params, 3)
		opt.Step(0.01)
	}
}

func twoParams() []Param {
	return []Param{newParam("a", filled(3*blockSize+17, 1)...), newParam("b", filled(100, 2)...)}
}

func TestDeterminism(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	var want []float32
	for _, procs := range []int{1, 2, 3, 8} {
		runtime.GOMAXPROCS(procs)
		params := twoParams()
		train(NewAdamW(AdamWConfig{WeightDecay: 0.01}, params), params, 0, 3)
		got := slices.Concat(valueOf(params[0]), valueOf(params[1]))
		if want == nil {
			want = got
		}
		if !slices.Equal(got, want) {
			t.Errorf("GOMAXPROCS %d: values differ from those with 1", procs)
		}
	}
}

func TestInvalidConfig(t *testing.T) {
	p := newParam("p", 1)
	for _, test := range []struct {
		name    string
		cfg     AdamWConfig
		params  []Param
		message string
	}{
		{"beta1 of 1", AdamWConfig{Beta1: 1}, nil, "betas are 1 and 0.999"},
		{"negative beta2", AdamWConfig{Beta2: -0.1}, nil, "betas are 0.9 and -0.1"},
		{"NaN eps", AdamWConfig{Eps: math.NaN()}, nil, "eps is NaN"},
		{"negative decay", AdamWConfig{WeightDecay: -1}, nil, "weight decay -1"},
		{"unknown variant", AdamWConfig{Variant: 7}, nil, "unknown Variant(7)"},
		{"names twice", AdamWConfig{}, []Param{p, p}, `two parameters are called "p"`},
		{"no value", AdamWConfig{}, []Param{{Name: "empty"}}, `"empty" has no value`},
		{"float64", AdamWConfig{}, []Param{{"wide", nn.NewParam(mat.Scalar(1.0))}}, `"wide" is a *mat.Dense[float64]`},
	} {
		t.Run(test.name, func(t *testing.T) {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.HasPrefix(got, "optim: ") || !strings.Contains(got, test.message) {
					t.Errorf("panic %q, want optim: ...%s", got, test.message)
				}
			}()
			NewAdamW(test.cfg, test.params)
		})
	}
}

func TestGradientOfAnotherSize(t *testing.T) {
	p := newParam("p", 1, 2)
	setGrad(p, 1)
	defer func() {
		if got, want := fmt.Sprint(recover()), `optim: parameter "p" has 2 elements and a gradient of 1`; got != want {
			t.Errorf("panic %q, want %q", got, want)
		}
	}()
	NewAdamW(AdamWConfig{}, []Param{p}).Step(1)
}
