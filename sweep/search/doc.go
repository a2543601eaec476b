// Package search says what a sweep may try, and proposes what to try next. It knows numbers only: no models, no scores by
// culture, no database.
//
//	space := search.Space{
//		{Name: "method", Choices: []string{"task_arithmetic", "ties"}},
//		{Name: "lambda", Low: 0, High: 1},
//		{Name: "density", Low: 0.1, High: 1, When: "method", Is: []string{"ties"}},
//	}
//	sampler, err := search.New(search.Config{Kind: search.TPE, Space: space, Directions: []search.Direction{search.Maximize}, Seed: 1})
//	proposal, err := sampler.Ask(history)   // history: every trial so far, of any worker
//
// A sampler keeps nothing between calls: what it proposes is a function of its configuration and of the history. So any worker of
// any machine can ask next, a study goes on after any interruption, and the same history gives the same proposal.
package search
