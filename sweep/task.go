package sweep

import (
	"encoding/json"
	"math"
)

// Task is a probe's result on one dataset: macro averages over its tags, in [0, 1], NaN where undefined.
type Task struct {
	ROCAUC           float64
	AveragePrecision float64
	F1               float64 // at the threshold that the valid items decided
	Western          bool
	Intervals        map[Metric]Bounds   // 95 %, by bootstrap over items; nil where none was computed
	Tags             map[string]TagScore // by tag; nil where only the means are kept
}

// TagScore is a probe's result on one tag, NaN where undefined.
type TagScore struct{ ROCAUC, AveragePrecision, F1 float64 }

// Bounds are the ends of an interval.
type Bounds struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Metric is one of the three macro averages, NaN for any other metric.
func (t Task) Metric(m Metric) float64 {
	switch m {
	case ROCAUC:
		return t.ROCAUC
	case AveragePrecision:
		return t.AveragePrecision
	case F1:
		return t.F1
	}
	return math.NaN()
}

// Loss is the masked-prediction loss on one dataset, which needs no labels; smaller is better, NaN where undefined.
// Its unit is the evaluator's: for MERT's objective nats summed over codebooks plus the CQT's mean square.
type Loss struct {
	Value   float64
	Western bool
}

// maybe is a number that JSON spells null where it is not finite, which JSON has no word for.
type maybe float64

func (v maybe) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(v))
}

func (v *maybe) UnmarshalJSON(data []byte) error {
	*v = maybe(math.NaN())
	if string(data) == "null" {
		return nil
	}
	return json.Unmarshal(data, (*float64)(v))
}

type taskJSON struct {
	ROCAUC           maybe               `json:"roc_auc"`
	AveragePrecision maybe               `json:"average_precision"`
	F1               maybe               `json:"f1"`
	Western          bool                `json:"western"`
	Intervals        map[Metric]Bounds   `json:"intervals,omitempty"`
	Tags             map[string]TagScore `json:"tags,omitempty"`
}

// MarshalJSON writes metrics that are not finite as null.
func (t Task) MarshalJSON() ([]byte, error) {
	return json.Marshal(taskJSON{maybe(t.ROCAUC), maybe(t.AveragePrecision), maybe(t.F1), t.Western, t.Intervals, t.Tags})
}

// UnmarshalJSON reads null, or an absent metric, as NaN.
func (t *Task) UnmarshalJSON(data []byte) error {
	nan := maybe(math.NaN())
	raw := taskJSON{ROCAUC: nan, AveragePrecision: nan, F1: nan}
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	*t = Task{float64(raw.ROCAUC), float64(raw.AveragePrecision), float64(raw.F1), raw.Western, raw.Intervals, raw.Tags}
	return nil
}

type tagJSON struct {
	ROCAUC           maybe `json:"roc_auc"`
	AveragePrecision maybe `json:"average_precision"`
	F1               maybe `json:"f1"`
}

// MarshalJSON writes metrics that are not finite as null.
func (t TagScore) MarshalJSON() ([]byte, error) {
	return json.Marshal(tagJSON{maybe(t.ROCAUC), maybe(t.AveragePrecision), maybe(t.F1)})
}

// UnmarshalJSON reads null as NaN.
func (t *TagScore) UnmarshalJSON(data []byte) error {
	nan := maybe(math.NaN())
	raw := tagJSON{nan, nan, nan}
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	*t = TagScore{float64(raw.ROCAUC), float64(raw.AveragePrecision), float64(raw.F1)}
	return nil
}

type lossJSON struct {
	Value   maybe `json:"value"`
	Western bool  `json:"western"`
}

// MarshalJSON writes a loss that is not finite as null.
func (l Loss) MarshalJSON() ([]byte, error) {
	return json.Marshal(lossJSON{maybe(l.Value), l.Western})
}

// UnmarshalJSON reads null, or an absent value, as NaN.
func (l *Loss) UnmarshalJSON(data []byte) error {
	raw := lossJSON{Value: maybe(math.NaN())}
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	*l = Loss{float64(raw.Value), raw.Western}
	return nil
}
