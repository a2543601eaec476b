package search

// random draws every parameter uniformly from its scale, independently (Bergstra and Bengio 2012, JMLR 13:281-305).
type random struct {
	space Space
	seed  uint64
}

func (r random) Ask(history []Trial) (Proposal, error) {
	rng := source(r.seed, history)
	return Proposal{Point: r.space.point(func(int) float64 { return rng.Float64() })}, nil
}
