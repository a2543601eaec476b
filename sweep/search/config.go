package search

// Kind names a sampler.
type Kind string

// The samplers.
const (
	Grid   Kind = "grid"   // every combination of the parameters' grid values
	Random Kind = "random" // uniform and independent
	Sobol  Kind = "sobol"  // a scrambled Sobol sequence: fills the space evenly
	TPE    Kind = "tpe"    // tree-structured Parzen estimators, multivariate by group of conditions
	CMAES  Kind = "cmaes"  // covariance matrix adaptation, numbers only
	NSGA2  Kind = "nsga2"  // non-dominated sorting, for several objectives
)

// Config describes a sampler.
type Config struct {
	Kind       Kind
	Space      Space
	Directions []Direction // one an objective; only NSGA2, Random, Sobol and Grid take more than one
	Seed       uint64
	Trials     int // how many trials to propose in all, those that failed not counted; 0 for no end (a grid ends by itself)
	Startup    int // trials that must end before TPE begins, on points of a Sobol sequence until then; 0 for its default, 10
	Population int // of a generation of CMAES or NSGA2; 0 for their defaults: 4 + floor(3 ln n), and 50
}
