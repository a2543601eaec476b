//go:build !amd64 || purego

package vec

// Without kernels every element is left to the portable code.

func fastSub(_, _ []float32) int                                             { return 0 }
func fastAdd(_, _ []float32) int                                             { return 0 }
func fastScale([]float32, float32) int                                       { return 0 }
func fastDivide(_, _ []float32) int                                          { return 0 }
func fastDivideBy([]float32, float32) int                                    { return 0 }
func fastAddScaled([]float32, float32, []float32) int                        { return 0 }
func fastAddScaledDifference([]float32, float32, []float32, []float32) int   { return 0 }
func fastMerge(_, _ []float32, _ float32, _ []Term, _ bool) (uint32, int)    { return 0, 0 }
func fastAddAgreeing(_, _, _, _ []float32, _ float32) int                    { return 0 }
func fastKeepAbove([]float32, uint32) int                                    { return 0 }
func fastClearAbove([]float32, uint32) int                                   { return 0 }
func fastBetween(_ []float32, _, _ uint32, in []uint32) (int, []uint32, int) { return 0, in, 0 }
func fastKeepBits([]float32, []uint64, int) int                              { return 0 }
func fastFinite([]float32) int                                               { return 0 }
func fastDot(*partial, []float32, []float32) int                             { return 0 }
func fastSumAbs(*partial, []float32) int                                     { return 0 }
func fastSigns(_, _ []float32) (both, opposites, done int)                   { return 0, 0, 0 }
func fastRandom(uint64, int, []uint32) int                                   { return 0 }
func fastBernoulli([]float32, uint64, int, uint32) int                       { return 0 }
func fastKeepWhere(_, _ []float32, _ uint32) int                             { return 0 }
func fastAddSquare(_, _ []float32) int                                       { return 0 }
func fastAtLeast([]float32, float32) int                                     { return 0 }
func fastMaxMagnitude([]float32) (uint32, int)                               { return 0, 0 }
func fastCountAtLeast([]float32, uint32) (count, done int)                   { return 0, 0 }
func fastBuckets([]uint32, []float32, float32) int                           { return 0 }
func fastBelow([]uint64, []uint32, uint32) int                               { return 0 }
func fastDots(*[3]partial, []float32, []float32) int                         { return 0 }
