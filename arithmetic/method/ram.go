package method

import "syncretic/arithmetic/vec"

// reinforced is ram and ramplus_tl: elements that one task vector changed are added times own, elements that several changed
// are averaged over those.
type reinforced struct {
	span
	epsilon float32
	own     []float32 // a model; 1 for ram
}

// ram keeps what a model alone has learnt at full size, where an average would dilute it.
func ram(t *Task) (kernel, error) {
	r := &reinforced{span{t.others(), t.base()}, float32(t.Params["epsilon"]), nil}
	for range r.models {
		r.own = append(r.own, 1)
	}
	return r, nil
}

// ramPlus counts, in one pass, the elements that each model changed alone and together with others. A model without own
// elements has none to amplify; unlike mergekit it then gives no NaN for an epsilon of 0.
func ramPlus(t *Task) (kernel, error) {
	r := &reinforced{span{t.others(), t.base()}, float32(t.Params["epsilon"]), make([]float32, len(t.others()))}
	type count struct{ own, shared int }
	parts, err := scan(t, func(part *[]count, offset, n int, w *work) error {
		if *part == nil {
			*part = make([]count, len(r.models))
		}
		d, _, err := r.read(offset, n, w)
		if err != nil {
			return err
		}
		changed := r.changed(d, w.block(n))
		for m, d := range d {
			c := &(*part)[m]
			for i, x := range d {
				if abs(x) > r.epsilon {
					if changed[i] == 1 {
						c.own++
					} else {
						c.shared++
					}
				}
			}
		}
		return nil
	})
	for m := range r.own {
		var c count
		for _, p := range parts {
			c.own, c.shared = c.own+p[m].own, c.shared+p[m].shared
		}
		rho := float32(0)
		if c.own > 0 {
			rho = float32(c.shared) / float32(c.own)
		}
		rho = min(max(rho, 0), float32(t.Params["alpha"]))
		r.own[m] = 1 + float32(float32(t.Params["r"])*rho)
	}
	return r, err
}

// changed counts, for each element, the task vectors that changed it.
func (r *reinforced) changed(d [][]float32, count []float32) []float32 {
	clear(count)
	for _, d := range d {
		for i, x := range d {
			if abs(x) > r.epsilon {
				count[i]++
			}
		}
	}
	return count
}

func (r *reinforced) block(offset int, dst []float32, w *work) error {
	d, base, err := r.read(offset, len(dst), w)
	if err != nil {
		return err
	}
	changed := r.changed(d, w.block(len(dst)))
	clear(dst)
	for m, d := range d {
		own := r.own[m]
		for i, x := range d {
			switch {
			case !(abs(x) > r.epsilon):
			case changed[i] == 1:
				dst[i] += float32(x * own)
			default:
				dst[i] += x / changed[i]
			}
		}
	}
	vec.Add(dst, base)
	return nil
}
