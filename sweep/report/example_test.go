package report_test

import (
	"bytes"
	"fmt"
	"log"
	"strings"

	"syncretic/sweep/report"
)

func ExampleWrite() {
	doc := report.Document{
		Title:   "Two models",
		Remarks: []string{"Synthesised data."},
		Scores: []report.ScoreTable{{
			Title:    "ROC-AUC on the test split",
			Datasets: []string{"makam"},
			Rows: []report.ScoreRow{
				{Model: "base", Cells: []report.ScoreCell{{Value: 0.686}}},
				{Model: "merge", Chosen: true, Cells: []report.ScoreCell{{
					Value: 0.691, Difference: &report.Interval{Difference: 0.005, Low: -0.009, High: 0.018}}}},
			},
		}},
	}
	var page bytes.Buffer
	if err := report.Write(&page, doc); err != nil {
		log.Fatal(err)
	}
	fmt.Println(strings.Contains(page.String(), "not significant"))
	// Output: true
}

func ExampleInterval_Significant() {
	fmt.Println(report.Interval{Difference: 0.02, Low: 0.01, High: 0.03}.Significant())
	fmt.Println(report.Interval{Difference: 0.02, Low: -0.01, High: 0.05}.Significant())
	// Output:
	// true
	// false
}
