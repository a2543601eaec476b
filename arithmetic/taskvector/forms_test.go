package taskvector

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"

	"syncretic/checkpoint"
)

// forms are one of each.
var forms = map[string]Options{
	"dense": {}, "dense BF16": {DType: checkpoint.BF16}, "sparse": {Density: 0.2}, "sparse F16": {Density: 0.05, DType: checkpoint.F16},
	"low rank": {Rank: 8}, "low rank BF16": {Rank: 3, DType: checkpoint.BF16},
}

func TestDenseRoundsOnce(t *testing.T) {
	tau := vector(t, 1)
	for _, dtype := range []checkpoint.DType{checkpoint.F32, checkpoint.BF16, checkpoint.F16} {
		m := written(t, tau, Options{DType: dtype})
		sameBits(t, decode(t, m), rounded(t, tau, dtype))
		if meta := m.Metadata(); meta[FormKey] != "dense" || meta[VersionKey] != "1" {
			t.Errorf("metadata %v", meta)
		}
	}
}

// Files as they were written before there were forms: neither form nor version.
func TestOldFilesAreDense(t *testing.T) {
	tau := vector(t, 1)
	sameBits(t, decode(t, file{tau, map[string]string{"syncretic.kind": "task_vector"}}), tau)
}

// What was encoded reads as its file will.
func TestEncodedIsTheFile(t *testing.T) {
	tau := vector(t, 1)
	for name, o := range forms {
		e, err := Encode(tau, o)
		if err != nil {
			t.Fatal(err)
		}
		m := written(t, tau, o)
		sameBits(t, decode(t, e), decode(t, m))
		a, errA := checkpoint.Hash(e)
		b, errB := checkpoint.Hash(m)
		if a != b || errA != nil || errB != nil {
			t.Errorf("%s: hash %s, of the file %s (%v, %v)", name, a, b, errA, errB)
		}
	}
}

// Ranges of any cut give the numbers of one whole read, from several readers at once.
func TestRangesAgree(t *testing.T) {
	tau := vector(t, 1)
	for name, o := range forms {
		v := decode(t, written(t, tau, o))
		var wg sync.WaitGroup
		for _, step := range []int{1000, blockElements - 1, blockElements, blockElements + 1, 50000} {
			wg.Go(func() {
				for _, info := range v.Tensors() {
					want, err := checkpoint.ReadAll(v, info.Name)
					got := make([]float32, len(want))
					for lo := 0; lo < len(got) && err == nil; lo += step {
						err = v.Read(info.Name, lo, got[lo:min(lo+step, len(got))])
					}
					for i := range got {
						if err != nil || got[i] != want[i] {
							t.Errorf("%s: %s in steps of %d: element %d is %v, want %v (%v)", name, info.Name, step, i, got[i], want[i], err)
							return
						}
					}
				}
			})
		}
		wg.Wait()
	}
}

// checkpoint's tools may change the type of a file's floats.
func TestConvertedFilesAreRead(t *testing.T) {
	tau := vector(t, 1)
	for _, o := range []Options{{Density: 0.2}, {Rank: 4}} {
		m := written(t, tau, o)
		path := t.TempDir() + "/half.safetensors"
		if err := checkpoint.Write(t.Context(), path, m, checkpoint.WriteOptions{Metadata: m.Metadata(), DType: checkpoint.BF16}); err != nil {
			t.Fatal(err)
		}
		o.DType = checkpoint.BF16
		sameBits(t, decode(t, open(t, path)), decode(t, written(t, tau, o)))
	}
}

func TestSizes(t *testing.T) {
	tau := vector(t, 1)
	size := func(o Options) float64 {
		e, err := Encode(tau, o)
		if err != nil {
			t.Fatal(err)
		}
		files, err := checkpoint.Layout("x.safetensors", e, checkpoint.WriteOptions{Metadata: e.Metadata()})
		if err != nil {
			t.Fatal(err)
		}
		return float64(files[0].Bytes)
	}
	dense := size(Options{})
	for name, c := range map[string]struct {
		o    Options
		most float64 // of dense F32
	}{
		"bf16": {Options{DType: checkpoint.BF16}, 0.51}, "sparse": {Options{Density: 0.1}, 0.14}, "sparse bf16": {Options{Density: 0.1, DType: checkpoint.BF16}, 0.09},
		"all of it": {Options{Density: 1}, 1.01}, "rank": {Options{Rank: 4}, 0.1},
	} {
		if got := size(c.o) / dense; got > c.most {
			t.Errorf("%s: %.3f of dense, want at most %v", name, got, c.most)
		}
	}
}

func TestLostByHand(t *testing.T) {
	tau := memory(t, checkpoint.Tensor{Name: "a", Shape: []int{2}, Data: []float32{3, 4}}, checkpoint.Tensor{Name: "b", Shape: []int{2}, Data: []float32{0, 12}})
	approx := memory(t, checkpoint.Tensor{Name: "a", Shape: []int{2}, Data: []float32{0, 4}}, checkpoint.Tensor{Name: "b", Shape: []int{2}, Data: []float32{4, 12}})
	// ‖τ‖ = √(25 + 144) = 13, lost √(9 + 16) = 5; of a 3 of 5, of b 4 of 12.
	if loss, err := Lost(tau, approx, nil); err != nil || loss != (Loss{5. / 13, 0.6, "a"}) {
		t.Errorf("%+v, %v", loss, err)
	}
	if loss, err := Lost(tau, tau, nil); err != nil || loss != (Loss{}) {
		t.Errorf("of nothing: %+v, %v", loss, err)
	}
	approx = memory(t, checkpoint.Tensor{Name: "a", Shape: []int{2}, Data: []float32{0, float32(math.NaN())}}, checkpoint.Tensor{Name: "b", Shape: []int{2}, Data: []float32{4, 12}})
	if _, err := Lost(tau, approx, nil); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), `tensor "a": not finite`) {
		t.Errorf("NaN: %v", err)
	}
}

// Nothing is dropped in silence: a form that loses something refuses what is not finite, with its place.
func TestNonFiniteIsRefused(t *testing.T) {
	for name, o := range forms {
		for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(-1))} {
			data := ofRank(1, 40, 200, 100)
			data[17003] = bad
			tau := memory(t, checkpoint.Tensor{Name: "w", Shape: []int{200, 100}, Data: data})
			e, err := Encode(tau, o)
			if err == nil {
				err = checkpoint.Write(t.Context(), t.TempDir()+"/x.safetensors", e, checkpoint.WriteOptions{})
			}
			if name == "dense" {
				if err != nil {
					t.Errorf("dense F32 keeps every bit, but: %v", err)
				}
				continue
			}
			if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), `tensor "w": element 17003 differs by`) {
				t.Errorf("%s, %v: %v", name, bad, err)
			}
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	ids, err := checkpoint.NewIntegers("ids", checkpoint.I64, []int{1}, []int64{3})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		tau  checkpoint.Source
		o    Options
		text string
	}{
		"both":             {vector(t, 1), Options{Density: 0.5, Rank: 2}, "a density and a rank"},
		"negative density": {vector(t, 1), Options{Density: -0.5}, "density -0.5, want more than 0 and at most 1"},
		"density above 1":  {vector(t, 1), Options{Density: 1.5}, "density 1.5"},
		"density NaN":      {vector(t, 1), Options{Density: math.NaN()}, "density NaN"},
		"negative rank":    {vector(t, 1), Options{Rank: -1}, "rank -1, want 1 or more"},
		"dtype":            {vector(t, 1), Options{DType: checkpoint.F64}, "dtype F64, want F32, BF16 or F16"},
		"integers":         {memory(t, ids), Options{}, `tensor "ids": dtype I64: integers are no part`},
	} {
		if _, err := Encode(c.tau, c.o); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v, want it to say %q", name, err, c.text)
		}
	}
	// 65520 is the first number that F16 rounds to infinity.
	data := make([]float32, 300)
	data[277] = 65520
	e, err := Encode(memory(t, checkpoint.Tensor{Name: "w", Shape: []int{300}, Data: data}), Options{DType: checkpoint.F16})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Read("w", 100, make([]float32, 200)); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), `tensor "w": element 277: 65520 is beyond the range of F16`) {
		t.Errorf("beyond F16: %v", err)
	}
}

func TestEncodeIsInterrupted(t *testing.T) {
	for _, o := range []Options{{Density: 0.2}, {Rank: 8}} {
		ctx, cancel := context.WithCancel(t.Context())
		o.Interrupt = ctx.Err
		o.Progress = func(done, _ int) {
			if done == 3 {
				cancel()
			}
			if done > 3 {
				t.Error("it goes on")
			}
		}
		if _, err := Encode(vector(t, 1), o); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	}
}

// Reads end with the file, with nothing hidden.
func TestReadErrors(t *testing.T) {
	for name, o := range forms {
		m := written(t, vector(t, 1), o)
		v := decode(t, m)
		if err := v.Read("nothing", 0, nil); err == nil || !strings.Contains(err.Error(), m.Path()) {
			t.Errorf("%s: a tensor that is not there: %v", name, err)
		}
		for _, offset := range []int{-1, 300*70 - 1, math.MaxInt} {
			if err := v.Read("layers.0.up.weight", offset, make([]float32, 2)); err == nil {
				t.Errorf("%s: read from %d of %d", name, offset, 300*70)
			}
		}
		m.Close()
		if err := v.Read("layers.0.up.weight", 0, make([]float32, 2)); err == nil {
			t.Errorf("%s: read from a closed file", name)
		}
	}
}

func TestReadAllocatesNothing(t *testing.T) {
	for name, o := range forms {
		v := decode(t, written(t, vector(t, 1), o))
		dst := make([]float32, blockElements)
		// The pools may be emptied by a collection meanwhile, hence not exactly 0.
		if n := testing.AllocsPerRun(100, func() {
			if err := v.Read("layers.0.up.weight", 1000, dst); err != nil {
				t.Fatal(err)
			}
		}); n > 3 {
			t.Errorf("%s: %v allocations a read, want 0", name, n)
		}
	}
}
