package sweep

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"syncretic/sweep/search"
)

// trial is a finished trial of a shared lambda.
func trial(number int, lambda, auc, western, loss float64) Trial {
	s := scores(auc, western, loss)
	return Trial{Number: number, State: search.Complete, Lambdas: Lambdas{"lyra": lambda, "makam": lambda}, Scores: &s}
}

func TestSelect(t *testing.T) {
	nan := math.NaN()
	base := trial(0, 0, 0.60, 0.70, 30)
	for _, c := range []struct {
		name     string
		rule     Rule
		trials   []Trial
		chosen   int
		feasible int
		fallback bool
		says     string
	}{
		{"best mean", Rule{ROCAUC, 0.98}, []Trial{base, trial(1, 0.2, 0.63, 0.70, 0), trial(2, 0.4, 0.65, 0.69, 0)}, 2, 2, false, "best of 2"},
		{"the constraint", Rule{ROCAUC, 0.98}, []Trial{base, trial(1, 0.2, 0.63, 0.70, 0), trial(2, 0.4, 0.65, 0.68, 0)}, 1, 1, false, "keep the Western"},
		{"exactly at the threshold", Rule{ROCAUC, 1}, []Trial{base, trial(1, 0.2, 0.63, 0.70, 0)}, 1, 1, false, ""},
		{"no constraint", Rule{ROCAUC, 0}, []Trial{base, trial(1, 0.2, 0.63, 0.70, 0), trial(2, 0.4, 0.65, 0.1, 0)}, 2, 2, false, "no constraint"},
		{"tie to the smaller lambda", Rule{ROCAUC, 0.98}, []Trial{base, trial(1, 0.4, 0.65, 0.70, 0), trial(2, 0.2, 0.65, 0.70, 0)}, 2, 2, false, ""},
		{"tie by size, not by sign", Rule{ROCAUC, 0.98}, []Trial{base, trial(1, -0.4, 0.65, 0.70, 0), trial(2, 0.2, 0.65, 0.70, 0)}, 2, 2, false, ""},
		{"tie of equal sizes to the earlier", Rule{ROCAUC, 0.98}, []Trial{base, trial(2, -0.2, 0.65, 0.70, 0), trial(1, 0.2, 0.65, 0.70, 0)}, 1, 2, false, ""},
		{"tie with the base", Rule{ROCAUC, 0.98}, []Trial{base, trial(1, 0.4, 0.60, 0.70, 0)}, 0, 1, false, "none of 1 candidates is better"},
		{"base is best", Rule{ROCAUC, 0.98}, []Trial{base, trial(1, 0.4, 0.59, 0.70, 0)}, 0, 1, false, "is better than the base"},
		{"nothing feasible", Rule{ROCAUC, 0.98}, []Trial{base, trial(1, 0.4, 0.9, 0.5, 0), trial(2, 1, 0.9, 0.6, 0)}, 0, 0, true, "none of 2 candidates keeps"},
		{"rho above 1", Rule{ROCAUC, 1.1}, []Trial{base, trial(1, 0.4, 0.9, 0.7, 0)}, 0, 0, true, "the base is kept"},
		{"NaN is passed over", Rule{ROCAUC, 0.98}, []Trial{base, trial(1, 0.4, nan, 0.7, 0), trial(2, 0.8, 0.61, 0.7, 0)}, 2, 1, false, ""},
		{"NaN Western keeps nothing", Rule{ROCAUC, 0.98}, []Trial{base, trial(1, 0.4, 0.9, nan, 0)}, 0, 0, true, "none of 1"},
		{"NaN Western of the base", Rule{ROCAUC, 0.98}, []Trial{trial(0, 0, 0.6, nan, 0), trial(1, 0.4, 0.9, 0.7, 0)}, 0, 0, true, "none of 1"},
		{"NaN base", Rule{ROCAUC, 0.98}, []Trial{trial(0, 0, nan, 0.7, 0), trial(1, 0.4, 0.1, 0.7, 0)}, 1, 1, false, ""},
		{"only NaN", Rule{ROCAUC, 0.98}, []Trial{base, trial(1, 0.4, nan, 0.7, 0)}, 0, 0, true, "no lambda other than 0 has a finite score"},
		{"average precision", Rule{AveragePrecision, 0.98}, []Trial{base, trial(1, 0.4, 0.62, 0.7, 0)}, 1, 1, false, "average_precision"},
		{"loss is minimised and unconstrained", Rule{MaskedLoss, 0.98}, []Trial{base, trial(1, 0.4, 0.1, 0.1, 29), trial(2, 0.6, 0.9, 0.9, 29.5)}, 1, 2, false, ""},
		{"unfinished trials are passed over", Rule{ROCAUC, 0.98}, []Trial{base, {Number: 1, State: search.Running, Lambdas: Lambdas{"lyra": 1, "makam": 1}}}, 0, 0, true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.rule.Select(c.trials)
			if err != nil {
				t.Fatal(err)
			}
			if got.Trial != c.chosen || got.Feasible != c.feasible || got.Fallback != c.fallback {
				t.Errorf("trial %d, feasible %d, fallback %t; want %d, %d, %t", got.Trial, got.Feasible, got.Fallback, c.chosen, c.feasible, c.fallback)
			}
			if !strings.Contains(got.Reason, c.says) {
				t.Errorf("reason %q, want %q in it", got.Reason, c.says)
			}
		})
	}
}

func TestSelectFigures(t *testing.T) {
	got, err := Rule{ROCAUC, 0.5}.Select([]Trial{trial(0, 0, 0.6, 0.7, 30), trial(1, 0.3, 0.65, 0.69, 29)})
	if err != nil {
		t.Fatal(err)
	}
	if got.Value != 0.65 || got.BaseValue != 0.6 || got.Western != 0.69 || got.BaseWestern != 0.7 || got.Threshold != 0.35 || got.Candidates != 1 {
		t.Errorf("%+v", got)
	}
	if !got.Lambdas.Equal(Lambdas{"lyra": 0.3, "makam": 0.3}) || got.Metric != ROCAUC {
		t.Errorf("%+v", got)
	}
}

func TestSelectErrors(t *testing.T) {
	other := trial(1, 0.5, 0.6, 0.7, 30)
	delete(other.Scores.Tasks, "western")
	flipped := trial(1, 0.5, 0.6, 0.7, 30)
	flipped.Scores.Tasks["western"] = Task{ROCAUC: 0.9}
	lossOnly := Trial{Lambdas: Lambdas{"lyra": 0}, Scores: &Scores{Losses: map[string]Loss{"makam": {Value: 1}}}}
	for _, c := range []struct {
		name   string
		rule   Rule
		trials []Trial
		is     error
		says   string
	}{
		{"no trials", Rule{ROCAUC, 1}, nil, ErrNoScores, "base"},
		{"no base", Rule{ROCAUC, 1}, []Trial{trial(1, 0.5, 0.6, 0.7, 30)}, ErrNoScores, "base"},
		{"no such metric", Rule{ROCAUC, 1}, []Trial{lossOnly}, ErrNoScores, "roc_auc"},
		{"unknown metric", Rule{"f1", 1}, nil, ErrConfig, `"f1"`},
		{"negative rho", Rule{ROCAUC, -1}, nil, ErrConfig, "rho"},
		{"NaN rho", Rule{ROCAUC, math.NaN()}, nil, ErrConfig, "rho"},
		{"other datasets", Rule{ROCAUC, 1}, []Trial{trial(0, 0, 0.6, 0.7, 30), other}, nil, "trial 1: datasets"},
		{"western flag flipped", Rule{ROCAUC, 1}, []Trial{trial(0, 0, 0.6, 0.7, 30), flipped}, nil, "trial 1: datasets"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := c.rule.Select(c.trials)
			if err == nil || c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want %v and %q", err, c.is, c.says)
			}
		})
	}
}

func TestSelectByLossAsksNoLabels(t *testing.T) {
	trials := []Trial{trial(0, 0, 0, 0, 38), trial(1, 0.3, 0, 0, 31), trial(2, 0.4, 0, 0, 31), trial(3, 1, 0, 0, math.NaN())}
	for i := range trials {
		trials[i].Scores.Tasks = nil
	}
	got, err := SelectByLoss(trials)
	if err != nil || got.Trial != 1 || got.Value != 31 || got.BaseValue != 38 || got.BaseWestern != 31 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestSelectionSurvivesJSON(t *testing.T) {
	was := Selection{Metric: ROCAUC, Trial: 3, Lambdas: Lambdas{"a": 0.2}, Value: 0.5, Western: math.NaN(), BaseValue: 0.4,
		BaseWestern: math.NaN(), Threshold: math.NaN(), Candidates: 4, Feasible: 2, Reason: "r"}
	text, err := json.Marshal(was)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), `"western":null`) || !strings.Contains(string(text), `"value":0.5`) {
		t.Errorf("json %s", text)
	}
	var is Selection
	if err := json.Unmarshal(text, &is); err != nil {
		t.Fatal(err)
	}
	if is.Trial != 3 || is.Value != 0.5 || is.BaseValue != 0.4 || !math.IsNaN(is.Western) || !math.IsNaN(is.Threshold) ||
		!is.Lambdas.Equal(was.Lambdas) || is.Candidates != 4 || is.Feasible != 2 || is.Reason != "r" {
		t.Errorf("came back as %+v", is)
	}
}

func TestScores(t *testing.T) {
	s := Scores{Tasks: map[string]Task{
		"a": {ROCAUC: 0.5, AveragePrecision: 0.1}, "b": {ROCAUC: 0.7, AveragePrecision: 0.3}, "w": {ROCAUC: 0.9, AveragePrecision: 0.8, Western: true},
	}, Losses: map[string]Loss{"a": {Value: 3}, "b": {Value: 5}}}
	for _, c := range []struct {
		metric  Metric
		western bool
		want    float64
	}{
		{ROCAUC, false, 0.6}, {ROCAUC, true, 0.9}, {AveragePrecision, false, 0.2}, {AveragePrecision, true, 0.8},
		{MaskedLoss, false, 4}, {MaskedLoss, true, math.NaN()}, {"none", false, math.NaN()},
	} {
		const tolerance = 1e-15 // two roundings of numbers near 1
		got := s.Mean(c.metric, c.western)
		if !(math.Abs(got-c.want) <= tolerance) && !(math.IsNaN(got) && math.IsNaN(c.want)) {
			t.Errorf("mean %s western=%t is %v, want %v", c.metric, c.western, got, c.want)
		}
	}
	if err := s.Check(); err != nil {
		t.Error(err)
	}
	for name, bad := range map[string]Scores{
		"empty":    {},
		"above 1":  {Tasks: map[string]Task{"a": {ROCAUC: 1.01}}},
		"below 0":  {Tasks: map[string]Task{"a": {AveragePrecision: -0.1}}},
		"infinite": {Tasks: map[string]Task{"a": {ROCAUC: math.Inf(1)}}},
	} {
		if bad.Check() == nil {
			t.Errorf("%s scores pass", name)
		}
	}
	if err := (Scores{Tasks: map[string]Task{"a": {ROCAUC: math.NaN()}}}).Check(); err != nil {
		t.Errorf("NaN means undefined, not wrong: %v", err)
	}
}

func TestScoresSurviveJSON(t *testing.T) {
	was := Scores{
		Tasks:  map[string]Task{"a": {ROCAUC: math.NaN(), AveragePrecision: 0.25}, "w": {ROCAUC: 1, Western: true}},
		Losses: map[string]Loss{"a": {Value: math.Inf(1)}, "w": {Value: 30.125, Western: true}},
	}
	text, err := json.Marshal(was)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"tasks":{"a":{"roc_auc":null,"average_precision":0.25,"western":false},"w":{"roc_auc":1,"average_precision":0,"western":true}},` +
		`"losses":{"a":{"value":null,"western":false},"w":{"value":30.125,"western":true}}}`
	if string(text) != want {
		t.Errorf("json\n got %s\nwant %s", text, want)
	}
	var is Scores
	if err := json.Unmarshal(text, &is); err != nil {
		t.Fatal(err)
	}
	if !math.IsNaN(is.Tasks["a"].ROCAUC) || is.Tasks["w"] != was.Tasks["w"] || !math.IsNaN(is.Losses["a"].Value) || is.Losses["w"] != was.Losses["w"] {
		t.Errorf("came back as %+v", is)
	}
}

func TestDone(t *testing.T) {
	s := scores(0.5, 0.5, 1)
	for _, c := range []struct {
		trial Trial
		want  bool
	}{
		{Trial{State: search.Complete, Scores: &s}, true},
		{Trial{State: search.Fail, Scores: &s}, true},
		{Trial{State: search.Fail}, false},
		{Trial{State: search.Running, Started: time.Now()}, false},
		{Trial{State: search.Waiting}, false},
	} {
		if got := c.trial.Done(); got != c.want {
			t.Errorf("%s with scores %t: done %t, want %t", c.trial.State, c.trial.Scores != nil, got, c.want)
		}
	}
}
