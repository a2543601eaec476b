package sweep

import (
	"context"
	"errors"
	"time"

	"syncretic/sweep/search"
	"syncretic/sweep/store"
)

// Status is how a study stands.
type Status struct {
	Study      string               `json:"study"`
	Name       string               `json:"name"`
	Total      int                  `json:"total"` // trials that there are to be
	Done       int                  `json:"done"`  // finished and not failed
	States     map[search.State]int `json:"states"`
	References [2]int               `json:"references"`     // reference models that are measured, and all of them
	Running    []RunningTrial       `json:"running"`        // reference models first, the test last
	Best       *Selection           `json:"best,omitempty"` // by the rule, among the trials so far
	PerHour    float64              `json:"trials_per_hour,omitempty"`
	Left       float64              `json:"left_s,omitempty"` // at that rate
	Test       *TestRecord          `json:"test,omitempty"`
}

// RunningTrial is what a worker has in hand.
type RunningTrial struct {
	Number  int     `json:"number"` // -1 for what is no trial of the sweep
	What    string  `json:"what"`   // the trial's lambdas, a reference model, or the test
	Worker  string  `json:"worker"`
	Seconds float64 `json:"seconds"`  // since it was claimed
	Silent  float64 `json:"silent_s"` // since its worker was last heard of, by the database's clock; negative where that is not known
}

// rateTrials is how many of the last trials the rate is taken from.
const rateTrials = 20

// Status reads how the study stands; now is the reader's clock, for rates.
func (s *Study) Status(ctx context.Context, now time.Time) (Status, error) {
	st := Status{Study: s.Where(), Name: s.Name(), Total: s.setup.Total(), States: map[search.State]int{}, Running: []RunningTrial{}}
	trials, err := s.Trials(ctx)
	if err != nil {
		return st, err
	}
	var ends []time.Time
	what := map[int]string{}
	for _, t := range trials {
		what[t.Number] = t.Choice.Lambdas.String()
		if t.State == search.Complete || t.State == search.Pruned {
			ends = append(ends, t.Finished)
		}
	}
	rows, err := s.inner.History(ctx) // with those of other programs, which count for the sampler too
	if err != nil {
		return st, err
	}
	for _, row := range rows {
		st.States[row.State]++
	}
	st.Done = st.States[search.Complete] + st.States[search.Pruned]
	st.Total = max(st.Total, st.Done+st.States[search.Running]+st.States[search.Waiting]) // somebody may have added points beside a grid
	for _, part := range []struct {
		of   *store.Study
		name func(store.Trial) (int, string)
	}{
		{s.references, func(row store.Trial) (int, string) { r, _ := s.setup.reference(row.Point); return -1, string(r) }},
		{s.inner, func(row store.Trial) (int, string) { return row.Number, what[row.Number] }},
		{s.tests, func(store.Trial) (int, string) { return -1, "test of the winner" }},
	} {
		running, err := s.running(ctx, part.of, now, part.name)
		if err != nil {
			return st, err
		}
		st.Running = append(st.Running, running...)
	}
	st.rate(ends, now)
	refs, _, err := s.References(ctx)
	if err != nil {
		return st, err
	}
	all := len(s.setup.references())
	st.References = [2]int{refs.count(), all}
	if best, err := s.setup.Rule.Select(trials, refs); err == nil {
		st.Best = &best
	} else if !errors.Is(err, ErrNoScores) {
		return st, err
	}
	st.Test, err = s.Tested(ctx)
	return st, err
}

// running lists what workers have in hand in one of the study's parts.
func (s *Study) running(ctx context.Context, of *store.Study, now time.Time, name func(store.Trial) (number int, what string)) ([]RunningTrial, error) {
	ages, err := of.Running(ctx)
	if err != nil || len(ages) == 0 {
		return nil, err
	}
	rows, err := of.Trials(ctx)
	if err != nil {
		return nil, err
	}
	var out []RunningTrial
	for i := range rows {
		age, ok := ages[rows[i].ID]
		if !ok {
			continue
		}
		t, err := s.trial(&rows[i])
		if err != nil {
			return nil, err
		}
		silent := -1.0
		if age >= 0 {
			silent = age.Seconds()
		}
		number, what := name(rows[i])
		out = append(out, RunningTrial{number, what, t.Worker, now.Sub(t.Started).Seconds(), silent})
	}
	return out, nil
}

// rate is what the last trials took, all workers together.
func (s *Status) rate(ends []time.Time, now time.Time) {
	if len(ends) > rateTrials {
		ends = ends[len(ends)-rateTrials:]
	}
	if len(ends) < 2 || s.States[search.Running] == 0 {
		return
	}
	first, last := ends[0], ends[0]
	for _, t := range ends {
		if t.Before(first) {
			first = t
		}
		if t.After(last) {
			last = t
		}
	}
	if d := last.Sub(first); d > 0 {
		s.PerHour = float64(len(ends)-1) / d.Hours()
		s.Left = max(0, float64(s.Total-s.Done)/s.PerHour*3600-now.Sub(last).Seconds())
	}
}

// count is how many references are measured.
func (r References) count() int {
	n := len(r.Experts)
	if len(r.Base.Tasks)+len(r.Base.Losses) > 0 {
		n++
	}
	if r.Multi != nil {
		n++
	}
	return n
}
