package main

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
)

// pair makes two models of one teacher: start, whose heads have learnt next to nothing, and makam, which has learnt the tones of
// low.csv. The recipe adapt.yml is makam's.
func (w workshop) pair() {
	w.t.Helper()
	w.studio()
	w.write("start.yml", strings.NewReplacer("steps: 4", "steps: 1", "peak: 1e-3", "peak: 1e-9").Replace(recipe))
	w.write("adapt.yml", strings.NewReplacer("steps: 4", "steps: 60", "peak: 1e-3", "peak: 5e-3").Replace(recipe))
	w.succeed("adapt start.yml start --quiet")
	w.succeed("adapt adapt.yml makam --quiet")
}

// evalScores are the scores of a result by model and corpus.
func evalScores(t *testing.T, got map[string]any) map[string]map[string]any {
	t.Helper()
	all := map[string]map[string]any{}
	for _, s := range got["scores"].([]any) {
		score := s.(map[string]any)
		all[fmt.Sprint(score["model"], " ", score["corpus"])] = score
	}
	return all
}

func TestAdaptEvalPrefersTheAdaptedModel(t *testing.T) {
	w := newWorkshop(t)
	w.pair()
	before := w.contents()
	got := w.result("adapt eval base makam low --recipe adapt.yml --heads makam") // the same heads on both encoders
	w.unchanged(before, "teacher/targets")
	scores := evalScores(t, got)
	base, adapted := scores["base low"], scores["makam low"]
	if base["total"].(float64) <= adapted["total"].(float64) {
		t.Errorf("loss %v of the base and %v of the adapted model, want it lower", base["total"], adapted["total"])
	}
	if base["heads_sha256"] != adapted["heads_sha256"] || base["model_sha256"] == adapted["model_sha256"] || adapted["heads"] != "makam/heads.safetensors" {
		t.Errorf("provenance: %v and %v", base, adapted)
	}
	own := evalScores(t, w.result("adapt eval start makam low.csv"))
	first, last := own["start low"], own["makam low"]
	if drop := first["total"].(float64) - last["total"].(float64); drop < 0.2 {
		t.Errorf("with its own heads the adapted model's loss is %.3f lower, want 0.2 or more", drop)
	}
	if last["total"] != adapted["total"] {
		t.Errorf("the recipe that the model keeps gives %v, the recipe itself %v", last["total"], adapted["total"])
	}
}

func TestAdaptEvalResult(t *testing.T) {
	w := newWorkshop(t)
	w.pair()
	w.corpus("other")
	w.must(os.Mkdir("folder", 0o777))
	w.tone("folder/b.wav", 220, 0.4)
	w.tone("folder/a.WAV", 330, 0.1) // shorter than a crop
	w.tone("folder/.hidden.wav", 330, 0.4)
	got := w.result("adapt eval makam low.csv --corpus other.csv --corpus folder --targets cache")
	scores := evalScores(t, got)
	if len(scores) != 3 {
		t.Fatalf("scores %v, want three corpora", scores)
	}
	low := scores["makam low"]
	books, accuracy := low["codebooks"].([]any), low["accuracy"].([]any)
	if len(books) != 2 || len(accuracy) != 2 || low["clips"] != 4.0 || low["masked_frames"].(float64) < 4 {
		t.Errorf("score %v, want 2 codebooks and 4 clips", low)
	}
	ce := low["ce"].(float64)
	if math.Abs(books[0].(float64)+books[1].(float64)-ce) > 1e-9 || math.Abs(ce+low["cqt_mse"].(float64)-low["total"].(float64)) > 1e-9 {
		t.Errorf("the parts of %v do not add up", low)
	}
	for _, v := range accuracy {
		if share := v.(float64); share < 0 || share > 1 {
			t.Errorf("accuracy %v is no share", share)
		}
	}
	corpora := got["corpora"].([]any)
	folder := corpora[2].(map[string]any)
	if folder["name"] != "folder" || folder["split"] != "all" || folder["clips"] != 1.0 || folder["shorter_than_a_crop"] != 1.0 || len(folder["sha256"].(string)) != 64 {
		t.Errorf("corpora %v, want the folder with one clip and one recording left out", corpora)
	}
	if teacher := got["teacher"].(map[string]any); teacher["path"] != "teacher" || len(teacher["sha256"].(string)) != 64 || got["seconds"] != 0.2 || got["seed"] != 0.0 {
		t.Errorf("provenance %v", got)
	}
	if masks := got["objective"].(map[string]any); masks["mask_prob"] != 0.8 || masks["temperature"] != 0.1 {
		t.Errorf("objective %v, want the recipe's masks", masks)
	}
	if all := evalScores(t, w.result("adapt eval makam low --split all --targets cache"))["makam low"]; all["clips"] != 12.0 {
		t.Errorf("--split all gives %v clips, want 12", all["clips"])
	}

	one := w.succeed("adapt eval makam low.csv --corpus folder --quiet --targets cache").stdout
	if strings.Count(one, "\n") != 3 || !strings.Contains(one, "folder: 1 of 2 recordings left out, shorter than a crop of 0.2 s\n") || !strings.Contains(one, "makam on low: loss ") {
		t.Errorf("text %q, want a line a corpus and one of what was left out", one)
	}
	table := w.succeed("adapt eval start makam low.csv --corpus other.csv --quiet --targets cache").stdout
	if lines := strings.Split(table, "\n"); len(lines) != 6 || strings.Fields(lines[0])[0] != "model" || !slices.Equal(strings.Fields(lines[4])[:2], []string{"makam", "other"}) {
		t.Errorf("text %q, want a table of two models on two corpora", table)
	}
}

// Scores are the same bits at any number of threads, and others with another seed.
func TestAdaptEvalRepeats(t *testing.T) {
	restoreThreads(t)
	w := newWorkshop(t)
	w.pair()
	first := w.succeed("adapt eval makam low.csv --json --quiet --threads 1").stdout
	for _, threads := range []string{"2", "5"} {
		if again := w.succeed("adapt eval makam low.csv --json --quiet --threads " + threads).stdout; again != first {
			t.Errorf("--threads %s gives\n%s\nwant\n%s", threads, again, first)
		}
	}
	if w.succeed("adapt eval makam low.csv --json --quiet --seed 0").stdout != first {
		t.Error("--seed 0 is not the default")
	}
	a, b := w.result("adapt eval makam low.csv"), w.result("adapt eval makam low.csv --seed 1")
	if evalScores(t, a)["makam low"]["total"] == evalScores(t, b)["makam low"]["total"] {
		t.Error("--seed 1 gives the loss of seed 0")
	}
}

// Without a recipe the heads say how many codebooks there are and how wide; tokens say the rest.
func TestAdaptEvalTeachers(t *testing.T) {
	w := newWorkshop(t)
	w.pair()
	bySeconds := evalScores(t, w.result("adapt eval makam low.csv --teacher teacher --seconds 0.2"))
	byRecipe := evalScores(t, w.result("adapt eval makam low.csv"))
	if a, b := bySeconds["makam low"]["total"], byRecipe["makam low"]["total"]; a != b {
		t.Errorf("--teacher gives %v, the recipe, which has the same masks, %v", a, b)
	}
	w.codec("codec", 1)
	var list []string
	for i := range 12 {
		list = append(list, fmt.Sprintf("low-%d.wav", i))
	}
	w.succeed("tokens codec " + strings.Join(list, " ") + " -o tokens --codebooks 3")
	w.write("tokens.yml", strings.NewReplacer("  path: teacher\n", "  path: teacher\n  tokens: tokens\n", "  codebook_size: 4\n  iterations: 2\n", "").Replace(recipe))
	w.succeed("adapt tokens.yml spoken --quiet")
	stored := w.result("adapt eval spoken low.csv")
	named := w.result("adapt eval spoken low.csv --teacher teacher --tokens tokens --seconds 0.2")
	if a, b := evalScores(t, stored)["spoken low"]["total"], evalScores(t, named)["spoken low"]["total"]; a != b {
		t.Errorf("the stored recipe gives %v, --teacher and --tokens %v", a, b)
	}
	if teacher := stored["teacher"].(map[string]any); teacher["tokens"] != "tokens" {
		t.Errorf("teacher %v, want its tokens named", teacher)
	}
	w.refuse([]refusal{
		{"heads of other codes", "adapt eval makam low.csv --recipe tokens.yml", exitInput, `makam/heads.safetensors: invalid checkpoint: heads: tensor "label_embs_concat": shape [8 4], want [32 4]`, ""},
	})
}

func TestAdaptEvalRefusals(t *testing.T) {
	w := newWorkshop(t)
	w.pair()
	w.succeed("adapt eval makam low.csv --quiet") // the targets stand from here on
	w.write("plain.csv", "path\nlow-0.wav\n")
	w.write("bad.csv", "path,split\nlow-0.wav,valid\ncut.wav,valid\n")
	w.write("cut.wav", w.read("low-0.wav")[:400])
	w.must(os.Mkdir("empty", 0o777))
	w.write("far.yml", strings.Replace(recipe, "path: teacher", "path: unfitted", 1))
	w.must(os.CopyFS("broken", os.DirFS("makam")))
	w.write("broken/adapt.json", "{")
	const help, spelling = "adapt eval --help", "check the spelling"
	w.refuse([]refusal{
		{"one argument", "adapt eval makam", exitUsage, "eval takes the arguments MODEL... CORPUS; got 1: makam", help},
		{"no such model", "adapt eval nowhere low.csv", exitInput, "nowhere: no such file or directory", spelling},
		{"no such model under a recipe", "adapt eval nowhere low.csv --recipe adapt.yml", exitInput, "nowhere: no such file or directory", spelling},
		{"no such corpus", "adapt eval makam nowhere.csv", exitInput, "nowhere.csv: no such file or directory", spelling},
		{"no such recipe", "adapt eval makam low.csv --recipe nowhere.yml", exitInput, "nowhere.yml: no such file or directory", spelling},
		{"no such teacher", "adapt eval makam low.csv --teacher nowhere", exitInput, "teacher nowhere: ", spelling},
		{"a teacher that is not fitted", "adapt eval makam low.csv --recipe far.yml", exitInput, "unfitted/teacher.json: no such file or directory (an evaluation fits none)", spelling},
		{"no such heads", "adapt eval makam low.csv --heads nowhere", exitInput, "heads: nowhere: no such file or directory", spelling},
		{"no heads", "adapt eval base low.csv --recipe adapt.yml", exitInput, "base: no pre-training heads", "--heads PATH"},
		{"no recipe", "adapt eval base low.csv", exitUsage, "no MODEL holds a recipe", help},
		{"a damaged recipe", "adapt eval broken low.csv", exitUsage, "broken/adapt.json: bad configuration", "mend the configuration"},
		{"no such split", "adapt eval makam low.csv --split live", exitInput, `has no row of split "live"`, "--split all"},
		{"no splits", "adapt eval makam plain.csv", exitInput, `plain.csv has no row of split "valid"`, "--split all"},
		{"a split of a folder", "adapt eval makam empty --split valid", exitUsage, "the folder empty has no splits", help},
		{"an empty folder", "adapt eval makam empty", exitInput, "empty: no audio file in the folder", ""},
		{"a recording that cannot be read", "adapt eval makam bad.csv", exitInput, "cut.wav: invalid audio input: truncated", "copy or download it again"},
		{"longer than the audio", "adapt eval makam low.csv --seconds 60", exitInput, "no recording is as long as a crop of 60 s", ""},
		{"no length", "adapt eval makam low.csv --seconds 0", exitUsage, "--seconds 0: want more than 0", help},
		{"shorter than two frames", "adapt eval makam low.csv --seconds 0.01", exitUsage, "give fewer than 2 frames", "mend the configuration"},
		{"fresh heads", "adapt eval makam low.csv --heads fresh", exitUsage, "heads that have learnt nothing measure nothing", help},
		{"a model twice", "adapt eval makam makam low.csv", exitUsage, "makam is given twice", help},
		{"a corpus twice", "adapt eval makam low.csv --corpus low.csv", exitUsage, "low.csv is given twice", help},
		{"an unknown resampler", "adapt eval makam low.csv --resampler linear", exitUsage, "--resampler: ", help},
		{"negative seed", "adapt eval makam low.csv --seed -1", exitUsage, "want a whole number, 0 or more", help},
	})
	if got := w.result("adapt eval makam bad.csv --skip-bad"); len(got["skipped"].([]any)) != 1 {
		t.Errorf("left out %v, want cut.wav", got["skipped"])
	}
	w.interrupt("adapt eval makam low.csv", "")
}
