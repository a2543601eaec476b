package probe

import "math"

// plateau halves the learning rate as PyTorch's ReduceLROnPlateau(mode="max", factor=0.5) does: after more than patience
// epochs none of which beat the best by a ten-thousandth of it. With a best of -Inf any first value is better.
type plateau struct {
	lr, best float64
	patience int
	bad      int
}

func newPlateau(lr float64, patience int) plateau {
	return plateau{lr: lr, patience: patience, best: math.Inf(-1)}
}

func (p *plateau) step(value float64) {
	const threshold = 1e-4
	// PyTorch's expression; where best is negative, as R2 may be, it asks for a value above best·(1 + threshold), below best
	if math.IsInf(p.best, -1) || value > p.best*(1+threshold) {
		p.best, p.bad = value, 0
		return
	}
	if p.bad++; p.bad > p.patience {
		p.lr, p.bad = p.lr/2, 0
	}
}
