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
	Number   int                `json:"number"`
	State    search.State       `json:"state"`
	Choice   Choice             `json:"choice"`
	Point    search.Point       `json:"params"`           // as the study has it: numbers, and indices of words
	Scores   *Scores            `json:"scores,omitempty"` // nil until scored; of a pruned trial those of the part it got to
	Part     float64            `json:"part,omitempty"`   // of the data that Scores are of
	Values   []float64          `json:"values,omitempty"` // by objective
	Error    string             `json:"error,omitempty"`  // why a failed trial failed
	Recipe   string             `json:"recipe,omitempty"` // the mergekit recipe that makes its model
	Worker   string             `json:"worker,omitempty"`
	Retries  int                `json:"retries,omitempty"` // earlier attempts at the same point that were lost
	Started  time.Time          `json:"started,omitzero"`
	Finished time.Time          `json:"finished,omitzero"`
	Seconds  map[string]float64 `json:"seconds,omitempty"` // merge, extract, fit ... and total
	Version  string             `json:"version,omitempty"`
	Seed     uint64             `json:"seed"`
}

// The user attributes of a trial. What went wrong and who worked are the store's.
const (
	attrChoice  = "choice"
	attrScores  = "scores"
	attrPart    = "part"
	attrRecipe  = "recipe"
	attrSeconds = "seconds"
	attrVersion = "version"
	attrSeed    = "seed"
	attrError   = "error"
	attrWorker  = "worker"
	attrHistory = "retry_history" // a system attribute
)

// Trials reads all trials by number. Trials that something else than this package added, with other parameters, are
// left out; so are scores that a Python script did not write.
func (s *Study) Trials(ctx context.Context) ([]Trial, error) {
	rows, err := s.inner.Trials(ctx)
	if err != nil {
		return nil, err
	}
	var trials []Trial
	for i := range rows {
		choice, ok := s.setup.Space.choice(rows[i].Point)
		if !ok {
			continue
		}
		t, err := s.trial(&rows[i])
		if err != nil {
			return nil, err
		}
		t.Choice = choice
		trials = append(trials, t)
	}
	return trials, nil
}

// trial reads all of a row but its choice.
func (s *Study) trial(row *store.Trial) (Trial, error) {
	t := Trial{Number: row.Number, State: row.State, Point: row.Point, Values: row.Values, Started: row.Started, Finished: row.Finished, Seed: s.setup.Seed}
	var history []int
	for key, into := range map[string]any{attrScores: &t.Scores, attrError: &t.Error, attrSeconds: &t.Seconds, attrVersion: &t.Version,
		attrSeed: &t.Seed, attrPart: &t.Part, attrRecipe: &t.Recipe, attrWorker: &t.Worker, attrHistory: &history} {
		stored, ok := row.User[key]
		if key == attrHistory {
			stored, ok = row.System[key]
		}
		if !ok {
			continue
		}
		if err := json.Unmarshal(stored, into); err != nil {
			return t, fmt.Errorf("%s: trial %d: attribute %q: %w: %v", s.Where(), row.Number, key, ErrInvalid, err)
		}
	}
	t.Retries = len(history)
	return t, nil
}

// References reads the scores of the reference models that are measured, and whether all are.
func (s *Study) References(ctx context.Context) (refs References, complete bool, err error) {
	rows, err := s.references.Trials(ctx)
	if err != nil {
		return refs, false, err
	}
	all := s.setup.references()
	found := map[Reference]bool{}
	for i := range rows {
		name, ok := s.setup.reference(rows[i].Point)
		if !ok || rows[i].State != search.Complete {
			continue
		}
		t, err := s.trial(&rows[i])
		if err != nil {
			return refs, false, err
		}
		if t.Scores != nil {
			found[name] = true
			refs.put(name, *t.Scores)
		}
	}
	return refs, len(found) == len(all), nil
}

// referenceParam is the one parameter of the study of references.
const referenceParam = "model"

func (s Setup) referenceSpace() search.Space {
	p := search.Param{Name: referenceParam}
	for _, r := range s.references() {
		p.Choices = append(p.Choices, string(r))
	}
	return search.Space{p}
}

func (s Setup) reference(point search.Point) (Reference, bool) {
	all := s.references()
	v, ok := point[referenceParam]
	if i := int(v); ok && i >= 0 && i < len(all) && v == math.Trunc(v) {
		return all[i], true
	}
	return "", false
}
