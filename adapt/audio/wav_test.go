package audio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// chunk is a RIFF chunk with its pad byte.
func chunk(id string, payload []byte) []byte {
	out := binary.LittleEndian.AppendUint32([]byte(id), uint32(len(payload)))
	out = append(out, payload...)
	if len(payload)%2 == 1 {
		out = append(out, 0)
	}
	return out
}

func riff(chunks ...[]byte) []byte {
	body := append([]byte("WAVE"), bytes.Join(chunks, nil)...)
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

// format is a plain fmt payload with a consistent frame size.
func format(tag, channels, rate, bits int) []byte {
	le := binary.LittleEndian
	b := le.AppendUint16(nil, uint16(tag))
	b = le.AppendUint16(b, uint16(channels))
	b = le.AppendUint32(b, uint32(rate))
	b = le.AppendUint32(b, uint32(rate*channels*bits/8))
	b = le.AppendUint16(b, uint16(channels*bits/8))
	return le.AppendUint16(b, uint16(bits))
}

func extensible(sub, channels, bits, valid int, tail string) []byte {
	le := binary.LittleEndian
	b := append(format(tagExtensible, channels, SampleRate, bits), 22, 0)
	b = le.AppendUint16(b, uint16(valid))
	b = le.AppendUint32(b, 0)
	return append(le.AppendUint16(b, uint16(sub)), tail...)
}

// edit returns a copy of b with the bytes at an offset replaced.
func edit(b []byte, at int, with ...byte) []byte {
	b = slices.Clone(b)
	copy(b[at:], with)
	return b
}

func temp(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWAVAccepts(t *testing.T) {
	pcm := []byte{0, 64, 0, 192} // 0.5, −0.5
	mono := chunk("fmt ", format(1, 1, SampleRate, 16))
	tests := []struct {
		name string
		file []byte
		want []float32
	}{
		{"plain", riff(mono, chunk("data", pcm)), []float32{0.5, -0.5}},
		{"odd chunk before", riff(chunk("LIST", []byte("abc")), mono, chunk("data", pcm)), []float32{0.5, -0.5}},
		{"chunks after", riff(mono, chunk("data", pcm), chunk("id3 ", []byte("x"))), []float32{0.5, -0.5}},
		{"data before fmt", riff(chunk("data", pcm), mono), []float32{0.5, -0.5}},
		{"bytes after the RIFF", append(riff(mono, chunk("data", pcm)), "trailing"...), []float32{0.5, -0.5}},
		{"8 bits, odd", riff(chunk("fmt ", format(1, 1, SampleRate, 8)), chunk("data", []byte{0, 128, 255})), []float32{-1, 0, 127. / 128}},
		{"8 bits, odd, pad byte left out", riff(chunk("fmt ", format(1, 1, SampleRate, 8)), chunk("data", []byte{0, 128, 255}))[:47], []float32{-1, 0, 127. / 128}},
		{"24 bits", riff(chunk("fmt ", format(1, 1, SampleRate, 24)), chunk("data", []byte{0, 0, 128, 1, 0, 0})), []float32{-1, 1. / (1 << 23)}},
		{"32 bits", riff(chunk("fmt ", format(1, 1, SampleRate, 32)), chunk("data", []byte{0, 0, 0, 128, 0, 0, 0, 64})), []float32{-1, 0.5}},
		{"float above full scale is kept", riff(chunk("fmt ", format(3, 1, SampleRate, 32)), chunk("data", []byte{0, 0, 0, 64})), []float32{2}},
		{"stereo mean", riff(chunk("fmt ", format(1, 2, SampleRate, 16)), chunk("data", pcm)), []float32{0}},
		{"stereo mean is exact", riff(chunk("fmt ", format(1, 2, SampleRate, 16)), chunk("data", []byte{1, 0, 2, 0})), []float32{1.5 / 32768}},
		{"extensible, 20 valid bits of 24", riff(chunk("fmt ", extensible(1, 1, 24, 20, extensibleTail)), chunk("data", []byte{0, 0, 64})), []float32{0.5}},
		{"64-bit float", riff(chunk("fmt ", format(3, 2, SampleRate, 64)), chunk("data", []byte{0, 0, 0, 0, 0, 0, 0xe0, 0x3f, 0, 0, 0, 0, 0, 0, 0xd0, 0xbf})), []float32{0.125}},
		{"extensible float", riff(chunk("fmt ", extensible(3, 1, 32, 32, extensibleTail)), chunk("data", []byte{0, 0, 0, 63})), []float32{0.5}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := Read(temp(t, "x.bin", test.file)) // the name does not matter
			if err != nil || !slices.Equal(got, test.want) {
				t.Errorf("got %v, %v, want %v", got, err, test.want)
			}
		})
	}
}

func TestWAVRefuses(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	mono, data := chunk("fmt ", format(1, 1, SampleRate, 16)), chunk("data", []byte{1, 0, 2, 0})
	good := riff(mono, data) // fmt payload at 20, data size at 40
	withFormat := func(f []byte) []byte { return riff(chunk("fmt ", f), data) }
	tests := []struct {
		name string
		file []byte
		want string
	}{
		{"empty file", nil, "an empty file"},
		{"text", []byte("path,start\n"), "got an unknown container, and the program ffmpeg, which would read it, is not on PATH"},
		{"Ogg", []byte("OggSaaaaaaaaaaaa"), "got Ogg"},
		{"AIFF", []byte("FORMaaaaAIFFaaaa"), "got AIFF"},
		{"M4A", []byte("aaaaftypM4A aaaa"), "got MP4"},
		{"WebM", []byte("\x1a\x45\xdf\xa3aaaaaaaaaa"), "got Matroska"},
		{"AVI", []byte("RIFFaaaaAVI aaaa"), "not WAVE"},
		{"RF64", edit(good, 0, 'R', 'F', '6', '4'), "RF64"},
		{"RIFX", edit(good, 0, 'R', 'I', 'F', 'X'), "RIFX"},
		{"header only", good[:12], "truncated"},
		{"cut in the samples", good[:len(good)-2], "truncated: RIFF size says 48 bytes, the file has 46"},
		{"RIFF size beyond the file", edit(good, 4, 255, 255, 255, 255), "truncated"},
		{"data size beyond the file", edit(good, 40, 255, 255, 255, 255), `chunk "data" at byte 36 says 4294967295 bytes, 4 are left`},
		{"fmt size beyond the file", edit(good, 16, 255, 255, 0, 0), `chunk "fmt "`},
		{"no fmt", riff(data), "no fmt chunk"},
		{"no data", riff(mono), "no data chunk"},
		{"two fmt", riff(mono, mono, data), "second fmt chunk"},
		{"two data", riff(data, data, mono), "second data chunk"},
		{"chunks without end", riff(bytes.Repeat(chunk("junk", nil), maxChunks+1), mono, data), "more than 4096 chunks"},
		{"no samples", riff(mono, chunk("data", nil)), "no samples"},
		{"half a frame", riff(mono, chunk("data", []byte{1, 0, 2})), "not a multiple of the frame of 2 bytes"},
		{"zero channels", withFormat(format(1, 0, SampleRate, 16)), "0 channels"},
		{"zero rate", withFormat(format(1, 1, 0, 16)), "sample rate 0 Hz"},
		{"absurd rate", withFormat(format(1, 1, math.MaxUint32, 16)), "sample rate 4294967295 Hz"},
		{"frame size", riff(chunk("fmt ", edit(format(1, 1, SampleRate, 16), 12, 7)), data), "frame of 7 bytes"},
		{"12 bits", withFormat(format(1, 1, SampleRate, 12)), "of 12 bits"},
		{"16-bit float", withFormat(format(3, 1, SampleRate, 16)), "format tag 0x3 of 16 bits"},
		{"ADPCM", withFormat(format(2, 1, SampleRate, 4)), "format tag 0x2 of 4 bits"},
		{"short fmt", withFormat(format(1, 1, SampleRate, 16)[:14]), "fmt chunk of 14 bytes"},
		{"short extensible", withFormat(format(tagExtensible, 1, SampleRate, 16)), "too short"},
		{"extensible of another family", withFormat(extensible(1, 1, 16, 16, "\x00\x00\x21\x07\xd3\x11\x86\x44\xc8\xc1\xca\x00\x00\x00")), "unknown extensible format"},
		{"too many valid bits", withFormat(extensible(1, 1, 16, 24, extensibleTail)), "24 valid bits in samples of 16"},
		{"low rate", withFormat(format(1, 1, 999, 16)), "sample rate 999 Hz, want 1000 to 768000 Hz"},
		{"high rate", withFormat(format(1, 1, 1<<20, 16)), "sample rate 1048576 Hz"},
		{"64-bit NaN", riff(chunk("fmt ", format(3, 1, SampleRate, 64)), chunk("data", []byte{0, 0, 0, 0, 0, 0, 0xf8, 0x7f})), "sample 0 is not finite"},
		{"64-bit, beyond float32", riff(chunk("fmt ", format(3, 1, SampleRate, 64)), chunk("data", []byte{0, 0, 0, 0, 0, 0, 0, 0x50})), "sample 0 is not finite"},
		{"NaN", riff(chunk("fmt ", format(3, 1, SampleRate, 32)), chunk("data", []byte{0, 0, 0, 0, 0, 0, 192, 127})), "sample 1 is not finite"},
		{"infinity in one channel", riff(chunk("fmt ", format(3, 2, SampleRate, 32)), chunk("data", []byte{0, 0, 0, 0, 0, 0, 128, 255})), "sample 0 is not finite"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := temp(t, "x.wav", test.file)
			_, err := Read(path)
			if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), path) {
				t.Errorf("error %v, want ErrInvalid that starts with the path and says %q", err, test.want)
			}
		})
	}
}

func TestOpenMissingAndDirectory(t *testing.T) {
	if _, err := Open(filepath.Join(t.TempDir(), "no.wav")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v, want fs.ErrNotExist", err)
	}
	if _, err := Open(t.TempDir()); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "directory") {
		t.Errorf("directory: %v, want ErrInvalid", err)
	}
}

func TestReadAtRange(t *testing.T) {
	f, err := Open(temp(t, "x.wav", riff(chunk("fmt ", format(1, 1, SampleRate, 16)), chunk("data", make([]byte, 20)))))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		start, n int
		ok       bool
	}{{0, 10, true}, {10, 0, true}, {3, 7, true}, {-1, 1, false}, {0, 11, false}, {10, 1, false}, {11, 0, false}, {math.MaxInt, 2, false}} {
		if err := f.ReadAt(make([]float32, c.n), c.start); (err == nil) != c.ok || err != nil && !errors.Is(err, ErrInvalid) {
			t.Errorf("%d samples at %d: %v, want ok %v", c.n, c.start, err, c.ok)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.ReadAt(make([]float32, 1), 0); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("read after Close: %v", err)
	}
}

// A file that shrinks after it was opened is an error, not a crash.
func TestFileCutWhileOpen(t *testing.T) {
	path := temp(t, "x.wav", riff(chunk("fmt ", format(1, 1, SampleRate, 16)), chunk("data", make([]byte, 2000))))
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Truncate(path, 1000); err != nil {
		t.Fatal(err)
	}
	if err := f.ReadAt(make([]float32, f.Frames), 0); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "truncated") {
		t.Errorf("error %v, want ErrInvalid, truncated", err)
	}
}

func FuzzWAV(f *testing.F) {
	pcm := []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	for _, format := range [][]byte{
		format(1, 1, SampleRate, 8), format(1, 2, SampleRate, 16), format(1, 4, SampleRate, 24), format(1, 1, SampleRate, 32),
		format(3, 1, SampleRate, 32), extensible(1, 1, 24, 20, extensibleTail),
	} {
		f.Add(riff(chunk("LIST", []byte("abc")), chunk("fmt ", format), chunk("data", pcm)))
	}
	f.Add([]byte("RIFF\xff\xff\xff\xffWAVEfmt \xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := bytes.NewReader(data)
		var w wavFormat
		var err error
		within(t, 64<<10, func() { w, err = parseWAV(r, int64(len(data))) })
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatalf("error %v does not wrap ErrInvalid", err)
			}
			return
		}
		if w.frames < 0 || w.channels < 1 || w.data+int64(w.frames)*int64(w.frameBytes()) > int64(len(data)) {
			t.Fatalf("%+v does not lie inside %d bytes", w, len(data))
		}
		dst := make([]float32, w.frames)
		if err := (&wavBody{wavFormat: w, r: r}).readAt(dst, 0); err != nil {
			if !w.float || !errors.Is(err, ErrInvalid) {
				t.Fatalf("samples: %v", err)
			}
			return
		}
		for i, v := range dst {
			if v-v != 0 || !w.float && (v < -1 || v > 1) {
				t.Fatalf("sample %d is %g", i, v)
			}
		}
	})
}

// Long ranges are decoded in pieces of 64 KiB, which three channels of 24 bits do not divide.
func TestReadAtAcrossPieces(t *testing.T) {
	const frames = 20000
	raw := make([]byte, 0, frames*9)
	want := make([]float32, frames)
	for i := range frames {
		for c := range 3 {
			v := int32(i*131+c*7919)%(1<<23) - 1<<22
			raw = append(raw, byte(v), byte(v>>8), byte(v>>16))
			want[i] += float32(v) / 3
		}
		want[i] /= 1 << 23
	}
	f, err := Open(temp(t, "x.wav", riff(chunk("fmt ", format(1, 3, SampleRate, 24)), chunk("data", raw))))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, r := range [][2]int{{0, frames}, {1, frames}, {7280, 7290}, {frames - 1, frames}, {5, 5 + 2*7281}} {
		got := make([]float32, r[1]-r[0])
		if err := f.ReadAt(got, r[0]); err != nil {
			t.Fatal(err)
		}
		for i, v := range got {
			if d := v - want[r[0]+i]; d > 1e-6 || d < -1e-6 { // want is summed in float32
				t.Fatalf("samples [%d, %d): sample %d is %v, want %v", r[0], r[1], r[0]+i, v, want[r[0]+i])
			}
		}
	}
}
