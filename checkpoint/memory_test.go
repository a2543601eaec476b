package checkpoint

import (
	"errors"
	"math"
	"slices"
	"testing"
)

func integers(t *testing.T, name string, dtype DType, values ...int64) Tensor {
	t.Helper()
	tensor, err := NewIntegers(name, dtype, []int{len(values)}, values)
	if err != nil {
		t.Fatal(err)
	}
	return tensor
}

func memory(t *testing.T, tensors ...Tensor) *Memory {
	t.Helper()
	m, err := NewMemory(tensors...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMemoryReads(t *testing.T) {
	m := memory(t, Tensor{Name: "b", Shape: []int{2, 2}, Data: []float32{1, 2, 3, 4}}, integers(t, "a", I64, 5, -6), Tensor{Name: "s", Data: []float32{7}})
	var names []string
	for _, info := range m.Tensors() {
		names = append(names, info.Name)
	}
	if want := []string{"a", "b", "s"}; !slices.Equal(names, want) {
		t.Errorf("tensors %q, want %q", names, want)
	}
	part := make([]float32, 2)
	if err := m.Read("b", 1, part); err != nil || part[0] != 2 || part[1] != 3 {
		t.Errorf("Read(b, 1) = %v, %v; want [2 3]", part, err)
	}
	if err := m.Read("a", 0, part); err != nil || part[0] != 5 || part[1] != -6 {
		t.Errorf("Read(a, 0) = %v, %v; want [5 -6]", part, err)
	}
	raw, err := m.Raw("b")
	if err != nil || len(raw) != 16 || raw[3] != 0x3f || raw[2] != 0x80 {
		t.Errorf("Raw(b) = %x, %v", raw, err)
	}
	if s, err := ReadAll(m, "s"); err != nil || len(s) != 1 || s[0] != 7 {
		t.Errorf("scalar = %v, %v; want [7]", s, err)
	}
}

func TestMemoryRefuses(t *testing.T) {
	for _, c := range []struct {
		name    string
		tensors []Tensor
		text    string
	}{
		{"twice", []Tensor{{Name: "a", Data: []float32{1}}, {Name: "a", Data: []float32{1}}}, `tensor "a": given twice`},
		{"too few", []Tensor{{Name: "a", Shape: []int{3}, Data: []float32{1}}}, `tensor "a": 1 elements, want as many as shape [3] has`},
		{"empty scalar", []Tensor{{Name: "a"}}, "0 elements"},
		{"negative", []Tensor{{Name: "a", Shape: []int{-1, -1}, Data: []float32{1}}}, "shape [-1 -1]"},
		{"no name", []Tensor{{Data: []float32{1}}}, "cannot be stored"},
		{"metadata", []Tensor{{Name: "__metadata__", Data: []float32{1}}}, "cannot be stored"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := NewMemory(c.tensors...); !errors.Is(err, ErrInvalid) || !contains(err, c.text) {
				t.Errorf("error %v, want one that says %q", err, c.text)
			}
		})
	}
}

func TestReadRange(t *testing.T) {
	m := memory(t, Tensor{Name: "x", Shape: []int{4}, Data: make([]float32, 4)}, integers(t, "i", I16, 1, 2))
	file := open(t, "testdata/mixed.safetensors")
	for _, c := range []struct {
		src           Source
		name          string
		offset, count int
		ok            bool
	}{
		{m, "x", 0, 4, true}, {m, "x", 4, 0, true}, {m, "x", 1, 4, false}, {m, "x", -1, 1, false}, {m, "x", math.MaxInt, 1, false},
		{m, "x", 5, 0, false}, {m, "none", 0, 0, false}, {m, "i", 1, 1, true}, {m, "i", 1, 2, false},
		{file, "scalar", 0, 1, true}, {file, "scalar", 1, 1, false}, {file, "empty", 0, 0, true}, {file, "empty", 0, 1, false},
		{file, "encoder.weight", 10, 2, true}, {file, "encoder.weight", 10, 3, false}, {file, "none", 0, 1, false},
	} {
		err := c.src.Read(c.name, c.offset, make([]float32, c.count))
		if (err == nil) != c.ok || err != nil && !errors.Is(err, ErrInvalid) {
			t.Errorf("Read(%q, %d, %d elements) = %v, want success: %v", c.name, c.offset, c.count, err, c.ok)
		}
	}
}

func TestIntegersKeepEveryValue(t *testing.T) {
	for _, c := range []struct {
		dtype  DType
		values []int64
	}{
		{I64, []int64{math.MinInt64, -1, 0, math.MaxInt64}}, {U64, []int64{0, math.MaxInt64}},
		{I32, []int64{math.MinInt32, math.MaxInt32}}, {U32, []int64{0, math.MaxUint32}},
		{I16, []int64{math.MinInt16, math.MaxInt16}}, {U16, []int64{0, math.MaxUint16}},
		{I8, []int64{math.MinInt8, math.MaxInt8}}, {U8, []int64{0, 255}}, {Bool, []int64{0, 1}},
	} {
		m := memory(t, integers(t, "x", c.dtype, c.values...))
		got, err := ReadIntegers(m, "x")
		if err != nil || !slices.Equal(got, c.values) {
			t.Errorf("%s: %d, %v; want %d", c.dtype, got, err, c.values)
		}
	}
}

func TestIntegersRefuse(t *testing.T) {
	for _, c := range []struct {
		dtype DType
		value int64
	}{{I32, 1 << 31}, {U32, -1}, {I16, 40000}, {U16, 65536}, {I8, 128}, {U8, 256}, {Bool, 2}, {U64, -1}, {F32, 1}, {"I128", 1}} {
		if _, err := NewIntegers("x", c.dtype, nil, []int64{c.value}); !errors.Is(err, ErrInvalid) {
			t.Errorf("%d as %s: error %v, want ErrInvalid", c.value, c.dtype, err)
		}
	}
	m := memory(t, Tensor{Name: "f", Data: []float32{1}}, integers(t, "i", I8, 1))
	if _, err := ReadIntegers(m, "f"); !contains(err, "want an integer type") {
		t.Errorf("ReadIntegers of floats: %v", err)
	}
	if _, err := ReadIntegers(m, "none"); !contains(err, "not present") {
		t.Errorf("ReadIntegers of nothing: %v", err)
	}
	if _, err := ReadIntegers(struct{ Source }{m}, "i"); !contains(err, "no integers as stored") {
		t.Errorf("ReadIntegers without Raw: %v", err)
	}
}

// Integers read as float32 only where that is exact.
func TestWideIntegersMustBeExact(t *testing.T) {
	m := memory(t, integers(t, "ok", I64, 1<<24, -(1<<62), math.MinInt64), integers(t, "odd", I64, 0, 1<<24+1),
		integers(t, "max", I64, math.MaxInt64), integers(t, "u", U64, 1<<62), integers(t, "uodd", U64, math.MaxInt64), integers(t, "i", I32, 1<<31-1))
	for name, want := range map[string]string{"ok": "", "u": "", "odd": "element 1: 16777217", "max": "element 0", "uodd": "element 0", "i": "element 0"} {
		_, err := ReadAll(m, name)
		if want == "" && err != nil || want != "" && !contains(err, want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

// Every half survives the way to float32 and back, and lies where its definition says.
func TestHalvesRoundTrip(t *testing.T) {
	for i := range 1 << 16 {
		h := uint16(i)
		exp, frac := int(h>>10&31), float64(h&1023)
		want := math.Ldexp(1024+frac, exp-25)
		switch {
		case exp == 0:
			want = math.Ldexp(frac, -24)
		case exp == 31 && frac == 0:
			want = math.Inf(1)
		case exp == 31:
			want = math.NaN()
		}
		x := fromF16(h)
		if float64(x) != math.Copysign(want, float64(1-int(h>>15)*2)) && want == want || want != want && x == x {
			t.Fatalf("fromF16(%#04x) = %v, want ±%v", h, x, want)
		}
		if want == want && toF16(x) != h {
			t.Fatalf("toF16(%v) = %#04x, want %#04x", x, toF16(x), h)
		}
		if y := fromBF16(h); y == y && toBF16(y) != h || y != y && fromBF16(toBF16(y)) == fromBF16(toBF16(y)) {
			t.Fatalf("toBF16(%v) = %#04x, want %#04x", y, toBF16(y), h)
		}
	}
}

func TestCompose(t *testing.T) {
	a := memory(t, Tensor{Name: "w", Data: []float32{1}}, integers(t, "n", I64, 9))
	b := Prefix(memory(t, Tensor{Name: "w", Data: []float32{2}}), "b.")
	u, err := Union(a, b)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]float32{"w": 1, "n": 9, "b.w": 2} {
		got, err := ReadAll(u, name)
		if err != nil || got[0] != want {
			t.Errorf("union %s = %v, %v; want %v", name, got, err, want)
		}
	}
	if raw, err := u.(RawSource).Raw("n"); err != nil || raw[0] != 9 {
		t.Errorf("Raw through a union = %v, %v", raw, err)
	}
	only := Select(u, func(name string) bool { return name != "w" })
	if _, ok := Find(only, "w"); ok || len(only.Tensors()) != 2 {
		t.Errorf("Select kept %v", only.Tensors())
	}
	if err := only.Read("w", 0, make([]float32, 1)); !errors.Is(err, ErrInvalid) {
		t.Errorf("reading what Select dropped: %v", err)
	}
	if _, err := only.(RawSource).Raw("w"); !errors.Is(err, ErrInvalid) {
		t.Errorf("bytes of what Select dropped: %v", err)
	}
	if err := b.Read("w", 0, make([]float32, 1)); !errors.Is(err, ErrInvalid) {
		t.Errorf("reading without the prefix: %v", err)
	}
	if _, err := Union(a, a); !contains(err, `tensor "n": in two`) {
		t.Errorf("Union of one twice: %v", err)
	}
	if _, err := Prefix(struct{ Source }{a}, "x").(RawSource).Raw("xn"); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Raw over a source without: %v, want ErrUnsupported", err)
	}
}

func TestHashCountsContentsOnly(t *testing.T) {
	x := Tensor{Name: "x", Shape: []int{2}, Data: []float32{1, 2}}
	m := memory(t, x)
	base := hash(t, m)
	if got := hash(t, struct{ Source }{m}); got != base {
		t.Errorf("hash by Read %s, by Raw %s", got, base)
	}
	for name, other := range map[string]Tensor{
		"name": {Name: "y", Shape: []int{2}, Data: x.Data}, "shape": {Name: "x", Shape: []int{2, 1}, Data: x.Data}, "value": {Name: "x", Shape: []int{2}, Data: []float32{1, 3}},
	} {
		if hash(t, memory(t, other)) == base {
			t.Errorf("another %s, the same hash", name)
		}
	}
}
