package method

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"syncretic/checkpoint"
)

// halves is a source of one tensor of 16 bits.
type halves struct {
	dtype checkpoint.DType
	raw   []byte
	n     int
}

func (h *halves) Tensors() []checkpoint.Info {
	return []checkpoint.Info{{Name: "w", DType: h.dtype, Shape: []int{h.n}}}
}

func (h *halves) Raw(string) ([]byte, error) { return h.raw, nil }

func (h *halves) Read(_ string, offset int, dst []float32) error {
	for i := range dst {
		b := binary.LittleEndian.Uint16(h.raw[2*(offset+i):])
		dst[i] = math.Float32frombits(uint32(b) << 16)
		if h.dtype == checkpoint.F16 {
			dst[i] = float32(b&0x3ff|0x400) * 0x1p-20 // of exponent 5 alone
		}
	}
	return nil
}

// readOnly hides what a source has in memory.
type readOnly struct{ checkpoint.Source }

// TestFusedIsItsSteps: one pass over operands in memory, read, of 16 bits, and of differences gives the bits of the steps one by one,
// zeros of both signs and values that are not finite among them.
func TestFusedIsItsSteps(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for round := range 60 {
		n := []int{1, 63, 64, 1000, blockElements + 5, streamElements + 70}[round%6]
		count := 1 + r.IntN(4)
		task := Task{Name: "w", Shape: []int{n}, Base: r.IntN(count + 1), Params: Values{"lambda": r.NormFloat64()}}
		fused := 0
		for i := range count + 1 {
			data := make([]float32, n)
			for j := range data {
				switch data[j] = float32(r.NormFloat64()); r.IntN(8) {
				case 0:
					data[j] = 0
				case 1:
					data[j] = float32(math.Copysign(0, -1))
				}
			}
			if round%10 == 9 {
				data[r.IntN(n)] = float32(math.Inf(1))
			}
			src, err := checkpoint.NewMemory(checkpoint.Tensor{Name: "w", Shape: []int{n}, Data: data})
			if err != nil {
				t.Fatal(err)
			}
			in := Input{Model: fmt.Sprint(i), Name: "w", Source: src, Params: Values{"weight": r.NormFloat64()}}
			if r.IntN(3) == 0 {
				in.Params["weight"] = 0
			}
			switch r.IntN(4) {
			case 0:
				in.Source = readOnly{src}
			case 1:
				h := &halves{dtype: []checkpoint.DType{checkpoint.BF16, checkpoint.F16}[r.IntN(2)], n: n}
				for range n {
					h.raw = binary.LittleEndian.AppendUint16(h.raw, uint16(r.IntN(0x400)|5<<10)) // F16: exponent 5; BF16: small
				}
				in.Source = h
			}
			if i != task.Base && r.IntN(2) == 0 {
				in.Delta, in.Source = in.Source, src
			}
			task.Inputs = append(task.Inputs, in)
		}
		m, _ := Find("task_arithmetic")
		tensor, err := m.Tensor(task)
		if err != nil {
			t.Fatal(err)
		}
		k, err := tensor.prepared()
		if err != nil {
			t.Fatal(err)
		}
		if k.(*taskVectorKernel).fuse() != nil {
			fused++
		}
		got, want := make([]float32, n), make([]float32, n)
		if err := tensor.Read(0, got); err != nil {
			t.Fatal(err)
		}
		w := borrow()
		for lo := 0; lo < n; lo += blockElements {
			w.reset()
			if err := k.block(lo, want[lo:min(n, lo+blockElements)], w); err != nil {
				t.Fatal(err)
			}
		}
		w.giveBack()
		for i := range want {
			if math.Float32bits(got[i]) != math.Float32bits(want[i]) && (got[i] == got[i] || want[i] == want[i]) {
				t.Fatalf("round %d: element %d of %d is %v, want %v", round, i, n, got[i], want[i])
			}
		}
		some := slices.ContainsFunc(task.others(), func(in Input) bool { return in.Params["weight"] != 0 })
		if some != (fused > 0) {
			t.Errorf("round %d: fused: %v, want %v", round, fused > 0, some)
		}
	}
}

// TestDeltaIsTheDifference: a model that is kept as its difference from the base, exactly representable, gives the bits of the model
// itself, by every method.
func TestDeltaIsTheDifference(t *testing.T) {
	for _, m := range Methods() {
		if m.Base == BaseIgnored || m.Data {
			continue
		}
		t.Run(m.Name, func(t *testing.T) {
			shape := []int{12, 20}
			if m.Whole {
				shape = []int{6, 8}
			}
			task := taskFor(t, m, shape)
			n := task.Elements()
			exact := models(t, len(task.Inputs), n, true) // eighths
			var base []float32
			for i := range task.Inputs {
				data, err := checkpoint.ReadAll(exact[i].Source, "w")
				if err != nil {
					t.Fatal(err)
				}
				if i == 0 {
					base = data
				}
				difference := slices.Clone(data)
				for j := range difference {
					difference[j] -= base[j]
				}
				task.Inputs[i].Source = memory(t, shape, data)
				if i > 0 {
					task.Inputs[i].Delta = memory(t, shape, difference)
				}
			}
			if m.Name == "wudi" {
				task.Params["iterations"] = 3
			}
			read := func(task Task) []float32 {
				tensor, err := m.Tensor(task)
				if err != nil {
					t.Fatal(err)
				}
				x := make([]float32, n)
				if err := tensor.Read(0, x); err != nil {
					t.Fatal(err)
				}
				return x
			}
			got := read(task)
			task.Inputs = slices.Clone(task.Inputs)
			for i := range task.Inputs {
				task.Inputs[i].Delta = nil
			}
			if want := read(task); !slices.Equal(got, want) {
				t.Error("another result than that of the models")
			}
		})
	}
}

func memory(t *testing.T, shape []int, data []float32) checkpoint.Source {
	t.Helper()
	src, err := checkpoint.NewMemory(checkpoint.Tensor{Name: "w", Shape: shape, Data: data})
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// TestPassKey: tensors with the same key share their passes and give what they give by themselves; a parameter on which a pass depends
// is in the key, and every parameter that changes anything is in the other one.
func TestPassKey(t *testing.T) {
	for _, m := range Methods() {
		if m.Data {
			continue
		}
		t.Run(m.Name, func(t *testing.T) {
			shape := []int{12, 20}
			first := taskFor(t, m, shape)
			if m.Name == "wudi" {
				first.Params["iterations"] = 3
			}
			make1 := func(task Task) *Tensor {
				tensor, err := m.Tensor(task)
				if err != nil {
					t.Fatal(err)
				}
				return tensor
			}
			read := func(tensor *Tensor) []float32 {
				x := make([]float32, first.Elements())
				if err := tensor.Read(0, x); err != nil {
					t.Fatal(err)
				}
				return x
			}
			one := make1(first)
			before := read(one)
			for _, p := range m.Params {
				if p.Inert || p.Kind == Choice && p.Name != "rescale" || p.Name == "iterations" {
					continue
				}
				other := first
				other.Params, other.Inputs = Values{}, slices.Clone(first.Inputs)
				for name, v := range first.Params {
					other.Params[name] = v
				}
				change := func(v Values) {
					v[p.Name] = 1 - v[p.Name]
					switch {
					case p.Kind == Number && p.Max > 0:
						v[p.Name] = 0.21 * p.Max
					case p.Kind == Number:
						v[p.Name] -= 0.1
					}
				}
				if p.Scope == Shared {
					change(other.Params)
				} else {
					for i := range other.Inputs {
						v := Values{}
						for name, x := range other.Inputs[i].Params {
							v[name] = x
						}
						if change(v); i == 1 {
							v[p.Name] *= 1.5
						}
						other.Inputs[i].Params = v
					}
				}
				two := make1(other)
				if one.Key() == two.Key() {
					t.Errorf("%s changes nothing in the key %s", p.Name, one.Key())
				}
				late := slices.Contains(m.late, p.Name)
				if same := one.PassKey() == two.PassKey(); same != late {
					t.Errorf("%s: the same passes: %v, want %v", p.Name, same, late)
				}
				if !late {
					continue
				}
				want := read(two)
				shared := make1(other)
				shared.ShareEqual(one)
				if got := read(shared); !slices.Equal(got, want) || !shared.Shares(one) {
					t.Errorf("%s: passes of another setting give another result", p.Name)
				}
				if !slices.Equal(read(one), before) {
					t.Errorf("%s: sharing changes the first tensor", p.Name)
				}
			}
			held := one.Held()
			one.Release()
			if after := one.Held(); after != 0 || held < 0 {
				t.Errorf("%d bytes held, after release %d", held, after)
			}
		})
	}
}
