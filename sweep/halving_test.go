package sweep

import (
	"context"
	"slices"
	"testing"

	"syncretic/checkpoint"
	"syncretic/sweep/search"
)

// TestHalving gives the worse trials up after a part of the data, and never chooses one of them.
func TestHalving(t *testing.T) {
	setup := toySetup(Grid(0, 1, 11)...)
	setup.Halving = HalvingConfig{Parts: []float64{0.25, 0.5}, Eta: 2}
	study := openToy(t, "", setup)
	parts := map[float64]int{}
	run(t, study, func(ctx context.Context, model checkpoint.Source, part float64) (Scores, error) {
		parts[part]++
		s, err := hill(t)(ctx, model, 1)
		task := s.Tasks["makam"]
		task.ROCAUC -= 0.1 * (1 - part)
		s.Tasks["makam"] = task
		return s, err
	})
	trials := trialsOf(t, study)
	states := map[search.State]int{}
	for _, trial := range trials {
		states[trial.State]++
		if trial.State == search.Pruned && (trial.Part == 1 || trial.Scores == nil || len(trial.Values) > 0) {
			t.Errorf("pruned trial %+v", trial)
		}
	}
	if states[search.Pruned] == 0 || states[search.Complete] == 0 || len(trials) != 11 {
		t.Errorf("states %v of %d trials", states, len(trials))
	}
	if parts[0.25] < 11 || parts[1] >= 11 { // and once in full for the base
		t.Errorf("evaluations by part: %v", parts)
	}
	winner, err := study.Select(context.Background())
	if err != nil || winner.Trial < 0 || trials[winner.Trial].State != search.Complete {
		t.Errorf("winner %+v, %v", winner, err)
	}
	best := slices.MaxFunc(trials, func(a, b Trial) int { return int(1e9 * (first(a.Values) - first(b.Values))) })
	if best.Number != winner.Trial {
		t.Errorf("winner is trial %d, the best complete one %d", winner.Trial, best.Number)
	}
}

func first(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	return values[0]
}

// TestTwoObjectives: NSGA-II searches the front of non-Western against Western scores; the rule still chooses one point.
func TestTwoObjectives(t *testing.T) {
	setup := toySetup(0, 1)
	setup.Space.Mode = PerCulture
	setup.Sampler = SamplerConfig{Kind: search.NSGA2, Trials: 24, Population: 8}
	study := openToy(t, "", setup)
	run(t, study, func(_ context.Context, model checkpoint.Source, _ float64) (Scores, error) {
		w := weights(t, model)
		return scores(0.5+0.2*w[1], 0.7-0.1*w[1]*w[1], 1), nil
	})
	trials := trialsOf(t, study)
	if len(trials) != 24 {
		t.Fatalf("%d trials, want 24", len(trials))
	}
	for _, trial := range trials {
		if len(trial.Values) != 2 || trial.Values[1] != trial.Scores.Mean(ROCAUC, true) {
			t.Errorf("values %v", trial.Values)
		}
	}
	winner, err := study.Select(context.Background())
	if err != nil || winner.Western < 0.98*0.7 || winner.Value <= 0.5 {
		t.Errorf("winner %+v, %v", winner, err)
	}
}
