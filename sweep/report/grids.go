package report

import (
	"fmt"
	"math"
	"strconv"
)

func wordGrid(id string, t Table) (grid, error) {
	g := grid{ID: id, Title: t.Title, Caption: t.Caption, Class: "words", Header: t.Header, TextColumns: t.NumericFrom}
	for i, row := range t.Rows {
		if len(row) != len(t.Header) || len(row) == 0 {
			return grid{}, fmt.Errorf("table %q: row %d has %d cells, want %d", t.Title, i, len(row), len(t.Header))
		}
		out := gridRow{Name: row[0], Chosen: i == t.Chosen}
		for k, text := range row[1:] {
			cell := gridCell{Text: text}
			if k+1 < t.NumericFrom {
				cell.Class = "text"
			}
			out.Cells = append(out.Cells, cell)
		}
		g.Rows = append(g.Rows, out)
	}
	return g, nil
}

func scoreGrid(id string, t ScoreTable) (grid, error) {
	g := grid{ID: id, Title: t.Title, Caption: t.Caption, Class: "scores", Header: append([]string{"Model"}, t.Datasets...)}
	decimals := orDefault(t.Decimals, 3)
	for _, row := range t.Rows {
		if len(row.Cells) != len(t.Datasets) {
			return grid{}, fmt.Errorf("scores %q: model %q has %d cells, want %d", t.Title, row.Model, len(row.Cells), len(t.Datasets))
		}
		out := gridRow{Name: row.Model, Note: row.Note, Chosen: row.Chosen}
		for _, c := range row.Cells {
			out.Cells = append(out.Cells, scoreCell(c, decimals))
		}
		g.Rows = append(g.Rows, out)
	}
	return g, nil
}

func scoreCell(c ScoreCell, decimals int) gridCell {
	cell := gridCell{Text: figure(c.Value, decimals)}
	if c.Difference == nil || math.IsNaN(c.Difference.Difference) {
		return cell
	}
	d := *c.Difference
	cell.Small = signed(d.Difference, decimals)
	cell.Interval = "[" + end(d.Low, decimals) + ", " + end(d.High, decimals) + "]"
	switch {
	case !d.Significant():
		cell.Class, cell.Words = "level", "not significant"
	case d.Difference > 0:
		cell.Class, cell.Small = "up", "▲ "+cell.Small
	default:
		cell.Class, cell.Small = "down", "▼ "+cell.Small
	}
	return cell
}

func lossGrid(id string, t LossTable) (grid, error) {
	g := grid{ID: id, Title: t.Title, Caption: t.Caption, Class: "heat", Header: append([]string{"Model"}, t.Cultures...)}
	if t.Unigram != nil && len(t.Unigram) != len(t.Cultures) {
		return grid{}, fmt.Errorf("losses %q: %d unigram figures, want %d", t.Title, len(t.Unigram), len(t.Cultures))
	}
	decimals := orDefault(t.Decimals, 1)
	var values []float64
	for _, row := range t.Rows {
		if len(row.Cells) != len(t.Cultures) {
			return grid{}, fmt.Errorf("losses %q: model %q has %d cells, want %d", t.Title, row.Model, len(row.Cells), len(t.Cultures))
		}
		for _, c := range row.Cells {
			values = append(values, c.Loss)
		}
	}
	low, high, _ := extent(values)
	for _, row := range t.Rows {
		out := gridRow{Name: row.Model, Note: row.Note, Chosen: row.Chosen}
		for i, c := range row.Cells {
			cell := gridCell{Text: figure(c.Loss, decimals), Class: heat(c.Loss, low, high)}
			if t.Unigram != nil {
				cell.Small = againstUnigram(c.CrossEntropy-t.Unigram[i], decimals)
			}
			out.Cells = append(out.Cells, cell)
		}
		g.Rows = append(g.Rows, out)
	}
	if t.Unigram != nil {
		row := gridRow{Name: "Own unigram", Note: "cross-entropy", Class: "reference"}
		for _, v := range t.Unigram {
			row.Cells = append(row.Cells, gridCell{Text: figure(v, decimals)})
		}
		g.Rows = append(g.Rows, row)
	}
	return g, nil
}

// againstUnigram says in words where a cross-entropy lies; nothing when it is unknown.
func againstUnigram(excess float64, decimals int) string {
	text := figure(math.Abs(excess), decimals)
	zero, err := strconv.ParseFloat(text, 64)
	switch {
	case text == dash:
		return ""
	case err == nil && zero == 0:
		return "level"
	case excess < 0:
		return text + " below"
	}
	return text + " above"
}

// heatSteps is the number of background classes h0..h9 in style.css.
const heatSteps = 10

// heat is the class of a cell's background: h0 at low to h9 at high, none for what is not finite.
func heat(v, low, high float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return ""
	}
	if !(high > low) {
		return "h0"
	}
	step := int((v - low) / (high - low) * heatSteps)
	return fmt.Sprintf("h%d", max(0, min(heatSteps-1, step)))
}

// diverging is the class of a cell's background where a figure lies to one side of a middle: h0 there, h9 a reach above it and more,
// hn9 as far below, none for what is not finite. Figures near the middle look alike on both sides of it.
func diverging(v, middle, reach float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return ""
	}
	step := int(math.Round((v - middle) / reach * (heatSteps - 1)))
	if step < 0 {
		return fmt.Sprintf("hn%d", min(heatSteps-1, -step))
	}
	return fmt.Sprintf("h%d", min(heatSteps-1, step))
}

func orDefault(decimals, otherwise int) int {
	if decimals == 0 {
		return otherwise
	}
	return decimals
}
