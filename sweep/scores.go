package sweep

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"

	"syncretic/checkpoint"
)

// Evaluate scores one model on validation data. It must not keep model after it returns, must return soon after ctx
// is done, and must measure the same datasets for every model of a study. A metric that is undefined is NaN, not an error.
type Evaluate func(ctx context.Context, model checkpoint.Source) (Scores, error)

// Scores are the measurements of one model, by dataset. A dataset that was not measured in one of the two ways is
// absent from that map; either map may be empty.
type Scores struct {
	Tasks  map[string]Task `json:"tasks,omitempty"`  // probe metrics
	Losses map[string]Loss `json:"losses,omitempty"` // label-free: masked-prediction loss
}

// Task is a probe's result on one dataset: macro averages over its tags, in [0, 1], NaN where undefined.
type Task struct {
	ROCAUC           float64 `json:"roc_auc"`
	AveragePrecision float64 `json:"average_precision"`
	Western          bool    `json:"western"`
}

// Loss is the masked-prediction loss on one dataset, which needs no labels; smaller is better, NaN where undefined.
// Its unit is the evaluator's: for MERT's objective nats summed over codebooks plus the CQT's mean square.
type Loss struct {
	Value   float64 `json:"value"`
	Western bool    `json:"western"`
}

// MarshalJSON writes metrics that are not finite as null, which JSON has and NaN it has not.
func (t Task) MarshalJSON() ([]byte, error) {
	return json.Marshal(taskJSON{finite(t.ROCAUC), finite(t.AveragePrecision), t.Western})
}

// UnmarshalJSON reads null, or an absent metric, as NaN.
func (t *Task) UnmarshalJSON(data []byte) error {
	var raw taskJSON
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	*t = Task{number(raw.ROCAUC), number(raw.AveragePrecision), raw.Western}
	return nil
}

// MarshalJSON writes a loss that is not finite as null.
func (l Loss) MarshalJSON() ([]byte, error) {
	return json.Marshal(lossJSON{finite(l.Value), l.Western})
}

// UnmarshalJSON reads null, or an absent value, as NaN.
func (l *Loss) UnmarshalJSON(data []byte) error {
	var raw lossJSON
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	*l = Loss{number(raw.Value), raw.Western}
	return nil
}

type taskJSON struct {
	ROCAUC           *float64 `json:"roc_auc"`
	AveragePrecision *float64 `json:"average_precision"`
	Western          bool     `json:"western"`
}

type lossJSON struct {
	Value   *float64 `json:"value"`
	Western bool     `json:"western"`
}

func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

func number(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}

// Check returns an error when nothing was measured or a metric lies outside [0, 1].
func (s Scores) Check() error {
	if len(s.Tasks)+len(s.Losses) == 0 {
		return fmt.Errorf("scores hold no dataset")
	}
	for _, name := range sortedKeys(s.Tasks) {
		t := s.Tasks[name]
		if t.ROCAUC < 0 || t.ROCAUC > 1 || t.AveragePrecision < 0 || t.AveragePrecision > 1 {
			return fmt.Errorf("dataset %q: roc-auc %v, average precision %v, want [0, 1]", name, t.ROCAUC, t.AveragePrecision)
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

// The metrics.
const (
	ROCAUC           Metric = "roc_auc"
	AveragePrecision Metric = "average_precision"
	MaskedLoss       Metric = "masked_loss"
)

// Mean is the unweighted mean of a metric over the Western or the other datasets, summed in the order of their names.
// It is NaN when there is no such dataset or one of them is NaN.
func (s Scores) Mean(m Metric, western bool) float64 {
	var sum, n float64
	switch m {
	case MaskedLoss:
		for _, name := range sortedKeys(s.Losses) {
			if l := s.Losses[name]; l.Western == western {
				sum, n = sum+l.Value, n+1
			}
		}
	case ROCAUC, AveragePrecision:
		for _, name := range sortedKeys(s.Tasks) {
			t := s.Tasks[name]
			if t.Western != western {
				continue
			}
			if m == ROCAUC {
				sum, n = sum+t.ROCAUC, n+1
			} else {
				sum, n = sum+t.AveragePrecision, n+1
			}
		}
	}
	if n == 0 {
		return math.NaN()
	}
	return sum / n
}

// has reports whether any Western, or any other, dataset carries the metric.
func (s Scores) has(m Metric, western bool) bool {
	if m == MaskedLoss {
		for _, l := range s.Losses {
			if l.Western == western {
				return true
			}
		}
		return false
	}
	for _, t := range s.Tasks {
		if t.Western == western {
			return true
		}
	}
	return false
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
