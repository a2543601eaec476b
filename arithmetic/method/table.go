package method

import "slices"

// Methods is the table of merge methods, in the order in which help lists them.
//
// Which to choose: task arithmetic is the reference. A comparison over 16 language benchmarks and 12 checkpoints a base
// (arXiv 2511.21437) found it to be the only one with dependable gains, and methods that untangle interference or subspaces
// often below the base; CultureMERT (arXiv 2506.17818) chose it too, with lambda 0.2 for four cultures. On image classifiers
// tuned from one CLIP (arXiv 2503.08099) the order was average 65.8, task arithmetic 69.1, TIES 72.4, consensus 73.6, WUDI
// 85.2 of 100. So: task arithmetic with lambda chosen on validation data first, then one other method where interference
// (package arithmetic, Interference) is large.
func Methods() []*Method {
	return slices.Concat(averages(), spherical(), taskVectors(), selective(), spectral())
}

// Parameters that several methods share.

func weightParam(required bool) Param {
	p := Param{Name: "weight", Scope: PerModel, Required: required, Doc: "how much of the model's task vector is added"}
	if !required {
		p.Default = 1
	}
	return p
}

func lambdaParam(value float64) Param {
	return Param{Name: "lambda", Default: value, Doc: "scaling coefficient of the merged task vector"}
}

func normalizeParam(on bool) Param {
	return Param{Name: "normalize", Kind: Flag, Default: truth(on), Doc: "divide by the sum of the weights that took part"}
}
