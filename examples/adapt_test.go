package examples

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"syncretic/adapt"
	"syncretic/examples/demo"
)

// hours are those of CultureMERT's single-culture models (its model card); 650 in all, the mix.
var hours = map[string]float64{"lyra": 50, "turkish-makam": 200, "hindustani": 200, "carnatic": 200}

// stepSeconds of audio pass through an optimiser step of the recipes for MERT-v1-95M.
const stepSeconds = 600

// adaptRecipe reads one recipe below adapt.
func adaptRecipe(t *testing.T, name string) (adapt.Config, string) {
	t.Helper()
	doc, err := os.ReadFile(filepath.Join("adapt", name))
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := adapt.ParseConfig(doc)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return cfg, string(doc)
}

// TestSingleCultureRecipesDiffer in name, manifest, hours and steps only: the task vectors are to be comparable.
func TestSingleCultureRecipesDiffer(t *testing.T) {
	plain := func(name string) adapt.Config {
		cfg, _ := adaptRecipe(t, name+"-95m.yml")
		if want := "data/" + name + "/manifest.csv"; cfg.Corpora[0].Name != name || cfg.Corpora[0].Manifest != want {
			t.Errorf("%s: its first corpus is %q of %s, want %q of %s", name, cfg.Corpora[0].Name, cfg.Corpora[0].Manifest, name, want)
		}
		if got := cfg.Corpora[0].Hours; got != hours[name] {
			t.Errorf("%s: %g hours, want %g", name, got, hours[name])
		}
		cfg.Corpora[0].Name, cfg.Corpora[0].Manifest, cfg.Corpora[0].Hours = "", "", 0
		for i := range cfg.Stages {
			cfg.Stages[i].Steps = 0
		}
		return cfg
	}
	want := plain("lyra")
	mix, _ := adaptRecipe(t, "culturemert-95m.yml")
	if got := want.Teacher; got.Path != mix.Teacher.Path || got.Tokens != mix.Teacher.Tokens || got.CQT != mix.Teacher.CQT || got.Frames != mix.Teacher.Frames {
		t.Errorf("lyra's teacher is %+v, the mix's %+v", got, mix.Teacher)
	}
	for name := range hours {
		if got := plain(name); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v\nlyra: %+v", name, got, want)
		}
	}
}

// TestStepsAreHours: the second stage is one pass through a culture's hours, the first has the share of them that 100 h are of the
// mix's 650; the comments say the same numbers.
func TestStepsAreHours(t *testing.T) {
	check := func(name string, h, first float64) {
		cfg, doc := adaptRecipe(t, name+"-95m.yml")
		if got := cfg.Batch.Seconds * float64(cfg.Batch.Clips*cfg.Batch.Accumulate); got != stepSeconds {
			t.Errorf("%s: a step is %g s of audio, want %d", name, got, stepSeconds)
		}
		for i, want := range []float64{first, h} {
			if got := cfg.Stages[i].Steps; got != int(math.Round(want*3600/stepSeconds)) {
				t.Errorf("%s, stage %d: %d steps, want those of %g h", name, i+1, got, want)
			}
		}
		said := []string{fmt.Sprintf("# [card] all %g h", h), fmt.Sprintf("one pass: %s steps, all", thousands(cfg.Stages[1].Steps))}
		if name != "culturemert" {
			said = append(said, fmt.Sprintf("# [card] %g h", h), fmt.Sprintf("100/650 of %g h are %.1f h, %d steps of %d s", h, first, cfg.Stages[0].Steps, stepSeconds))
		}
		for _, want := range said {
			if !strings.Contains(doc, want) {
				t.Errorf("%s: its comments do not say %q", name, want)
			}
		}
	}
	sum := 0.0
	for name, h := range hours {
		check(name, h, h*100/650)
		sum += h
	}
	check("culturemert", sum, 100)

	cfg, doc := adaptRecipe(t, "culturemert-95m.yml")
	crops := (cfg.HeadsWarmup.Steps + cfg.Stages[0].Steps + cfg.Stages[1].Steps) * cfg.Batch.Clips * cfg.Batch.Accumulate
	if want := thousands(crops) + " crops"; !strings.Contains(doc, want) {
		t.Errorf("culturemert-95m.yml: its comments do not say %q", want)
	}
	frames := (sum + 20) * 3600 * float64(cfg.Teacher.CQT.SampleRate) / float64(cfg.Teacher.CQT.Hop)
	bytes := frames * float64(2*cfg.Teacher.Codebooks)
	if want := fmt.Sprintf("%.1f GB", bytes/1e9); !strings.Contains(doc, want) {
		t.Errorf("culturemert-95m.yml: its comments do not say that targets take %s", want)
	}
}

// thousands writes n with commas.
func thousands(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}

// TestRecipesSayWhereValuesAreFrom: every block of the recipes for MERT-v1-95M, but the place of the cache, carries a mark, and what
// could not be read or confirmed is said.
func TestRecipesSayWhereValuesAreFrom(t *testing.T) {
	paths, err := filepath.Glob("adapt/*-95m.yml")
	if err != nil || len(paths) != len(hours)+1 {
		t.Fatalf("%d recipes for MERT-v1-95M, want %d (%v)", len(paths), len(hours)+1, err)
	}
	mark := regexp.MustCompile(`#.*\[(card|mert|ours)\]`)
	for _, path := range paths {
		_, doc := adaptRecipe(t, filepath.Base(path))
		for _, want := range []string{"could not be read", "is recalled, not confirmed"} {
			if !strings.Contains(doc, want) {
				t.Errorf("%s does not say %q", path, want)
			}
		}
		_, body, _ := strings.Cut(doc, "\n\n")
		for _, block := range strings.Split(body, "\n\n") {
			if !mark.MatchString(block) && !strings.HasPrefix(block, "targets:") {
				t.Errorf("%s: a block says nowhere where its values are from:\n%s", path, block)
			}
		}
	}
}

// TestCompareStartsFromTheDemonstration: compare.yml has the stages of the profile that the demonstration runs unasked, and the rates
// that compare.sh holds against them are those that its comment says they are.
func TestCompareStartsFromTheDemonstration(t *testing.T) {
	profile, err := demo.FindProfile(demo.DefaultProfile)
	if err != nil {
		t.Fatal(err)
	}
	cfg, _ := adaptRecipe(t, "compare.yml")
	for i, want := range profile.Stages {
		got := cfg.Stages[i]
		if got.LR.Shape == "" {
			got.LR.Shape = "linear"
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("stage %d: %+v, want %+v", i, got, want)
		}
	}
	if cfg.Objective.CodebookDim != profile.CodebookDim || cfg.Batch.Clips != profile.Clips || cfg.Batch.Seconds != profile.CropSeconds {
		t.Errorf("codebook_dim %d and batch %+v are not the profile's", cfg.Objective.CodebookDim, cfg.Batch)
	}

	script, err := os.ReadFile("adapt/compare.sh")
	if err != nil {
		t.Fatal(err)
	}
	base := profile.Base
	for name, want := range map[string]float64{
		"rewarm": profile.Stages[0].LR.Peak, "peak": profile.Stages[0].LR.Peak, "decay": profile.Stages[0].LR.Peak,
		"tenth":     base.LR.Peak / 10,
		"last-rate": base.LR.Rate(base.Steps-2, base.Steps), // the last step's is 0
	} {
		m := regexp.MustCompile(`\n\t*` + name + `\|peak: ([\d.e-]+),`).FindSubmatch(script)
		if m == nil {
			t.Errorf("compare.sh has no variant %s", name)
			continue
		}
		if got, err := strconv.ParseFloat(string(m[1]), 64); err != nil || math.Abs(got-want) > 0.02*want {
			t.Errorf("compare.sh, %s: peak %s, want %g (%v)", name, m[1], want, err)
		}
	}
}
