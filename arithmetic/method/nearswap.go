package method

// swap moves each element of the base toward the other model's by at most t.
type swap struct {
	base, other *Input
	t           float32
}

// nearswap weighs the other model's element with t/|θ_1 − θ_0|, between 0 and 1, so that elements closer than t are taken over;
// distances below 1e-6 count as 1e-6. Elements with weight 0 and 1 are copied bit for bit.
func nearswap(t *Task) (kernel, error) {
	return &swap{t.base(), &t.others()[0], float32(t.Params["t"])}, nil
}

func (s *swap) block(offset int, dst []float32, w *work) error {
	if err := s.base.read(offset, dst); err != nil {
		return err
	}
	x := w.block(len(dst))
	if err := s.other.read(offset, x); err != nil {
		return err
	}
	for i, b := range x {
		a := dst[i]
		distance := max(1e-6, abs(a-b))
		switch weight := float32(float32(1/distance) * s.t); {
		case weight >= 1:
			dst[i] = b
		case weight > 0:
			dst[i] = float32(weight*b) + float32((1-weight)*a)
		case weight != weight: // a NaN or the like stays to be seen
			dst[i] = weight
		}
	}
	return nil
}
