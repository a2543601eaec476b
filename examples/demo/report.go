package demo

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"

	"syncretic/adapt"
	"syncretic/arithmetic"
	"syncretic/checkpoint"
	"syncretic/sweep"
)

// Report is what the demonstration found: every figure measured in this run.
type Report struct {
	Schema       int                              `json:"schema"`
	Version      string                           `json:"version"`
	Profile      Profile                          `json:"profile"`
	Seed         uint64                           `json:"seed"`
	Cultures     []CultureInfo                    `json:"cultures"`
	Models       []string                         `json:"models"`
	Inputs       map[string]string                `json:"sha256"`      // of base and single-culture models, heads included
	MaskedLoss   map[string]map[string]adapt.Loss `json:"masked_loss"` // by model, by culture, on held-out test clips
	Unigram      map[string]UnigramCE             `json:"unigram_ce"`  // by culture
	Lambda       LambdaReport                     `json:"lambda"`
	Probe        map[string]map[string]Score      `json:"probe"` // by model, by culture, on test clips
	Means        map[string]Means                 `json:"means"`
	Contrasts    []Contrast                       `json:"contrasts"`
	Interference arithmetic.Report                `json:"task_vectors"`
	Checks       []Check                          `json:"checks"`

	tested     map[string]map[string]tested
	trials     []sweep.Trial
	setup      sweep.Setup
	references sweep.References
}

// CultureInfo names a corpus and its tags.
type CultureInfo struct {
	Name    string   `json:"name"`
	Title   string   `json:"title"`
	Western bool     `json:"western"`
	Tags    []string `json:"tags"`
}

// Means are a model's averages on test clips.
type Means struct {
	NonWesternROCAUC           float64 `json:"non_western_roc_auc"`
	WesternROCAUC              float64 `json:"western_roc_auc"`
	NonWesternAveragePrecision float64 `json:"non_western_average_precision"`
	WesternAveragePrecision    float64 `json:"western_average_precision"`
	NonWesternMaskedLoss       float64 `json:"non_western_masked_loss"`
	WesternMaskedLoss          float64 `json:"western_masked_loss"`
}

// Check is a statement that must hold for the demonstration to have shown what it is for.
type Check struct {
	Statement string  `json:"statement"`
	Value     float64 `json:"value"`
	Bound     float64 `json:"bound"`
	Holds     bool    `json:"holds"`
}

func (s *session) newReport() *Report {
	r := &Report{Schema: 1, Version: s.opts.Version, Profile: s.profile, Seed: s.seed, Models: s.order(), Inputs: map[string]string{},
		MaskedLoss: map[string]map[string]adapt.Loss{}, Unigram: map[string]UnigramCE{}, Probe: map[string]map[string]Score{},
		Means: map[string]Means{}, tested: map[string]map[string]tested{}}
	for _, c := range s.cultures {
		r.Cultures = append(r.Cultures, CultureInfo{c.Name, c.Title, c.Western, c.Tags()})
	}
	return r
}

func (r *Report) means() {
	for _, m := range r.Models {
		var v Means
		n := 0.0
		for _, c := range r.Cultures {
			p, loss := r.Probe[m][c.Name], r.MaskedLoss[m][c.Name].Total
			if c.Western {
				v.WesternROCAUC, v.WesternAveragePrecision, v.WesternMaskedLoss = p.ROCAUC, p.AveragePrecision, loss
				continue
			}
			v.NonWesternROCAUC += p.ROCAUC
			v.NonWesternAveragePrecision += p.AveragePrecision
			v.NonWesternMaskedLoss += loss
			n++
		}
		v.NonWesternROCAUC /= n
		v.NonWesternAveragePrecision /= n
		v.NonWesternMaskedLoss /= n
		r.Means[m] = v
	}
}

// check computes the means, and the statements that must hold. What is small or uncertain in so small an experiment (merge
// over base, own culture over base, own over other cultures) is reported as a contrast and is no check.
func (r *Report) check() {
	r.means()
	add := func(value, bound float64, below bool, format string, args ...any) {
		holds := value > bound
		if below {
			holds = value < bound
		}
		r.Checks = append(r.Checks, Check{fmt.Sprintf(format, args...), value, bound, holds})
	}
	base := r.MaskedLoss[modelBase]
	for _, c := range r.Cultures {
		if c.Western {
			add(r.Unigram[c.Name].Own-base[c.Name].CE, 1, false, "the base's cross-entropy on Western audio lies below its unigram by more than")
		} else {
			add(base[c.Name].Total-r.MaskedLoss[c.Name][c.Name].Total, 2, false, "%s: its own model lowers the held-out masked loss by more than", c.Name)
		}
	}
	best, atOne := math.Inf(1), math.NaN()
	for _, p := range r.Lambda.Points {
		best = min(best, p.NonWesternLoss)
		if p.Lambda == 1 {
			atOne = p.NonWesternLoss
		}
	}
	chosen := r.lossLambda()
	add(chosen, 0.15-1e-9, false, "the lambda of the smallest masked loss is at least")
	add(chosen, 0.4+1e-9, true, "the lambda of the smallest masked loss is at most")
	add(atOne-best, 3, false, "lambda 1 has a masked loss above the best by more than")
	add(r.Means[modelMerged].WesternROCAUC-r.Means[modelBase].WesternROCAUC, -0.03, false, "Western ROC-AUC of the merge less the base's is above")
	add(r.Means[modelMerged].NonWesternROCAUC-r.Means[modelBase].NonWesternROCAUC, -0.005, false, "non-Western ROC-AUC of the merge less the base's is above")
}

func (r *Report) lossLambda() float64 {
	for _, l := range r.Lambda.ByMaskedLoss.Choice.Lambdas {
		return l // shared: all are equal
	}
	return math.NaN()
}

func (r *Report) probeLambda() float64 {
	for _, l := range r.Lambda.ByProbe.Choice.Lambdas {
		return l
	}
	return math.NaN()
}

// writeReport stores report.json, report.html and times.json.
func (s *session) writeReport(r *Report) error {
	doc, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := checkpoint.WriteFile(s.path("report.json"), append(doc, '\n'), true); err != nil {
		return err
	}
	var page bytes.Buffer
	if err := s.writePage(&page, r); err != nil {
		return err
	}
	if err := checkpoint.WriteFile(s.path("report.html"), page.Bytes(), true); err != nil {
		return err
	}
	times, err := json.MarshalIndent(s.times, "", "  ")
	if err != nil {
		return err
	}
	return checkpoint.WriteFile(s.path("times.json"), append(times, '\n'), true)
}
