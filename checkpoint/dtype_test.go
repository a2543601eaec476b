package checkpoint

import (
	"errors"
	"slices"
	"testing"
)

func TestParseDType(t *testing.T) {
	for want, names := range map[DType][]string{
		F64: {"F64", "f64", "float64", "double", "torch.double"}, F32: {"F32", "float32", "torch.float32", "float"}, F16: {"F16", "float16", "half", "fp16"},
		BF16: {"BF16", "bf16", "bfloat16", "torch.bfloat16"}, F8E4M3: {"F8_E4M3", "f8_e4m3", "float8_e4m3fn"}, F8E5M2: {"F8_E5M2", "float8_e5m2"},
		F8E4M3FNUZ: {"float8_e4m3fnuz"}, F8E8M0: {"float8_e8m0fnu"}, C64: {"complex64"}, I64: {"I64", "int64"}, U8: {"uint8", "U8"}, Bool: {"bool", "BOOL", "torch.bool"}, F4: {"F4"},
	} {
		for _, name := range names {
			if got, err := ParseDType(name); err != nil || got != want {
				t.Errorf("%q: %q, %v; want %s", name, got, err, want)
			}
		}
	}
	for _, name := range []string{"", "F8", "torch.", "fp8", "int", "float8", "F32 ", "auto"} {
		if got, err := ParseDType(name); got != "" || !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %q, %v; want an error", name, got, err)
		}
	}
}

// The list has each type once, wide ones first, and PyTorch's name leads back.
func TestDTypes(t *testing.T) {
	all := DTypes()
	if len(all) != 22 {
		t.Errorf("%d types, want the 22 of the reference", len(all))
	}
	if !slices.IsSortedFunc(all, func(a, b DType) int { return b.Bits() - a.Bits() }) {
		t.Errorf("%v: want wide types first", all)
	}
	for i, d := range all {
		if slices.Contains(all[:i], d) || d.Bits() == 0 {
			t.Errorf("%q is there twice or unknown", d)
		}
		if d.Torch() == "" && d.Size() > 0 {
			t.Errorf("%s has no name of PyTorch's", d)
		}
		if back, err := ParseDType(d.Torch()); d.Torch() != "" && (err != nil || back != d) {
			t.Errorf("%s: %q leads to %q, %v", d, d.Torch(), back, err)
		}
	}
}
