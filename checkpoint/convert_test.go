package checkpoint

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// edges are numbers around every border that the 16-bit types have, NaN and infinities among them.
func edges() []float32 {
	var x []float32
	for _, u := range []uint32{0, 1, 0x7fffff, 0x33000000, 0x33000001, 0x387fefff, 0x387ff000, 0x38800000, 0x3f800fff, 0x3f801000,
		0x3f803000, 0x3f808000, 0x3f818000, 0x477fefff, 0x7f7f7fff, 0x7f800000, 0x7f800001, 0x7fc00000, 0x7fffffff} {
		for d := range uint32(3) {
			x = append(x, math.Float32frombits(u+d), math.Float32frombits(u+d|1<<31))
		}
	}
	return x
}

// Blocks are encoded as single numbers are, at any alignment; what the type cannot hold is found.
func TestEncodeAgreesWithScalars(t *testing.T) {
	for _, c := range []struct {
		dtype DType
		round func(float32) uint16
		widen func(uint16) float32
	}{{F16, toF16, fromF16}, {BF16, toBF16, fromBF16}} {
		for _, x := range edges() {
			for shift := range 2 {
				room := make([]byte, 16)[shift:]
				block, err := encode(c.dtype, room, []float32{1, x})
				want := c.round(x)
				wide := c.widen(want)
				if overflow := math.IsInf(float64(wide), 0) && !math.IsInf(float64(x), 0); overflow != (err != nil) {
					t.Errorf("%s(%v): error %v, want one: %v", c.dtype, x, err, overflow)
				}
				if err != nil {
					continue
				}
				if got := uint16(block[2]) | uint16(block[3])<<8; got != want {
					t.Errorf("%s(%v) = %#04x, want %#04x", c.dtype, x, got, want)
				}
				back := make([]float32, 2)
				if err := decode(c.dtype, back, block); err != nil || back[0] != 1 || !sameFloat(back[1], wide) {
					t.Errorf("%s(%v) read back as %v, %v; want [1 %v]", c.dtype, x, back, err, wide)
				}
			}
		}
	}
}

// Rounding goes to the nearer neighbour, and between two equally near ones to the even.
func TestRoundingIsToNearestEven(t *testing.T) {
	for _, x := range edges() {
		if math.IsInf(float64(x), 0) || x != x {
			continue
		}
		for name, c := range map[string]struct {
			code  uint16
			widen func(uint16) float32
		}{"F16": {toF16(x), fromF16}, "BF16": {toBF16(x), fromBF16}} {
			at := float64(c.widen(c.code))
			if math.IsInf(at, 0) {
				continue // the border itself is TestGoldenConversions' and the overflow error's
			}
			for _, other := range []uint16{c.code - 1, c.code + 1} {
				near := float64(c.widen(other))
				if math.IsInf(near, 0) || near != near || c.code&0x7fff == 0 && other == c.code-1 {
					continue
				}
				here, there := math.Abs(float64(x)-at), math.Abs(float64(x)-near)
				if there < here || there == here && c.code&1 == 1 {
					t.Errorf("%s(%v) = %v, but %v is nearer or even", name, x, at, near)
				}
			}
		}
	}
}

// Tensors may start anywhere in a file.
func TestMisalignedTensors(t *testing.T) {
	header := `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"BF16","shape":[2],"data_offsets":[1,5]},` +
		`"c":{"dtype":"F16","shape":[1],"data_offsets":[5,7]},"d":{"dtype":"F32","shape":[1],"data_offsets":[7,11]},` +
		`"e":{"dtype":"F64","shape":[1],"data_offsets":[11,19]},"f":{"dtype":"I64","shape":[1],"data_offsets":[19,27]}}`
	data := "\x07" + "\x80\x3f\x00\x40" + "\x00\xbc" + "\x00\x00\x20\x41" + "\x00\x00\x00\x00\x00\x00\xe0\x3f" + "\xfe\xff\xff\xff\xff\xff\xff\xff"
	path := filepath.Join(t.TempDir(), "m.safetensors")
	if err := os.WriteFile(path, []byte(file(header, 0)+data), 0o666); err != nil {
		t.Fatal(err)
	}
	m := open(t, path)
	for name, want := range map[string][]float32{"a": {7}, "b": {1, 2}, "c": {-1}, "d": {10}, "e": {0.5}, "f": {-2}} {
		if got, err := ReadAll(m, name); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s = %v, %v; want %v", name, got, err, want)
		}
	}
	out := filepath.Join(t.TempDir(), "aligned.safetensors")
	if err := Write(t.Context(), out, m, WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	if hash(t, open(t, out)) != hash(t, m) {
		t.Error("contents differ after writing aligned")
	}
}

func TestSizes(t *testing.T) {
	for bits, dtypes := range map[int][]DType{64: {F64, C64, I64, U64}, 32: {F32, I32, U32}, 16: {F16, BF16, I16, U16},
		8: {F8E4M3, F8E5M2, F8E8M0, F8E4M3FNUZ, F8E5M2FNUZ, I8, U8, Bool}, 6: {F6E2M3, F6E3M2}, 4: {F4}, 0: {"F8", ""}} {
		for _, dtype := range dtypes {
			if dtype.Bits() != bits || dtype.Size() != bits/8 {
				t.Errorf("%q has %d bits and %d bytes, want %d bits", dtype, dtype.Bits(), dtype.Size(), bits)
			}
		}
	}
	if info := (Info{"x", F4, []int{2, 3}}); info.Bytes() != 3 {
		t.Errorf("%v: %d bytes, want 3", info, info.Bytes())
	}
	info := Info{"x", F16, []int{3, 0, 5}}
	if info.Elements() != 0 || info.Bytes() != 0 {
		t.Errorf("%v: %d elements, %d bytes; want none", info, info.Elements(), info.Bytes())
	}
	if scalar := (Info{"s", F64, nil}); scalar.Elements() != 1 || scalar.Bytes() != 8 {
		t.Errorf("scalar: %d elements, %d bytes; want 1, 8", scalar.Elements(), scalar.Bytes())
	}
}

// Types carried as bytes are copied, and refused as numbers. Those of less than a byte fill more than one block.
func TestOpaqueTypes(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "m.safetensors")
	var fields, names []string
	var data []byte
	for i, dtype := range []DType{C64, F8E8M0, F8E4M3FNUZ, F8E5M2FNUZ, F6E2M3, F6E3M2, F4} {
		elements := 8
		if dtype.Size() == 0 {
			elements = blockElements + 8
		}
		begin := len(data)
		for j := range dtype.bytes(elements) {
			data = append(data, byte(7*int(j)+i))
		}
		names = append(names, string(dtype))
		fields = append(fields, fmt.Sprintf(`"%s":{"dtype":"%[1]s","shape":[%d],"data_offsets":[%d,%d]}`, dtype, elements, begin, len(data)))
	}
	text := file("{"+strings.Join(fields, ",")+"}", 0) + string(data)
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	m := open(t, path)
	for _, name := range names {
		if _, err := ReadAll(m, name); !contains(err, "cannot be read as numbers") {
			t.Errorf("%s: %v", name, err)
		}
		one := Select(m, func(other string) bool { return other == name })
		if err := Write(t.Context(), filepath.Join(dir, "x.safetensors"), one, WriteOptions{DType: F32}); !contains(err, "carried as bytes only") {
			t.Errorf("%s: written as F32: %v", name, err)
		}
	}
	out := filepath.Join(dir, "copy.safetensors")
	if err := Write(t.Context(), out, m, WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	copied := open(t, out)
	for _, name := range names {
		a, _ := m.Raw(name)
		if b, err := copied.Raw(name); err != nil || len(a) == 0 || string(a) != string(b) {
			t.Errorf("%s: %d bytes after a copy, %v; want the same %d", name, len(b), err, len(a))
		}
	}
	if hash(t, copied) != hash(t, m) {
		t.Error("contents differ after a copy")
	}
	text = text[:len(text)-1] + "\x00"
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	if hash(t, copied) == hash(t, open(t, path)) {
		t.Error("the hash does not see the last byte")
	}
}
