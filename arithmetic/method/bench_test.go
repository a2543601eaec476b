package method

import (
	"fmt"
	"testing"
)

// BenchmarkMethods makes a whole tensor, passes included, on all cores: blocks are read by as many readers as there are chunks.
func BenchmarkMethods(b *testing.B) {
	shape := []int{4096, 1024}
	for _, v := range variants() {
		b.Run(fmt.Sprintf("%s %v", v.method, v.params), func(b *testing.B) {
			m, task := v.task(b, shape)
			n := task.Elements()
			dst := make([]float32, n)
			out, err := m.Tensor(task)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				out.Release()
				if err := overChunks(n, chunkElements, nil, func(c chunk, _ *work) error { return out.Read(c.lo, dst[c.lo:c.hi]) }); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/element")
			b.ReportMetric(0, "ns/op")
		})
	}
}
