package adapt

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"syncretic/adapt/audio"
	"syncretic/adapt/tokens"
	"syncretic/checkpoint"
)

// origin is of three codebooks of 16, as a tiny codec has them.
var origin = tokens.Origin{Model: strings.Repeat("ab", 32), Codebooks: 3, Size: 16, SampleRate: 24000, FrameRate: 75, Resampler: audio.Kaiser.Settings()}

// codeAt is the code that writeTokens gives a frame of a file.
func codeAt(book, frame int) int16 { return int16((7*book + 3*frame) % 16) }

// writeTokens writes a folder with the codes of all recordings of manifests. spoil may change what is written of each.
func writeTokens(t testing.TB, dir string, manifests []string, spoil func(recording string, codes *[][]int16, o *tokens.Origin)) {
	t.Helper()
	writeTokensOf(t, dir, manifests, 320, spoil)
}

// writeTokensOf is writeTokens with frames of other lengths.
func writeTokensOf(t testing.TB, dir string, manifests []string, hop int, spoil func(recording string, codes *[][]int16, o *tokens.Origin)) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	var rows []tokens.Row
	done := map[string]bool{}
	for _, manifest := range manifests {
		entries, err := audio.ReadManifest(manifest)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if done[e.Path] {
				continue
			}
			done[e.Path] = true
			f, err := audio.Open(e.Path)
			if err != nil {
				t.Fatal(err)
			}
			frames := (f.Frames + hop - 1) / hop
			f.Close()
			codes, o := make([][]int16, 3), origin
			o.FrameRate = audio.SampleRate / hop
			for q := range codes {
				for i := range frames {
					codes[q] = append(codes[q], codeAt(q, i))
				}
			}
			if spoil != nil {
				spoil(e.ID, &codes, &o)
			}
			if codes == nil {
				continue
			}
			sum := fmt.Sprintf("%x", sha256.Sum256([]byte(e.ID)))
			row := tokens.Row{Path: tokens.Relative(dir, e.Path), File: tokens.FileName(e.Path, sum), Codebooks: len(codes), Frames: len(codes[0]),
				Seconds: 1, Audio: sum, Model: o.Model, Resampler: o.Resampler}
			meta := o.Metadata()
			if o == (tokens.Origin{}) {
				meta = nil
			}
			if err := tokens.Write(t.Context(), filepath.Join(dir, row.File), sum, codes, checkpoint.WriteOptions{Metadata: meta, Force: true}); err != nil {
				t.Fatal(err)
			}
			rows = append(rows, row)
		}
	}
	if err := tokens.WriteManifest(filepath.Join(dir, tokens.ManifestName), rows); err != nil {
		t.Fatal(err)
	}
}

// tokenConfig is tinyConfig with the codes of a folder.
func tokenConfig(t *testing.T, dir string, spoil func(string, *[][]int16, *tokens.Origin)) Config {
	t.Helper()
	cfg := tinyConfig(t, dir)
	standard := DefaultTeacher()
	cfg.Teacher.Tokens = filepath.Join(dir, "tokens")
	cfg.Teacher.Codebooks, cfg.Teacher.Size = 2, standard.Size
	cfg.Teacher.Iterations, cfg.Teacher.Batch, cfg.Teacher.Seed = standard.Iterations, standard.Batch, standard.Seed
	writeTokens(t, cfg.Teacher.Tokens, []string{cfg.Corpora[0].Manifest, cfg.Corpora[1].Manifest}, spoil)
	return cfg
}

// A run with tokens: the heads have their size, the targets are the recordings' codes, the teacher's folder holds statistics alone, and
// the recipe that is stored can be run again.
func TestRunWithTokens(t *testing.T) {
	dir := t.TempDir()
	cfg := tokenConfig(t, dir, nil)
	run := open(t, cfg)
	if books, size := run.Teacher().Codebooks(); books != 2 || size != 16 {
		t.Errorf("%d codebooks of %d, want 2 of 16, as the tokens have them", books, size)
	}
	for r := range run.corpora[0].Recordings {
		n := run.Targets("low").Frames(r)
		if n != 57 { // ⌈18000/320⌉: the spectrum has as many
			t.Fatalf("recording %d has %d frames, want 57", r, n)
		}
		for q := range 2 {
			codes, err := run.Targets("low").Codes(r, q, 5, n-5)
			if err != nil {
				t.Fatal(err)
			}
			for i, c := range codes {
				if c != int32(codeAt(q, 5+i)) {
					t.Fatalf("recording %d, codebook %d, frame %d: code %d, want %d", r, q, 5+i, c, codeAt(q, 5+i))
				}
			}
		}
		if _, err := run.Targets("low").Codes(r, 1, 50, 8); err == nil {
			t.Error("frames beyond the end were read")
		}
	}
	out := filepath.Join(dir, "out")
	if err := run.Train(context.Background(), out, Options{}); err != nil {
		t.Fatal(err)
	}
	if run.inputs["tokens of low"] == "" || run.inputs["tokens of high"] == "" || run.inputs["tokens of low"] == run.inputs["tokens of high"] {
		t.Errorf("inputs %v, want the tokens of both corpora", run.inputs)
	}
	if _, err := OpenTeacher(cfg.Teacher.Path); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "has no codebooks") {
		t.Errorf("the teacher without its tokens: %v, want ErrConfig", err)
	}
	doc, err := run.cfg.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseConfig(doc)
	if err != nil {
		t.Fatal(err)
	}
	second := open(t, again) // with the teacher that stands by now
	if second.cfg.Teacher.Tokens != cfg.Teacher.Tokens || fmt.Sprint(second.cfg.Teacher) != fmt.Sprint(run.cfg.Teacher) || fmt.Sprint(second.inputs) != fmt.Sprint(run.inputs) {
		t.Errorf("run again: teacher %+v, inputs %v; want %+v, %v", second.cfg.Teacher, second.inputs, run.cfg.Teacher, run.inputs)
	}
}

// The spectra of a teacher with codebooks serve beside tokens too.
func TestTokensBesideATeacherWithCodebooks(t *testing.T) {
	dir := t.TempDir()
	plain := tinyConfig(t, dir)
	open(t, plain)
	cfg := tokenConfig(t, dir, nil)
	run := open(t, cfg)
	if books, size := run.Teacher().Codebooks(); books != 2 || size != 16 {
		t.Errorf("%d codebooks of %d, want the tokens'", books, size)
	}
	if _, err := OpenTeacher(plain.Teacher.Path); err != nil {
		t.Errorf("the teacher is not what it was: %v", err)
	}
}

// Other tokens of the same recordings are other targets.
func TestTokensAreKnownByTheirContent(t *testing.T) {
	dir := t.TempDir()
	cfg := tokenConfig(t, dir, nil)
	first := open(t, cfg)
	writeTokens(t, cfg.Teacher.Tokens, []string{cfg.Corpora[0].Manifest, cfg.Corpora[1].Manifest}, func(id string, codes *[][]int16, _ *tokens.Origin) {
		if id == "low-2.wav" {
			(*codes)[1][9] ^= 1
		}
	})
	second := open(t, cfg)
	if first.inputs["tokens of low"] == second.inputs["tokens of low"] || first.inputs["tokens of high"] != second.inputs["tokens of high"] {
		t.Errorf("inputs %v, then %v", first.inputs, second.inputs)
	}
	for r, want := range map[*Run]int16{first: codeAt(1, 9), second: codeAt(1, 9) ^ 1} {
		codes, err := r.Targets("low").Codes(2, 1, 9, 1)
		if err != nil || codes[0] != int32(want) {
			t.Errorf("code %v, %v, want %d", codes, err, want)
		}
	}
}

// A row that begins within a frame gets the codes from the nearest frame on, halves to even, and the last frame of the spectrum may have
// none.
func TestTokensOfManifestRanges(t *testing.T) {
	dir := t.TempDir()
	samples := make([]float32, 24000)
	for i := range samples {
		samples[i] = float32(i%97)/97 - 0.5
	}
	path := filepath.Join(dir, "a.wav")
	if err := audio.WriteWAV(path, samples, false); err != nil {
		t.Fatal(err)
	}
	manifest := filepath.Join(dir, "m.csv")
	seconds := func(samples int) float64 { return float64(samples) / 24000 }
	starts := map[int]int{0: 0, 159: 0, 160: 0, 161: 1, 480: 2, 800: 2, 6400: 20, 6570: 21} // 160 and 800 are halves: 0.5 and 2.5
	var entries []audio.Entry
	for _, start := range []int{0, 159, 160, 161, 480, 800, 6400, 6570} {
		entries = append(entries, audio.Entry{ID: "a.wav", Path: path, Start: seconds(start), End: seconds(24000), Split: "train"})
	}
	if err := audio.WriteManifest(manifest, entries, false); err != nil {
		t.Fatal(err)
	}
	c, err := OpenCorpus(CorpusConfig{Name: "a", Manifest: manifest})
	if err != nil {
		t.Fatal(err)
	}
	cfg := tinyConfig(t, dir).Teacher
	cfg.Tokens, cfg.Spectrum = filepath.Join(dir, "tokens"), SpectrumCached
	writeTokens(t, cfg.Tokens, []string{manifest}, nil)
	teacher, err := TeacherFor(context.Background(), cfg, []*Corpus{c})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range c.Recordings {
		spectrum, codes, err := teacher.Label(r)
		if err != nil {
			t.Fatal(err)
		}
		n := min(r.Len/320+1, 75-starts[r.Start])
		if len(codes[0]) != n || len(spectrum) != n*24 || teacher.frames(r) != n {
			t.Errorf("from sample %d: %d codes, %d values, want %d frames", r.Start, len(codes[0]), len(spectrum), n)
		}
		if codes[1][0] != int32(codeAt(1, starts[r.Start])) {
			t.Errorf("from sample %d: the first code is %d, want that of frame %d", r.Start, codes[1][0], starts[r.Start])
		}
		if last := (r.Len - 325) / 320; last >= n { // an encoder's frame sees 325 samples or more
			t.Errorf("from sample %d: the encoder's frame %d has no code", r.Start, last)
		}
	}
}

// One file with a tensor a recording serves as well, also without metadata; then the recipe says how large a codebook is.
func TestTokensInOneFile(t *testing.T) {
	dir := t.TempDir()
	cfg := tokenConfig(t, dir, nil)
	file := filepath.Join(dir, "all.safetensors")
	cfg.Teacher.Tokens, cfg.Teacher.Size = file, 16
	var tensors []checkpoint.Tensor
	for _, name := range []string{"low", "high"} {
		for k := range 8 {
			values := make([]int64, 2*57)
			for i := range values {
				values[i] = int64(codeAt(i/57, i%57))
			}
			tensor, err := checkpoint.NewIntegers(filepath.Join(dir, fmt.Sprintf("%s-%d.wav", name, k)), checkpoint.I64, []int{2, 57}, values)
			if err != nil {
				t.Fatal(err)
			}
			tensors = append(tensors, tensor)
		}
	}
	src, err := checkpoint.NewMemory(tensors...)
	if err != nil {
		t.Fatal(err)
	}
	if err := checkpoint.Write(t.Context(), file, src, checkpoint.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	run := open(t, cfg)
	codes, err := run.Targets("high").Codes(1, 1, 30, 4)
	if err != nil || !slices.Equal(codes, []int32{int32(codeAt(1, 30)), int32(codeAt(1, 31)), int32(codeAt(1, 32)), int32(codeAt(1, 33))}) {
		t.Errorf("codes %v, %v", codes, err)
	}
	cfg.Teacher.Size = 12
	if _, err := Open(context.Background(), cfg, nil); !errors.Is(err, tokens.ErrInvalid) || !strings.Contains(err.Error(), "want 0 to 11") {
		t.Errorf("codes beyond codebook_size: %v, want ErrInvalid", err)
	}
}

func TestTokensRefusals(t *testing.T) {
	one := func(change func(codes *[][]int16, o *tokens.Origin)) func(string, *[][]int16, *tokens.Origin) {
		return func(id string, codes *[][]int16, o *tokens.Origin) {
			if id == "low-1.wav" {
				change(codes, o)
			}
		}
	}
	for _, test := range []struct {
		name  string
		spoil func(string, *[][]int16, *tokens.Origin)
		cfg   func(*Config)
		is    error
		text  string
	}{
		{"a recording without codes", one(func(c *[][]int16, _ *tokens.Origin) { *c = nil }), nil, tokens.ErrInvalid, "low-1.wav, among those of 15 recordings"},
		{"another recording's codes", one(func(c *[][]int16, _ *tokens.Origin) {
			for q := range *c {
				(*c)[q] = (*c)[q][:56]
			}
		}), nil, tokens.ErrInvalid, "56 frames, but "},
		{"too few codebooks", one(func(c *[][]int16, _ *tokens.Origin) { *c = (*c)[:1] }), nil, tokens.ErrInvalid, "1 codebooks, want 2 (teacher.codebooks)"},
		{"another frame rate", one(func(_ *[][]int16, o *tokens.Origin) { o.FrameRate = 50 }), nil, tokens.ErrInvalid, "50 frames a second, want 75"},
		{"codes of two models", one(func(_ *[][]int16, o *tokens.Origin) { o.Model = "another" }), nil, tokens.ErrInvalid, "of model abababababab, 16 a codebook"},
		{"codebooks of two sizes", one(func(_ *[][]int16, o *tokens.Origin) { o.Size = 32 }), nil, tokens.ErrInvalid, ", 32"},
		{"a code out of range", one(func(c *[][]int16, _ *tokens.Origin) { (*c)[1][8] = 16 }), nil, tokens.ErrInvalid, "code 16 in codebook 1, frame 8, want 0 to 15"},
		{"a negative code", one(func(c *[][]int16, _ *tokens.Origin) { (*c)[1][8] = -1 }), nil, tokens.ErrInvalid, "code -1 in codebook 1, frame 8"},
		{"no such folder", nil, func(c *Config) { c.Teacher.Tokens += "x" }, fs.ErrNotExist, "teacher.tokens"},
		{"more codebooks than there are", nil, func(c *Config) { c.Teacher.Codebooks = 4 }, tokens.ErrInvalid, "3 codebooks, want 4"},
		{"another size", nil, func(c *Config) { c.Teacher.Size = 1024 }, ErrConfig, "teacher.codebook_size: the recipe asks for 1024"},
		{"settings of k-means", nil, func(c *Config) { c.Teacher.Iterations = 3 }, ErrConfig, "iterations, batch and seed are of k-means"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			cfg := tokenConfig(t, dir, test.spoil)
			if test.cfg != nil {
				test.cfg(&cfg)
			}
			_, err := Open(context.Background(), cfg, nil)
			if !errors.Is(err, test.is) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("got %v, want %v with %q", err, test.is, test.text)
			}
		})
	}
}

// Codes of audio that was resampled in another way than the recipe resamples are refused, where there was something to resample.
func TestTokensOfAnotherResampler(t *testing.T) {
	manifest := mixedCorpus(t) // fast.wav is at 48 kHz
	dir := t.TempDir()
	rows := "path,split\n" + filepath.Join(filepath.Dir(manifest), "fast.wav") + ",train\n"
	only := filepath.Join(dir, "fast.csv")
	if err := os.WriteFile(only, []byte(rows), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := tinyConfig(t, dir).Teacher
	cfg.Tokens = filepath.Join(dir, "tokens")
	writeTokens(t, cfg.Tokens, []string{only}, nil)
	for method, want := range map[audio.Resampling]string{"": "", audio.Torchaudio: "resampled by kaiser; the recipe reads"} {
		c, err := OpenCorpus(CorpusConfig{Name: "fast", Manifest: only, Resampler: method})
		if err != nil {
			t.Fatal(err)
		}
		_, err = TeacherFor(context.Background(), cfg, []*Corpus{c})
		if want == "" && err != nil || want != "" && (!errors.Is(err, tokens.ErrInvalid) || !strings.Contains(err.Error(), want)) {
			t.Errorf("resampler %q: %v, want %q", method, err, want)
		}
	}
}
