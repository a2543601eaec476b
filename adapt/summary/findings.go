package summary

import (
	"fmt"
	"math"
	"time"

	"syncretic/checkpoint/chart"
)

// subtitle says how far the run is.
func (s *Summary) subtitle() string {
	done, total := s.Steps()
	switch {
	case total == 0:
		return "Before the first step."
	case done == total:
		return fmt.Sprintf("All %d steps are taken.", total)
	}
	return fmt.Sprintf("In progress: step %d of %d, stage %s.", done, total, s.steps[len(s.steps)-1].Stage)
}

// findings are at most four headline figures: the loss, the held-out change of a culture and of a Western corpus, the time.
func (s *Summary) findings() []finding {
	var list []finding
	if n := len(s.steps); n > 0 {
		part := max(1, n/20)
		loss := func(steps []step) float64 {
			var values []number
			for _, step := range steps {
				values = append(values, step.Loss)
			}
			return meanOf(values)
		}
		list = append(list, finding{"Training loss", chart.Figure(loss(s.steps[n-part:]), 2),
			fmt.Sprintf("%s at the start; means of %d steps", chart.Figure(loss(s.steps[:part]), 2), part)})
	}
	for _, kind := range []chart.Kind{chart.Culture, chart.Western} {
		for _, name := range s.corpora() {
			base, ok := s.base(name)
			if !ok || s.kind(name) != kind {
				continue
			}
			last := s.last(name)
			if change := float64(last.CE - base.CE); !math.IsNaN(change) && last.Step > 0 {
				list = append(list, finding{"Held out, " + name, chart.Signed(change, 2), fmt.Sprintf("nats a frame against the base's %s, step %d", chart.Figure(float64(base.CE), 2), last.Step)})
				break
			}
		}
	}
	if n := len(s.steps); n > 1 && !s.steps[0].Time.IsZero() {
		list = append(list, finding{"Time", s.steps[n-1].Time.Sub(s.steps[0].Time).Round(time.Second).String(), "from the first to the last step, pauses included"})
	}
	return list
}
