package probe

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"syncretic/adapt/audio"
	"syncretic/checkpoint"
)

func TestParseConfig(t *testing.T) {
	got, err := ParseConfig([]byte(`
model: mert-v1-95m
datasets:
  - {name: makam, manifest: makam.csv, tags: 30}
  - {name: fma, manifest: sets/fma.tsv, western: true}
window: 30
head: {kind: mlp, hidden: 256, dropout: 0, lr: 0.005, batch: 32, epochs: 50, layers: 7}
seeds: [3, 1]
`))
	if err != nil {
		t.Fatal(err)
	}
	head := DefaultHead()
	head.Hidden, head.Dropout, head.LR, head.Batch, head.Epochs, head.Layers = 256, 0, Rates{0.005}, 32, 50, "7"
	want := Config{
		Model:    "mert-v1-95m",
		Datasets: []DatasetConfig{{Name: "makam", Manifest: "makam.csv", Tags: 30}, {Name: "fma", Manifest: "sets/fma.tsv", Western: true}},
		Window:   30, Head: head, Seeds: []uint64{3, 1},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestParseConfigDefaults(t *testing.T) {
	got, err := ParseConfig([]byte("datasets: [{name: a, manifest: a.csv}]\nhead: {kind: logistic, l2: [1, 5]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := DefaultConfig()
	want.Datasets = []DatasetConfig{{Name: "a", Manifest: "a.csv"}}
	want.Head.Kind, want.Head.L2 = Logistic, []float64{1, 5}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	whole, err := ParseConfig([]byte("models: [a, b]\ndatasets: [{name: a, manifest: a.csv}]\nwindow: 0\n"))
	if err != nil || whole.Window != 0 || len(whole.Models) != 2 {
		t.Errorf("window 0: got %+v, %v", whole, err)
	}
}

func TestParseConfigRefuses(t *testing.T) {
	const sets = "datasets: [{name: a, manifest: a.csv}]\n"
	for _, c := range []struct{ name, doc, want string }{
		{"empty", "", "empty"},
		{"no YAML", "datasets: [", "did not find"},
		{"unknown key", "dataset: []\n", `unknown key "dataset" (did you mean "datasets"?)`},
		{"unknown key below", sets + "head: {droput: 0.1}\n", `line 2: unknown key "droput" (did you mean "dropout"?)`},
		{"key twice", sets + "window: 5\nwindow: 6\n", "already"},
		{"two documents", sets + "---\n" + sets, "more than one YAML document"},
		{"no datasets", "model: m\n", "datasets is missing"},
		{"no name", "datasets: [{manifest: a.csv}]\n", "datasets[0].name is missing"},
		{"no manifest", "datasets: [{name: a}]\n", "datasets[0] (a).manifest is missing"},
		{"name twice", "datasets: [{name: a, manifest: a.csv}, {name: a, manifest: b.csv}]\n", `datasets[1].name is "a", which an earlier dataset has`},
		{"negative tags", "datasets: [{name: a, manifest: a.csv, tags: -3}]\n", "tags is -3"},
		{"model and models", sets + "model: a\nmodels: [b]\n", "model and models are both set"},
		{"empty model", sets + "models: [\"\"]\n", "models[0] is empty"},
		{"short window", sets + "window: 0.2\n", "window is 0.2 s"},
		{"endless window", sets + "window: .inf\n", "window is +Inf s"},
		{"resampler", sets + "resampler: linear\n", `resampler "linear", want kaiser or torchaudio`},
		{"pool", sets + "pool: songs\n", `pool is "songs", want windows or items`},
		{"max seconds", "datasets: [{name: a, manifest: a.csv, max_seconds: 0.2}]\n", "datasets[0] (a).max_seconds is 0.2"},
		{"dtype", sets + "dtype: int8\n", `dtype is "int8", want float32 or float16`},
		{"dtype of nothing", sets + "dtype: float16\ncache: none\n", "but cache is none"},
		{"normalize", sets + "normalize: maybe\n", `got "maybe", want true or false`},
		{"no seeds", sets + "seeds: []\n", "seeds is empty"},
		{"seed twice", sets + "seeds: [4, 4]\n", "seeds holds 4 twice"},
		{"negative seed", sets + "seeds: [-1]\n", "-1"},
		{"kind", sets + "head: {kind: svm}\n", `head.kind is "svm", want mlp, logistic or ridge`},
		{"layers", sets + "head: {layers: top}\n", `head.layers is "top"`},
		{"threshold", sets + "head: {threshold: 50}\n", "head.threshold is 50"},
		{"hidden", sets + "head: {hidden: 0}\n", "head.hidden is 0, want 1 or more"},
		{"patience", sets + "head: {patience: 0}\n", "head.patience is 0"},
		{"dropout", sets + "head: {dropout: 1}\n", "head.dropout is 1"},
		{"lr", sets + "head: {lr: -0.1}\n", "head.lr is -0.1"},
		{"lr NaN", sets + "head: {lr: .nan}\n", "head.lr is NaN"},
		{"no strengths", sets + "head: {kind: logistic, l2: []}\n", "head.l2 is [], want at least one"},
		{"strength zero", sets + "head: {kind: logistic, l2: [1, 0]}\n", "head.l2 is [1 0], want finite strengths above 0"},
	} {
		if _, err := ParseConfig([]byte(c.doc)); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want ErrConfig with %s", c.name, err, c.want)
		}
	}
}

// An MLP is fitted on windows unless the configuration says otherwise, a quick head on the means of items.
func TestConfigExtractOptions(t *testing.T) {
	const doc = "datasets: [{name: a, manifest: a.csv}]\nwindow: 4\n"
	for more, want := range map[string]ExtractOptions{
		"":                                     {Pool: PoolWindows, DType: checkpoint.F32},
		"pool: items\n":                        {Pool: PoolItems, DType: checkpoint.F32},
		"head: {kind: logistic}\n":             {DType: checkpoint.F32},
		"cache: x\ndtype: float16\n":           {Pool: PoolWindows, Cache: "x", DType: checkpoint.F16},
		"cache: none\nresampler: torchaudio\n": {Pool: PoolWindows, Resampling: audio.Torchaudio},
	} {
		cfg, err := ParseConfig([]byte(doc + more))
		if err != nil {
			t.Fatal(err)
		}
		want.Window = 4
		if got := cfg.ExtractOptions(); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, want %+v", more, got, want)
		}
	}
}

// FuzzParseConfig checks that whatever is accepted passes its own rules.
func FuzzParseConfig(f *testing.F) {
	f.Add([]byte("model: m\ndatasets:\n  - {name: a, manifest: a.csv, tags: 3, western: true}\nwindow: 2\nseeds: [1]\n"))
	f.Add([]byte("datasets: [{name: a, manifest: a.csv}]\nhead: {kind: logistic, l2: [1], layers: all, threshold: 0}\n"))
	f.Add([]byte("head: {hidden: 1, dropout: 0, lr: 1e-3, batch: 1, epochs: 1, patience: 1, stop: 1, standardise: false}\n"))
	f.Fuzz(func(t *testing.T, doc []byte) {
		cfg, err := ParseConfig(doc)
		if err != nil {
			if !errors.Is(err, ErrConfig) {
				t.Fatalf("%v does not wrap ErrConfig", err)
			}
			return
		}
		if err := errors.Join(cfg.validate(), cfg.Head.Validate()); err != nil {
			t.Fatal(err)
		}
	})
}
