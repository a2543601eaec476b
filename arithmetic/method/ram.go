package method

import (
	"math"

	"syncretic/arithmetic/vec"
)

// reinforced is ram and ramplus_tl: elements that one task vector changed are added times own, elements that several changed
// are averaged over those.
type reinforced struct {
	span
	bound int64     // an element changed where its magnitude's bits are above it; a NaN did
	own   []float32 // a model; 1 for ram
}

func newReinforced(t *Task) *reinforced {
	r := &reinforced{span{t.others(), t.base()}, -1, make([]float32, len(t.others()))}
	if epsilon := float32(t.Params["epsilon"]); epsilon >= 0 {
		r.bound = int64(vec.Magnitude(epsilon))
	}
	for i := range r.own {
		r.own[i] = 1
	}
	return r
}

// changed is all ones where an element of a task vector changed, 0 elsewhere. There is no branch in it, since which elements did
// is anyone's guess.
func (r *reinforced) changed(x float32) uint32 {
	return uint32((r.bound - int64(vec.Magnitude(x))) >> 63)
}

// count counts, for each element, the task vectors that changed it.
func (r *reinforced) count(d [][]float32, n []uint32) {
	clear(n)
	for _, d := range d {
		for i, x := range d {
			n[i] += r.changed(x) & 1
		}
	}
}

// ram keeps what a model alone has learnt at full size, where an average would dilute it.
func ram(t *Task) (kernel, error) {
	return newReinforced(t), nil
}

// ramPlus counts, in one pass, the elements that each model changed alone and together with others. A model without own
// elements has none to amplify; unlike mergekit it then gives no NaN for an epsilon of 0.
func ramPlus(t *Task) (kernel, error) {
	r := newReinforced(t)
	type count struct{ own, all uint32 } // of a chunk
	parts, err := scan(t, func(part *[]count, offset, n int, w *work) error {
		if *part == nil {
			*part = make([]count, len(r.models))
		}
		d, _, err := r.read(offset, n, w)
		if err != nil {
			return err
		}
		var owners [blockElements]uint32
		r.count(d, owners[:n])
		for m, d := range d {
			c := &(*part)[m]
			for i, x := range d {
				changed := r.changed(x) & 1
				c.all += changed
				c.own += changed & -(1 - min(1, owners[i]-1)) // where it is the only owner
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for m := range r.own {
		var own, all int
		for _, p := range parts {
			own, all = own+int(p[m].own), all+int(p[m].all)
		}
		rho := float32(0)
		if own > 0 {
			rho = float32(all-own) / float32(own)
		}
		rho = min(max(rho, 0), float32(t.Params["alpha"]))
		r.own[m] = 1 + float32(float32(t.Params["r"])*rho)
	}
	return r, nil
}

func (r *reinforced) block(offset int, dst []float32, w *work) error {
	d, base, err := r.read(offset, len(dst), w)
	if err != nil {
		return err
	}
	var owners [blockElements]uint32
	r.count(d, owners[:len(dst)])
	clear(dst)
	factors, divisors := make([]float32, len(d)+1), make([]float32, len(d)+1) // by how many models changed the element
	for n := range factors {
		factors[n], divisors[n] = 1, float32(max(1, n))
	}
	for m, d := range d {
		factors[1] = r.own[m] // there are two factors at least
		for i, x := range d {
			n := owners[i]
			value := float32(x*factors[n]) / divisors[n]
			dst[i] += math.Float32frombits(math.Float32bits(value) & r.changed(x))
		}
	}
	vec.Add(dst, base)
	return nil
}
