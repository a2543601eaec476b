package audio

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// wavBody reads the samples of a WAV file where they lie.
type wavBody struct {
	wavFormat
	r io.ReaderAt
	c io.Closer
}

func (w *wavBody) close() error { return w.c.Close() }

// readAt decodes in pieces of about 64 KiB, so that a long range needs no second copy of itself.
func (w *wavBody) readAt(dst []float32, start int) error {
	frame := w.frameBytes()
	piece := max(1, (64<<10)/frame)
	buf := make([]byte, min(piece, len(dst))*frame)
	for done := 0; done < len(dst); {
		n := min(piece, len(dst)-done)
		raw := buf[:n*frame]
		if err := readFull(w.r, raw, w.data+int64(start+done)*int64(frame)); err != nil {
			return err
		}
		if bad := w.decode(dst[done:done+n], raw); bad >= 0 {
			return fmt.Errorf("%w: sample %d is not finite", ErrInvalid, start+done+bad)
		}
		done += n
	}
	return nil
}

// decode turns stored frames into mono samples and returns the index of the first frame that is not finite, or -1.
// Integer channels are summed exactly before the one division; float channels are summed in float64.
func (w *wavBody) decode(dst []float32, raw []byte) int {
	ch := w.channels
	if w.float {
		sample := func(i int) float64 { return float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))) }
		if w.bits == 64 {
			sample = func(i int) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(raw[8*i:])) }
		}
		for i := range dst {
			var sum float64
			for c := range ch {
				sum += sample(i*ch + c)
			}
			v := float32(sum / float64(ch))
			if d := v - v; d != 0 { // NaN for NaN and ±Inf
				return i
			}
			dst[i] = v
		}
		return -1
	}
	switch scale := 1 / (float64(ch) * math.Exp2(float64(w.bits-1))); w.bits {
	case 8:
		mix(dst, ch, scale, func(i int) int64 { return int64(raw[i]) - 128 })
	case 16:
		mix(dst, ch, scale, func(i int) int64 { return int64(int16(binary.LittleEndian.Uint16(raw[2*i:]))) })
	case 24:
		mix(dst, ch, scale, func(i int) int64 {
			b := raw[3*i : 3*i+3]
			return int64(int32(uint32(b[0])<<8|uint32(b[1])<<16|uint32(b[2])<<24) >> 8)
		})
	case 32:
		mix(dst, ch, scale, func(i int) int64 { return int64(int32(binary.LittleEndian.Uint32(raw[4*i:]))) })
	}
	return -1
}

// mix sets dst[i] to scale times the sum of the ch interleaved samples of frame i.
func mix(dst []float32, ch int, scale float64, sample func(i int) int64) {
	for i := range dst {
		var sum int64
		for c := range ch {
			sum += sample(i*ch + c)
		}
		dst[i] = float32(float64(sum) * scale)
	}
}
