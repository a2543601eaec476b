package checkpoint

import (
	"encoding/binary"

	"syncretic/checkpoint/half"
)

// Single numbers through package half.

func narrow(to func([]byte, []float32) int, x float32) uint16 {
	var b [2]byte
	to(b[:], []float32{x})
	return binary.LittleEndian.Uint16(b[:])
}

func wide(from func([]float32, []byte) bool, h uint16) float32 {
	var x [1]float32
	from(x[:], binary.LittleEndian.AppendUint16(nil, h))
	return x[0]
}

func toF16(x float32) uint16    { return narrow(half.ToF16, x) }
func toBF16(x float32) uint16   { return narrow(half.ToBF16, x) }
func fromF16(h uint16) float32  { return wide(half.FromF16, h) }
func fromBF16(h uint16) float32 { return wide(half.FromBF16, h) }
