// Package op holds the differentiable operators of the encoder and its losses.
// Each is one function over a whole batch and one node of spago's graph, where
// spago's own operators take one frame at a time:
//
//   - layers: [Linear], [QKV], [Attention], [LayerNorm], [GroupNorm], [Conv1D],
//     [PosConv], [LayerMix], [Activate]
//   - the glue between them: [Add], [AddScaled], [Concat], [MaskRows], [Dropout],
//     [ScaleGrad]
//   - losses, which are scalars: [CodebookLoss], [MaskedMSE], [MeanSquare],
//     [BCEWithLogits], and their [WeightedSum]
//
// Matrices are row-major and time-major: [clips*frames][channels], clip after
// clip. Weights are stored as PyTorch stores them, flattened to two dimensions.
// [Tensor] wraps a constant, [Param] a parameter; neither copies.
//
// # Gradients
//
// Only operands that require a gradient get one, and when none does an operator
// returns a plain matrix and keeps nothing: a chain of operators then holds no
// more than the matrices the caller holds. Otherwise it keeps what its derivative
// cannot do without. GELU's argument is kept; attention probabilities, normalised
// values, dropout masks and repacked weights are computed again.
//
// A backward pass consumes the graph: it frees what the operators kept and the
// gradients between them, so ag.Backward may run once for a graph. Gradients of
// parameters add up over graphs, in place. Intermediate gradients change hands
// without a copy, so a gradient read from a node before the pass is over is not
// the caller's to keep.
//
// # Determinism
//
// Work is cut at bounds that depend on shapes alone and partial sums are added in
// a fixed order, so results are the same bits whatever GOMAXPROCS is. Two
// exceptions come from the order in which spago's goroutines finish: a parameter
// used by two operators of one graph, and a value with three or more consumers,
// can differ in the last bit from run to run.
//
// Operators label their goroutines for CPU profiles: see [ProfileOperator].
//
// Wrong shapes are a caller's bug and panic.
package op
