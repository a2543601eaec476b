package summary

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// trained makes the logs of a run of total steps, of which done are taken, in two stages; every seventh of the first hundred
// was skipped.
func trained(t *testing.T, done, total, books int) Logs {
	t.Helper()
	var train, held bytes.Buffer
	line := func(b *bytes.Buffer, fields map[string]any) {
		text, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(text, '\n'))
	}
	half := total / 2
	for i := 1; i <= done; i++ {
		stage, at := "front-<end>", i
		if i > half {
			stage, at = "all", i-half
		}
		ce, accuracy := make([]any, books), make([]float64, books)
		for q := range books {
			ce[q], accuracy[q] = 6.5-float64(i)/float64(total), 0.25
		}
		fields := map[string]any{"step": i, "steps": total, "stage": stage, "stage_step": at, "lr": 1e-3, "loss": 10.5, "ce": ce, "accuracy": accuracy,
			"cqt_mse": 0.75, "feature_penalty": 0.125, "grad_norm": float64(i), "clips_per_s": 8, "time": fmt.Sprintf("2026-05-01T10:%02d:%02dZ", i/60%60, i%60)}
		if i < 100 && i%7 == 0 {
			for q := range ce {
				ce[q] = nil
			}
			fields["loss"], fields["grad_norm"], fields["skipped"], fields["reason"] = nil, nil, true, "the loss is NaN"
		}
		line(&train, fields)
	}
	for i := 0; i <= done; i += max(1, total/8) {
		for _, corpus := range []string{"makam", "western"} {
			sign := -1.0
			if corpus == "western" {
				sign = 0.5
			}
			line(&held, map[string]any{"step": i, "corpus": corpus, "ce": 30 + sign*float64(i)/float64(total), "cqt_mse": 0.5, "accuracy": []float64{0.1, 0.3}, "clips": 7})
		}
	}
	return Logs{Name: "makam & co", Train: train.Bytes(), Heldout: held.Bytes(), Provenance: []byte(`{"version": "v9", "inputs_sha256": {"base": "ba5e", "teacher": "7ea"},
		"config": {"base": "models/base", "objective": {"codebook_weight": 2, "cqt_weight": 4, "feature_penalty": 8}, "corpora": [{"name": "makam"}, {"name": "western", "replay": true}],
		"stages": [{"name": "front-<end>", "steps": 3, "train": ["a.", "b."], "replay": 0.2, "lr": {"peak": 0.001}}, {"name": "all", "steps": 3, "lr": {"peak": 0.002}, "optimizer": "keep"}]},
		"heldout": [{"name": "makam", "split": "valid", "clips": 7, "of": 9}, {"name": "lyra", "split": "valid", "reason": "no rows"}],
		"index": {"corpora": [{"name": "makam", "hours": 201.5, "hours_used": 200, "used": 17, "recordings": 18, "passes": 1.25}], "warnings": ["fewer hours than asked for"]},
		"skipped": [{"path": "broken.wav", "reason": "truncated"}]}`)}
}

func render(t *testing.T, l Logs) string {
	t.Helper()
	s, err := New(l)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := s.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPageSays(t *testing.T) {
	page := render(t, trained(t, 160, 160, 2))
	for _, want := range []string{
		"<title>Adaptation of makam &amp; co</title>", "All 160 steps are taken.", `<html lang="en">`, `name="viewport" content="width=device-width`, "prefers-color-scheme: dark",
		"Training loss", "10.50", "Held out, makam", "−1.00", "Held out, western", "+0.50", "2m39s",
		"Cross-entropy, change from the base", "base, makam", "better", "worse",
		"Loss and its parts", "Accuracy by codebook", "codebook 1", "Learning rate", "learning rate / 1e-3", "Norm of the gradient", "14 skipped steps", "clips/s",
		"front-&lt;end&gt;", ">all<", "a. b.", "20.0 %", "peak 0.002", "keep", "the loss is NaN", "broken.wav", "truncated",
		"200.00", "201.50", "fewer hours than asked for", "no rows", "ba5e", "v9", "stages[1].lr.peak", "models/base",
	} {
		if !strings.Contains(page, want) && !strings.Contains(page, strings.ReplaceAll(want, "+", "&#43;")) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(page, "the mean of") || strings.Contains(page, ">chosen<") {
		t.Error("160 steps need no thinning, and no row of a table is chosen")
	}
	// 2 * 5.9 nats of the two codebooks together, the spectrum and the penalty, each by its weight: the last row of the first chart of the training.
	figures := page[strings.Index(page, `id="curve-1-figures"`):]
	figures = figures[:strings.Index(figures, "</table>")]
	if row := figures[strings.LastIndex(figures, "<tr"):]; !regexp.MustCompile(`>160<.*>10\.500<.*>22\.000<.*>3\.000<.*>1\.000<`).MatchString(row) {
		t.Errorf("the last row of the parts is %s", row)
	}
}

func TestPageOfARunInProgress(t *testing.T) {
	l := trained(t, 40, 160, 12)
	l.Train = append(l.Train, `{"step": 41, "ste`...)
	l.Heldout = append(l.Heldout, `{"st`...)
	page := render(t, l)
	for _, want := range []string{"In progress: step 40 of 160, stage front-&lt;end&gt;.", "highest", "lowest"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(page, "codebook 3") {
		t.Error("twelve codebooks are drawn one by one")
	}
	empty := render(t, Logs{})
	if !strings.Contains(empty, "No step has been taken yet.") || strings.Contains(empty, "<svg") {
		t.Error("a run before its first step")
	}
	one := render(t, Logs{Train: trained(t, 1, 160, 2).Train})
	if !strings.Contains(one, "step 1 of 160") || strings.Contains(one, "NaN") {
		t.Error("a run after its first step")
	}
}

// A page of a long run is small, and its curves keep what matters: means that add up, and the largest gradient.
func TestLongRunsAreThinned(t *testing.T) {
	l := trained(t, 30000, 30000, 8)
	page := render(t, l)
	if size := len(page); size > 500_000 {
		t.Errorf("%d bytes, want less than half a megabyte", size)
	}
	for _, want := range []string{"Each point is the mean of 188 steps.", "largest of a point", ">30000.000<"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if render(t, l) != page {
		t.Error("the same logs gave other bytes")
	}
	if count := strings.Count(page, `<path class="points"`); count > 100 {
		t.Errorf("%d groups of markers", count)
	}
}

func TestThin(t *testing.T) {
	nan := number(math.NaN())
	var steps []step
	for i := range 2*mostPoints + 1 { // three a point
		steps = append(steps, step{Step: i + 1, Loss: number(i), GradNorm: number(-i)})
	}
	steps[1].Loss, steps[3].Loss, steps[4].Loss, steps[5].Loss = nan, nan, nan, number(math.Inf(1))
	th := thin(steps)
	loss := func(s step) float64 { return float64(s.Loss) }
	x, mean, most := th.x(), th.mean(loss), th.most(func(s step) float64 { return float64(s.GradNorm) })
	if len(x) != 107 || len(mean) != 107 || len(most) != 107 || th.size != 3 {
		t.Fatalf("%d places, %d means, %d maxima of %d steps each", len(x), len(mean), len(most), th.size)
	}
	if x[0] != 2 || x[1] != 5 || mean[0] != 1 || !math.IsNaN(mean[1]) || mean[2] != 7 || most[2] != -6 {
		t.Errorf("places %v, means %v, maxima %v", x[:3], mean[:3], most[:3])
	}
	if !math.IsNaN(th.most(func(step) float64 { return math.NaN() })[0]) {
		t.Error("the largest of nothing is a number")
	}
	if all := thin(steps[:mostPoints]); all.size != 1 || len(all.x()) != mostPoints {
		t.Error("few steps are thinned")
	}
}

func TestPageIsWellFormedAndAlone(t *testing.T) {
	page := render(t, trained(t, 160, 160, 8))
	const svg = `xmlns="http://www.w3.org/2000/svg"`
	if rest := strings.ReplaceAll(page, svg, ""); regexp.MustCompile(`(?i)https?:|//[a-z]|@import|url\(|@font-face|<script|<link|<img|\son[a-z]+=|src=`).MatchString(rest) {
		t.Error("the page refers to the network or runs a script")
	}
	var open []string
	ids, targets := map[string]bool{}, []string{}
	for _, m := range regexp.MustCompile(`<(/?)([a-zA-Z][a-zA-Z0-9]*)([^>]*?)(/?)>`).FindAllStringSubmatch(page, -1) {
		switch {
		case m[1] == "/":
			if len(open) == 0 || open[len(open)-1] != m[2] {
				t.Fatalf("</%s> closes %v", m[2], open)
			}
			open = open[:len(open)-1]
		case m[4] == "" && m[2] != "meta":
			open = append(open, m[2])
		}
		for _, a := range regexp.MustCompile(`([a-z-]+)="([^"]*)"`).FindAllStringSubmatch(m[3], -1) {
			switch a[1] {
			case "id":
				if ids[a[2]] {
					t.Errorf("id %q twice", a[2])
				}
				ids[a[2]] = true
			case "href":
				targets = append(targets, strings.TrimPrefix(a[2], "#"))
			case "aria-labelledby":
				targets = append(targets, strings.Fields(a[2])...)
			}
		}
	}
	for _, id := range targets {
		if !ids[id] {
			t.Errorf("reference to %q, which is no id", id)
		}
	}
	if len(open) != 0 || len(targets) < 5+2*2*9 {
		t.Errorf("left open %v; %d references", open, len(targets))
	}
	if figures, tables := strings.Count(page, "<figure>"), strings.Count(page, "Figures of this chart"); figures != 9 || tables != figures {
		t.Errorf("%d figures, %d tables of theirs", figures, tables)
	}
}

func TestNewRefuses(t *testing.T) {
	good := string(trained(t, 3, 3, 1).Train)
	for name, l := range map[string]Logs{
		"train.jsonl: line 2: ":              {Train: []byte(good[:strings.Index(good, "\n")+1] + "{\n")},
		"train.jsonl: line 4: step 1 of 3":   {Train: []byte(good + good)},
		"train.jsonl: line 1: step 0 of 0":   {Train: []byte("{}\n")},
		"heldout.jsonl: line 1: step -1":     {Heldout: []byte(`{"step": -1, "corpus": "a"}` + "\n")},
		"heldout.jsonl: line 2: step 3":      {Heldout: []byte(strings.Repeat(`{"step": 3, "corpus": "a"}`+"\n", 2))},
		"adapt.json: ":                       {Provenance: []byte("{")},
		"adapt.json: : nested":               {Provenance: []byte(`{"config": {"x": ` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + "}}")},
		"adapt.json: json: cannot unmarshal": {Provenance: []byte(`[1]`)},
	} {
		want := strings.Replace(name, ": : ", ": ", 1)
		if _, err := New(l); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), strings.Split(want, ": nested")[0]) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "lyra.run")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty folder gives %v", err)
	}
	l := trained(t, 5, 10, 2)
	if err := os.WriteFile(filepath.Join(dir, "train.jsonl"), l.Train, 0o666); err != nil {
		t.Fatal(err)
	}
	s, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if done, total := s.Steps(); done != 5 || total != 10 || s.name != "lyra" {
		t.Errorf("step %d of %d of %q", done, total, s.name)
	}
	if err := os.WriteFile(filepath.Join(dir, "adapt.json"), []byte("?"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(dir); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "lyra.run") {
		t.Errorf("a broken adapt.json gives %v", err)
	}
}

func TestWritePassesErrorsOn(t *testing.T) {
	s, err := New(trained(t, 5, 10, 2))
	if err != nil {
		t.Fatal(err)
	}
	r, w := io.Pipe()
	r.Close()
	if err := s.Write(w); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v", err)
	}
}

func TestFlatten(t *testing.T) {
	got, err := flatten([]byte(`{"b": 1.50, "a": {"list": [1, "two", null], "empty": [], "none": {}}, "c": [{"x": true}, {"x": 12345678901234567890}], "d": [[1, 2], [3]]}`))
	want := []fact{{"b", "1.50"}, {"a.list", "1, two, –"}, {"a.empty", ""}, {"c[0].x", "true"}, {"c[1].x", "12345678901234567890"}, {"d", "1, 2, 3"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q (%v), want %q", got, err, want)
	}
	for _, bad := range []string{"{", `{"a": [1`, `{"a" 1}`} {
		if _, err := flatten([]byte(bad)); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("%s: got %v", bad, err)
		}
	}
}

func FuzzNew(f *testing.F) {
	f.Add([]byte("{\"step\": 1, \"steps\": 2, \"stage\": \"a\", \"ce\": [1, null]}\n"), []byte("{\"step\": 0, \"corpus\": \"a\", \"ce\": 1}\n"), []byte(`{"config": {"stages": [{"lr": {"peak": 1}}]}}`))
	f.Fuzz(func(t *testing.T, train, held, made []byte) {
		s, err := New(Logs{Train: train, Heldout: held, Provenance: made})
		if err != nil {
			return
		}
		_ = s.Write(io.Discard) // an error is fine, a panic is not
	})
}
