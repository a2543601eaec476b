package adapt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"time"

	"syncretic/adapt/audio"
)

func TestShardOf(t *testing.T) {
	short := slices.Repeat([]int{10}, 600)
	for _, test := range []struct {
		frames []int
		want   []int // recordings by shard
		plain  bool
	}{
		{[]int{10}, []int{1}, true},
		{short, []int{256, 256, 88}, true},
		{[]int{5000, 10, 10, 10}, []int{1, 3}, false},
		{[]int{990, 10, 10}, []int{2, 1}, false},
		{[]int{10, 5000, 5000}, []int{1, 1, 1}, false},
		{append([]int{3000}, short...), []int{1, 100, 100, 100, 100, 100, 100}, false},
	} {
		most := 1000
		if test.plain {
			most = 1 << 20
		}
		shard, plain := shardOf(test.frames, most)
		var got []int
		for i, s := range shard {
			if i == 0 || s != shard[i-1] {
				got = append(got, 0)
			}
			got[s]++
		}
		if !slices.Equal(got, test.want) || plain != test.plain || len(shard) != len(test.frames) {
			t.Errorf("%d recordings: shards of %v, plain %t; want %v, %t", len(test.frames), got, plain, test.want, test.plain)
		}
	}
}

// silence writes a file of 16-bit samples that are a hole, with a click now and then.
func silence(t *testing.T, path string, seconds int) {
	t.Helper()
	if err := audio.WriteWAV(path, make([]float32, 1), false); err != nil {
		t.Fatal(err)
	}
	head := read(t, path)[:44]
	size := 2 * 24000 * seconds
	binary.LittleEndian.PutUint32(head[4:], uint32(36+size))
	binary.LittleEndian.PutUint32(head[40:], uint32(size))
	if err := errors.Join(os.WriteFile(path, head, 0o600), os.Truncate(path, int64(44+size))); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for at := 1000; at < seconds*24000; at += 70001 {
		if _, err := f.WriteAt([]byte{0, byte(at % 100)}, int64(44+2*at)); err != nil {
			t.Fatal(err)
		}
	}
}

// The targets of half an hour are computed in the memory of a few blocks, beside their codes, and are those of a computation in memory.
func TestShardMemoryIsBounded(t *testing.T) {
	dir := t.TempDir()
	silence(t, filepath.Join(dir, "long.wav"), 1800)
	silence(t, filepath.Join(dir, "short.wav"), 3)
	manifest := writeFile(t, filepath.Join(dir, "m.csv"), "path,split\nlong.wav,train\nshort.wav,train\n")
	c, err := OpenCorpus(CorpusConfig{Name: "long", Manifest: manifest})
	if err != nil {
		t.Fatal(err)
	}
	defer c.files.Close()
	cfg := tinyConfig(t, dir).Teacher
	cfg.CQT.Bins, cfg.CQT.MaxWindow, cfg.Frames = 48, 256, 2000 // 26 MB of spectra
	teacher, err := FitTeacher(t.Context(), cfg, []*Corpus{c})
	if err != nil {
		t.Fatal(err)
	}
	build := func(name string, held int) []byte {
		t.Helper()
		b := &shardBuilder{teacher: teacher, recordings: c.Recordings, held: held}
		for _, r := range c.Recordings {
			b.frames = append(b.frames, teacher.frames(r))
		}
		path := filepath.Join(dir, name, "shard.safetensors")
		if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := b.write(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		files, err := os.ReadDir(filepath.Dir(path))
		if err != nil || len(files) != 1 {
			t.Errorf("%s: %v, %v, want the shard alone", name, files, err)
		}
		return read(t, path)
	}
	var onDisk []byte
	if grown := heapGrowth(func() { onDisk = build("file", 1000) }); grown > 12<<20+uint64(len(onDisk)) {
		t.Errorf("the heap grew by %d bytes beside the file of %d, want at most 12 MiB", grown, len(onDisk))
	}
	if !bytes.Equal(onDisk, build("memory", heldSpectra)) {
		t.Error("targets by way of a file are others than those in memory")
	}
}

// heapGrowth is by how much the heap grew at most while f ran, in bytes.
func heapGrowth(f func()) uint64 {
	held := func() uint64 {
		s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		metrics.Read(s)
		return s[0].Value.Uint64()
	}
	before, peak := held(), uint64(0)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
				peak = max(peak, held())
			}
		}
	}()
	f()
	close(stop)
	<-done
	return peak - min(peak, before)
}

// A long recording's labelling ends with its context, not with the recording.
func TestLabelEndsWithItsContext(t *testing.T) {
	dir := t.TempDir()
	run := open(t, tinyConfig(t, dir))
	silence(t, filepath.Join(dir, "long.wav"), 120)
	c, err := OpenCorpus(CorpusConfig{Name: "long", Manifest: dir, Split: AllSplits})
	if err != nil {
		t.Fatal(err)
	}
	defer c.files.Close()
	at := slices.IndexFunc(c.Recordings, func(r Recording) bool { return r.ID == "long.wav" })
	ctx, cancel := context.WithCancel(t.Context())
	blocks := 0
	err = run.teacher.label(ctx, c.Recordings[at], func(int, []float32, [][]int32) error {
		blocks++
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) || blocks != 1 {
		t.Errorf("%v after %d blocks, want the context's error after one", err, blocks)
	}
}

// The spectrum of a crop is that of its recording but at its ends, where windows reach out of it, and a batch has it in place of the cached
// one. The codes stay the recording's.
func TestSpectrumOfTheCrop(t *testing.T) {
	dir := t.TempDir()
	cfg := tinyConfig(t, dir)
	cached := open(t, cfg)
	cfg.Teacher.Spectrum = SpectrumCrop
	crop := open(t, cfg)
	if a, b := cached.teacher.SpectrumFrom(), crop.teacher.SpectrumFrom(); a != SpectrumCached || b != SpectrumCrop {
		t.Errorf("spectra %s and %s", a, b)
	}
	if err := crop.Targets("low").Spectrum(0, 0, make([]float32, 24)); err == nil || !strings.Contains(err.Error(), "0/cqt") {
		t.Errorf("a spectrum that is not kept: %v", err)
	}
	sampler, err := NewSampler(cfg.Seed, crop.corpora, 0, cfg.Batch.Seconds, crop.teacher.Hop())
	if err != nil {
		t.Fatal(err)
	}
	a, errA := cached.loadTraining(&Sampler{seed: sampler.seed, samples: sampler.samples, hop: sampler.hop, corpora: cached.corpora, share: sampler.share, length: sampler.length}, 0, 0, 0)
	b, errB := crop.loadTraining(sampler, 0, 0, 0)
	if err := errors.Join(errA, errB); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(a.rows, b.rows) || !slices.Equal(a.codes[1], b.codes[1]) || !slices.Equal(a.samples, b.samples) {
		t.Error("more than the spectrum differs")
	}
	frames, bins := crop.model.Encoder.Frames(samplesOf(cfg.Batch.Seconds)), crop.teacher.Bins()
	inside, ends := 0.0, 0.0
	for i, row := range a.rows {
		f := row % frames
		for k := range bins {
			d := math.Abs(float64(a.spectrum[i*bins+k] - b.spectrum[i*bins+k]))
			if reach := 512; f*320 >= reach && f*320 <= samplesOf(cfg.Batch.Seconds)-reach { // the longest window has 1024 samples
				inside = max(inside, d)
			} else {
				ends = max(ends, d)
			}
		}
	}
	if inside > 4e-3 || ends < 0.05 { // half precision of values up to 4
		t.Errorf("spectra differ by %g within, by %g at the ends", inside, ends)
	}
	whole := make([]float32, 18000)
	r := crop.corpora[0].Recordings[0]
	if err := r.Read(whole, 0); err != nil {
		t.Fatal(err)
	}
	want, _, err := cached.teacher.Label(r)
	if err != nil {
		t.Fatal(err)
	}
	if got := crop.teacher.Spectrum(whole); !slices.Equal(got, want) {
		t.Error("the spectrum of a whole recording as a crop is another than its label's")
	}
}

// The choice is kept, said in the provenance and part of what a resumed run must agree on.
func TestSpectrumIsSaid(t *testing.T) {
	dir := t.TempDir()
	for _, test := range []struct {
		tokens      bool
		asked, want string
		stored      string
	}{{false, "", SpectrumCached, ""}, {false, SpectrumCached, SpectrumCached, ""}, {false, SpectrumCrop, SpectrumCrop, SpectrumCrop},
		{true, "", SpectrumCrop, SpectrumCrop}, {true, SpectrumCached, SpectrumCached, SpectrumCached}} {
		cfg := TeacherConfig{Spectrum: test.asked}
		if test.tokens {
			cfg.Tokens = "x"
		}
		if got := cfg.storedSpectrum(); got != test.stored || cfg.croppedSpectrum() != (test.want == SpectrumCrop) {
			t.Errorf("tokens %t, asked %q: stored %q, crop %t", test.tokens, test.asked, got, cfg.croppedSpectrum())
		}
	}
	cfg := tokenConfig(t, dir, nil)
	out := filepath.Join(dir, "out")
	if err := open(t, cfg).Train(t.Context(), out, Options{}); err != nil {
		t.Fatal(err)
	}
	if doc := string(read(t, out, "adapt.json")); !strings.Contains(doc, `"spectrum": "crop"`) || !strings.Contains(doc, `"hours_used"`) {
		t.Errorf("adapt.json says neither spectrum nor hours:\n%s", doc)
	}
	stored, err := StoredConfig(out)
	if err != nil {
		t.Fatal(err)
	}
	e, err := OpenEvaluation(t.Context(), stored.Eval([]CorpusConfig{{Name: "low", Manifest: cfg.Corpora[0].Manifest, Hours: 1e-9}}, 0), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if e.Teacher().SpectrumFrom() != SpectrumCrop || e.Corpora()[0].Clips != 6 {
		t.Errorf("an evaluation takes the spectrum %s of %d clips, want the crop's of 6", e.Teacher().SpectrumFrom(), e.Corpora()[0].Clips)
	}
	if _, err := ParseConfig([]byte("init: {a: 1}\nteacher: {path: t, spectrum: fresh}\ncorpora: [{name: c, manifest: m}]\nstages: [{name: x, steps: 1, lr: {peak: 1}}]\n")); err == nil ||
		!strings.Contains(err.Error(), `teacher.spectrum: got "fresh", want cached or crop`) {
		t.Errorf("an unknown spectrum: %v", err)
	}
}
