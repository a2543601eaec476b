package summary

import (
	"fmt"
	"math"

	"syncretic/checkpoint/chart"
)

// mostLines is how many codebooks are drawn one by one.
const mostLines = 8

// curvesSection are the curves of train.jsonl.
func (s *Summary) curvesSection() (section, error) {
	sec := section{ID: "training", Title: "Training"}
	if len(s.steps) == 0 {
		sec.Words = "No step has been taken yet."
		return sec, nil
	}
	t := thin(s.steps)
	note := ""
	if t.size > 1 {
		note = fmt.Sprintf(" Each point is the mean of %d steps.", t.size)
	}
	line := func(name string, kind chart.Kind, of func(step) float64) chart.Line {
		return chart.Line{Name: name, Kind: kind, Y: t.mean(of)}
	}
	add := func(c chart.Chart) error {
		c.XLabel, c.Dense, c.Steps, c.X = "step", len(s.steps) > 40, true, t.x()
		c.Marks = s.marks(c.X)
		c.Caption += note
		plot, err := chart.NewPlot(fmt.Sprintf("curve-%d", len(sec.Plots)+1), c)
		sec.Plots = append(sec.Plots, plot)
		return err
	}
	weight := s.made.weights()
	charts := []chart.Chart{
		{Title: "Loss and its parts", YLabel: "loss", Caption: "The parts as they are weighted in the loss.", Lines: []chart.Line{
			line("loss", chart.Mean, func(s step) float64 { return float64(s.Loss) }),
			line("cross-entropy", chart.Culture, func(s step) float64 { return weight.Codebook * sumOf(s.CE) }),
			line("spectrum", chart.Culture, func(s step) float64 { return weight.CQT * float64(s.CQT) }),
			line("feature penalty", chart.Culture, func(s step) float64 { return weight.Penalty * float64(s.Penalty) })}},
		{Title: "Error of the spectrum", YLabel: "mean squared error", Caption: "Unweighted.", Lines: []chart.Line{
			line("spectrum", chart.Culture, func(s step) float64 { return float64(s.CQT) })}},
		{Title: "Accuracy by codebook", YLabel: "share of masked frames", Caption: "How often the likeliest code is right.", Lines: s.accuracy(t)},
		s.rate(t),
		s.gradient(t),
		{Title: "Speed", YLabel: "clips/s", Decimals: 1, Lines: []chart.Line{line("speed", chart.Culture, func(s step) float64 { return float64(s.Speed) })}},
	}
	for _, c := range charts {
		if len(c.Lines) == 0 {
			continue
		}
		if err := add(c); err != nil {
			return sec, err
		}
	}
	return sec, nil
}

// rate is the chart of the learning rate, in units of a power of ten, which a narrow axis has room for.
func (s *Summary) rate(t thinned) chart.Chart {
	y := t.mean(func(s step) float64 { return float64(s.Rate) })
	c := chart.Chart{Title: "Learning rate", YLabel: "learning rate", Lines: []chart.Line{{Name: "rate", Y: y}}}
	if _, high, ok := chart.Extent(y); ok && high > 0 {
		power := math.Floor(math.Log10(high))
		for i := range y {
			y[i] /= math.Pow(10, power)
		}
		c.YLabel = fmt.Sprintf("learning rate / 1e%g", power)
	}
	return c
}

// gradient is the chart of the gradient's norm, with the skipped steps at its foot.
func (s *Summary) gradient(t thinned) chart.Chart {
	norm := func(s step) float64 { return float64(s.GradNorm) }
	c := chart.Chart{Title: "Norm of the gradient", YLabel: "norm before clipping", Lines: []chart.Line{{Name: "mean", Y: t.mean(norm)}}}
	if t.size > 1 {
		c.Lines = append(c.Lines, chart.Line{Name: "largest of a point", Y: t.most(norm)})
	} else {
		c.Lines[0].Name = "norm"
	}
	for _, step := range s.steps {
		if step.Skipped {
			c.Rug = append(c.Rug, float64(step.Step))
		}
	}
	if n := len(c.Rug); n > 0 {
		c.Caption = fmt.Sprintf("%d skipped steps, whose loss or gradient was not finite: ticks at the foot.", n)
		c.Rug = spaced(c.Rug, s.steps)
	}
	return c
}

// spaced leaves out places that no screen tells apart.
func spaced(places []float64, steps []step) []float64 {
	least := float64(steps[len(steps)-1].Step-steps[0].Step) / 600
	kept := places[:1]
	for _, v := range places[1:] {
		if v-kept[len(kept)-1] >= least {
			kept = append(kept, v)
		}
	}
	return kept
}

// accuracy is a line a codebook and the mean; of many codebooks the lowest and the highest.
func (s *Summary) accuracy(t thinned) []chart.Line {
	books := 0
	for _, step := range s.steps {
		books = max(books, len(step.Accuracy))
	}
	if books == 0 {
		return nil
	}
	lines := []chart.Line{{Name: "mean", Kind: chart.Mean, Y: t.mean(func(s step) float64 { return meanOf(s.Accuracy) })}}
	if books == 1 {
		return lines
	}
	if books > mostLines {
		end := func(name string, better func(a, b float64) bool) chart.Line {
			return chart.Line{Name: name, Y: t.mean(func(s step) float64 {
				best := math.NaN()
				for _, v := range s.Accuracy {
					if math.IsNaN(best) || better(float64(v), best) {
						best = float64(v)
					}
				}
				return best
			})}
		}
		return append(lines, end("highest", func(a, b float64) bool { return a > b }), end("lowest", func(a, b float64) bool { return a < b }))
	}
	for q := range books {
		lines = append(lines, chart.Line{Name: fmt.Sprintf("codebook %d", q), Y: t.mean(func(s step) float64 {
			if q >= len(s.Accuracy) {
				return math.NaN()
			}
			return float64(s.Accuracy[q])
		})})
	}
	return lines
}

// mostMarks is how many stages are marked by name; more would leave no room for curves.
const mostMarks = 6

// marks are the beginnings of the stages, inside the axis.
func (s *Summary) marks(x []float64) []chart.Mark {
	var marks []chart.Mark
	stage := ""
	for i, step := range s.steps {
		if i == 0 || step.Stage != stage || step.StageStep == 1 {
			at := min(max(float64(step.Step), x[0]), x[len(x)-1])
			marks = append(marks, chart.Mark{X: at, Label: short(step.Stage)})
		}
		stage = step.Stage
	}
	if len(marks) > mostMarks {
		return nil
	}
	return marks
}

func short(name string) string {
	if r := []rune(name); len(r) > 24 {
		return string(r[:23]) + "…"
	}
	return name
}
