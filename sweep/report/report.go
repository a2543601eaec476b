// Package report writes a sweep as one HTML file that people can read anywhere: no script, no font and no picture is
// fetched, styles and charts are inside, light and dark follow the reader's system, and tables scroll in their own box
// on a phone. The same document gives the same bytes.
//
// Fill a [Document] and call [Write]; [FromTrials] fills the parts that a study's trials decide.
package report

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"strconv"
)

//go:embed page.tmpl chart.tmpl style.css
var files embed.FS

// Write renders the document. It checks that every table and chart is as wide as its header says, and writes nothing
// when one is not.
func Write(w io.Writer, doc Document) error {
	p, err := newPage(doc)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	page, err := template.New("page.tmpl").Funcs(template.FuncMap{"figure": figure, "px": px}).ParseFS(files, "page.tmpl", "chart.tmpl")
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if err := page.Execute(w, p); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// dash stands for a figure that does not exist.
const dash = "–"

// figure writes v with that many decimals, a true minus sign, and a dash for what is not finite.
func figure(v float64, decimals int) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return dash
	}
	text := strconv.FormatFloat(v, 'f', decimals, 64)
	if text[0] != '-' {
		return text
	}
	if parsed, err := strconv.ParseFloat(text, 64); err == nil && parsed == 0 {
		return text[1:]
	}
	return "−" + text[1:]
}

// signed is figure with a plus sign where v is above 0 after rounding.
func signed(v float64, decimals int) string {
	text := figure(v, decimals)
	if parsed, err := strconv.ParseFloat(text, 64); err == nil && parsed > 0 {
		return "+" + text
	}
	return text
}

// end is signed for the end of an interval: one that rounds to 0 keeps the side it lies on.
func end(v float64, decimals int) string {
	text := signed(v, decimals)
	if parsed, err := strconv.ParseFloat(text, 64); err != nil || parsed != 0 || v == 0 {
		return text
	}
	if v < 0 {
		return "−" + text
	}
	return "+" + text
}

// px writes a length of a drawing with one decimal, which is all a screen shows.
func px(v float64) string {
	return strconv.FormatFloat(math.Round(v*10)/10+0, 'f', -1, 64)
}
