package mergekit

import (
	"bytes"
	"fmt"

	"syncretic/arithmetic/method"
	"syncretic/checkpoint"
	"syncretic/checkpoint/recipe"
)

// parseDType reads the type of a recipe: torch's names, which mergekit takes, or the format's own.
func parseDType(name string) (checkpoint.DType, error) {
	d, err := checkpoint.ParseDType(name)
	if err == nil && floating(d) {
		return d, nil
	}
	near := ""
	if n, ok := recipe.Nearest(name, []string{"float64", "float32", "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2"}); ok {
		near = fmt.Sprintf(" (did you mean %q?)", n)
	}
	return "", wrong("dtype %q is not a type of floats%s", name, near)
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
			row.DType, err = parseDType(name)
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
