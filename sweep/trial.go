package sweep

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"syncretic/sweep/search"
	"syncretic/sweep/store"
)

// Trial is one point of the sweep and what became of it.
type Trial struct {
	Number   int           `json:"number"`
	State    search.State  `json:"state"`
	Lambdas  Lambdas       `json:"lambdas"`
	Scores   *Scores       `json:"scores,omitempty"` // nil until scored
	Error    string        `json:"error,omitempty"`  // why a failed trial failed
	Started  time.Time     `json:"started,omitzero"`
	Finished time.Time     `json:"finished,omitzero"`
	Duration time.Duration `json:"duration_ns,omitempty"`
	Version  string        `json:"version,omitempty"`
	Seed     uint64        `json:"seed"`

	id int64
}

// Done reports whether the trial needs no repetition: it is scored, even where a mean is NaN (Optuna has such a trial
// as FAIL, because it knows no NaN).
func (t Trial) Done() bool { return t.State.Finished() && t.Scores != nil }

// Trials reads all trials by number. Trials that something else than this package added, with other parameters, are
// left out; so are scores that a Python script did not write.
func (s *Study) Trials(ctx context.Context) ([]Trial, error) {
	rows, err := s.inner.Trials(ctx)
	if err != nil {
		return nil, err
	}
	return s.trials(rows)
}

func (s *Study) trials(rows []store.Trial) ([]Trial, error) {
	var trials []Trial
	for _, row := range rows {
		lambdas, ok := s.setup.Space.lambdas(row.Point)
		if !ok {
			continue
		}
		t := Trial{id: row.ID, Number: row.Number, State: row.State, Lambdas: lambdas,
			Started: row.Started, Finished: row.Finished, Seed: s.setup.Seed}
		var seconds float64
		for key, into := range map[string]any{attrScores: &t.Scores, attrError: &t.Error, attrDuration: &seconds,
			attrVersion: &t.Version, attrSeed: &t.Seed} {
			stored, ok := row.User[key]
			if !ok {
				continue
			}
			if err := json.Unmarshal(stored, into); err != nil {
				return nil, fmt.Errorf("%s: trial %d: attribute %q: %w: %v", s.db.Where(), row.Number, key, ErrInvalid, err)
			}
		}
		t.Duration = time.Duration(math.Round(seconds * 1e9))
		trials = append(trials, t)
	}
	return trials, nil
}

// The user attributes of a trial.
const (
	attrLambdas  = "lambdas"
	attrScores   = "scores"
	attrError    = "error"
	attrDuration = "duration_s"
	attrVersion  = "version"
	attrSeed     = "seed"
)
