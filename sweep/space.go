package sweep

import (
	"fmt"
	"math"
	"slices"

	"syncretic/sweep/search"
)

// Mode says how the coefficients of several vectors are tied.
type Mode string

// The modes of a [Space].
const (
	Shared     Mode = "shared"      // one lambda for all vectors
	PerCulture Mode = "per-culture" // every vector its own lambda: the cartesian product
)

// DefaultMaxTrials is the largest grid that a [Space] accepts unless told otherwise.
const DefaultMaxTrials = 1000

// Space is a grid of scaling coefficients over named task vectors.
type Space struct {
	Mode      Mode      `json:"mode"`
	Vectors   []string  `json:"vectors"` // names, in the order in which terms are added
	Values    []float64 `json:"values"`  // what each lambda may be
	MaxTrials int       `json:"-"`       // 0 means DefaultMaxTrials; a limit, not part of what a study is about
}

// Grid returns points values from..to, both included, evenly spaced and rounded to ten decimals, so that 0.15 is the
// number people write. One point is from alone.
func Grid(from, to float64, points int) []float64 {
	values := make([]float64, points)
	for i := range values {
		v := from
		if i > 0 {
			v += (to - from) * float64(i) / float64(points-1)
		}
		values[i] = math.Round(v*1e10) / 1e10
	}
	return values
}

// DefaultValues is the usual grid: 0 to 1 by 0.05, 21 values.
func DefaultValues() []float64 { return Grid(0, 1, 21) }

// Check returns an error that wraps [ErrConfig] for an empty, repeated or non-finite value, for repeated vectors, an
// unknown mode, or more points than MaxTrials.
func (s Space) Check() error {
	if len(s.Vectors) == 0 {
		return fmt.Errorf("%w: no task vectors to scale", ErrConfig)
	}
	if len(s.Values) == 0 {
		return fmt.Errorf("%w: lambda has no values", ErrConfig)
	}
	for i, name := range s.Vectors {
		if name == "" || slices.Contains(s.Vectors[:i], name) {
			return fmt.Errorf("%w: task vector name %q is empty or repeated", ErrConfig, name)
		}
	}
	for i, v := range s.Values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("%w: lambda value %v is not finite", ErrConfig, v)
		}
		if slices.Contains(s.Values[:i], v) {
			return fmt.Errorf("%w: lambda value %v is listed twice", ErrConfig, v)
		}
	}
	switch s.Mode {
	case Shared, PerCulture:
	default:
		return fmt.Errorf("%w: lambda mode %q, want %q or %q", ErrConfig, s.Mode, Shared, PerCulture)
	}
	limit := s.MaxTrials
	if limit == 0 {
		limit = DefaultMaxTrials
	}
	if n := s.size(); n > float64(limit) {
		advice := "list fewer values or raise max_trials"
		if s.Mode == PerCulture {
			advice = "list fewer values, raise max_trials or use mode shared"
		}
		return fmt.Errorf("%w: %s grid of %d values over %d vectors has %.0f points, the limit is %d: %s",
			ErrConfig, s.Mode, len(s.Values), len(s.Vectors), n, limit, advice)
	}
	return nil
}

// size is the number of grid points; a float, since the product may pass any integer.
func (s Space) size() float64 {
	if s.Mode == Shared {
		return float64(len(s.Values))
	}
	return math.Pow(float64(len(s.Values)), float64(len(s.Vectors)))
}

// Points lists the trials: first the base (every lambda 0), then the grid in the order of Values, the last vector
// fastest. The base is not repeated where the grid holds it.
func (s Space) Points() ([]Lambdas, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	points := []Lambdas{s.point(func(int) float64 { return 0 })}
	if s.Mode == Shared {
		for _, v := range s.Values {
			if v != 0 {
				points = append(points, s.point(func(int) float64 { return v }))
			}
		}
		return points, nil
	}
	digits := make([]int, len(s.Vectors))
	for {
		if p := s.point(func(i int) float64 { return s.Values[digits[i]] }); !p.IsBase() {
			points = append(points, p)
		}
		i := len(digits) - 1
		for i >= 0 && digits[i] == len(s.Values)-1 {
			digits[i] = 0
			i--
		}
		if i < 0 {
			return points, nil
		}
		digits[i]++
	}
}

func (s Space) point(value func(i int) float64) Lambdas {
	p := make(Lambdas, len(s.Vectors))
	for i, name := range s.Vectors {
		p[name] = value(i)
	}
	return p
}

// sharedParam is the name of the one parameter of a shared study; per-culture parameters append "." and the vector.
const sharedParam = "lambda"

// params are the coefficients as the study's parameters.
func (s Space) params(l Lambdas) map[string]float64 {
	if s.Mode == Shared {
		return map[string]float64{sharedParam: l[s.Vectors[0]]}
	}
	out := map[string]float64{}
	for _, name := range s.Vectors {
		out[sharedParam+"."+name] = l[name]
	}
	return out
}

// lambdas is the inverse of params; ok is false for parameters of another space.
func (s Space) lambdas(params map[string]float64) (l Lambdas, ok bool) {
	l, ok = Lambdas{}, true
	for _, name := range s.Vectors {
		key := sharedParam
		if s.Mode == PerCulture {
			key += "." + name
		}
		v, found := params[key]
		l[name], ok = v, ok && found
	}
	return l, ok
}

// ranges are the parameters with their intervals, wide enough for the base.
func (s Space) ranges() search.Space {
	low, high := min(0, slices.Min(s.Values)), max(0, slices.Max(s.Values))
	if s.Mode == Shared {
		return search.Space{{Name: sharedParam, Low: low, High: high}}
	}
	var out search.Space
	for _, name := range s.Vectors {
		out = append(out, search.Param{Name: sharedParam + "." + name, Low: low, High: high})
	}
	return out
}
