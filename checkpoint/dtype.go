package checkpoint

import "strings"

// DTypes lists every type of the format, wide ones first.
func DTypes() []DType {
	return []DType{F64, C64, I64, U64, F32, I32, U32, F16, BF16, I16, U16, F8E4M3, F8E5M2, F8E8M0, F8E4M3FNUZ, F8E5M2FNUZ, I8, U8, Bool, F6E2M3, F6E3M2, F4}
}

// Torch is PyTorch's name of a type without "torch.", as config.json has it; "" where PyTorch has no such type.
func (d DType) Torch() string {
	switch d {
	case F64:
		return "float64"
	case F32:
		return "float32"
	case F16:
		return "float16"
	case BF16:
		return "bfloat16"
	case F8E4M3:
		return "float8_e4m3fn"
	case F8E5M2:
		return "float8_e5m2"
	case F8E8M0:
		return "float8_e8m0fnu"
	case F8E4M3FNUZ:
		return "float8_e4m3fnuz"
	case F8E5M2FNUZ:
		return "float8_e5m2fnuz"
	case C64:
		return "complex64"
	case I64, I32, I16, I8:
		return "int" + strings.TrimPrefix(string(d), "I")
	case U64, U32, U16, U8:
		return "uint" + strings.TrimPrefix(string(d), "U")
	case Bool:
		return "bool"
	}
	return ""
}

// ParseDType reads the name of a type as the format spells it (BF16, F8_E4M3; in any case) or as PyTorch does (bfloat16,
// torch.float16, half, fp16). Any other is an error that wraps [ErrInvalid].
func ParseDType(name string) (DType, error) {
	torch := strings.TrimPrefix(strings.ToLower(name), "torch.")
	switch torch {
	case "double", "fp64":
		return F64, nil
	case "float", "fp32":
		return F32, nil
	case "half", "fp16":
		return F16, nil
	}
	for _, d := range DTypes() {
		if strings.EqualFold(name, string(d)) || torch != "" && torch == d.Torch() {
			return d, nil
		}
	}
	return "", invalid("%s is no dtype: want a name such as F32, BF16 or bfloat16", quoted(name))
}
