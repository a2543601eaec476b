package report

import (
	"fmt"
	"math"
	"strconv"

	"syncretic/checkpoint/chart"
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
	cell := gridCell{Text: chart.Figure(c.Value, decimals)}
	if c.Difference == nil || math.IsNaN(c.Difference.Difference) {
		return cell
	}
	d := *c.Difference
	cell.Small = chart.Signed(d.Difference, decimals)
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
	low, high, _ := chart.Extent(values)
	for _, row := range t.Rows {
		out := gridRow{Name: row.Model, Note: row.Note, Chosen: row.Chosen}
		for i, c := range row.Cells {
			cell := gridCell{Text: chart.Figure(c.Loss, decimals), Class: chart.Heat(c.Loss, low, high)}
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
			row.Cells = append(row.Cells, gridCell{Text: chart.Figure(v, decimals)})
		}
		g.Rows = append(g.Rows, row)
	}
	return g, nil
}

// againstUnigram says in words where a cross-entropy lies; nothing when it is unknown.
func againstUnigram(excess float64, decimals int) string {
	text := chart.Figure(math.Abs(excess), decimals)
	zero, err := strconv.ParseFloat(text, 64)
	switch {
	case text == chart.Dash:
		return ""
	case err == nil && zero == 0:
		return "level"
	case excess < 0:
		return text + " below"
	}
	return text + " above"
}

func orDefault(decimals, otherwise int) int {
	if decimals == 0 {
		return otherwise
	}
	return decimals
}

func importanceGrid(im Importance) (grid, error) {
	g := grid{ID: "importance", Title: im.Title, Caption: im.Caption, Class: "bars", TextColumns: 2, Header: []string{"Parameter", "Share", "Trials"}}
	for _, s := range im.Shares {
		if s.Value < 0 || s.Value > 1+1e-9 {
			return grid{}, fmt.Errorf("importance of %q is %v, want a share in [0, 1]", s.Name, s.Value)
		}
		share := gridCell{Text: chart.Dash, Class: "text"}
		if !math.IsNaN(s.Value) {
			share.Text, share.Bar = chart.Figure(100*s.Value, 0)+" %", max(100*s.Value, 0.01)
		}
		g.Rows = append(g.Rows, gridRow{Name: s.Name, Cells: []gridCell{share, {Text: strconv.Itoa(s.Trials)}}})
	}
	return g, nil
}
