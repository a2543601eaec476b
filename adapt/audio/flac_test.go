package audio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"log"
	"os"
	"slices"
	"strings"
	"testing"
)

// streamInfo is where the payload of the first metadata block starts; it holds block sizes (4 bytes), frame sizes (6), then
// 20 bits of rate, 3 of channels−1, 5 of bits−1, 36 of samples, 16 bytes of MD5.
const streamInfo = 8

func flacFile(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/flac16_stereo.flac")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestFLACRefuses(t *testing.T) {
	good := flacFile(t)
	rate := func(hz uint32) []byte {
		return []byte{byte(hz >> 12), byte(hz >> 4), byte(hz<<4) | good[streamInfo+12]&15}
	}
	tests := []struct {
		name string
		file []byte
		want string
	}{
		{"magic only", good[:4], "FLAC header"},
		{"cut in the header", good[:20], "FLAC header"},
		{"cut in a frame", good[:len(good)-100], "FLAC"},
		{"frames missing", good[:100+len(good)/8], "FLAC"},
		{"bit flipped in a frame", edit(good, len(good)-500, good[len(good)-500]^4), "FLAC"},
		{"more samples promised", edit(good, streamInfo+17, good[streamInfo+17]+1), "truncated: 5000 FLAC samples, the header says 5001"},
		{"absurd sample count", edit(good, streamInfo+13, good[streamInfo+13]|15, 255, 255, 255, 255), "says 68719476735 samples, want at most 1073741824"},
		{"many samples promised", edit(good, streamInfo+14, 32), "truncated: 5000 FLAC samples, the header says 536875912"},
		{"fewer samples promised", edit(good, streamInfo+16, 0, 1), "FLAC samples"},
		{"other MD5", edit(good, streamInfo+18, good[streamInfo+18]^1), "MD5"},
		{"1 Hz", edit(good, streamInfo+10, rate(1)...), "sample rate 1 Hz, want 1000 to 768000 Hz"},
		{"one channel promised", edit(good, streamInfo+12, good[streamInfo+12]&^14), "has 2 channels of 16 bits, the header says 1 of 16"},
		{"32 bits", edit(good, streamInfo+12, good[streamInfo+12]|1, good[streamInfo+13]|0xf0), "FLAC of 32 bits"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := temp(t, "x.flac", test.file)
			_, err := Read(path)
			if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), path) {
				t.Errorf("error %v, want ErrInvalid that starts with the path and says %q", err, test.want)
			}
		})
	}
}

// withRate gives all frames another code for their rate, and sums that agree; of the last also a wrong CRC-8 unless the header is to be right.
func withRate(data []byte, code byte, right bool) []byte {
	out := slices.Clone(data)
	var at []int
	for i := range out {
		if _, number, ok := parseFLACHeader(out[i:]); ok && number == uint64(len(at)) {
			at = append(at, i)
		}
	}
	for k, from := range at {
		to := len(out)
		if k+1 < len(at) {
			to = at[k+1]
		}
		end := from + headerLength(out[from:])
		out[from+2] = out[from+2]&0xf0 | code
		out[end] = crc8(out[from:end])
		if !right && k == len(at)-1 {
			out[end] ^= 1
		}
		binary.BigEndian.PutUint16(out[to-2:], crc16(0, out[from:to-2]))
	}
	return out
}

// The decoder's remarks about files at 24 and 176.4 kHz must not reach the process's log, not even those about headers that are broken.
func TestFLACPrintsNothing(t *testing.T) {
	var out bytes.Buffer
	log.SetOutput(&out)
	defer log.SetOutput(os.Stderr)
	for _, name := range []string{"flac8_mono", "flac16_mono", "flac16_stereo", "flac24_stereo"} {
		path := "testdata/" + name + ".flac"
		want, err := Read(path)
		if err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, code := range []byte{2, 7} { // the stream information keeps the rate
			got, err := Read(temp(t, "x.flac", withRate(data, code, true)))
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%s with rate code %d: %d samples, %v, want those of the file", name, code, len(got), err)
			}
			if _, err := Read(temp(t, "x.flac", withRate(data, code, false))); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "CRC-8") {
				t.Errorf("%s with a broken header of rate code %d: %v, want ErrInvalid, CRC-8", name, code, err)
			}
		}
	}
	if out.Len() > 0 {
		t.Errorf("%d bytes logged: %.100s", out.Len(), out.String())
	}
}

func TestFLACChecksums(t *testing.T) {
	// The check values of CRC-8 and of CRC-16/UMTS in the catalogue of parametrised CRC algorithms.
	if got := crc8([]byte("123456789")); got != 0xf4 {
		t.Errorf("crc8 %#x, want 0xf4", got)
	}
	if got := crc16(crc16(0, []byte("1234")), []byte("56789")); got != 0xfee8 {
		t.Errorf("crc16 %#x, want 0xfee8", got)
	}
}

// A damaged frame checksum alone, which changes no sample, is found too.
func TestFLACFrameChecksum(t *testing.T) {
	good := flacFile(t)
	at := len(good) - 1 // the last frame's CRC-16 ends the file
	if _, err := Read(temp(t, "x.flac", edit(good, at, good[at]^1))); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "CRC-16") {
		t.Errorf("error %v, want ErrInvalid, CRC-16", err)
	}
}

// A stream written to a pipe does not know its length and its MD5 sum.
func TestFLACOfUnknownLength(t *testing.T) {
	good := flacFile(t)
	unknown := edit(good, streamInfo+13, append([]byte{good[streamInfo+13] &^ 15}, make([]byte, 4+16)...)...)
	f, err := Open(temp(t, "x.flac", unknown))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want, err := Read("testdata/flac16_stereo.flac")
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float32, f.Frames)
	if err := f.ReadAt(got, 0); err != nil || !slices.Equal(got, want) {
		t.Errorf("%d samples, %v, want the %d of the file that knows", len(got), err, len(want))
	}
}

// Such a stream that is cut inside a frame is an error too.
func TestFLACOfUnknownLengthCut(t *testing.T) {
	good := flacFile(t)
	unknown := edit(good, streamInfo+13, append([]byte{good[streamInfo+13] &^ 15}, make([]byte, 4+16)...)...)
	for _, cut := range []int{1, 2, 3, 100, 700} {
		if _, err := Open(temp(t, "x.flac", unknown[:len(unknown)-cut])); !errors.Is(err, ErrInvalid) {
			t.Errorf("%d bytes cut: error %v, want ErrInvalid", cut, err)
		}
	}
}

func TestFLACClosed(t *testing.T) {
	f, err := Open("testdata/flac16_stereo.flac")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.ReadAt(make([]float32, 1), 0); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("read after Close: %v", err)
	}
}

// inMemory is an open file.
type inMemory struct{ *bytes.Reader }

func (inMemory) Close() error { return nil }

// FuzzFLAC looks for crashes of the decoder that our reader lets through, and for places that sound otherwise when they are sought.
func FuzzFLAC(f *testing.F) {
	for _, name := range []string{"testdata/flac8_mono.flac", "testdata/flac24_stereo.flac", "testdata/flac16_stereo.flac"} {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	var out bytes.Buffer
	log.SetOutput(&out)
	f.Cleanup(func() { log.SetOutput(os.Stderr) })
	f.Fuzz(func(t *testing.T, data []byte) {
		defer func() {
			if out.Len() > 0 {
				t.Errorf("the decoder logs %s", out.String())
			}
		}()
		r := &flacReader{f: inMemory{bytes.NewReader(data)}, size: int64(len(data))}
		within(t, 1<<20, func() {
			if err := r.header(0); err != nil {
				r = nil
				refused(t, err)
			}
		})
		if r == nil {
			return
		}
		r.rewind()
		fuzzBlocks(t, r, 16<<20) // a frame has at most 65,535 samples in 8 channels
		s, err := openFLAC(inMemory{bytes.NewReader(data)}, 0, int64(len(data)))
		fuzzStored(t, s, err)
	})
}
