package audio

import (
	"bytes"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/mewkiz/flac"
	"github.com/mewkiz/flac/frame"
	"github.com/mewkiz/flac/meta"
)

// encodeFLAC writes mono samples verbatim in blocks of the given sizes, over and over; every block says its size in its own header when
// there are several.
func encodeFLAC(t *testing.T, samples []int32, sizes ...int) []byte {
	t.Helper()
	var out bytes.Buffer
	info := &meta.StreamInfo{BlockSizeMin: uint16(slices.Min(sizes)), BlockSizeMax: uint16(slices.Max(sizes)), SampleRate: SampleRate, NChannels: 1, BitsPerSample: 16,
		NSamples: uint64(len(samples))}
	enc, err := flac.NewEncoder(struct{ io.Writer }{&out}, info)
	if err != nil {
		t.Fatal(err)
	}
	fixed := len(sizes) == 1
	for i, at := 0, 0; at < len(samples); i++ {
		n := min(sizes[i%len(sizes)], len(samples)-at)
		fr := &frame.Frame{
			Header: frame.Header{HasFixedBlockSize: fixed, BlockSize: uint16(n), SampleRate: SampleRate, Channels: frame.ChannelsMono, BitsPerSample: 16},
			Subframes: []*frame.Subframe{{SubHeader: frame.SubHeader{Pred: frame.PredVerbatim},
				Samples: samples[at : at+n], NSamples: n}},
		}
		if fr.Num = uint64(at); fixed {
			fr.Num = uint64(i)
		}
		if err := enc.WriteFrame(fr); err != nil {
			t.Fatal(err)
		}
		at += n
	}
	if err := enc.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestFLACSeek reads places of files that are much longer than what is decoded to find them. In one of the files every block holds
// samples that look like the header of another block.
func TestFLACSeek(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	samples := make([]int32, 150000)
	for i := range samples {
		samples[i] = int32(int16(rng.Uint32()))
	}
	traps := slices.Clone(samples)
	for block := 0; block < len(traps)/500-1; block++ {
		fake := []byte{0xff, 0xf8, 0x70 | 7, 0x08, 0xc0 | byte(block*7%300>>6), 0x80 | byte(block*7%300&63), 1, 243} // 500 samples at 24 kHz, 16 bits
		fake = append(fake, crc8(fake))
		if _, number, ok := parseFLACHeader(fake); !ok || number != uint64(block*7%300) {
			t.Fatalf("% x is no trap: %d, %v", fake, number, ok)
		}
		fake = append(fake, 0)
		for i := 0; i+1 < len(fake); i += 2 {
			traps[block*500+101+i/2] = int32(int16(uint16(fake[i])<<8 | uint16(fake[i+1])))
		}
	}
	for _, c := range []struct {
		name    string
		samples []int32
		sizes   []int
	}{{"fixed", samples, []int{500}}, {"varying", samples, []int{500, 700, 16, 1000}}, {"headers in the data", traps, []int{500}}} {
		t.Run(c.name, func(t *testing.T) {
			data := encodeFLAC(t, c.samples, c.sizes...)
			s, err := openFLAC(inMemory{bytes.NewReader(data)}, 0, int64(len(data)))
			if err != nil {
				t.Fatal(err)
			}
			if s.frames != len(samples) {
				t.Fatalf("%d samples, want %d", s.frames, len(samples))
			}
			found := 0
			for range 200 {
				start := rng.IntN(len(samples))
				n := rng.IntN(min(3000, len(samples)-start) + 1)
				got := make([]float32, n)
				if err := s.readAt(got, start); err != nil {
					t.Fatal(err)
				}
				for i, v := range got {
					if v != float32(c.samples[start+i])/32768 {
						t.Fatalf("sample %d is %v, want %v", start+i, v, float32(c.samples[start+i])/32768)
					}
				}
				if r := s.body.(*blocks).r.(*flacReader); r.sum == nil {
					found++
				}
			}
			if found < 100 {
				t.Errorf("%d of 200 places were found without decoding all before them", found)
			}
		})
	}
}
