package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"syncretic/adapt"
	"syncretic/arithmetic"
	"syncretic/checkpoint"
	"syncretic/probe/metric"
)

// micro is a profile of a few seconds: it shows nothing but that every step runs.
func micro() Profile {
	p, err := FindProfile("quick")
	if err != nil {
		panic(err)
	}
	p.Name, p.Seconds, p.Train, p.Valid, p.Test = "micro", 1, 60, 20, 20
	p.Encoder = encoder(4, 16, 1, 2)
	p.CodebookDim, p.CropSeconds, p.Clips, p.Heldout, p.ProbeSeconds, p.Replicates = 8, 0.5, 2, 4, 0.5, 20
	p.Base = stage("base", 4, 1e-3, nil, 0)
	p.Stages = []adapt.Stage{stage("front-end", 2, 1e-3, adapt.FrontEnd(), 0.2), stage("all", 2, 1e-3, nil, 0)}
	p.Lambdas = []float64{0, 0.5, 1}
	return p
}

func readFile(t *testing.T, parts ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// The whole demonstration, in miniature: the same seed gives the same report byte for byte for any number of threads, in
// another folder, and when it is taken up again after an interruption; and every file that it promises is there.
func TestRunIsDeterministicAndResumable(t *testing.T) {
	dir := t.TempDir()
	whole, broken := filepath.Join(dir, "whole"), filepath.Join(dir, "broken")
	rep, err := Run(context.Background(), whole, micro(), 3, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"report.html", "sweep.db", "models/merged/model.safetensors", "models/greek/train.jsonl", "vectors/carnatic.safetensors",
		"corpora/western/manifest.csv", "teacher/teacher.json"} {
		readFile(t, whole, file)
	}

	tau, err := checkpoint.Open(filepath.Join(whole, "vectors", "greek.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer tau.Close()
	base, err := checkpoint.Open(filepath.Join(whole, "models", "base"))
	if err != nil {
		t.Fatal(err)
	}
	defer base.Close()
	if want, err := checkpoint.Hash(base); err != nil || tau.Metadata()[arithmetic.BaseKey] != want || tau.Metadata()[arithmetic.KindKey] != arithmetic.VectorKind {
		t.Errorf("metadata of the vector %v, want the base's sha-256 %s (%v)", tau.Metadata(), want, err)
	}

	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	ctx, cancel := context.WithCancel(context.Background())
	_, err = Run(ctx, broken, micro(), 3, Options{Report: func(what string, done, total int, note string) {
		if what == "adapting" && done >= 6 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want a cancelled context", err)
	}
	if _, err := Run(context.Background(), broken, micro(), 3, Options{}); err != nil {
		t.Fatal(err)
	}
	want := readFile(t, whole, "report.json")
	if !bytes.Equal(want, readFile(t, broken, "report.json")) {
		t.Error("report.json of the interrupted run differs")
	}
	if bytes.Contains(want, []byte(dir)) {
		t.Error("report.json holds a path of this machine")
	}
	var back map[string]any
	if err := json.Unmarshal(want, &back); err != nil {
		t.Error(err)
	}
	checkShape(t, rep)
}

// checkShape looks for every model on every culture, with the difference to the base where there is one.
func checkShape(t *testing.T, rep *Report) {
	t.Helper()
	if len(rep.Models) != 8 || len(rep.Cultures) != 5 || len(rep.Lambda.Points) != 3 {
		t.Fatalf("%d models, %d cultures, %d lambdas, want 8, 5 and 3 (the base among them)", len(rep.Models), len(rep.Cultures), len(rep.Lambda.Points))
	}
	for _, m := range rep.Models {
		for _, c := range rep.Cultures {
			s := rep.Probe[m][c.Name]
			if (s.MinusBase == nil) != (m == modelBase) || s.ROCAUC <= 0 || rep.MaskedLoss[m][c.Name].Total <= 0 {
				t.Errorf("%s on %s: %+v", m, c.Name, s)
			}
		}
	}
	if len(rep.Interference.Names) != 4 || len(rep.Checks) != 10 {
		t.Errorf("%d vectors and %d checks, want 4 and 10", len(rep.Interference.Names), len(rep.Checks))
	}
}

func TestRunRefusesAnotherFolder(t *testing.T) {
	dir := t.TempDir()
	if err := checkpoint.WriteFile(filepath.Join(dir, "notes.txt"), []byte("mine"), false); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(context.Background(), dir, micro(), 1, Options{Force: true}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a folder of somebody else's: got %v, want ErrExist", err)
	}
	if string(readFile(t, dir, "notes.txt")) != "mine" {
		t.Error("it was changed")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	out := filepath.Join(t.TempDir(), "demo")
	if _, err := Run(ctx, out, micro(), 1, Options{}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if _, err := Run(ctx, out, micro(), 2, Options{}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("another seed: got %v, want ErrExist", err)
	}
	if _, err := Run(ctx, out, micro(), 2, Options{Force: true}); !errors.Is(err, context.Canceled) {
		t.Errorf("another seed with Force: got %v, want it to start", err)
	}
}

func TestFindProfile(t *testing.T) {
	for _, name := range Profiles() {
		if p, err := FindProfile(name); err != nil || p.Name != name || p.About == "" {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	if _, err := FindProfile("fast"); !errors.Is(err, adapt.ErrConfig) || !strings.Contains(err.Error(), "default, long, quick") {
		t.Errorf("got %v, want ErrConfig with the names", err)
	}
}

// The statistics of several cultures and several models at once equal their definitions on rows that are really repeated.
func TestStatisticsEqualTheirDefinitions(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const clips, tags = 40, 3
	scores, labels := make([][]float64, clips), make([][]bool, clips)
	for r := range scores {
		for range 2 * tags {
			scores[r], labels[r] = append(scores[r], rng.Float64()), append(labels[r], rng.IntN(2) == 0)
		}
	}
	counts := make([]int, clips)
	for range counts {
		counts[rng.IntN(clips)]++
	}
	auc := func(from, to, firstTag, lastTag int) float64 {
		var sc [][]float64
		var lb [][]bool
		for r := from; r < to; r++ {
			for range counts[r] {
				sc, lb = append(sc, scores[r][firstTag:lastTag]), append(lb, labels[r][firstTag:lastTag])
			}
		}
		s, err := metric.ROCAUC(sc, lb)
		if err != nil {
			t.Fatal(err)
		}
		return s.Macro
	}
	const tolerance = 1e-12
	mean := meanOverCultures{{clips: 25, tags: 2}, {clips: 15, tags: 6}}
	if got, want := mean.Prepare(scores, labels)(counts), (auc(0, 25, 0, 2)+auc(25, 40, 0, 6))/2; math.Abs(got-want) > tolerance {
		t.Errorf("mean over cultures: %v, want %v", got, want)
	}
	for r := range labels { // both models are scored against one truth
		copy(labels[r][tags:], labels[r][:tags])
	}
	first := firstOverRest{models: 2, tags: tags}
	if got, want := first.Prepare(scores, labels)(counts), auc(0, clips, 0, tags)-auc(0, clips, tags, 2*tags); math.Abs(got-want) > tolerance {
		t.Errorf("first over rest: %v, want %v", got, want)
	}
}

func TestContrastVerdicts(t *testing.T) {
	for _, test := range []struct {
		interval metric.Interval
		want     string
	}{
		{metric.Interval{Difference: 0.1, Significant: true}, "higher"},
		{metric.Interval{Difference: -0.1, Significant: true}, "lower"},
		{metric.Interval{Difference: 0.1}, "not significant"},
	} {
		if got := contrast("q", test.interval).Verdict; got != test.want {
			t.Errorf("%+v: %q, want %q", test.interval, got, test.want)
		}
	}
}

// A check whose figure is undefined does not hold.
func TestChecksRefuseUndefinedFigures(t *testing.T) {
	r := &Report{Cultures: []CultureInfo{{Name: "western", Western: true}, {Name: "greek"}}, Models: []string{modelBase, "greek", modelMerged},
		MaskedLoss: map[string]map[string]adapt.Loss{modelBase: {"western": {CE: 30, Total: 31}, "greek": {Total: 35}}, "greek": {"greek": {Total: 32}}},
		Unigram:    map[string]UnigramCE{"western": {Own: 32}}, Probe: map[string]map[string]Score{}, Means: map[string]Means{}}
	r.check()
	for _, c := range r.Checks {
		undefined := strings.Contains(c.Statement, "lambda") // no point of the grid was scored
		if c.Holds == undefined {
			t.Errorf("%s: value %v, holds %v", c.Statement, c.Value, c.Holds)
		}
	}
}
