package main

import (
	"bytes"
	"errors"
	"io/fs"
	"math"
	"os"
	"strings"
	"testing"

	"syncretic/arithmetic"
	"syncretic/checkpoint"
)

// equal fails the test unless got is want, tensor by tensor, up to the given share of the larger of base and want.
func equal(t *testing.T, got, want, base map[string][]float32, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d tensors, want %d", len(got), len(want))
	}
	for name := range want {
		for i, v := range want[name] {
			scale := max(math.Abs(float64(v)), math.Abs(float64(base[name][i])))
			if d := math.Abs(float64(got[name][i]) - float64(v)); d > tolerance*scale {
				t.Fatalf("%s[%d] = %v, want %v", name, i, got[name][i], v)
			}
		}
	}
}

// rounding is the spacing of float32 relative to the value: what one rounding of a difference, carried through a sum, can cost.
const rounding = 1.0 / (1 << 23)

// What the base's training left beside it is not the sum's.
func TestApplyLeavesHistoryBehind(t *testing.T) {
	w := newWorkshop(t)
	w.models()
	for _, name := range []string{"train.jsonl", "preprocessor_config.json"} {
		w.must(os.WriteFile("base/"+name, []byte("{}\n"), 0o666))
	}
	w.succeed("apply base merged --vector tau.safetensors=0.5 --quiet")
	if _, err := os.Stat("merged/preprocessor_config.json"); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat("merged/train.jsonl"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("merged/train.jsonl: got %v, want no such file", err)
	}
}

func TestApplyFollowsTheFormula(t *testing.T) {
	w := newWorkshop(t)
	w.models()
	w.succeed("vector base stranger sigma.safetensors --quiet")
	base, tuned, stranger := w.weights("base"), w.weights("tuned"), w.weights("stranger")
	mix := func(lambda, mu float64) map[string][]float32 {
		out := map[string][]float32{}
		for name, b := range base {
			values := make([]float32, len(b))
			for i := range b {
				values[i] = float32(float64(b[i]) + lambda*float64(tuned[name][i]-b[i]) + mu*float64(stranger[name][i]-b[i]))
			}
			out[name] = values
		}
		return out
	}
	for _, test := range []struct {
		name, vectors string
		lambda, mu    float64
		tolerance     float64
	}{
		{"lambda 0 is the base, bit for bit", "--vector tau.safetensors=0", 0, 0, 0},
		{"lambda 1 is the tuned model", "--vector tau.safetensors=1", 1, 0, rounding},
		{"a tuned model in place of its vector", "--vector tuned=1", 1, 0, rounding},
		{"negative lambda forgets", "--vector tau.safetensors=-0.5", -0.5, 0, 4 * rounding},
		{"two vectors", "--vector tau.safetensors=0.2 --vector sigma.safetensors=0.3", 0.2, 0.3, 4 * rounding},
		{"one vector twice adds up", "--vector tau.safetensors=0.25 --vector tau.safetensors=0.75", 1, 0, 4 * rounding},
		{"exponent", "--vector tau.safetensors=5e-1", 0.5, 0, 4 * rounding},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := w.contents()
			w.succeed("apply base merged " + test.vectors + " --quiet")
			w.unchanged(before, "merged")
			equal(t, w.weights("merged"), mix(test.lambda, test.mu), base, test.tolerance)
			for _, side := range []string{"config.json", "preprocessor_config.json"} {
				if w.read("merged/"+side) != w.read("base/"+side) {
					t.Errorf("%s is not the base's", side)
				}
			}
			w.must(os.RemoveAll("merged"))
		})
	}
}

func TestApplyWithOneReproducesTheTunedModel(t *testing.T) {
	w := newWorkshop(t)
	w.models()
	w.succeed("apply base merged --vector tau.safetensors=1")
	equal(t, w.weights("merged"), w.weights("tuned"), w.weights("base"), rounding)
}

func TestApplyResultAndMetadata(t *testing.T) {
	w := newWorkshop(t)
	w.models()
	got := w.result("apply base one.safetensors --vector tau.safetensors=0.25")
	base, err := checkpoint.Open("base")
	w.must(err)
	defer base.Close()
	hash, err := checkpoint.Hash(base)
	w.must(err)
	if got["output"] != "one.safetensors" || got["tensors"] != float64(len(base.Tensors())) || got["base_sha256"] != hash {
		t.Errorf("result %v, want %d tensors over base %s", got, len(base.Tensors()), hash)
	}
	if v, ok := got["vectors"].([]any); !ok || len(v) != 1 || v[0] != "tau.safetensors=0.25" {
		t.Errorf("vectors %v, want those of the command line", got["vectors"])
	}
	meta := w.metadata("one.safetensors")
	if meta[arithmetic.BaseKey] != hash || meta["syncretic.term.0"] != "0.25 * tau.safetensors" || meta[arithmetic.KindKey] != "" {
		t.Errorf("metadata %v", meta)
	}
}

func TestApplyTakesAPathWithAnEqualsSign(t *testing.T) {
	w := newWorkshop(t)
	w.models()
	w.must(os.Rename("tau.safetensors", "tau=1.safetensors"))
	w.succeed("apply base merged --vector tau=1.safetensors=0.5")
	if got := w.metadata("merged")["syncretic.term.0"]; got != "0.5 * tau=1.safetensors" {
		t.Errorf("term %q", got)
	}
}

func TestApplyChecksTheBase(t *testing.T) {
	w := newWorkshop(t)
	w.models()
	w.must(checkpoint.Write(t.Context(), "nameless.safetensors", sources(t, w, "tuned"), checkpoint.WriteOptions{Metadata: map[string]string{arithmetic.KindKey: arithmetic.VectorKind}}))
	w.refuse([]refusal{
		{"base unknown", "apply base x --vector nameless.safetensors=1", exitInput, "the file does not name its base", "--any-base"},
		{"another base", "apply stranger x --vector tau.safetensors=1", exitInput, "tau.safetensors: a task vector of another base", "--any-base"},
	})
	w.succeed("apply stranger x --vector tau.safetensors=1 --any-base")
	tau, x := w.weights("tau.safetensors"), w.weights("x")
	for name, s := range w.weights("stranger") {
		for i := range s {
			if want := s[i] + tau[name][i]; x[name][i] != want {
				t.Fatalf("%s[%d] = %v, want %v", name, i, x[name][i], want)
			}
		}
	}
}

func TestApplyRefusals(t *testing.T) {
	w := newWorkshop(t)
	w.models()
	weights := w.read("tau.safetensors")
	w.write("truncated.safetensors", weights[:len(weights)/2])
	w.must(os.Mkdir("folder", 0o777))
	w.write("folder/poem.txt", "a poem")
	w.write("file", "")
	const help, notTaken = "apply --help", "a name that is not taken"
	w.refuse([]refusal{
		{"no vector", "apply base x", exitUsage, "give at least one --vector PATH=LAMBDA", help},
		{"no lambda", "apply base x --vector tau.safetensors", exitUsage, "--vector tau.safetensors: want PATH=LAMBDA", help},
		{"no path", "apply base x --vector =1", exitUsage, "--vector =1: want PATH=LAMBDA", help},
		{"lambda of text", "apply base x --vector tau.safetensors=much", exitUsage, `lambda "much" is not a finite number`, help},
		{"lambda NaN", "apply base x --vector tau.safetensors=nan", exitUsage, `lambda "nan" is not a finite number`, help},
		{"lambda infinite", "apply base x --vector tau.safetensors=-inf", exitUsage, "is not a finite number", help},
		{"no such base", "apply nowhere x --vector tau.safetensors=1", exitInput, "nowhere: no such file or directory", "check the spelling"},
		{"no such vector", "apply base x --vector nowhere=1", exitInput, "nowhere: no such file or directory", "check the spelling"},
		{"a folder without weights", "apply folder x --vector tau.safetensors=1", exitInput, "folder: no model.safetensors", "a MODEL is a directory"},
		{"truncated vector", "apply base x --vector truncated.safetensors=1", exitInput, "truncated.safetensors: truncated", "copy or download it again"},
		{"model of another size", "apply base x --vector larger=1", exitInput, "shape [12], want [8]", "the very base"},
		{"vector of another size", "apply larger x --vector tau.safetensors=1 --any-base", exitInput, "the models do not fit together", "the very base"},
		{"a task vector as base", "apply tau.safetensors x --vector tuned=1", exitInput, "a task vector, and a model is wanted", "syncretic apply"},
		{"existing output", "apply base stranger --vector tau.safetensors=1", exitExists, "stranger: file already exists", "--force replaces it"},
		{"output is the base", "apply base base --vector tau.safetensors=1 --force", exitUsage, "the output base is also an input", help},
		{"output is the base, spelt otherwise", "apply base ./base/ --vector tau.safetensors=1 --force", exitUsage, "is also an input", help},
		{"output is the vector", "apply base tau.safetensors --vector tau.safetensors=1 --force", exitUsage, "is also an input", help},
		{"output holds the base", "apply base/model.safetensors base --vector tau.safetensors=1 --force", exitUsage, "is also an input", help},
		{"force on a folder that is no model", "apply base folder --vector tau.safetensors=1 --force", exitExists, "not a model directory", notTaken},
		{"force on a file where a folder belongs", "apply base file --vector tau.safetensors=1 --force", exitExists, "a directory is to be written", notTaken},
		{"arguments missing", "apply base --vector tau.safetensors=1", exitUsage, "apply takes the arguments BASE OUT --vector PATH=LAMBDA", help},
	})
}

func TestApplyReplacesAModelOnlyWithForce(t *testing.T) {
	w := newWorkshop(t)
	w.models()
	w.succeed("apply base merged --vector tau.safetensors=0.5")
	w.succeed("apply base merged --vector tau.safetensors=0 --force")
	equal(t, w.weights("merged"), w.weights("base"), w.weights("base"), 0)
	w.interrupt("apply base merged --vector tau.safetensors=1 --force", "")
	w.interrupt("apply base other --vector tau.safetensors=1", "")
}

// A list of everything that does not fit is cut to a line that a person can read.
func TestApplyCutsLongLists(t *testing.T) {
	w := newWorkshop(t)
	w.models()
	o := w.syncretic("apply base x --vector larger=1")
	if line, _, _ := strings.Cut(o.stderr, "\n"); len(line) > 700 || !strings.Contains(line, "more") {
		t.Errorf("%d characters, want fewer than 700 that end in a count:\n%s", len(line), line)
	}
}

// An expression is the sum of its terms: the same bytes as with --vector, and x − x is the base.
func TestApplyExpression(t *testing.T) {
	w := newWorkshop(t)
	w.models()
	run := func(flag, value, out string) outcome {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), []string{"apply", "base", out, flag, value, "--quiet"}, &stdout, &stderr)
		return outcome{code, stdout.String(), stderr.String()}
	}
	w.succeed("apply base terms --vector tuned=0.25 --vector stranger=-0.5 --quiet")
	if o := run("--expr", "0.5*(tuned/2 - stranger)", "formula"); o.code == exitDone {
		t.Error("tuned/2 is a path, and is found")
	}
	if o := run("--expr", "0.5*(tuned / 2 - stranger)", "formula"); o.code != exitDone {
		t.Fatalf("exit code %d\n%s", o.code, o.stderr)
	}
	equal(t, w.weights("formula"), w.weights("terms"), w.weights("base"), 0)
	if o := run("--expr", "tau.safetensors - tau.safetensors", "nothing"); o.code != exitDone {
		t.Fatalf("exit code %d\n%s", o.code, o.stderr)
	}
	equal(t, w.weights("nothing"), w.weights("base"), w.weights("base"), 0)
	for value, says := range map[string]string{"tuned * stranger": "character 7: a product of two task vectors", "tuned +": "is missing"} {
		if o := run("--expr", value, "out"); o.code != exitUsage || !strings.Contains(o.stderr, says) {
			t.Errorf("%s: exit code %d, %s", value, o.code, o.stderr)
		}
	}
}
