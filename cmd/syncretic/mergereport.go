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

// observe has every output measured while it is written. That a report can be written is checked before any weight is read.
func (m *merging) observe(plans []*mergekit.Plan, outputs []checkpoint.Output) ([]observing, error) {
	if m.o.report == "" {
		return nil, nil
	}
	ext := filepath.Ext(m.o.report)
	if ext != ".json" && ext != ".txt" && ext != ".html" {
		return nil, usageError("--report %s: want a name that ends in .json, .txt or .html", m.o.report)
	}
	var list []observing
	for i, p := range plans {
		path := m.o.report
		if len(plans) > 1 {
			path = withLambda(strings.TrimSuffix(path, ext), m.o.lambdas[i]) + ext
		}
		inputs := []string{m.config}
		for _, in := range p.Models {
			inputs = append(inputs, in.Path)
		}
		if err := m.fileOutput(path, inputs...); err != nil {
			return nil, err
		}
		o := observing{path, p.Observe()}
		outputs[i].Source = o.Observer
		list = append(list, o)
	}
	return list, nil
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
	for _, t := range seen.LeftOut {
		doc.Remarks = append(doc.Remarks, fmt.Sprintf("Left out: %s: %s.", t.Name, t.Why))
	}
	doc.FromInterference(seen.Report, seen.BaseNorm)
	doc.Interference.Merged = true
	var b bytes.Buffer
	if err := report.Write(&b, doc); err != nil {
		return err
	}
	return checkpoint.WriteFile(o.path, b.Bytes(), force)
}
