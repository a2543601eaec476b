package method

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"syncretic/arithmetic/vec"
)

// drop keeps each element of a task vector with probability density, whatever its value: DARE, arXiv 2311.03099.
func drop(t *Task, models []Input) ([]mask, error) {
	masks := make([]mask, len(models))
	for i, in := range models {
		switch density := in.Params["density"]; {
		case density >= 1:
		case density <= 0:
			masks[i] = keepNone{}
		default:
			m := keepSome{t.key(i), density, 1}
			if t.Params["rescale"] == rescaleProbability {
				m.factor = float32(1 / density)
			}
			masks[i] = m
		}
	}
	return masks, nil
}

// keepSome keeps what its counter-based draws keep, times a factor.
type keepSome struct {
	key     uint64
	density float64
	factor  float32
}

func (k keepSome) apply(offset int, d []float32) error {
	vec.Bernoulli(d, k.key, offset, k.density)
	if k.factor != 1 {
		vec.Scale(d, k.factor)
	}
	return nil
}

// key is the key of the random numbers of one model's task vector in this tensor: seed, place of the model among those that are
// not the base, and name of the tensor. Paths do not count, so that a recipe gives the same bytes on another machine.
func (t *Task) key(model int) uint64 {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %d %s", t.Seed, model, t.Name))
	return binary.LittleEndian.Uint64(sum[:])
}
