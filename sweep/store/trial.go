package store

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"syncretic/sweep/search"
)

// Trial is one row of the queue with everything that belongs to it. Its maps and slices are shared with later calls: they are only
// to be read.
type Trial struct {
	// Point holds what the trial was claimed with; while it waits, what was enqueued. A choice is its index in Params.
	search.Trial
	ID       int64
	Params   search.Space               // the parameters as they were stored, each with its range or its choices
	User     map[string]json.RawMessage // user attributes; nil from History
	System   map[string]json.RawMessage // system attributes
	Started  time.Time                  // zero while WAITING; local
	Finished time.Time                  // zero until finished; local
}

// Entry is a trial to be enqueued.
type Entry struct {
	Point        search.Point
	Tags         map[string]string
	User, System map[string]any
}

// Outcome is how a trial ended. Values has one for each objective where State is COMPLETE, may have where it is PRUNED, and none is
// NaN: Optuna refuses it, so that such a trial must be given as FAIL, its reason among the user attributes.
type Outcome struct {
	State        search.State
	Values       []float64
	Constraints  []float64 // each <= 0 where the trial keeps it: Optuna's own attribute
	User, System map[string]any
}

// ErrNotRunning marks a trial that is finished already, was never claimed, or was taken away because its heartbeat stopped.
var ErrNotRunning = errors.New("trial is not running")

// The attributes that this package writes by itself.
const (
	AttrError  = "error"  // user attribute: why a trial failed
	AttrWorker = "worker" // user attribute: who claimed it

	attrConstraints = "constraints"   // system: Optuna's own, a list; Optuna 5 also has one attribute each, "constraints:NAME"
	attrFixed       = "fixed_params"  // system: Optuna's own, what a waiting trial must be run with
	attrFailed      = "failed_trial"  // system: Optuna's own, the number of the first trial of a point that was put back
	attrRetries     = "retry_history" // system: Optuna's own, the numbers of the trials that were retried
	attrPutBack     = "syncretic:put_back"
	attrTags        = "syncretic:tags"
	attrClaim       = "syncretic:claim" // receipts
	attrEnd         = "syncretic:end"
	attrEnqueue     = "syncretic:enqueue"
	attrUpdate      = "syncretic:update:"
	attrCreate      = "syncretic:create"
)

// settle fills in what the system attributes say.
func (t *Trial) settle() {
	t.Constraints = floats(t.System[attrConstraints])
	for _, key := range sortedKeys(t.System) { // those that Optuna 5 names
		if strings.HasPrefix(key, attrConstraints+":") {
			t.Constraints = append(t.Constraints, floats(json.RawMessage("["+string(t.System[key])+"]"))...)
		}
	}
	if tags, ok := t.System[attrTags]; ok {
		_ = json.Unmarshal(tags, &t.Tags) // somebody else's attribute of that name is no tags
	}
}

// floats reads a list of numbers as Python's json writes it, with NaN and Infinity. Anything else is nil.
func floats(text json.RawMessage) []float64 {
	inner, ok := strings.CutPrefix(strings.TrimSpace(string(text)), "[")
	inner, closed := strings.CutSuffix(inner, "]")
	if !ok || !closed || strings.TrimSpace(inner) == "" {
		return nil
	}
	var out []float64
	for piece := range strings.SplitSeq(inner, ",") {
		v, err := strconv.ParseFloat(strings.TrimSpace(piece), 64)
		if err != nil {
			return nil
		}
		out = append(out, v)
	}
	return out
}
