package audio

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
)

func readFixture(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func TestMP3Headers(t *testing.T) {
	for _, test := range []struct {
		head []byte
		want mp3Header
		size int
	}{
		{[]byte{0xff, 0xfb, 0x90, 0x64}, mp3Header{version: 1, layer: 3, kbps: 128, rate: 44100, channels: 2}, 417},
		{[]byte{0xff, 0xfb, 0x92, 0x64}, mp3Header{version: 1, layer: 3, kbps: 128, rate: 44100, channels: 2, padded: true}, 418},
		{[]byte{0xff, 0xfa, 0xe4, 0xc4}, mp3Header{version: 1, layer: 3, kbps: 320, rate: 48000, channels: 1, checked: true}, 960},
		{[]byte{0xff, 0xf3, 0x84, 0x50}, mp3Header{version: 2, layer: 3, kbps: 64, rate: 24000, channels: 2, intensity: true}, 192},
		{[]byte{0xff, 0xe3, 0x28, 0xc4}, mp3Header{version: 25, layer: 3, kbps: 16, rate: 8000, channels: 1}, 144},
	} {
		got, ok := parseMP3Header(test.head)
		if !ok || got != test.want || got.size() != test.size {
			t.Errorf("% x: %+v of %d bytes, %v, want %+v of %d", test.head, got, got.size(), ok, test.want, test.size)
		}
	}
	for _, head := range [][]byte{nil, {0xff, 0xfb, 0x90}, {0xff, 0xeb, 0x90, 0x64}, {0xff, 0xf9, 0x90, 0x64}, {0xff, 0xfb, 0xf0, 0x64},
		{0xff, 0xfb, 0x9c, 0x64}, {0xff, 0xfb, 0x90, 0x66}, {0xfe, 0xfb, 0x90, 0x64}} {
		if h, ok := parseMP3Header(head); ok {
			t.Errorf("% x is taken for %+v", head, h)
		}
	}
}

func TestMP3Refuses(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	good := readFixture(t, "stereo44.mp3")
	at, err := skipID3(bytes.NewReader(good), int64(len(good)))
	if err != nil {
		t.Fatal(err)
	}
	x, err := indexMP3(bytes.NewReader(good), at, int64(len(good)))
	if err != nil {
		t.Fatal(err)
	}
	second := int(x.frames.at(1))
	for _, test := range []struct {
		name string
		file []byte
		want string
	}{
		{"cut in a frame", good[:len(good)-7], "truncated: MP3 frame at byte"},
		{"cut between frames", good[:x.frames.at(15)], "truncated: 15 MP3 frames, the first says 24"},
		{"a frame is gone", slices.Concat(good[:x.frames.at(3)], good[x.frames.at(4):]), "truncated: 23 MP3 frames, the first says 24"},
		{"noise between frames", slices.Concat(good[:second], []byte("noise"), good[second:]), "no MP3 frame at byte"},
		{"another rate", edit(good, second+2, good[second+2]|4), "at 48000 Hz, the first has"},
		{"tag alone", []byte("ID3\x04\x00\x00\x00\x00\x00\x02ab"), "no samples"},
		{"tag beyond the end", []byte("ID3\x04\x00\x00\x7f\x7f\x7f\x7fab"), "no samples"},
		{"tag and text", []byte("ID3\x04\x00\x00\x00\x00\x00\x02abtext"), "no MP3 frame at byte 12"},
		{"MPEG-2.5", []byte{0xff, 0xe3, 0x28, 0xc4, 0}, "MP3 with MPEG-2.5: not decoded here, and the program ffmpeg"},
		{"free format", []byte{0xff, 0xfb, 0x00, 0x64, 0}, "MP3 with free format"},
		{"padding that the decoder misreads", []byte{0xff, 0xf3, 0x42, 0x40, 0}, "MP3 with padded frames at a low rate"},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := temp(t, "x.mp3", test.file)
			_, err := Read(path)
			if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), path) {
				t.Errorf("error %v, want ErrInvalid that starts with the path and says %q", err, test.want)
			}
		})
	}
}

// Tags before and behind, and zeros around them, change nothing.
func TestMP3Tags(t *testing.T) {
	good := readFixture(t, "notag44.mp3")
	want, err := Read("testdata/notag44.mp3")
	if err != nil {
		t.Fatal(err)
	}
	id3 := append([]byte("ID3\x04\x00\x10\x00\x00\x00\x05hello"), "3DI\x04\x00\x10\x00\x00\x00\x05"...)
	v1 := append([]byte("TAG"), make([]byte, 125)...)
	for name, file := range map[string][]byte{
		"ID3v2":               slices.Concat(id3, good),
		"two of them":         slices.Concat(id3, id3, good),
		"and zeros":           slices.Concat(id3, make([]byte, 100), good),
		"ID3v1":               slices.Concat(good, v1),
		"zeros, then ID3v1":   slices.Concat(good, make([]byte, 50), v1),
		"APE and ID3v1":       slices.Concat(good, []byte("APETAGEX1234567890"), v1),
		"zeros behind":        slices.Concat(good, make([]byte, 1000)),
		"one zero behind":     slices.Concat(good, []byte{0}),
		"Lyrics3 and another": slices.Concat(good, []byte("LYRICSBEGINxxxLYRICS200"), v1),
	} {
		got, err := Read(temp(t, "x.mp3", file))
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %d samples, %v, want the %d without", name, len(got), err, len(want))
		}
	}
}

// A stream that was cut out of another begins with frames whose data is not there: they are silent, and what follows is as it was.
func TestMP3CutOut(t *testing.T) {
	good := readFixture(t, "notag44.mp3")
	whole, err := Options{Rate: 44100}.Read("testdata/notag44.mp3")
	if err != nil {
		t.Fatal(err)
	}
	x, err := indexMP3(bytes.NewReader(good), 0, int64(len(good)))
	if err != nil {
		t.Fatal(err)
	}
	const cut = 3
	got, err := Options{Rate: 44100}.Read(temp(t, "x.mp3", good[x.frames.at(cut):]))
	if err != nil {
		t.Fatal(err)
	}
	const settled = 6 // frames until the reservoir holds data of this stream alone
	if !slices.Equal(got[settled*1152:], whole[(cut+settled)*1152:]) {
		t.Error("what follows the cut is not what it was")
	}
	if len(got) != len(whole)-cut*1152 {
		t.Errorf("%d samples, want %d", len(got), len(whole)-cut*1152)
	}
}

func FuzzMP3(f *testing.F) {
	for _, name := range []string{"notag44.mp3", "mono24.mp3", "joint48.mp3"} {
		f.Add(readFixture(f, name))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := inMemory{bytes.NewReader(data)}
		at, err := skipID3(r, int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		var x *mp3Index
		within(t, 1<<20+uint64(8*len(data)), func() { x, err = indexMP3(r, at, int64(len(data))) })
		if err == nil && int64(x.frames.len())*24 > int64(len(data)) {
			t.Fatalf("%d frames in %d bytes", x.frames.len(), len(data))
		}
		if err == nil && x.frames.len() > 0 {
			fuzzBlocks(t, &mp3Reader{f: r, index: x}, 1<<20)
		}
		s, err := openMP3(r, at, int64(len(data)))
		fuzzStored(t, s, err)
	})
}
