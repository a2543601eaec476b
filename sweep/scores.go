package sweep

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"syncretic/checkpoint"
)

// Evaluate scores one model on validation data, on the given part of it, in (0, 1]: 1 is all. It must not keep model after it returns,
// must return soon after ctx is done, and must measure the same datasets for every model of a study. A metric that is undefined is NaN,
// not an error.
type Evaluate func(ctx context.Context, model checkpoint.Source, part float64) (Scores, error)

// Scores are the measurements of one model, by dataset. A dataset that was not measured in one of the two ways is
// absent from that map; either map may be empty.
type Scores struct {
	Tasks  map[string]Task `json:"tasks,omitempty"`  // probe metrics
	Losses map[string]Loss `json:"losses,omitempty"` // label-free: masked-prediction loss

	Seconds map[string]float64 `json:"-"` // what the evaluation spent on: merge, extract, fit; may be nil
}

// Check returns an error when nothing was measured or a metric lies outside [0, 1].
func (s Scores) Check() error {
	if len(s.Tasks)+len(s.Losses) == 0 {
		return fmt.Errorf("scores hold no dataset")
	}
	for _, name := range sortedKeys(s.Tasks) {
		t := s.Tasks[name]
		for _, v := range []float64{t.ROCAUC, t.AveragePrecision, t.F1} {
			if v < 0 || v > 1 {
				return fmt.Errorf("dataset %q: roc-auc %v, average precision %v, f1 %v, want [0, 1]", name, t.ROCAUC, t.AveragePrecision, t.F1)
			}
		}
	}
	return nil
}

// sameDatasets returns an error when s does not measure exactly what reference does.
func (s Scores) sameDatasets(reference Scores) error {
	got, want := s.datasets(), reference.datasets()
	if !slices.Equal(got, want) {
		return fmt.Errorf("datasets %q, want %q as in the base's scores", got, want)
	}
	return nil
}

func (s Scores) datasets() []string {
	var names []string
	for name, t := range s.Tasks {
		names = append(names, fmt.Sprintf("task %s western=%t", name, t.Western))
	}
	for name, l := range s.Losses {
		names = append(names, fmt.Sprintf("loss %s western=%t", name, l.Western))
	}
	slices.Sort(names)
	return names
}

// Metric names what a [Rule] maximises (or, for the loss, minimises).
type Metric string

// The metrics; those of probes are macro averages over a dataset's tags.
const (
	ROCAUC           Metric = "roc_auc"
	AveragePrecision Metric = "average_precision"
	F1               Metric = "f1"
	MaskedLoss       Metric = "masked_loss"
)

// Of are a metric's values by dataset, of the Western ones or of the others.
func (s Scores) Of(m Metric, western bool) map[string]float64 {
	values := map[string]float64{}
	if m == MaskedLoss {
		for name, l := range s.Losses {
			if l.Western == western {
				values[name] = l.Value
			}
		}
		return values
	}
	for name, t := range s.Tasks {
		if t.Western == western {
			values[name] = t.Metric(m)
		}
	}
	return values
}

// Mean is the unweighted mean of a metric over the Western or the other datasets, summed in the order of their names.
// It is NaN when there is no such dataset or one of them is NaN.
func (s Scores) Mean(m Metric, western bool) float64 { return mean(s.Of(m, western)) }

func mean(values map[string]float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sum := 0.0
	for _, name := range sortedKeys(values) {
		sum += values[name]
	}
	return sum / float64(len(values))
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
