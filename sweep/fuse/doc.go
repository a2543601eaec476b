// Package fuse makes the merged models of a sweep in memory, and writes down how.
//
//	f, err := fuse.Open("base", map[string]string{"makam": "makam.vector.safetensors"}, fuse.Options{})
//	m, err := f.Model(fuse.Choice{Method: "ties", Params: map[string]float64{"density": 0.3}, Weights: map[string]fuse.Weight{"makam": {Value: 0.5}}})
//	err = encoder.SetWeights(m)      // reads what has changed since the last trial
//	trial.Recipe = m.Recipe()        // `syncretic merge` makes the same model of it, byte for byte
//
// A [Choice] is a point of the search: a merge method with its parameters, and scaling coefficients, one a vector or one for each of
// the [Groups] of its layers. [Fuser.Model] writes it as a merge recipe and compiles that, so that a trial and a merge on disk are the
// same code. Base and vectors are mapped once; what methods find out about them (thresholds, masks) is kept from trial to trial; and a
// [Model] names the version of every tensor, by which an encoder tells those that it has already.
//
// A task-arithmetic trial of 95M parameters and four vectors moves 2.3 GB: what takes part is read once, where it is mapped, and the sum
// written past the caches. So it takes as long as the memory does: on two cores of an EPYC whose memory gave 32 GB/s, 69 ms, where
// reading the five files alone took 58 ms (see BenchmarkTrial95M). Vectors stored in 16 bits make it 1.5 GB, and took 54 ms.
package fuse
