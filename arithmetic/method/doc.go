// Package method holds the merge methods: from the tensors of one name in several models to that tensor of the merge.
//
// [Methods] is the table, [Find] looks a method up by the name that recipes use, and [Method.Tensor] makes one output
// tensor of a [Task]. What a tensor needs to know about its inputs as a whole (a threshold of magnitudes, a norm, a cosine)
// is gathered in passes over them at its first read; after that any range of it is computed from the same range of the
// inputs, in blocks that stay in cache. So tensors of any size merge in a few blocks of memory, except where the table says
// that a method holds whole matrices.
//
// Numbers are float32, each operation rounded and never fused; sums over a whole tensor (norms, dots) are float64, over
// chunks of a fixed length that are joined in order. Results therefore do not depend on the number of threads, on shards
// or on which range is read first. Random methods draw from a counter keyed by seed, model, tensor and element.
//
// The methods of mergekit 0.1.5 have its names, parameters and defaults, and agree with it run in float32 within rounding;
// where it crashes or loses information the doc comment of the method says "Unlike mergekit". What the literature found
// about their worth is said at [Methods].
package method
