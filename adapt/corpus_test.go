package adapt

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"syncretic/adapt/audio"
)

// mixedCorpus writes a recording at 24 kHz, one that claims 48 kHz, and one that is cut, in a manifest that names the last twice.
func mixedCorpus(t *testing.T) (manifest string) {
	t.Helper()
	dir := t.TempDir()
	samples := make([]float32, 30000)
	for i := range samples {
		samples[i] = float32(i*7919%2001-1000) / 1000
	}
	for _, name := range []string{"good.wav", "fast.wav", "cut.wav"} {
		path := filepath.Join(dir, name)
		if err := audio.WriteWAV(path, samples, false); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		switch name {
		case "fast.wav":
			data[24], data[25] = 0x80, 0xbb
		case "cut.wav":
			data = data[:1000]
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	manifest = filepath.Join(dir, "m.csv")
	rows := "path,start,end,split\ngood.wav,,,train\ncut.wav,0,0.1,train\nfast.wav,,,train\ncut.wav,0.1,0.2,train\n"
	if err := os.WriteFile(manifest, []byte(rows), 0o600); err != nil {
		t.Fatal(err)
	}
	return manifest
}

func TestCorpusSkipsBad(t *testing.T) {
	manifest := mixedCorpus(t)
	if _, err := OpenCorpus(CorpusConfig{Name: "mixed", Manifest: manifest}); err == nil || !strings.Contains(err.Error(), "cut.wav: invalid audio input: truncated") {
		t.Errorf("not asked for: error %v", err)
	}
	c, err := OpenCorpus(CorpusConfig{Name: "mixed", Manifest: manifest, SkipBad: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Recordings) != 2 || c.Recordings[0].ID != "good.wav" || c.Recordings[1].ID != "fast.wav" {
		t.Errorf("kept %+v, want good.wav and fast.wav", c.Recordings)
	}
	if len(c.Skipped) != 1 || !strings.HasSuffix(c.Skipped[0].Path, "cut.wav") || !strings.Contains(c.Skipped[0].Reason, "truncated") {
		t.Errorf("left out %+v, want cut.wav once", c.Skipped)
	}
}

// The way to resample changes what is read of a file at another rate, and the names under which results are kept.
func TestCorpusResamples(t *testing.T) {
	manifest := mixedCorpus(t)
	corpora := map[audio.Resampling]*Corpus{}
	read := map[audio.Resampling][]float32{}
	for _, method := range []audio.Resampling{"", audio.Kaiser, audio.Torchaudio} {
		c, err := OpenCorpus(CorpusConfig{Name: "mixed", Manifest: manifest, SkipBad: true, Resampler: method})
		if err != nil {
			t.Fatal(err)
		}
		r := c.Recordings[1]
		if r.Len != 15000 {
			t.Fatalf("30,000 samples at 48 kHz are %d at 24 kHz, want 15,000", r.Len)
		}
		got := make([]float32, 3000)
		if err := r.Read(got, 7000); err != nil {
			t.Fatal(err)
		}
		want, err := audio.Options{Resampling: method}.Read(r.Path)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want[7000:10000]) {
			t.Errorf("%q: the crop is not the resampled recording's", method)
		}
		corpora[method], read[method] = c, got
	}
	if !slices.Equal(read[""], read[audio.Kaiser]) || slices.Equal(read[audio.Kaiser], read[audio.Torchaudio]) {
		t.Error("the default is not kaiser, or torchaudio is")
	}
	if corpora[""].hash() != corpora[audio.Kaiser].hash() || corpora[""].hash() == corpora[audio.Torchaudio].hash() {
		t.Error("the corpus's hash does not tell the ways to resample apart, or tells kaiser from the default")
	}
}
