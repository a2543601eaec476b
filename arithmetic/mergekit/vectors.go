package mergekit

import (
	"slices"

	"syncretic/arithmetic/vec"
	"syncretic/checkpoint"
)

// Vectors are what an observation's names stand for, as sources of the tensors that it covers: task vectors or models, and last the
// merge. They are for package spectra.
func (o *Observer) Vectors() []checkpoint.Source {
	var list []checkpoint.Source
	for at := range len(o.names) + 1 {
		list = append(list, &observedVector{o, at})
	}
	return list
}

// observedVector is one of them.
type observedVector struct {
	*Observer
	at int // among the names
}

func (v *observedVector) Read(name string, offset int, dst []float32) error {
	seen := v.seen[name]
	if seen == nil {
		return invalid("tensor %q: not observed", name)
	}
	if v.at == len(v.names) {
		if err := v.Merge.Read(name, offset, dst); err != nil {
			return err
		}
	} else {
		i := slices.Index(seen.vectors, v.at)
		if i < 0 { // takes no part
			clear(dst)
			return nil
		}
		in := seen.task.Inputs[i]
		if err := in.Source.Read(in.Name, offset, dst); err != nil {
			return err
		}
	}
	if !v.origin {
		return nil
	}
	base := make([]float32, len(dst))
	origin := seen.task.Inputs[seen.task.Base]
	if err := origin.Source.Read(origin.Name, offset, base); err != nil {
		return err
	}
	vec.Sub(dst, base)
	return nil
}
