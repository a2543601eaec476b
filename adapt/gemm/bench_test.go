package gemm

import (
	"math/rand/v2"
	"testing"
)

// BenchmarkMultiply runs the shapes of the encoder, small and 95M, and reports
// GFLOP/s, counting a multiplication and an addition as two.
func BenchmarkMultiply(b *testing.B) {
	for _, s := range []struct {
		name           string
		transA, transB bool
		m, n, k        int
		lda            int // 0: rows without gaps
		serial         bool
	}{
		{"linear/600x96x96", false, true, 600, 96, 96, 0, false},
		{"linear/600x384x96", false, true, 600, 384, 96, 0, false},
		{"dX/600x96x96", false, false, 600, 96, 96, 0, false},
		{"dW/96x96x600", true, false, 96, 96, 600, 0, false},
		{"dW/96x384x4800", true, false, 96, 384, 4800, 0, false},
		{"conv/4799x32x96", false, true, 4799, 32, 96, 64, false},
		{"conv/4799x16x48", false, true, 4799, 16, 48, 32, false},
		{"scores/74x74x24", false, true, 74, 74, 24, 288, true},
		{"context/74x24x74", false, false, 74, 24, 74, 0, true},
		{"linear/375x768x768", false, true, 375, 768, 768, 0, false},
		{"linear/375x3072x768", false, true, 375, 3072, 768, 0, false},
		{"linear/374x768x3072", false, true, 374, 768, 3072, 0, false},
		{"dW/3072x768x374", true, false, 3072, 768, 374, 0, false},
		{"conv/11999x512x1536", false, true, 11999, 512, 1536, 1024, false},
	} {
		rng := rand.New(rand.NewPCG(17, 18))
		q := newProblem(rng, s.transA, s.transB, false, s.m, s.n, s.k, 0, false)
		if s.lda != 0 {
			q.lda = s.lda
			q.a = random(rng, (s.m-1)*s.lda+s.k)
		}
		for _, name := range Kernels() {
			kn, _ := Named(name)
			multiply := kn.Multiply
			if s.serial {
				multiply = kn.MultiplySerial
			}
			b.Run(s.name+"/"+name, func(b *testing.B) {
				for b.Loop() {
					multiply(q.transA, q.transB, q.m, q.n, q.k, q.a, q.lda, q.b, q.ldb, false, q.c, q.ldc)
				}
				flops := 2 * float64(s.m) * float64(s.n) * float64(s.k)
				b.ReportMetric(flops*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}
