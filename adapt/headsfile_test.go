package adapt

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"syncretic/adapt/cqt"
	"syncretic/adapt/tokens"
	"syncretic/checkpoint"
)

// fairseqDir holds what adapt/mert/testdata/make_fairseq.py wrote: a training checkpoint of 2 codebooks of 4 codes, 8
// columns each, and 24 bins, over an encoder of 16 columns and 20 samples a frame.
const fairseqDir = "mert/testdata/fairseq"

const fairseqFile = fairseqDir + "/MERT-v1-95M_fairseq.pt"

// plainTeacher is tinyConfig with what the heads of a training checkpoint give: magnitudes as they are, and the codes of a
// codec, 4 a codebook.
func plainTeacher(t *testing.T, dir string) Config {
	t.Helper()
	cfg := tokenConfig(t, dir, nil)
	cfg.Teacher.LogFloor, cfg.Teacher.Normalize = 0, false
	writeSmallTokens(t, cfg, 320, 4)
	return cfg
}

// writeSmallTokens writes codes below size, one for every hop samples.
func writeSmallTokens(t *testing.T, cfg Config, hop, size int) {
	t.Helper()
	writeTokensOf(t, cfg.Teacher.Tokens, []string{cfg.Corpora[0].Manifest, cfg.Corpora[1].Manifest}, hop, func(_ string, codes *[][]int16, o *tokens.Origin) {
		o.Size = size
		for _, row := range *codes {
			for i := range row {
				row[i] %= int16(size)
			}
		}
	})
}

// openFile opens a file of weights.
func openFile(t *testing.T, path string) *checkpoint.Model {
	t.Helper()
	m, err := checkpoint.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// sameHeads compares a model's heads with those of a file that has them in order.
func sameHeads(t *testing.T, m *Model, want checkpoint.Source) {
	t.Helper()
	if len(want.Tensors()) != 5 {
		t.Fatalf("%d tensors are wanted, want 5", len(want.Tensors()))
	}
	for _, info := range want.Tensors() {
		a, err := checkpoint.ReadAll(m.Heads, info.Name)
		if err != nil {
			t.Fatal(err)
		}
		b, err := checkpoint.ReadAll(want, info.Name)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(a, b) {
			t.Errorf("%s: %v, want %v", info.Name, a, b)
		}
	}
}

// Heads come from the training checkpoint, codes in order whatever its dictionaries', over any encoder of that width.
func TestHeadsOfATrainingCheckpoint(t *testing.T) {
	cfg := plainTeacher(t, t.TempDir())
	cfg.Heads = fairseqFile
	run := open(t, cfg)
	sameHeads(t, run.Model(), openFile(t, filepath.Join(fairseqDir, "heads.expect.pt")))
	if run.inputs["heads"] == "" {
		t.Errorf("no provenance of the heads: %v", run.inputs)
	}
	if loss := firstLoss(t, run); math.IsNaN(loss) || math.IsInf(loss, 0) {
		t.Errorf("loss %v", loss)
	}
}

// firstLoss takes a run's first step.
func firstLoss(t *testing.T, run *Run) float64 {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	loss := math.NaN()
	err := run.Train(ctx, filepath.Join(t.TempDir(), "out"), Options{Report: func(r Record) { loss = r.Loss; cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	return loss
}

// A training checkpoint as the base brings its encoder and its heads, and the result is a directory like any other, from
// which a next run goes on.
func TestTrainingCheckpointAsBase(t *testing.T) {
	dir := t.TempDir()
	cfg := plainTeacher(t, dir)
	cfg.Init, cfg.Base = nil, fairseqFile
	cfg.Teacher.CQT = cqt.Config{SampleRate: 24000, Hop: 20, FMin: 400, Bins: 24, BinsPerOctave: 12, MaxWindow: 256}
	writeSmallTokens(t, cfg, 20, 4)
	cfg.Batch.Seconds = 0.05
	cfg.Stages = []Stage{{Name: "all", Steps: 2, LR: Schedule{Peak: 1e-3, Warmup: 1}}}
	run := open(t, cfg)
	sameHeads(t, run.Model(), openFile(t, filepath.Join(fairseqDir, "heads.expect.pt")))
	out := filepath.Join(dir, "out")
	if err := run.Train(t.Context(), out, Options{}); err != nil {
		t.Fatal(err)
	}
	for _, from := range []struct{ base, heads string }{{out, ""}, {out, out}, {fairseqFile, out}, {fairseqFile, filepath.Join(out, headsFile)}} {
		cfg.Base, cfg.Heads = from.base, from.heads
		next := open(t, cfg)
		sameHeads(t, next.Model(), openFile(t, filepath.Join(out, headsFile)))
		if next.inputs["heads"] == run.inputs["heads"] {
			t.Error("other heads have the same hash")
		}
	}
	cfg.Base, cfg.Heads = fairseqFile, "fresh"
	if fresh := open(t, cfg); fresh.inputs["heads"] != "" {
		t.Error("fresh heads have the hash of a file")
	}
}

// The container before PyTorch 1.6, half precision, tables without special symbols and without dictionaries.
func TestHeadsOfAHalfCheckpoint(t *testing.T) {
	const path = "mert/testdata/fairseq_half.pt"
	cfg := plainTeacher(t, t.TempDir())
	cfg.Heads = path
	file := openFile(t, path)
	names := []string{"encoder_cqt_model.fc.bias", "encoder_cqt_model.fc.weight", "final_proj.bias", "final_proj.weight", "label_embs_concat"}
	sameHeads(t, open(t, cfg).Model(), checkpoint.Select(file, func(name string) bool { return slices.Contains(names, name) }))
}

// Files that do not fit give one error: the file, the tensor, what it has, what is wanted, and the way out.
func TestHeadsThatDoNotFit(t *testing.T) {
	const way = "(heads: fresh, in the recipe, draws new ones)"
	for _, c := range []struct {
		name string
		edit func(*Config)
		is   error
		want []string
	}{
		{"logarithmic spectrum", func(c *Config) { c.Teacher.LogFloor = 1e-4 }, ErrConfig, []string{fairseqFile + ": ", "teacher.log_floor 0.0001, want 0", way}},
		{"normalised spectrum", func(c *Config) { c.Teacher.Normalize = true }, ErrConfig, []string{"teacher.normalize true, want false"}},
		{"a k-means teacher", func(c *Config) { c.Teacher.Tokens = "" }, ErrConfig, []string{"EnCodec's codes", "teacher.tokens", way}},
		{"codebooks", func(c *Config) { c.Teacher.Codebooks = 3 }, checkpoint.ErrInvalid, []string{fairseqFile + `: `, `tensor "label_embs_concat": made for 2 dictionaries, want 3`, way}},
		{"codebook size", func(c *Config) { writeSmallTokens(t, *c, 320, 8) }, checkpoint.ErrInvalid, []string{"dictionary 0: 4 codes, want the 8 of the teacher's codebooks"}},
		{"width of a codebook", func(c *Config) { c.Objective.CodebookDim = 4 }, checkpoint.ErrInvalid, []string{`tensor "final_proj.bias": shape [16], want [8]`, way}},
		{"bins", func(c *Config) { c.Teacher.CQT.Bins = 12 }, checkpoint.ErrInvalid, []string{`tensor "encoder_cqt_model.fc.bias": shape [24], want [12]`}},
		{"width of the encoder", func(c *Config) { c.Init["hidden_size"] = 32 }, checkpoint.ErrInvalid, []string{`tensor "encoder_cqt_model.fc.weight": shape [24 16], want [24 32]`}},
		{"no heads", func(c *Config) { c.Heads = "mert/testdata/old_names.safetensors" }, checkpoint.ErrInvalid, []string{"old_names.safetensors: ", `tensor "encoder_cqt_model.fc.bias" is missing`, way}},
		{"no weights", func(c *Config) { c.Heads = fairseqDir + "/config.json" }, checkpoint.ErrInvalid, []string{"heads: ", "config.json: not a .safetensors file"}},
		{"a directory without heads", func(c *Config) { c.Heads = "mert/testdata/post_group" }, os.ErrNotExist, []string{"heads.safetensors", "want fresh, a model directory that adapt wrote, or a training checkpoint"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := plainTeacher(t, t.TempDir())
			cfg.Heads = fairseqFile
			c.edit(&cfg)
			_, err := Open(t.Context(), cfg, nil)
			if !errors.Is(err, c.is) {
				t.Fatalf("error %v, want %v", err, c.is)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q, want it to have %q", err, want)
				}
			}
		})
	}
}

// Heads that this objective has no place for are not passed over.
func TestHeadsOfAnotherObjective(t *testing.T) {
	cfg := plainTeacher(t, t.TempDir())
	teacher := open(t, cfg).Teacher()
	for _, name := range []string{"target_glu.0.weight", "logit_temp_list"} {
		path := filepath.Join(t.TempDir(), "w.safetensors")
		src, err := checkpoint.NewMemory(checkpoint.Tensor{Name: name, Shape: []int{1}, Data: []float32{1}})
		if err == nil {
			err = checkpoint.Write(t.Context(), path, src, checkpoint.WriteOptions{})
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := headsIn(openFile(t, path), teacher); !errors.Is(err, checkpoint.ErrInvalid) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v, want an ErrInvalid that names it", name, err)
		}
	}
}

func TestCodeRows(t *testing.T) {
	special := []string{"<s>", "<pad>", "</s>", "<unk>"}
	table := func(codes ...string) []string { return append(slices.Clone(special), codes...) }
	for _, c := range []struct {
		name              string
		symbols           [][]string
		raw               bool
		rows, books, size int
		want              []int
		text              string
	}{
		{"in order", [][]string{table("0", "1"), table("0", "1")}, false, 12, 2, 2, []int{4, 5, 10, 11}, ""},
		{"out of order", [][]string{table("1", "0"), table("0", "1")}, false, 12, 2, 2, []int{5, 4, 10, 11}, ""},
		{"raw", [][]string{table("1", "0"), table("0", "1")}, true, 12, 2, 2, []int{0, 1, 6, 7}, ""},
		{"padded as fairseq does", [][]string{table("0", "1", "madeupword0000", "madeupword0001")}, false, 8, 1, 2, []int{4, 5}, ""},
		{"no dictionaries, codes alone", nil, false, 4, 2, 2, nil, ""},
		{"no dictionaries, special symbols", nil, false, 12, 2, 2, []int{4, 5, 10, 11}, ""},
		{"no dictionaries, raw", nil, true, 12, 2, 2, []int{0, 1, 6, 7}, ""},
		{"no dictionaries, another size", nil, false, 13, 2, 2, nil, ""},
		{"a code is missing", [][]string{table("0", "2")}, false, 6, 1, 2, nil, "dictionary 0: no symbol for code 1"},
		{"a code too many", [][]string{table("0", "1", "2")}, false, 7, 1, 2, nil, "dictionary 0: 3 codes, want the 2"},
		{"a code twice", [][]string{table("0", "0")}, false, 6, 1, 2, nil, "code 0 appears twice"},
		{"spelled otherwise", [][]string{table("00", "+1")}, false, 6, 1, 2, nil, "0 codes, want the 2"},
		{"a dictionary too few", [][]string{table("0", "1")}, false, 12, 2, 2, nil, "made for 1 dictionaries, want 2"},
		{"rows of no symbol", [][]string{table("0", "1")}, false, 7, 1, 2, nil, "7 rows, want the 6"},
	} {
		got, err := codeRows(c.symbols, c.raw, c.rows, c.books, c.size)
		if !slices.Equal(got, c.want) || (err == nil) != (c.text == "") || err != nil && !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v, %v; want %v, %q", c.name, got, err, c.want, c.text)
		}
	}
}

// Any range of chosen rows is what one reads of them whole.
func TestPickedRows(t *testing.T) {
	data := []float32{0, 1, 10, 11, 20, 21, 30, 31}
	src, err := checkpoint.NewMemory(checkpoint.Tensor{Name: embeddingsName, Shape: []int{4, 2}, Data: data})
	if err != nil {
		t.Fatal(err)
	}
	p := picked{src, []int{3, 1, 1}, 2}
	want := []float32{30, 31, 10, 11, 10, 11}
	if info, ok := checkpoint.Find(p, embeddingsName); !ok || !slices.Equal(info.Shape, []int{3, 2}) {
		t.Errorf("%+v, want a shape of [3 2]", info)
	}
	if info, _ := checkpoint.Find(src, embeddingsName); !slices.Equal(info.Shape, []int{4, 2}) {
		t.Errorf("the file's own shape is now %v", info.Shape)
	}
	for lo := 0; lo <= 6; lo++ {
		for hi := lo; hi <= 6; hi++ {
			got := make([]float32, hi-lo)
			if err := p.Read(embeddingsName, lo, got); err != nil || !slices.Equal(got, want[lo:hi]) {
				t.Errorf("elements [%d %d): %v, %v; want %v", lo, hi, got, err, want[lo:hi])
			}
		}
	}
	for _, offset := range []int{-1, 6, math.MaxInt} {
		if err := p.Read(embeddingsName, offset, make([]float32, 1)); !errors.Is(err, checkpoint.ErrInvalid) {
			t.Errorf("offset %d: %v, want an ErrInvalid", offset, err)
		}
	}
}
