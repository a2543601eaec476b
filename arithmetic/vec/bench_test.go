package vec

import "testing"

// BenchmarkKernels reports the bytes that each kernel reads and writes, over slices of 32 KiB that stay in the second cache.
// The portable code is measured with -tags purego.
func BenchmarkKernels(b *testing.B) {
	const n = 1 << 13
	d, x, y := ordinary(1, n), ordinary(2, n), ordinary(3, n)
	divisor := make([]float32, n)
	bits := make([]uint64, n/64)
	for i := range bits {
		bits[i] = uint64(draw(1, 2*i)) | uint64(draw(1, 2*i+1))<<32
	}
	numbers := make([]uint32, n)
	var inside []uint32
	for _, k := range []struct {
		name  string
		bytes int // an element
		run   func()
	}{
		{"Sub", 12, func() { Sub(d, x) }},
		{"Add", 12, func() { Add(d, x) }},
		{"Scale", 8, func() { Scale(d, 1) }},
		{"Divide", 12, func() { Divide(d, y) }},
		{"DivideBy", 8, func() { DivideBy(d, 1) }},
		{"AddScaled", 12, func() { AddScaled(d, 0.5, x) }},
		{"AddScaledDifference", 16, func() { AddScaledDifference(d, 0.5, x, y) }},
		{"MergeFour", 24, func() {
			Merge(d, x, 0.5, []Term{TermF32(y, 1), TermF32(x, 2), TermF32(y, 3), TermF32(x, 4)}, false)
		}},
		{"AddAgreeing", 16, func() { AddAgreeing(d, nil, x, y, 0.5) }},
		{"AddAgreeingWeights", 24, func() { AddAgreeing(d, divisor, x, y, 0.5) }},
		{"KeepAbove", 8, func() { KeepAbove(x, 0) }},
		{"ClearAbove", 8, func() { ClearAbove(x, 1<<31) }},
		{"Between", 4, func() { _, inside = Between(y, Magnitude(1), Magnitude(1.1), inside[:0]) }},
		{"KeepBits", 8, func() { KeepBits(d, bits, 0) }},
		{"FirstNonFinite", 4, func() { FirstNonFinite(x) }},
		{"Dot", 8, func() { Dot(x, y) }},
		{"Square", 4, func() { Square(x) }},
		{"SumAbs", 4, func() { SumAbs(x) }},
		{"Compare", 8, func() { Compare(x, y) }},
		{"Random", 4, func() { Random(1, 0, numbers) }},
		{"Bernoulli", 8, func() { Bernoulli(d, 1, 0, 0.5) }},
	} {
		b.Run(k.name, func(b *testing.B) {
			b.SetBytes(int64(k.bytes * n))
			for b.Loop() {
				k.run()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/element")
		})
	}
}
