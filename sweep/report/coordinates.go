package report

import (
	"math"

	"syncretic/checkpoint/chart"
	"syncretic/sweep/search"
)

// coordinates is every trial that has a point as a thread through all parameters, to its objective.
func (s Search) coordinates() *Parallel {
	c := &Parallel{Title: "Every trial at once", Judged: s.Objective, Smaller: s.Direction == search.Minimize, Digits: s.Decimals,
		Caption: "A thread is a trial: follow one from parameter to parameter to its outcome. Not compared are trials that were given up or are not admissible. A parameter that a trial does not have stands at none."}
	for _, p := range s.Space {
		c.Axes = append(c.Axes, chart.Axis{Name: p.Name, Low: p.Low, High: p.High, Log: p.Log, Choices: p.Choices})
	}
	var values []float64
	for _, t := range s.Trials {
		if t.State != search.Complete && t.State != search.Pruned {
			continue
		}
		thread := chart.Thread{Title: s.title(t), Value: value(t), Faint: !admissible(t), Chosen: t.Number == s.Winner}
		for _, p := range s.Space {
			v, exists := t.Point[p.Name]
			if !exists {
				v = math.NaN()
			}
			thread.Values = append(thread.Values, v)
		}
		thread.Values = append(thread.Values, thread.Value)
		values = append(values, thread.Value)
		c.Threads = append(c.Threads, thread)
	}
	low, high, ok := chart.Fence(values)
	if !ok {
		return nil
	}
	c.Axes = append(c.Axes, chart.Axis{Name: s.Objective, Low: low, High: high})
	return c
}
