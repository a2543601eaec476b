package store

import (
	"testing"

	"syncretic/sweep/search"
)

// BenchmarkTrial claims a proposed point and finishes it: two transactions, each synced to disk, and the history read on.
func BenchmarkTrial(b *testing.B) {
	for _, backend := range backends(b) {
		b.Run(backend.name, func(b *testing.B) {
			study := backend.study(b)
			options := ClaimOptions{Space: unit(), Worker: "bench", Propose: func(history []search.Trial) (search.Proposal, error) {
				return search.Proposal{Point: search.Point{"lambda": 0.5}}, nil
			}}
			for b.Loop() {
				turn, err := study.Claim(b.Context(), options)
				if err != nil {
					b.Fatal(err)
				}
				if err := study.Finish(b.Context(), turn.Trial.ID, Outcome{State: search.Complete, Values: []float64{0.5}}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "trials/s")
		})
	}
}
