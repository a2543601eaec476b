package sweep

import (
	"encoding/json"
	"errors"
	"maps"
	"math"
	"strings"
	"testing"

	"syncretic/sweep/search"
)

// trial is a finished trial of a shared lambda.
func trial(number int, lambda, auc, western, loss float64) Trial {
	s := scores(auc, western, loss)
	return Trial{Number: number, State: search.Complete, Choice: Choice{Lambdas: Lambdas{"lyra": lambda, "makam": lambda}}, Scores: &s}
}

// rule is one without experts.
func rule(m Metric, rho float64) Rule { return Rule{Metric: m, Rho: rho} }

// selectWith selects with the base's trial, lambda 0, as the reference.
func selectWith(r Rule, trials []Trial) (Selection, error) {
	var refs References
	for _, t := range trials {
		if t.Choice.Lambdas.IsBase() && t.Scores != nil {
			refs.Base = *t.Scores
		}
	}
	return r.Select(trials, refs)
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
		{"best mean", rule(ROCAUC, 0.98), []Trial{base, trial(1, 0.2, 0.63, 0.70, 0), trial(2, 0.4, 0.65, 0.69, 0)}, 2, 2, false, "best of 2"},
		{"the constraint", rule(ROCAUC, 0.98), []Trial{base, trial(1, 0.2, 0.63, 0.70, 0), trial(2, 0.4, 0.65, 0.68, 0)}, 1, 1, false, "keep the Western"},
		{"exactly at the threshold", rule(ROCAUC, 1), []Trial{base, trial(1, 0.2, 0.63, 0.70, 0)}, 1, 1, false, ""},
		{"no constraint", rule(ROCAUC, 0), []Trial{base, trial(1, 0.2, 0.63, 0.70, 0), trial(2, 0.4, 0.65, 0.1, 0)}, 2, 2, false, "no constraint"},
		{"tie to the smaller lambda", rule(ROCAUC, 0.98), []Trial{base, trial(1, 0.4, 0.65, 0.70, 0), trial(2, 0.2, 0.65, 0.70, 0)}, 2, 2, false, ""},
		{"tie by size, not by sign", rule(ROCAUC, 0.98), []Trial{base, trial(1, -0.4, 0.65, 0.70, 0), trial(2, 0.2, 0.65, 0.70, 0)}, 2, 2, false, ""},
		{"tie of equal sizes to the earlier", rule(ROCAUC, 0.98), []Trial{base, trial(2, -0.2, 0.65, 0.70, 0), trial(1, 0.2, 0.65, 0.70, 0)}, 1, 2, false, ""},
		{"tie with the base", rule(ROCAUC, 0.98), []Trial{base, trial(1, 0.4, 0.60, 0.70, 0)}, 0, 1, false, "none of 1 candidates is better"},
		{"base is best", rule(ROCAUC, 0.98), []Trial{base, trial(1, 0.4, 0.59, 0.70, 0)}, 0, 1, false, "is better than the base"},
		{"nothing feasible", rule(ROCAUC, 0.98), []Trial{base, trial(1, 0.4, 0.9, 0.5, 0), trial(2, 1, 0.9, 0.6, 0)}, 0, 0, true, "none of 2 candidates keeps"},
		{"rho above 1", rule(ROCAUC, 1.1), []Trial{base, trial(1, 0.4, 0.9, 0.7, 0)}, 0, 0, true, "the base is kept"},
		{"NaN is passed over", rule(ROCAUC, 0.98), []Trial{base, trial(1, 0.4, nan, 0.7, 0), trial(2, 0.8, 0.61, 0.7, 0)}, 2, 1, false, ""},
		{"NaN Western keeps nothing", rule(ROCAUC, 0.98), []Trial{base, trial(1, 0.4, 0.9, nan, 0)}, 0, 0, true, "none of 1"},
		{"NaN Western of the base", rule(ROCAUC, 0.98), []Trial{trial(0, 0, 0.6, nan, 0), trial(1, 0.4, 0.9, 0.7, 0)}, 0, 0, true, "none of 1"},
		{"NaN base", rule(ROCAUC, 0.98), []Trial{trial(0, 0, nan, 0.7, 0), trial(1, 0.4, 0.1, 0.7, 0)}, 1, 1, false, ""},
		{"only NaN", rule(ROCAUC, 0.98), []Trial{base, trial(1, 0.4, nan, 0.7, 0)}, 0, 0, true, "no lambda other than 0 has a finite score"},
		{"average precision", rule(AveragePrecision, 0.98), []Trial{base, trial(1, 0.4, 0.62, 0.7, 0)}, 1, 1, false, "average_precision"},
		{"loss is minimised and unconstrained", rule(MaskedLoss, 0.98), []Trial{base, trial(1, 0.4, 0.1, 0.1, 29), trial(2, 0.6, 0.9, 0.9, 29.5)}, 1, 2, false, ""},
		{"unfinished trials are passed over", rule(ROCAUC, 0.98), []Trial{base, {Number: 1, State: search.Running, Choice: Choice{Lambdas: Lambdas{"lyra": 1, "makam": 1}}}}, 0, 0, true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := selectWith(c.rule, c.trials)
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
	got, err := selectWith(rule(ROCAUC, 0.5), []Trial{trial(0, 0, 0.6, 0.7, 30), trial(1, 0.3, 0.65, 0.69, 29)})
	if err != nil {
		t.Fatal(err)
	}
	if got.Value != 0.65 || got.BaseValue != 0.6 || got.Western != 0.69 || got.BaseWestern != 0.7 || got.Threshold != 0.35 || got.Candidates != 1 {
		t.Errorf("%+v", got)
	}
	if !maps.Equal(got.Choice.Lambdas, Lambdas{"lyra": 0.3, "makam": 0.3}) || got.Metric != ROCAUC {
		t.Errorf("%+v", got)
	}
}

func TestSelectErrors(t *testing.T) {
	other := trial(1, 0.5, 0.6, 0.7, 30)
	delete(other.Scores.Tasks, "western")
	flipped := trial(1, 0.5, 0.6, 0.7, 30)
	flipped.Scores.Tasks["western"] = Task{ROCAUC: 0.9}
	lossOnly := Trial{State: search.Complete, Choice: Choice{Lambdas: Lambdas{"lyra": 0}}, Scores: &Scores{Losses: map[string]Loss{"makam": {Value: 1}}}}
	for _, c := range []struct {
		name   string
		rule   Rule
		trials []Trial
		is     error
		says   string
	}{
		{"no base", rule(ROCAUC, 1), []Trial{trial(1, 0.5, 0.6, 0.7, 30)}, ErrNoScores, "not measured yet"},
		{"no such metric", rule(ROCAUC, 1), []Trial{lossOnly}, ErrNoScores, "roc_auc"},
		{"unknown metric", rule("f2", 1), nil, ErrConfig, `"f2"`},
		{"negative rho", rule(ROCAUC, -1), nil, ErrConfig, "rho"},
		{"NaN rho", rule(ROCAUC, math.NaN()), nil, ErrConfig, "rho"},
		{"other datasets", rule(ROCAUC, 1), []Trial{trial(0, 0, 0.6, 0.7, 30), other}, nil, "trial 1: datasets"},
		{"western flag flipped", rule(ROCAUC, 1), []Trial{trial(0, 0, 0.6, 0.7, 30), flipped}, nil, "trial 1: datasets"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := selectWith(c.rule, c.trials)
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
	got, err := SelectByLoss(trials, References{Base: *trials[0].Scores})
	if err != nil || got.Trial != 1 || got.Value != 31 || got.BaseValue != 38 || got.BaseWestern != 31 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestSelectionSurvivesJSON(t *testing.T) {
	was := Selection{Metric: ROCAUC, Trial: 3, Choice: Choice{Lambdas: Lambdas{"a": 0.2}}, Value: 0.5, Western: math.NaN(), BaseValue: 0.4,
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
		!maps.Equal(is.Choice.Lambdas, was.Choice.Lambdas) || is.Candidates != 4 || is.Feasible != 2 || is.Reason != "r" {
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
		"f1":       {Tasks: map[string]Task{"a": {F1: 1.01}}},
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
		Tasks: map[string]Task{"a": {ROCAUC: math.NaN(), AveragePrecision: 0.25, Intervals: map[Metric]Bounds{ROCAUC: {0.1, 0.2}}},
			"w": {ROCAUC: 1, F1: 0.5, Western: true, Tags: map[string]TagScore{"oud": {0.5, math.NaN(), 0}}}},
		Losses: map[string]Loss{"a": {Value: math.Inf(1)}, "w": {Value: 30.125, Western: true}},
	}
	text, err := json.Marshal(was)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"tasks":{"a":{"roc_auc":null,"average_precision":0.25,"f1":0,"western":false,"intervals":{"roc_auc":{"low":0.1,"high":0.2}}},"w":{"roc_auc":1,"average_precision":0,"f1":0.5,"western":true,"tags":{"oud":{"roc_auc":0.5,"average_precision":null,"f1":0}}}},` +
		`"losses":{"a":{"value":null,"western":false},"w":{"value":30.125,"western":true}}}`
	if string(text) != want {
		t.Errorf("json\n got %s\nwant %s", text, want)
	}
	var is Scores
	if err := json.Unmarshal(text, &is); err != nil {
		t.Fatal(err)
	}
	if !math.IsNaN(is.Tasks["a"].ROCAUC) || is.Tasks["w"].F1 != 0.5 || is.Tasks["w"].Tags["oud"].ROCAUC != 0.5 || !math.IsNaN(is.Tasks["w"].Tags["oud"].AveragePrecision) || is.Tasks["a"].Intervals[ROCAUC] != (Bounds{0.1, 0.2}) || !math.IsNaN(is.Losses["a"].Value) || is.Losses["w"] != was.Losses["w"] {
		t.Errorf("came back as %+v", is)
	}
}

// TestNormalisedSelection prefers what is near the experts, not what is high: one culture is easier than the other.
func TestNormalisedSelection(t *testing.T) {
	at := func(number int, lambda, makam, lyra float64) Trial {
		tr := trial(number, lambda, makam, 0.7, 30)
		tr.Scores.Tasks["lyra"] = Task{ROCAUC: lyra}
		return tr
	}
	refs := References{Base: *at(0, 0, 0.5, 0.5).Scores, Experts: map[string]Scores{"makam": *at(0, 1, 0.9, 0.5).Scores, "lyra": *at(0, 1, 0.5, 0.6).Scores}}
	trials := []Trial{at(1, 0.3, 0.82, 0.5), at(2, 0.6, 0.72, 0.59)}
	plain, err := rule(ROCAUC, 0.98).Select(trials, refs)
	if err != nil || plain.Trial != 1 || plain.Normalised {
		t.Errorf("by the mean %+v, %v; want trial 1", plain, err)
	}
	r := rule(ROCAUC, 0.98)
	r.Experts = map[string]string{"makam": "makam", "lyra": "lyra"}
	got, err := r.Select(trials, refs)
	if want := (0.72/0.9 + 0.59/0.6) / 2; err != nil || got.Trial != 2 || math.Abs(got.Value-want) > 1e-12 || !got.Normalised {
		t.Errorf("normalised %+v, %v; want trial 2 with %v", got, err, want)
	}
	delete(refs.Experts, "lyra")
	if got, err := r.Select(trials, refs); err != nil || got.Candidates != 0 {
		t.Errorf("without an expert's scores %+v, %v", got, err)
	}
}

// TestExpertsThatScoreNothing: nothing is infinitely better than an expert, and the person is told before a night is spent on it.
func TestExpertsThatScoreNothing(t *testing.T) {
	r := Rule{Metric: F1, Experts: map[string]string{"makam": "makam"}}
	for _, v := range []float64{0, math.NaN()} {
		refs := References{Base: scores(0.5, 0.5, 1), Experts: map[string]Scores{"makam": scores(v, 0.5, 1)}}
		if got := r.Value(scores(0.5, 0.5, 1), refs); !math.IsNaN(got) {
			t.Errorf("value %v over an expert's %v, want NaN", got, v)
		}
		_, err := r.Select(nil, refs)
		if !errors.Is(err, ErrNoScores) || !strings.Contains(err.Error(), "normalise: false") {
			t.Errorf("error %v", err)
		}
	}
}
