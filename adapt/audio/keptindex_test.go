package audio

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// A file that a pool opens again by the index it kept gives the same samples, and one that changed meanwhile its own.
func TestPoolKeepsIndices(t *testing.T) {
	for _, names := range [][2]string{{"stereo44.mp3", "mono24.mp3"}, {"long.opus", "speech.opus"}} {
		first, second := readTestdata(t, names[0]), readTestdata(t, names[1])
		path := temp(t, names[0], first)
		other := temp(t, "other.wav", readTestdata(t, "pcm16_mono.wav"))
		p := NewPool(Options{}, 0) // closes every file at once
		want, err := Read(path)
		if err != nil {
			t.Fatal(err)
		}
		for round := range 3 {
			got := make([]float32, 5000)
			at := len(want) - 6000 - round
			if err := p.ReadAt(path, got, at); err != nil || !slices.Equal(got, want[at:at+5000]) {
				t.Fatalf("%s, round %d: other samples than the file's (%v)", names[0], round, err)
			}
			if len(p.files) != 0 || p.indices[path] == nil || p.held != p.indices[path].bytes() || p.held == 0 {
				t.Fatalf("%s: %d files open, index %v of %d bytes held", names[0], len(p.files), p.indices[path], p.held)
			}
		}
		kept := p.indices[path].index
		if err := p.With(path, func(f *File) error {
			if f.index != kept {
				t.Errorf("%s was walked over again", names[0])
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if err := p.ReadAt(other, make([]float32, 10), 0); err != nil || len(p.indices) != 1 {
			t.Errorf("a WAV: %v, %d indices kept, want that of %s alone", err, len(p.indices), names[0])
		}

		if err := os.WriteFile(path, second, 0o600); err != nil {
			t.Fatal(err)
		}
		later := time.Now().Add(time.Hour)
		if err := os.Chtimes(path, later, later); err != nil {
			t.Fatal(err)
		}
		if want, err = Read(path); err != nil {
			t.Fatal(err)
		}
		got := make([]float32, len(want))
		if err := p.ReadAt(path, got, 0); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s after it became %s: other samples than the file's (%v)", names[0], names[1], err)
		}
		if p.indices[path].index == kept || p.held != p.indices[path].bytes() {
			t.Errorf("%s: the old index is kept", names[0])
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}

func readTestdata(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestOffsets(t *testing.T) {
	var o offsets
	var want []int64
	at := int64(5_000_000_000)
	for i := range 1000 {
		o.add(at)
		want = append(want, at)
		at += int64(200 + 1241*(i%2)) // the longest frame has 1,441 bytes
		if i%3 == 0 {
			at += 1241
		}
		at = min(at, want[i]+1441)
	}
	for i := range want {
		if o.at(i) != want[i] {
			t.Fatalf("offset %d: %d, want %d", i, o.at(i), want[i])
		}
	}
	if o.len() != len(want) || o.bytes() > 5*len(want) {
		t.Errorf("%d offsets in %d bytes", o.len(), o.bytes())
	}
}
