package elem

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"testing"
)

// TestSameBits holds the kernels of any processor to digests of what the AVX2
// kernels make of some operands: to the same operations in the same order.
// Whether these are the right ones is for the other tests. The portable version
// rounds otherwise, and on some processors once where on others twice: it only
// has to give the same bits again.
func TestSameBits(t *testing.T) {
	const rows, stride = 5, 3
	for _, c := range []struct {
		name string
		want uint64
		f    func(s [][]float32) []float32
	}{
		{"GELU", 0xd94a8b3fecac32c1, func(s [][]float32) []float32 { GELU(s[0], s[1]); return nil }},
		{"GELUGrad", 0x75c5f458916cd431, func(s [][]float32) []float32 { GELUGrad(s[0], s[1]); return nil }},
		{"Softmax", 0x45a300bdf116d956, func(s [][]float32) []float32 { _, top := Softmax(s[0], 0.7); return []float32{top} }},
		{"expSum", 0x9d89f597b4f5a5bd, func(s [][]float32) []float32 { return []float32{expSum(s[0], 8, 3)} }},
		{"softmax'", 0xd1fcd536232b4928, func(s [][]float32) []float32 { SoftmaxGrad(s[0], s[1], 0.7); return nil }},
		{"Add", 0x05d683887275224d, func(s [][]float32) []float32 { Add(s[0], s[1]); return nil }},
		{"AddScaled", 0x8ca54ac9fa83fe37, func(s [][]float32) []float32 { AddScaled(s[0], s[1], 0.7); return nil }},
		{"Scale", 0x2b150613b725d5bb, func(s [][]float32) []float32 { Scale(s[0], 0.7); return nil }},
		{"Dot", 0xa5f346ea92ff0acb, func(s [][]float32) []float32 { return []float32{Dot(s[0], s[1])} }},
		{"sum", 0x818a0a76442d3343, func(s [][]float32) []float32 { return []float32{sum(s[0])} }},
		{"sumSquares", 0xddc975c261bac1de, func(s [][]float32) []float32 { return []float32{sumSquares(s[0], 0.7)} }},
		{"Normalise", 0x34078a059c215917, func(s [][]float32) []float32 { Normalise(s[0], s[1], s[2], s[3], 0.1, 1.7); return nil }},
		{"Normalise'", 0xcfec0c548034260d, func(s [][]float32) []float32 { NormaliseGrad(s[0], s[1], s[2], s[3], s[4], 0.1, 1.7); return nil }},
		{"SumRows", 0x9e3fd109c15ca3a3, func(s [][]float32) []float32 { SumRows(s[0], s[6], rows, len(s[0])+3); return nil }},
		{"SquareRows", 0x416a72f288f3adcc, func(s [][]float32) []float32 { SquareRows(s[0], s[6], s[1], rows, len(s[0])+3); return nil }},
		{"DotRows", 0x26b20046cd2646c1, func(s [][]float32) []float32 { DotRows(s[0], s[6], s[7], s[1], rows, len(s[0])+3); return nil }},
		{"columns", 0x5c38e61342735323, func(s [][]float32) []float32 { NormaliseColumns(s[0], s[1], s[2], s[3], s[4]); return nil }},
		{"columns'", 0x6ab29e87ae5872b6, func(s [][]float32) []float32 { NormaliseColumnsGrad(s[0], s[1], s[2], s[3], s[4], s[5]); return nil }},
		{"Filter", 0xc9fa92b49bcd16c7, func(s [][]float32) []float32 {
			n := len(s[0])
			y := make([]float32, n*FilterWidth)
			Filter(y, FilterWidth, s[6], stride, s[8], FilterWidth+1, 4, n)
			return y
		}},
		{"Filter'", 0x4445df24f9c71524, func(s [][]float32) []float32 {
			n := len(s[0])
			FilterGrad(s[8], FilterWidth+1, s[9], FilterWidth, s[6], stride, n)
			return nil
		}},
		{"Drop", 0xd1b6441cc08e4610, func(s [][]float32) []float32 { Drop(s[0], s[1], 0.3, 7, 5); return nil }},
		{"ELU", 0xe668dbbc3c3c13c3, func(s [][]float32) []float32 { ELU(s[0], s[1]); return nil }},
		{"Sigmoid", 0x81a7be789363d621, func(s [][]float32) []float32 { Sigmoid(s[0]); return nil }},
		{"Tanh", 0xbe23c73e0d624abf, func(s [][]float32) []float32 { Tanh(s[0]); return nil }},
		{"AddProduct", 0x064f1454d0122f77, func(s [][]float32) []float32 {
			y := make([]float32, 7)
			AddProduct(y[:rows], s[6], len(s[0])+3, s[0])
			return y
		}},
	} {
		got, again := digest(c.f), digest(c.f)
		if got != again {
			t.Errorf("%s: %#x, then %#x", c.name, got, again)
		}
		if useSIMD() && got != c.want {
			t.Errorf("%s: got %#x, want %#x", c.name, got, c.want)
		}
	}
}

// digest hashes what f returns and what it leaves in its operands, for all lengths.
func digest(f func(s [][]float32) []float32) uint64 {
	h := fnv.New64a()
	for _, n := range lengths {
		s := exact(n)
		for _, x := range append([][]float32{f(s)}, s...) {
			for _, v := range x {
				h.Write(binary.LittleEndian.AppendUint32(nil, math.Float32bits(v)))
			}
		}
	}
	return h.Sum64()
}

// exact returns ten slices, six of n elements in [-8, 8), made of integers alone,
// so that they are the same on every processor.
func exact(n int) [][]float32 {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	var s [][]float32
	for _, size := range []int{n, n, n, n, n, n, 5*n + 12, 5*n + 12, 100, 16 * n} {
		x := make([]float32, size)
		for i := range x {
			x[i] = float32(int32(r.Uint32()>>8)-1<<23) * 0x1p-20
		}
		s = append(s, x)
	}
	return s
}
