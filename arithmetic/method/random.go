package method

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"syncretic/arithmetic/vec"
)

// drop keeps each element of a task vector with probability density, whatever its value: DARE, arXiv 2311.03099. The draws are
// made again where a block is read, but where norms have to be found in a pass they are kept from there, a bit each.
func drop(t *Task, models []Input) ([]mask, error) {
	masks, deciders := make([]mask, len(models)), make([]decider, len(models))
	some := false
	for i, in := range models {
		switch density := in.Params["density"]; {
		case density > 1-0x1p-32:
		case density <= 0:
			masks[i] = keepNone{}
		default:
			m := keepSome{t.key(i), density, 1}
			if t.Params["rescale"] == rescaleProbability {
				m.factor = float32(1 / density)
			}
			masks[i], deciders[i], some = m, m, true
		}
	}
	if !some || t.Params["rescale"] != rescaleL1 || !t.roomForBits(len(models)) {
		return masks, nil
	}
	return withBits(t, models, masks, deciders, blocks)
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

func (k keepSome) decide(s *scratch, offset int, d []float32, kept bitmask) {
	vec.Below(kept[offset>>6:], s.drawn(k.key, offset, len(d)), vec.Limit(k.density))
}

// key is the key of the random numbers of one model's task vector in this tensor: seed, place of the model among those that are
// not the base, and name of the tensor. Paths do not count, so that a recipe gives the same bytes on another machine.
func (t *Task) key(model int) uint64 {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %d %s", t.Seed, model, t.Name))
	return binary.LittleEndian.Uint64(sum[:])
}
