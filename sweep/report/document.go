package report

import (
	"math"

	"syncretic/checkpoint/chart"
)

// Document is everything a report shows, as plain data. Sections whose data is empty are left out. Wherever a figure is
// NaN the report shows a dash. [Write] computes nothing from the figures but scales, colours and the words "not significant".
type Document struct {
	Title        string
	Subtitle     string       // one sentence under the title
	Findings     []Finding    // headline figures, at most about four
	Remarks      []string     // what the reader must know before quoting a figure; shown above the figures
	Answers      []Table      // questions with their answers, and checks: what the figures below come to
	Charts       []Chart      // lambda curves
	Partials     []Scatter    // one score against one parameter each
	Pareto       *Scatter     // gain against cost
	Importance   *Importance  // of the parameters
	Coordinates  *Parallel    // every trial through all parameters
	History      *Scatter     // trials in their order
	Trials       Table        // every trial of the sweep
	Scores       []ScoreTable // models x datasets, one table a metric
	Losses       []LossTable  // models x cultures
	Interference *Interference
	Commands     []string // that make all this again, one a line
	Recipe       string   // of the chosen model, as a file of text
	Provenance   []Fact   // hashes, config, seed, version: enough to run it again
}

// Finding is one headline figure: a label, the figure as text, and a line that says what it is compared with.
type Finding struct{ Label, Value, Note string }

// Fact is one row of the provenance table.
type Fact struct{ Name, Value string }

// Chart is a line chart over one x axis.
type Chart = chart.Chart

// Scatter is a chart of points.
type Scatter = chart.Scatter

// Parallel is a chart of many parameters at once.
type Parallel = chart.Parallel

// Importance is how much each parameter mattered, in the order to be shown.
type Importance struct {
	Title, Caption string
	Shares         []Share
}

// Share is one parameter's, in [0, 1], and the trials it rests on.
type Share struct {
	Name   string
	Value  float64
	Trials int
}

// Line is one series of a chart.
type Line = chart.Line

// Kind says how a line is drawn.
type Kind = chart.Kind

// Mark is a labelled vertical line of a chart.
type Mark = chart.Mark

// Reference is a labelled horizontal line of a chart.
type Reference = chart.Reference

// The kinds of lines, as chart has them.
const (
	Culture = chart.Culture
	Mean    = chart.Mean
	Western = chart.Western
)

// Table is a table of text. Columns from NumericFrom on are set as figures.
type Table struct {
	Title, Caption string
	Header         []string
	Rows           [][]string
	Chosen         int // index of the row to mark, -1 for none
	NumericFrom    int
}

// ScoreTable is models x datasets of one metric, with differences to the base.
type ScoreTable struct {
	Title, Caption string
	Datasets       []string
	Rows           []ScoreRow
	Decimals       int // 0 means 3
}

// ScoreRow is one model; Cells[i] belongs to Datasets[i].
type ScoreRow struct {
	Model  string
	Note   string // small print under the name
	Chosen bool
	Cells  []ScoreCell
}

// ScoreCell is a score, and for all models but the base its paired difference to the base; nil where there is none.
type ScoreCell struct {
	Value      float64
	Difference *Interval
}

// Interval is a difference and the ends of its 95 % interval.
type Interval struct{ Difference, Low, High float64 }

// Significant reports whether the interval lies wholly above or wholly below 0; NaN ends are not significant.
func (i Interval) Significant() bool { return i.Low > 0 || i.High < 0 }

// LossTable is models x cultures of masked-prediction loss, beside the unigram cross-entropy of each culture's own
// codes: a model has learnt more than the frequency of the codes only where its cross-entropy lies below that.
type LossTable struct {
	Title, Caption string
	Cultures       []string
	Unigram        []float64 // own unigram cross-entropy by culture, nats; nil when unknown
	Rows           []LossRow
	Decimals       int // 0 means 1
}

// LossRow is one model; Cells[i] belongs to Cultures[i].
type LossRow struct {
	Model  string
	Note   string
	Chosen bool
	Cells  []LossCell
}

// LossCell is the loss, and of it the cross-entropy in nats (NaN when unknown), which is what unigrams compare with.
type LossCell struct{ Loss, CrossEntropy float64 }

// Interference describes how task vectors agree: by pair overall, then by group of layers.
type Interference struct {
	Caption      string
	Names        []string
	Norms        []float64
	BaseNorm     float64     // NaN or 0 when unknown
	Cosine       [][]float64 // [vector][vector]
	SignConflict [][]float64 // [vector][vector], shares in [0, 1]
	Trimmed      []float64   // share of each that a merge dropped; nil when none was
	Groups       []Group
	Tensors      []Group // folded up, since they are many
	Models       bool    // the vectors are models, not their differences from a base
	Merged       bool    // the last vector is what a merge made of the others: means over pairs leave it out
}

// Group is the same for one group of layers, or one tensor. What is nil is left out.
type Group struct {
	Name         string
	Norms        []float64
	Cosine       [][]float64
	SignConflict [][]float64
	Trimmed      []float64
	Directions   []float64   // effective rank of each vector, as a share of the most that is possible
	Overlap      [][]float64 // [vector][vector], of the leading directions
	Chance       [][]float64 // [vector][vector], what random directions would overlap
}

// meanPair is the mean over pairs i < j of a symmetric table, NaN without pairs.
func meanPair(m [][]float64) float64 {
	var sum, n float64
	for i := range m {
		for j := i + 1; j < len(m[i]); j++ {
			sum, n = sum+m[i][j], n+1
		}
	}
	if n == 0 {
		return math.NaN()
	}
	return sum / n
}
