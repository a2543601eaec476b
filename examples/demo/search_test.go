package demo

import (
	"testing"

	"syncretic/sweep"
)

func TestLambdaPointsForgetInterruptions(t *testing.T) {
	scored := func(number int, lambda float64) sweep.Trial {
		return sweep.Trial{Number: number, Choice: sweep.Choice{Lambdas: sweep.Lambdas{"makam": lambda, "lyra": lambda}},
			Scores: &sweep.Scores{Tasks: map[string]sweep.Task{"makam": {ROCAUC: lambda}}}}
	}
	// Trial 1 was interrupted, and repeated as trial 3.
	interrupted := []sweep.Trial{scored(0, 0), {Number: 1, Choice: sweep.Choice{Lambdas: sweep.Lambdas{"makam": 0.1, "lyra": 0.1}}}, scored(2, 0.4), scored(3, 0.1)}
	whole := []sweep.Trial{scored(0, 0), scored(1, 0.1), scored(2, 0.4)}
	a, b := lambdaPoints(interrupted, "makam"), lambdaPoints(whole, "makam")
	if len(a) != 3 || len(b) != 3 {
		t.Fatalf("%d and %d points, want 3", len(a), len(b))
	}
	for i, lambda := range []float64{0, 0.1, 0.4} {
		if a[i].Lambda != lambda || b[i].Lambda != lambda || a[i].NonWesternROCAUC != lambda || b[i].NonWesternROCAUC != lambda {
			t.Errorf("point %d: %+v and %+v, want lambda %g", i, a[i], b[i], lambda)
		}
	}
}
