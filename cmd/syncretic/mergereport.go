package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"syncretic/arithmetic/mergekit"
	"syncretic/checkpoint"
	"syncretic/sweep/report"
)

// observing is the report of one output, which --report asks for.
type observing struct {
	path string
	*mergekit.Observer
}

// reportPath is where the report on one of several outputs goes.
func (m *merging) reportPath(output, outputs int) string {
	if outputs == 1 {
		return m.o.report
	}
	ext := filepath.Ext(m.o.report)
	return withLambda(strings.TrimSuffix(m.o.report, ext), m.o.lambdas[output]) + ext
}

// observe has every output measured while it is written, if a report is asked for.
func (m *merging) observe(plans []*mergekit.Plan, outputs []checkpoint.Output) []observing {
	if m.o.report == "" {
		return nil
	}
	var list []observing
	for i, p := range plans {
		o := observing{m.reportPath(i, len(plans)), p.Observe()}
		outputs[i].Source = o.Observer
		list = append(list, o)
	}
	return list
}

// write stores the report, and decomposes matrices for it where that is asked for.
func (o observing) write(ctx context.Context, m *merging) error {
	seen, force := o.Observation(), m.force
	if m.o.spectra {
		if err := m.addSpectra(ctx, &seen.Report, o.Vectors()); err != nil {
			return err
		}
	}
	if filepath.Ext(o.path) == ".json" {
		data, err := json.MarshalIndent(seen, "", " ")
		if err != nil {
			return err
		}
		return checkpoint.WriteFile(o.path, append(data, '\n'), force)
	}
	last := len(seen.Names) - 1
	seen.Names = append(shortNames(seen.Names[:last]), seen.Names[last])
	if filepath.Ext(o.path) == ".txt" {
		text := relationText(seen.Report, seen.BaseNorm, true, true)
		for _, t := range seen.LeftOut {
			text += fmt.Sprintf("\nleft out: %s: %s", t.Name, t.Why)
		}
		return checkpoint.WriteFile(o.path, []byte(text+"\n"), force)
	}
	doc := report.Document{Title: "A merge and its models", Subtitle: "What " + seen.Method + " made of its " + seen.Vectors + ".",
		Provenance: []report.Fact{{Name: "method", Value: seen.Method}, {Name: "version", Value: version()}}}
	if seen.Base != "" {
		doc.Provenance = append(doc.Provenance, report.Fact{Name: "base", Value: seen.Base})
	}
	doc.Remarks = leftOut(seen.LeftOut)
	doc.FromInterference(seen.Report, seen.BaseNorm)
	doc.Interference.Merged, doc.Interference.Models = true, seen.Base == ""
	var b bytes.Buffer
	if err := report.Write(&b, doc); err != nil {
		return err
	}
	return checkpoint.WriteFile(o.path, b.Bytes(), force)
}

// leftOut has a line for each reason, with the first few of its tensors.
func leftOut(tensors []mergekit.LeftOut) []string {
	const most = 4
	names := make(map[string][]string)
	var reasons []string
	for _, t := range tensors {
		if names[t.Why] == nil {
			reasons = append(reasons, t.Why)
		}
		names[t.Why] = append(names[t.Why], t.Name)
	}
	var lines []string
	for _, why := range reasons {
		list := names[why]
		text := fmt.Sprintf("Left out of this report, %s: %s", why, strings.Join(list[:min(most, len(list))], ", "))
		if more := len(list) - most; more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
		lines = append(lines, text+".")
	}
	return lines
}
