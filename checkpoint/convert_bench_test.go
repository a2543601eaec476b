package checkpoint

import "testing"

// BenchmarkDecode and BenchmarkEncode report bytes of the stored type.
func BenchmarkDecode(b *testing.B) {
	for _, dtype := range []DType{F32, BF16, F16, F64} {
		b.Run(string(dtype), func(b *testing.B) {
			dst := make([]float32, 1<<14)
			src := make([]byte, len(dst)*dtype.Size())
			b.SetBytes(int64(len(src)))
			for b.Loop() {
				if err := decode(dtype, dst, src); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	for _, dtype := range []DType{F32, BF16, F16, F64} {
		b.Run(string(dtype), func(b *testing.B) {
			src := make([]float32, 1<<14)
			for i := range src {
				src[i] = float32(i) / 1024
			}
			dst := make([]byte, len(src)*8)
			b.SetBytes(int64(len(src) * dtype.Size()))
			for b.Loop() {
				if _, err := encode(dtype, dst, src); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
