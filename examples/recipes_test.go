// Package examples checks the recipes that lie beside it. It has no code of its own: the demonstration is examples/demo, its
// corpora are examples/corpus, and the command lines in the recipes' comments are checked by cmd/syncretic.
package examples

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"syncretic/adapt"
	"syncretic/examples/corpus"
	"syncretic/examples/demo"
	"syncretic/probe"
	"syncretic/sweep"
)

// rooms says who reads the recipes of a folder.
var rooms = map[string]func([]byte) error{
	"adapt": func(doc []byte) error { _, err := adapt.ParseConfig(doc); return err },
	"probe": func(doc []byte) error { _, err := probe.ParseConfig(doc); return err },
	"sweep": func(doc []byte) error { _, err := sweep.ParseConfig(doc); return err },
}

// recipes returns the text of every recipe in a folder, by path.
func recipes(t *testing.T, folder string) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*.yml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: no recipes (%v)", folder, err)
	}
	docs := map[string]string{}
	for _, path := range paths {
		doc, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		docs[path] = string(doc)
	}
	return docs
}

func TestRecipesParse(t *testing.T) {
	for folder, parse := range rooms {
		for path, doc := range recipes(t, folder) {
			if err := parse([]byte(doc)); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
}

// TestRecipesBegin: the first lines say what a recipe does, what it needs, and the command line that runs it.
func TestRecipesBegin(t *testing.T) {
	for folder := range rooms {
		for path, doc := range recipes(t, folder) {
			comment, _, _ := strings.Cut(doc, "\n\n")
			for _, want := range []string{"# Needs:", "#     syncretic " + folder, "examples/" + filepath.ToSlash(path)} {
				if !strings.Contains(comment, want) {
					t.Errorf("%s: the comment at its head has no %q", path, want)
				}
			}
		}
	}
}

// TestRecipesAreStrict: a key that nobody reads is an error in every room, so a recipe cannot hold one.
func TestRecipesAreStrict(t *testing.T) {
	sentinels := map[string]error{"adapt": adapt.ErrConfig, "probe": probe.ErrConfig, "sweep": sweep.ErrConfig}
	for folder, parse := range rooms {
		for path, doc := range recipes(t, folder) {
			if err := parse([]byte(doc + "\nsede: 1\n")); !errors.Is(err, sentinels[folder]) {
				t.Errorf("%s: with an unknown key: got %v, want %v", path, err, sentinels[folder])
			}
		}
	}
}

// TestTinyRecipesNameDemoOutputs: what the demonstration leaves is corpora and models named by culture, the vectors of all but
// the Western one, a teacher and its targets.
func TestTinyRecipesNameDemoOutputs(t *testing.T) {
	outputs := []string{"teacher", "targets", "models/base", "models/merged", "models/multi-culture"}
	for _, c := range corpus.Cultures() {
		outputs = append(outputs, "corpora/"+c.Name+"/manifest.csv")
		if !c.Western {
			outputs = append(outputs, "models/"+c.Name, "vectors/"+c.Name+".safetensors")
		}
	}
	named := regexp.MustCompile(`out/demo/([^\s,}]+)`)
	for folder := range rooms {
		path := filepath.Join(folder, "tiny.yml")
		found := named.FindAllStringSubmatch(recipes(t, folder)[path], -1)
		if len(found) == 0 {
			t.Errorf("%s names nothing below out/demo", path)
		}
		for _, m := range found {
			if !slices.Contains(outputs, m[1]) {
				t.Errorf("%s: the demonstration leaves no out/demo/%s; it leaves %s", path, m[1], strings.Join(outputs, ", "))
			}
		}
	}
}

// TestStagesOfRecipes: two stages, the first with Western replay and the default front-end, the second with neither.
func TestStagesOfRecipes(t *testing.T) {
	for path, doc := range recipes(t, "adapt") {
		cfg, err := adapt.ParseConfig([]byte(doc))
		if err != nil {
			t.Fatal(err)
		}
		if len(cfg.Stages) != 2 {
			t.Errorf("%s: %d stages, want 2", path, len(cfg.Stages))
			continue
		}
		first, second := cfg.Stages[0], cfg.Stages[1]
		if first.Replay != 0.2 || second.Replay != 0 {
			t.Errorf("%s: replay %g and %g, want 0.2 and 0", path, first.Replay, second.Replay)
		}
		if !slices.Equal(first.Train, adapt.FrontEnd()) || len(second.Train) != 0 {
			t.Errorf("%s: the first stage trains %q, the second %q; want %q and all", path, first.Train, second.Train, adapt.FrontEnd())
		}
	}
}

// TestRecipesKeepMERTsValues: the objective and the crop of the recipes for MERT-v1-95M are the published ones.
func TestRecipesKeepMERTsValues(t *testing.T) {
	want := adapt.DefaultConfig()
	for _, path := range []string{"culturemert-95m.yml", "lyra-95m.yml", "turkish-makam-95m.yml", "hindustani-95m.yml", "carnatic-95m.yml"} {
		cfg, err := adapt.ParseConfig([]byte(recipes(t, "adapt")[filepath.Join("adapt", path)]))
		if err != nil {
			t.Fatal(err)
		}
		if cfg.Objective != want.Objective || cfg.Batch.Seconds != 5 {
			t.Errorf("%s: objective %+v on %g s, want %+v on 5 s", path, cfg.Objective, cfg.Batch.Seconds, want.Objective)
		}
		cfg.Optimizer.Variant = want.Optimizer.Variant
		if cfg.Optimizer != want.Optimizer {
			t.Errorf("%s: optimizer %+v, want %+v", path, cfg.Optimizer, want.Optimizer)
		}
	}
}

// TestTinyRecipeFitsTheHeads: the base's pre-training heads have the width of the profile that the demonstration runs unasked.
func TestTinyRecipeFitsTheHeads(t *testing.T) {
	profile, err := demo.FindProfile(demo.DefaultProfile)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := adapt.ParseConfig([]byte(recipes(t, "adapt")[filepath.Join("adapt", "tiny.yml")]))
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Objective.CodebookDim != profile.CodebookDim {
		t.Errorf("objective.codebook_dim: got %d, want %d", cfg.Objective.CodebookDim, profile.CodebookDim)
	}
}

// TestScriptsBegin: a script says at its head what it does and how it is called from the repository's root, and can be.
func TestScriptsBegin(t *testing.T) {
	paths, err := filepath.Glob("*/*.sh")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no scripts (%v)", err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		head, _, _ := strings.Cut(string(text), "\nset -eu\n")
		lines := strings.Split(head, "\n")
		if len(lines) < 4 || !strings.HasPrefix(lines[0], "#!/") || !strings.HasPrefix(lines[1], "# ") {
			t.Errorf("%s: want #!, then a comment, then set -eu; it begins %q", path, lines)
		}
		if want := "\n#     examples/" + filepath.ToSlash(path); !strings.Contains(head, want) {
			t.Errorf("%s: the comment at its head does not say %q", path, want)
		}
		if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode()&0o111 == 0 {
			t.Errorf("%s cannot be executed (%v)", path, err)
		}
	}
}

// TestBatchScriptsBegin: a job's script says at its head what it does and how it is submitted; what Slurm reads stands before the
// first command.
func TestBatchScriptsBegin(t *testing.T) {
	paths, err := filepath.Glob("*/*.sbatch")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no scripts (%v)", err)
	}
	early := regexp.MustCompile(`\n#SBATCH --signal=(?:TERM|B:USR1)@\d+\n`)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		head, rest, _ := strings.Cut(string(text), "\nset -eu\n")
		if !strings.HasPrefix(head, "#!/bin/bash\n# ") || !strings.Contains(head, "\n#     sbatch ") || !strings.Contains(head, "examples/"+filepath.ToSlash(path)) {
			t.Errorf("%s: want #!, then a comment with its command line; it begins %q", path, head)
		}
		if !early.MatchString(head+"\n") || strings.Contains(rest, "#SBATCH") {
			t.Errorf("%s: want all #SBATCH lines, --signal among them, before set -eu", path)
		}
	}
}
