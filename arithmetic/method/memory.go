package method

// Memory estimates the bytes that a tensor's statistics hold while it is read, beside the blocks of the workers: candidates for a
// cut of magnitudes, masks of one bit an element, whole matrices. models counts the inputs.
func (m *Method) Memory(elements, models int) int64 {
	n := int64(elements)
	bytes := int64(0)
	if m.Trims {
		bytes += min(4*n, 8*insideMax)
	}
	if m.masks {
		bytes += n / 8 * int64(models)
	}
	if m.Whole {
		bytes += 8 * n * int64(2*models+2)
	}
	return bytes
}
