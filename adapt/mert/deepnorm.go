package mert

import "math"

// DeepNorm (Wang et al., DeepNet, arXiv 2203.00555) keeps deep post-LN stacks stable: with N layers each residual
// connection is α·x + branch(x) with α = (2N)^¼, and the weights that a branch's size depends on (values, attention's
// output, both feed-forward matrices) start out divided by (8N)^¼. deepnorm switches both on, in post-LN alone, as in
// MERT's training code. Unlike MERT's class for transformers, whose initialisation runs after that division and undoes
// it, [New] draws as the training code does. Files hold the weights as they are: α is not in them.

// residualScale is α, 1 without DeepNorm.
func (c Config) residualScale() float64 {
	if !c.DeepNorm {
		return 1
	}
	return math.Pow(2*float64(c.NumHiddenLayers), 0.25)
}

// branchFill draws the weights that DeepNorm scales.
func (c Config) branchFill() fill {
	scale := c.InitializerRange
	if c.DeepNorm {
		scale /= math.Pow(8*float64(c.NumHiddenLayers), 0.25)
	}
	return fill{normalKind, scale}
}
