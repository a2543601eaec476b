package audio

import (
	"encoding/binary"
	"fmt"
	"math"

	"syncretic/checkpoint"
)

// WriteWAV writes samples as a mono WAV file of 16-bit PCM at [SampleRate]. A sample x becomes x·32768 rounded to the
// nearest integer, halves to even; only the top code is shared, by 1 and everything above 32767/32768. The file
// appears whole or not at all.
//
// Nothing is clipped: a sample outside [-1, 1] or not finite is an error that says how many there are and which is
// the first, so that the caller scales the signal and knows it. No samples, more than fit the format (2 GiB), and a
// file that exists (fs.ErrExist) unless force is set are errors too.
func WriteWAV(path string, samples []float32, force bool) error {
	if len(samples) == 0 {
		return fmt.Errorf("%s: %w: no samples to write", path, ErrInvalid)
	}
	if len(samples) > math.MaxInt32/2-64 {
		return fmt.Errorf("%s: %w: %d samples do not fit a WAV file", path, ErrInvalid, len(samples))
	}
	bad, first, peak := 0, -1, 0.0
	for i, v := range samples {
		if a := math.Abs(float64(v)); !(a <= 1) {
			if bad++; first < 0 {
				first = i
			}
			peak = max(peak, a) // NaN stays NaN
		}
	}
	if bad > 0 {
		return fmt.Errorf("%s: %w: %d of %d samples are outside [-1, 1], the first at %d, peak %g", path, ErrInvalid, bad, len(samples), first, peak)
	}
	return checkpoint.WriteFile(path, encodeWAV(samples), force)
}

// encodeWAV lays out the 44-byte header and the samples.
func encodeWAV(samples []float32) []byte {
	n := 2 * len(samples)
	out := make([]byte, 0, 44+n)
	le := binary.LittleEndian
	out = append(out, "RIFF"...)
	out = le.AppendUint32(out, uint32(36+n))
	out = append(out, "WAVEfmt "...)
	out = le.AppendUint32(out, 16)
	out = le.AppendUint16(out, tagPCM)
	out = le.AppendUint16(out, 1)
	out = le.AppendUint32(out, SampleRate)
	out = le.AppendUint32(out, 2*SampleRate)
	out = le.AppendUint16(out, 2)
	out = le.AppendUint16(out, 16)
	out = append(out, "data"...)
	out = le.AppendUint32(out, uint32(n))
	for _, v := range samples {
		x := min(math.RoundToEven(float64(v)*32768), 32767)
		out = le.AppendUint16(out, uint16(int16(x)))
	}
	return out
}
