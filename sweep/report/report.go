// Package report writes a sweep as one HTML file that people can read anywhere: no script, no font and no picture is
// fetched, styles and charts are inside, light and dark follow the reader's system, and tables scroll in their own box
// on a phone. The same document gives the same bytes.
//
// Fill a [Document] and call [Write]. [Document.FromTrials] fills the curves over lambda from a sweep's trials,
// [Document.FromSearch] what any search over any space has: its history, gain against cost, importance of parameters, and parallel
// coordinates; [Document.FromInterference] how task vectors agree.
package report

import (
	"embed"
	"fmt"
	"io"
	"strconv"

	"syncretic/checkpoint/chart"
)

//go:embed page.tmpl
var files embed.FS

// Write renders the document. It checks that every table and chart is as wide as its header says, and writes nothing
// when one is not.
func Write(w io.Writer, doc Document) error {
	p, err := newPage(doc)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	page, err := chart.Parse(files, "page.tmpl")
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if err := page.Execute(w, p); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// end is signed for the end of an interval: one that rounds to 0 keeps the side it lies on.
func end(v float64, decimals int) string {
	text := chart.Signed(v, decimals)
	if parsed, err := strconv.ParseFloat(text, 64); err != nil || parsed != 0 || v == 0 {
		return text
	}
	if v < 0 {
		return "−" + text
	}
	return "+" + text
}
