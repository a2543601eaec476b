package audio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

// pagesOf returns where the pages of an Ogg file begin, and its length.
func pagesOf(t *testing.T, data []byte) []int {
	t.Helper()
	var at []int
	var p oggPage
	for next := int64(0); next < int64(len(data)); next = p.next {
		if err := readOgg(bytes.NewReader(data), next, int64(len(data)), &p); err != nil {
			t.Fatal(err)
		}
		at = append(at, int(next))
	}
	return append(at, len(data))
}

// resum edits the page at an offset and sets its sum anew.
func resum(data []byte, page int, change func(page []byte)) []byte {
	data = slices.Clone(data)
	b := data[page:]
	n := oggHeader + int(b[26])
	for _, l := range b[oggHeader:n] {
		n += int(l)
	}
	b = b[:n]
	change(b)
	clear(b[22:26])
	binary.LittleEndian.PutUint32(b[22:], oggSum(0, b))
	return data
}

func TestOggSum(t *testing.T) {
	// The check value of CRC-32/POSIX-like sums with this polynomial, no reflection and no inversion.
	if got := oggSum(oggSum(0, []byte("1234")), []byte("56789")); got != 0x89a1897f {
		t.Errorf("oggSum %#x, want 0x89a1897f", got)
	}
}

func TestOpusRefuses(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	good := readFixture(t, "long.opus")
	at := pagesOf(t, good)
	last := at[len(at)-2]
	body := at[3] + oggHeader + int(good[at[3]+26])
	for _, test := range []struct {
		name string
		file []byte
		want string
	}{
		{"cut in a page", good[:len(good)-9], "truncated: Ogg page at byte"},
		{"cut between pages", good[:last], "truncated: no Ogg page ends the stream"},
		{"cut in the headers", good[:at[1]], "truncated: the Opus headers are not whole"},
		{"a page is gone", slices.Concat(good[:at[3]], good[at[4]:]), "Ogg page 4 at byte"},
		{"noise between pages", slices.Concat(good[:at[3]], []byte("noise"), good[at[3]:]), "no Ogg page at byte"},
		{"a bit is wrong", edit(good, body+5, good[body+5]^1), "has sum"},
		{"another stream", resum(good, at[3], func(p []byte) { p[14]++ }), "several streams in one Ogg file: not decoded here, and the program ffmpeg"},
		{"chained", slices.Concat(good, good), "several streams in one Ogg file"},
		{"six channels", resum(good, 0, func(p []byte) { p[28+9] = 6 }), "6 channels"},
		{"no channels", resum(good, 0, func(p []byte) { p[28+9] = 0 }), "Opus header"},
		{"version 16", resum(good, 0, func(p []byte) { p[28+8] = 16 }), "Opus header"},
		{"120 ms and more", resum(good, at[3], func(p []byte) { p[body-at[3]] |= 3; p[body-at[3]+1] |= 0x3f }), "63 frames of"},
		{"nothing before the end", resum(good, last, func(p []byte) { clear(p[6:14]) }), "no samples"},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := temp(t, "x.opus", test.file)
			_, err := Read(path)
			if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), path) {
				t.Errorf("error %v, want ErrInvalid that starts with the path and says %q", err, test.want)
			}
		})
	}
}

// A fresh decoder that begins a second early is, where its segment begins, the decoder that began at the start.
func TestOpusSegmentsAreSeamless(t *testing.T) {
	for _, name := range []string{"long.opus", "speech.opus"} {
		data := readFixture(t, name)
		x, err := indexOpus(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		if len(x.marks) != 22 {
			t.Fatalf("%s: %d marks, want 22", name, len(x.marks))
		}
		one := *x
		one.marks = x.marks[:opusSegment] // a reader that knows of one segment only decodes it to the end
		decode := func(x *opusIndex) []float32 {
			out := make([]float32, x.frames)
			b := &blocks{r: newOpusReader(inMemory{bytes.NewReader(data)}, x, int64(len(data)))}
			if err := b.readAt(out, 0); err != nil {
				t.Fatal(err)
			}
			return out
		}
		want, got := decode(&one), decode(x)
		worst := 0.0
		for i := range want {
			worst = max(worst, math.Abs(float64(got[i]-want[i])))
		}
		t.Logf("%s: largest difference %.2g", name, worst)
		if worst > 1e-6 {
			t.Errorf("%s: largest difference %g, want at most 1e-6", name, worst)
		}
	}
}

func FuzzOpus(f *testing.F) {
	for _, name := range []string{"gain.opus", "music.opus", "hybrid.opus"} {
		f.Add(readFixture(f, name))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		// Sums are set anew, or hardly anything would come past them.
		for at := 0; at+oggHeader < len(data) && string(data[at:at+4]) == "OggS"; {
			n := oggHeader + int(data[at+26])
			for _, l := range data[at+oggHeader : min(at+n, len(data))] {
				n += int(l)
			}
			if at+n > len(data) {
				break
			}
			data = resum(data, at, func([]byte) {})
			at += n
		}
		var x *opusIndex
		var err error
		within(t, 1<<20+uint64(8*len(data)), func() { x, err = indexOpus(bytes.NewReader(data), int64(len(data))) })
		var s stored
		if err == nil {
			fuzzBlocks(t, newOpusReader(inMemory{bytes.NewReader(data)}, x, int64(len(data))), 4<<20)
			s = storedOpus(inMemory{bytes.NewReader(data)}, x, int64(len(data)))
			if x.frames > len(data)*opusLongest {
				t.Fatalf("%d samples in %d bytes", x.frames, len(data))
			}
		}
		fuzzStored(t, s, err)
	})
}
