package method

import "syncretic/checkpoint"

// Memory estimates the bytes that a tensor's statistics hold while it is read, beside the blocks of the workers: candidates for a
// cut of magnitudes, masks of one bit an element, whole matrices in float64 and Gram matrices of their columns. models counts the
// inputs.
func (m *Method) Memory(shape []int, models int) int64 {
	n := int64(checkpoint.Info{Shape: shape}.Elements())
	bytes := int64(0)
	if m.Trims {
		bytes += min(4*n, 8*insideMax)
	}
	if m.masks {
		bytes += n / 8 * int64(models)
	}
	if m.Whole && len(shape) > 1 && shape[0] > 0 {
		in := n / int64(shape[0])
		bytes += 8*n*int64(2*models+2) + 4*8*in*in
	}
	return bytes
}
