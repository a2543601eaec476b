package mergekit

import (
	"bytes"

	"syncretic/arithmetic/method"
	"syncretic/checkpoint"
	"syncretic/checkpoint/recipe"
)

// dtypes are the spellings of types in recipes: those of torch, which mergekit takes, and the format's own.
var dtypes = map[string]checkpoint.DType{
	"float64": checkpoint.F64, "float32": checkpoint.F32, "float16": checkpoint.F16, "bfloat16": checkpoint.BF16,
	"float8_e4m3fn": checkpoint.F8E4M3, "float8_e5m2": checkpoint.F8E5M2,
	"F64": checkpoint.F64, "F32": checkpoint.F32, "F16": checkpoint.F16, "BF16": checkpoint.BF16,
	"F8_E4M3": checkpoint.F8E4M3, "F8_E5M2": checkpoint.F8E5M2,
	"fp32": checkpoint.F32, "fp16": checkpoint.F16, "bf16": checkpoint.BF16, "half": checkpoint.F16, "float": checkpoint.F32,
}

// torchName is how config.json spells a type.
func torchName(d checkpoint.DType) string {
	for _, name := range []string{"float64", "float32", "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2"} {
		if dtypes[name] == d {
			return name
		}
	}
	return ""
}

// ParseDType reads a type's name; mergekit's are those of torch.
func ParseDType(name string) (checkpoint.DType, error) {
	if d, ok := dtypes[name]; ok {
		return d, nil
	}
	near := ""
	if n, ok := recipe.Nearest(name, sorted(dtypes)); ok {
		near = ` (did you mean "` + n + `"?)`
	}
	return "", wrong("dtype %q is not known%s", name, near)
}

// floating tells the types that merges compute in.
func floating(d checkpoint.DType) bool {
	switch d {
	case checkpoint.F64, checkpoint.F32, checkpoint.F16, checkpoint.BF16, checkpoint.F8E4M3, checkpoint.F8E5M2:
		return true
	}
	return false
}

// outputDType sets the type of an output tensor: out_dtype, else dtype, else what the inputs' types promote to. Unlike mergekit,
// which rounds every input to dtype first and computes in it, numbers are rounded once, at the end. computed is false where no
// input is of floats; it is an error where only some are.
func (m *merging) outputDType(row *tensor, infos []checkpoint.Info) (computed bool, err error) {
	row.DType = infos[0].DType
	for i, info := range infos {
		if floating(info.DType) != floating(infos[0].DType) {
			return false, invalid("%s: tensor %q: dtype %s, but %s has %s", row.Inputs[i].Model, info.Name, info.DType, row.Inputs[0].Model, infos[0].DType)
		}
		if floating(info.DType) {
			row.DType = promote(row.DType, info.DType)
		}
	}
	if !floating(row.DType) {
		return false, nil
	}
	for _, name := range []string{m.doc.OutDType, m.doc.DType} {
		if name != "" {
			row.DType, err = ParseDType(name)
			return true, err
		}
	}
	return true, nil
}

// promote is the smallest type that holds both, as torch promotes.
func promote(a, b checkpoint.DType) checkpoint.DType {
	switch {
	case a == b:
		return a
	case a == checkpoint.F64 || b == checkpoint.F64:
		return checkpoint.F64
	case a.Size() == 1 && b.Size() == 2:
		return b
	case a.Size() == 2 && b.Size() == 1:
		return a
	}
	return checkpoint.F32
}

// equalBytes wants tensors that are not computed to be the same in all inputs.
func equalBytes(inputs []method.Input, infos []checkpoint.Info) error {
	first, err := raw(inputs[0])
	if err != nil {
		return err
	}
	for i, in := range inputs[1:] {
		other, err := raw(in)
		if err != nil {
			return err
		}
		if infos[i+1].DType != infos[0].DType || !bytes.Equal(first, other) {
			return invalid("%s: tensor %q: %s that is not the same in %s; such tensors are copied, never computed", in.Model, in.Name,
				infos[i+1].DType, inputs[0].Model)
		}
	}
	return nil
}

func raw(in method.Input) ([]byte, error) {
	if rs, ok := in.Source.(checkpoint.RawSource); ok {
		return rs.Raw(in.Name)
	}
	return nil, invalid("%s: tensor %q: no bytes as stored", in.Model, in.Name)
}
