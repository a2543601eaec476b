package torchfile

// Gather copies elements, in row-major order from the given one on, into dst, which they fill. Elements outside of the tensor
// are the caller's mistake: it panics.
//
// It works for every tensor. Where Bytes are there they are the same without a copy.
func (t *Tensor) Gather(dst []byte, element int) {
	if t.Bytes != nil {
		from := t.Bytes[element*t.size:]
		copy(dst, from[:len(dst)])
		return
	}
	if len(dst) == 0 {
		return
	}
	// Counts of steps along each axis, and the place that they lead to.
	var steps [maxRank]int
	at := 0
	for i := len(t.axes) - 1; i >= 0; i-- {
		a := t.axes[i]
		steps[i] = element % a.length
		element /= a.length
		at += steps[i] * a.stride
	}
	if element != 0 {
		panic("torchfile: elements outside of the tensor are gathered")
	}
	inner := len(t.axes) - 1
	for {
		a := t.axes[inner]
		run := min(a.length-steps[inner], len(dst)/t.size)
		copyRun(dst[:run*t.size], t.origin[at*t.size:], t.size, a.stride)
		dst = dst[run*t.size:]
		if len(dst) == 0 {
			return
		}
		// The last axis is through: carry into those before it.
		at -= steps[inner] * a.stride
		steps[inner] = 0
		i := inner - 1
		for ; i >= 0; i-- {
			a := t.axes[i]
			if steps[i]++; steps[i] < a.length {
				at += a.stride
				break
			}
			at -= (a.length - 1) * a.stride
			steps[i] = 0
		}
		if i < 0 {
			panic("torchfile: elements outside of the tensor are gathered")
		}
	}
}

// copyRun copies elements of some size that are stride elements apart.
func copyRun(dst, src []byte, size, stride int) {
	if stride == 1 {
		copy(dst, src[:len(dst)])
		return
	}
	step := stride * size
	switch size {
	case 1:
		for i := range dst {
			dst[i] = src[i*step]
		}
	case 2:
		for i, at := 0, 0; i < len(dst); i, at = i+2, at+step {
			*(*[2]byte)(dst[i:]) = *(*[2]byte)(src[at:])
		}
	case 4:
		for i, at := 0, 0; i < len(dst); i, at = i+4, at+step {
			*(*[4]byte)(dst[i:]) = *(*[4]byte)(src[at:])
		}
	default:
		for i, at := 0, 0; i < len(dst); i, at = i+size, at+step {
			copy(dst[i:i+size], src[at:])
		}
	}
}
