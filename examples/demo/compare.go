package demo

import (
	"fmt"
	"slices"

	"syncretic/examples/corpus"
	"syncretic/probe/metric"
)

// Contrast is one question put to the test clips: a difference in macro ROC-AUC with its 95 % bootstrap interval.
type Contrast struct {
	Question string          `json:"question"`
	Interval metric.Interval `json:"interval"`
	Verdict  string          `json:"verdict"` // "higher", "lower", or "not significant"
}

func contrast(question string, i metric.Interval) Contrast {
	verdict := "not significant"
	if i.Significant && i.Difference > 0 {
		verdict = "higher"
	} else if i.Significant {
		verdict = "lower"
	}
	return Contrast{question, i, verdict}
}

// compare computes every difference with its interval.
func (s *session) compare(rep *Report) error {
	for _, name := range s.order() {
		if name == modelBase {
			continue
		}
		for _, c := range s.cultures {
			a, b := rep.tested[name][c.Name], rep.tested[modelBase][c.Name]
			var d PairedInterval
			var err error
			if d.ROCAUC, err = metric.PairedBootstrap(a.labels, a.scores, b.scores, metric.MacroROCAUC, s.profile.Replicates, s.seed); err != nil {
				return err
			}
			if d.AveragePrecision, err = metric.PairedBootstrap(a.labels, a.scores, b.scores, metric.MacroAveragePrecision, s.profile.Replicates, s.seed); err != nil {
				return err
			}
			score := rep.Probe[name][c.Name]
			score.MinusBase = &d
			rep.Probe[name][c.Name] = score
		}
	}
	for _, model := range []string{modelMerged, modelMix, modelRandom} {
		i, err := s.meanDifference(rep, model, modelBase, s.adapted())
		if err != nil {
			return err
		}
		rep.Contrasts = append(rep.Contrasts, contrast(model+" over base, mean of the non-Western cultures", i))
	}
	i, err := s.meanDifference(rep, modelMerged, modelMix, s.adapted())
	if err != nil {
		return err
	}
	rep.Contrasts = append(rep.Contrasts, contrast("merged over multi-culture, mean of the non-Western cultures", i),
		contrast("merged over base, Western", rep.Probe[modelMerged][s.western.Name].MinusBase.ROCAUC))
	for _, c := range s.adapted() {
		rep.Contrasts = append(rep.Contrasts, contrast(c.Name+" over base, on its own culture", rep.Probe[c.Name][c.Name].MinusBase.ROCAUC))
	}
	for _, c := range s.adapted() {
		i, err := s.ownOverOthers(rep, c)
		if err != nil {
			return err
		}
		rep.Contrasts = append(rep.Contrasts, contrast(fmt.Sprintf("%s over the mean of the other cultures' models, on its own", c.Name), i))
	}
	return nil
}

// meanDifference bootstraps the difference of two models in mean ROC-AUC over several cultures, whose clips are drawn together.
func (s *session) meanDifference(rep *Report, a, b string, cultures []corpus.Culture) (metric.Interval, error) {
	var mean meanOverCultures
	widest := 0
	for _, c := range cultures {
		widest = max(widest, len(rep.tested[a][c.Name].labels[0]))
	}
	var labels [][]bool
	var scoresA, scoresB [][]float64
	for _, c := range cultures {
		ta, tb := rep.tested[a][c.Name], rep.tested[b][c.Name]
		for r := range ta.labels {
			labels = append(labels, append(slices.Clone(ta.labels[r]), make([]bool, widest-len(ta.labels[r]))...))
			scoresA = append(scoresA, append(slices.Clone(ta.scores[r]), make([]float64, widest-len(ta.scores[r]))...))
			scoresB = append(scoresB, append(slices.Clone(tb.scores[r]), make([]float64, widest-len(tb.scores[r]))...))
		}
		mean = append(mean, part{clips: len(ta.labels), tags: len(ta.labels[0])})
	}
	return metric.PairedBootstrap(labels, scoresA, scoresB, mean, s.profile.Replicates, s.seed)
}

// meanOverCultures is the mean macro ROC-AUC over cultures whose clips stand one after the other, each with its own tags in
// the first columns.
type meanOverCultures []part

type part struct{ clips, tags int }

// Prepare implements metric.Statistic.
func (m meanOverCultures) Prepare(scores [][]float64, labels [][]bool) func(counts []int) float64 {
	aucs := make([]func([]int) float64, len(m))
	from := 0
	for i, p := range m {
		aucs[i] = metric.MacroROCAUC.Prepare(columns(scores[from:from+p.clips], 0, p.tags), columns(labels[from:from+p.clips], 0, p.tags))
		from += p.clips
	}
	return func(counts []int) float64 {
		sum, from := 0.0, 0
		for i, p := range m {
			sum += aucs[i](counts[from : from+p.clips])
			from += p.clips
		}
		return sum / float64(len(m))
	}
}

// ownOverOthers bootstraps, on one culture's clips, its own model's ROC-AUC minus the mean of the other single-culture
// models': each row holds the scores of all models side by side, and the reference has the base in every place.
func (s *session) ownOverOthers(rep *Report, own corpus.Culture) (metric.Interval, error) {
	order := []string{own.Name}
	for _, c := range s.adapted() {
		if c.Name != own.Name {
			order = append(order, c.Name)
		}
	}
	truth := rep.tested[own.Name][own.Name].labels
	labels, scores, reference := make([][]bool, len(truth)), make([][]float64, len(truth)), make([][]float64, len(truth))
	for r := range truth {
		for _, model := range order {
			labels[r] = append(labels[r], truth[r]...)
			scores[r] = append(scores[r], rep.tested[model][own.Name].scores[r]...)
			reference[r] = append(reference[r], rep.tested[modelBase][own.Name].scores[r]...)
		}
	}
	return metric.PairedBootstrap(labels, scores, reference, firstOverRest{models: len(order), tags: len(truth[0])}, s.profile.Replicates, s.seed)
}

// firstOverRest is the first model's macro ROC-AUC minus the mean of the others', whose scores stand side by side.
type firstOverRest struct{ models, tags int }

// Prepare implements metric.Statistic.
func (f firstOverRest) Prepare(scores [][]float64, labels [][]bool) func(counts []int) float64 {
	aucs := make([]func([]int) float64, f.models)
	for k := range aucs {
		aucs[k] = metric.MacroROCAUC.Prepare(columns(scores, k*f.tags, (k+1)*f.tags), columns(labels, k*f.tags, (k+1)*f.tags))
	}
	return func(counts []int) float64 {
		others := 0.0
		for _, auc := range aucs[1:] {
			others += auc(counts)
		}
		return aucs[0](counts) - others/float64(f.models-1)
	}
}

// columns cuts columns [from, to) out of every row, without a copy.
func columns[T any](rows [][]T, from, to int) [][]T {
	cut := make([][]T, len(rows))
	for r, row := range rows {
		cut[r] = row[from:to:to]
	}
	return cut
}
