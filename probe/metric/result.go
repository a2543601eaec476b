package metric

import (
	"encoding/json"
	"math"
)

// Result is what MultiLabel measures. Its JSON is that of `syncretic probe score --json`:
//
//	{"items", "tags", "roc_auc": {"macro", "micro", "per_tag", "left_out"},
//	 "average_precision": {the same}, "f1": {"macro", "micro", "per_tag", "threshold"},
//	 "tags_without_positives", "tags_without_negatives"}
type Result struct {
	Items            int       `json:"items"`
	Tags             int       `json:"tags"`
	ROCAUC           Summary   `json:"roc_auc"`
	AveragePrecision Summary   `json:"average_precision"`
	F1               F1Summary `json:"f1"`
	// The absent classes, to which the rules of the package comment apply.
	WithoutPositives int `json:"tags_without_positives"`
	WithoutNegatives int `json:"tags_without_negatives"`
}

// Summary is one ranking metric in its three averages. Undefined values are NaN, and null in JSON.
type Summary struct {
	Macro, Micro float64
	PerTag       []float64
	LeftOut      int // tags that Macro leaves out because they are NaN
}

// F1Summary is F1 at a threshold in its three averages. It is never NaN.
type F1Summary struct {
	Macro     float64   `json:"macro"`
	Micro     float64   `json:"micro"`
	PerTag    []float64 `json:"per_tag"`
	Threshold float64   `json:"threshold"`
}

// MultiLabel returns every metric of the package for scores [items][tags] against labels [items][tags]; the threshold,
// in the unit of the scores, is that of F1.
func MultiLabel(scores [][]float64, labels [][]bool, threshold float64) (Result, error) {
	f1, err := F1(scores, labels, threshold)
	if err != nil {
		return Result{}, err
	}
	out := Result{Items: len(scores), Tags: len(scores[0]), F1: f1}
	ranked := summarise(scores, labels, out.Tags, (*ranking).auc, (*ranking).averagePrecision)
	out.ROCAUC, out.AveragePrecision = ranked[0], ranked[1]
	for t := range out.Tags {
		positives := 0
		for _, row := range labels {
			if row[t] {
				positives++
			}
		}
		switch positives {
		case 0:
			out.WithoutPositives++
		case len(labels):
			out.WithoutNegatives++
		}
	}
	return out, nil
}

// summaryJSON is Summary with pointers in place of NaN.
type summaryJSON struct {
	Macro   *float64   `json:"macro"`
	Micro   *float64   `json:"micro"`
	PerTag  []*float64 `json:"per_tag"`
	LeftOut int        `json:"left_out"`
}

// MarshalJSON writes {"macro", "micro", "per_tag", "left_out"}, with null for NaN.
func (s Summary) MarshalJSON() ([]byte, error) {
	return json.Marshal(summaryJSON{orNull(s.Macro), orNull(s.Micro), orNulls(s.PerTag), s.LeftOut})
}

// UnmarshalJSON reads what MarshalJSON writes, with NaN for null.
func (s *Summary) UnmarshalJSON(data []byte) error {
	var in summaryJSON
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	*s = Summary{orNaN(in.Macro), orNaN(in.Micro), orNaNs(in.PerTag), in.LeftOut}
	return nil
}

func orNull(v float64) *float64 {
	if math.IsNaN(v) {
		return nil
	}
	return &v
}

func orNaN(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}

func orNulls(values []float64) []*float64 {
	out := make([]*float64, len(values))
	for i, v := range values {
		out[i] = orNull(v)
	}
	return out
}

func orNaNs(values []*float64) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = orNaN(v)
	}
	return out
}
