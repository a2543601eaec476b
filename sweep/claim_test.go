package sweep

import (
	"context"
	"errors"
	"testing"

	"syncretic/sweep/search"
	"syncretic/sweep/store"
)

// TestClaimOfAWorkerThatMustEnd: SIGTERM in the middle of a claim leaves no trial behind that looks like a dead worker's.
func TestClaimOfAWorkerThatMustEnd(t *testing.T) {
	study := openToy(t, "", toySetup(0.5))
	ctx, cancel := context.WithCancel(context.Background())
	q := &queue{Worker: worker(t, hill(t)), study: study, inner: study.inner}
	_, err := q.claim(ctx, store.ClaimOptions{Space: study.setup.Space.Params(), Propose: func([]search.Trial) (search.Proposal, error) {
		cancel() // within the transaction, which goes on
		return search.Proposal{Point: search.Point{"lambda": 0.5}}, nil
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	for _, trial := range trialsOf(t, study) {
		if trial.State == search.Running {
			t.Errorf("trial %d is left running", trial.Number)
		}
	}
}
