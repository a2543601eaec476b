package demo

import (
	"fmt"
	"io"
	"math"

	"github.com/nlpodyssey/spago/mat"

	"syncretic/sweep/report"
)

// writePage draws the report as one HTML file.
func (s *session) writePage(w io.Writer, r *Report) error {
	var datasets []string
	for _, c := range r.Cultures {
		datasets = append(datasets, c.Title)
	}
	base, merged := r.Means[modelBase], r.Means[modelMerged]
	doc := report.Document{
		Title:    "From audio to a merged model",
		Subtitle: fmt.Sprintf("Synthesised music of five traditions, profile %s, seed %d: everything below was measured in this run.", r.Profile.Name, r.Seed),
		Findings: []report.Finding{
			{Label: "lambda by probes", Value: fmt.Sprintf("%.2f", r.probeLambda()), Note: "chosen on validation clips; by masked loss, without labels: " + fmt.Sprintf("%.2f", r.lossLambda())},
			{Label: "non-Western ROC-AUC", Value: fmt.Sprintf("%.3f", merged.NonWesternROCAUC), Note: fmt.Sprintf("merge on test clips; the base has %.3f: %s", base.NonWesternROCAUC, r.Contrasts[0].Verdict)},
			{Label: "Western ROC-AUC", Value: fmt.Sprintf("%.3f", merged.WesternROCAUC), Note: fmt.Sprintf("merge on test clips; the base has %.3f", base.WesternROCAUC)},
			{Label: "checks", Value: fmt.Sprintf("%d of %d", r.holding(), len(r.Checks)), Note: "hold; listed below"},
		},
		Remarks: []string{
			fmt.Sprintf("The music is synthesised and the encoder has %.2f million parameters, where MERT-v1-95M has 94: this shows that the method works as a whole, not how well it does on real recordings.", s.parameters()/1e6),
			"Most of what adaptation lowers in the masked loss is the frequency of each culture's own codes. Compare each cross-entropy with the culture's own unigram: only what lies below it is prediction.",
			"In the probes, training on another culture's music often helps as much as training on the culture's own; a gain there is not proof of culture-specific knowledge. See the last questions below.",
			"Intervals are 95 % bootstrap intervals over test clips, paired by clip. They do not cover the choice of training seed. Each stands for itself: of twenty differences that are none, about one excludes 0 by chance.",
		},
	}
	selected, byLoss := r.Lambda.ByProbe, r.Lambda.ByMaskedLoss
	if err := doc.FromTrials(r.setup, r.trials, r.references, &selected, &byLoss); err != nil {
		return err
	}
	doc.FromInterference(r.Interference, s.norm(modelBase))
	doc.Scores = []report.ScoreTable{
		r.scoreTable("ROC-AUC on test clips", datasets, func(x Score) (float64, *report.Interval) {
			if x.MinusBase == nil {
				return x.ROCAUC, nil
			}
			i := x.MinusBase.ROCAUC
			return x.ROCAUC, &report.Interval{Difference: i.Difference, Low: i.Low, High: i.High}
		}),
		r.scoreTable("Average precision on test clips", datasets, func(x Score) (float64, *report.Interval) {
			if x.MinusBase == nil {
				return x.AveragePrecision, nil
			}
			i := x.MinusBase.AveragePrecision
			return x.AveragePrecision, &report.Interval{Difference: i.Difference, Low: i.Low, High: i.High}
		}),
	}
	losses := report.LossTable{Title: "Masked loss on held-out clips",
		Caption: "Cross-entropy in nats summed over codebooks, plus the spectrum's mean squared error; the cross-entropy alone in small print. The unigram knows only how frequent each code is in the culture.", Cultures: datasets}
	for _, c := range r.Cultures {
		losses.Unigram = append(losses.Unigram, r.Unigram[c.Name].Own)
	}
	for _, m := range r.Models {
		row := report.LossRow{Model: m, Note: note(m), Chosen: m == modelMerged}
		for _, c := range r.Cultures {
			row.Cells = append(row.Cells, report.LossCell{Loss: r.MaskedLoss[m][c.Name].Total, CrossEntropy: r.MaskedLoss[m][c.Name].CE})
		}
		losses.Rows = append(losses.Rows, row)
	}
	doc.Losses = []report.LossTable{losses}
	doc.Answers = []report.Table{r.contrastTable(), r.checkTable()}
	doc.Provenance = append(doc.Provenance, report.Fact{Name: "version", Value: r.Version}, report.Fact{Name: "profile", Value: r.Profile.Name},
		report.Fact{Name: "seed", Value: fmt.Sprint(r.Seed)}, report.Fact{Name: "run again", Value: fmt.Sprintf("syncretic demo OUT --profile %s --seed %d", r.Profile.Name, r.Seed)})
	for _, m := range r.Models {
		if h := r.Inputs[m]; h != "" {
			doc.Provenance = append(doc.Provenance, report.Fact{Name: "sha-256 of " + m, Value: h})
		}
	}
	return report.Write(w, doc)
}

func (r *Report) contrastTable() report.Table {
	t := report.Table{Title: "Differences in ROC-AUC on test clips", Caption: "Paired by clip, with 95 % bootstrap intervals.",
		Header: []string{"Question", "Answer", "Difference", "Interval"}, Chosen: -1, NumericFrom: 2}
	for _, c := range r.Contrasts {
		t.Rows = append(t.Rows, []string{c.Question, c.Verdict, fmt.Sprintf("%+.3f", c.Interval.Difference), fmt.Sprintf("[%+.3f, %+.3f]", c.Interval.Low, c.Interval.High)})
	}
	return t
}

func (r *Report) checkTable() report.Table {
	t := report.Table{Title: "Checks", Caption: "What must hold for the demonstration to have shown what it is for. Small effects are no checks: they stand above, with intervals.",
		Header: []string{"Statement", "", "Bound", "Measured"}, Chosen: -1, NumericFrom: 2}
	for _, c := range r.Checks {
		word := "holds"
		if !c.Holds {
			word = "does not hold"
		}
		t.Rows = append(t.Rows, []string{c.Statement, word, fmt.Sprintf("%.3g", c.Bound), fmt.Sprintf("%.3f", c.Value)})
	}
	return t
}

func (r *Report) scoreTable(title string, datasets []string, value func(Score) (float64, *report.Interval)) report.ScoreTable {
	t := report.ScoreTable{Title: title, Datasets: datasets, Caption: "Macro over tags; under each score its paired difference to the base with the 95 % interval."}
	for _, m := range r.Models {
		row := report.ScoreRow{Model: m, Note: note(m), Chosen: m == modelMerged}
		for _, c := range r.Cultures {
			v, d := value(r.Probe[m][c.Name])
			row.Cells = append(row.Cells, report.ScoreCell{Value: v, Difference: d})
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func note(model string) string {
	switch model {
	case modelRandom:
		return "never trained"
	case modelBase:
		return "Western music only"
	case modelMix:
		return "one adaptation to all four, with the steps of one"
	case modelMerged:
		return "base + lambda * sum of the four task vectors"
	}
	return "base adapted to this culture"
}

func (r *Report) holding() int {
	n := 0
	for _, c := range r.Checks {
		if c.Holds {
			n++
		}
	}
	return n
}

func (s *session) parameters() float64 {
	n := 0
	for _, t := range s.models[modelBase].Encoder.Tensors() {
		n += t.Elements()
	}
	return float64(n)
}

// norm is the Euclidean norm of a model's encoder.
func (s *session) norm(model string) float64 {
	sum := 0.0
	for _, p := range s.models[model].Encoder.Params() {
		for _, v := range mat.Data[float32](p.Value.Matrix) {
			sum += float64(v) * float64(v)
		}
	}
	return math.Sqrt(sum)
}
