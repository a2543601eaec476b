package search

// State is the state of a trial, spelt as Optuna spells it.
type State string

// The states of a trial, in the order in which it passes through them.
const (
	Waiting  State = "WAITING"
	Running  State = "RUNNING"
	Complete State = "COMPLETE"
	Pruned   State = "PRUNED" // given up after a part of its evaluation
	Fail     State = "FAIL"
)

// Finished reports whether a trial in this state can no longer change.
func (s State) Finished() bool { return s == Complete || s == Pruned || s == Fail }

// Direction says whether a larger or a smaller value is better.
type Direction string

// Optuna's two directions.
const (
	Maximize Direction = "MAXIMIZE"
	Minimize Direction = "MINIMIZE"
)

// Trial is a point that was, is being, or will be evaluated, as a sampler sees it.
type Trial struct {
	Number      int // position in the study, from 0
	State       State
	Point       Point
	Values      []float64       // by objective; nil unless COMPLETE
	Constraints []float64       // each <= 0 where the trial keeps it; nil when none is known
	Steps       map[int]float64 // the first objective after parts of the evaluation
	Tags        map[string]string
}

// Feasible reports whether no constraint is known to be broken.
func (t Trial) Feasible() bool {
	for _, c := range t.Constraints {
		if !(c <= 0) {
			return false
		}
	}
	return true
}

// Proposal is a sampler's answer. Without a Point there is none: Done when there never will be another, otherwise because
// running trials must end first.
type Proposal struct {
	Point Point
	Tags  map[string]string // to be kept with the trial, for the sampler's own later use
	Done  bool
}

// Sampler proposes the next trial. The history holds every trial of the study in the order of numbers, also those that other
// workers run now and those that another sampler or program proposed, whose points need not lie in the space. A sampler
// counts trials by what they are, not by how often it was asked, and never changes the history. It is safe for concurrent use.
type Sampler interface {
	Ask(history []Trial) (Proposal, error)
}
