package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"syncretic/arithmetic/mergekit"
	"syncretic/arithmetic/method"
	"syncretic/checkpoint"
)

// planReport is what merge --plan prints.
type planReport struct {
	Method  string            `json:"method"`
	Rule    string            `json:"rule"`
	Models  []mergekit.Input  `json:"models"`
	Donor   string            `json:"donor"`
	Files   []checkpoint.File `json:"files"`
	Read    int64             `json:"read_bytes"`
	Written int64             `json:"written_bytes"`
	Memory  int64             `json:"memory_bytes"`
	Notes   []string          `json:"notes"`
	Tensors []planTensor      `json:"tensors"`
}

type planTensor struct {
	Name   string           `json:"name"`
	DType  checkpoint.DType `json:"dtype"`
	Shape  []int            `json:"shape"`
	Bytes  int64            `json:"bytes"`
	Copy   bool             `json:"copy"`
	Note   string           `json:"note,omitempty"`
	Params method.Values    `json:"parameters,omitempty"`
	Inputs []planInput      `json:"inputs"`
}

type planInput struct {
	Model  string        `json:"model"`
	Tensor string        `json:"tensor"`
	Base   bool          `json:"base,omitempty"`
	Params method.Values `json:"parameters,omitempty"`
}

// describePlan describes a plan and the files that it would write.
func describePlan(plan *mergekit.Plan, out checkpoint.Output) (planReport, error) {
	files, err := checkpoint.Layout(out.Path, out.Source, out.Options)
	if err != nil {
		return planReport{}, err
	}
	if out.Options.Proof != nil {
		lock, err := lockFile(out, files)
		if err != nil {
			return planReport{}, err
		}
		files = append(files, lock)
	}
	r := planReport{Method: plan.Method.Name, Rule: plan.Method.Rule, Models: plan.Models, Donor: plan.Donor, Files: files, Notes: plan.Notes,
		Read: plan.ReadBytes(), Memory: plan.Memory()}
	for _, f := range files {
		r.Written += f.Bytes
	}
	for _, t := range plan.Tensors {
		row := planTensor{Name: t.Name, DType: t.DType, Shape: t.Shape, Bytes: t.Bytes(), Copy: t.Copy, Note: t.Note, Params: t.Params}
		for _, in := range t.Inputs {
			row.Inputs = append(row.Inputs, planInput{in.Model, in.Tensor, in.Base, in.Params})
		}
		r.Tensors = append(r.Tensors, row)
	}
	return r, nil
}

// text lays the report out for people: a row a tensor, then totals.
func (r planReport) text() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "tensor\tdtype\tshape\tfrom")
	for _, t := range r.Tensors {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", t.Name, t.DType, strings.Trim(fmt.Sprint(t.Shape), "[]"), t.source(r.Method))
	}
	w.Flush()
	fmt.Fprintf(&b, "\n%s: %s\nside files from %s\n\n", r.Method, r.Rule, r.Donor)
	for _, f := range r.Files {
		fmt.Fprintf(w, "%s\t%d bytes\n", f.Name, f.Bytes)
	}
	w.Flush()
	fmt.Fprintf(&b, "\nreads %s, writes %s, holds about %s\n", size(r.Read), size(r.Written), size(r.Memory))
	return b.String()
}

// source says how a tensor is made.
func (t planTensor) source(name string) string {
	if t.Copy {
		s := "copy of " + t.Inputs[0].Model
		if t.Inputs[0].Tensor != t.Name {
			s += ": " + t.Inputs[0].Tensor
		}
		if t.Note != "" {
			s += " (" + t.Note + ")"
		}
		return s
	}
	parts := make([]string, len(t.Inputs))
	for i, in := range t.Inputs {
		parts[i] = in.Model
		if in.Tensor != t.Name {
			parts[i] += ":" + in.Tensor
		}
		if in.Base {
			parts[i] += " (base)"
		}
		if len(in.Params) > 0 {
			parts[i] += " " + values(in.Params)
		}
	}
	s := name + "(" + strings.Join(parts, ", ") + ")"
	if len(t.Params) > 0 {
		s += " " + values(t.Params)
	}
	return s
}

func values(v method.Values) string {
	parts := make([]string, 0, len(v))
	for _, name := range slices.Sorted(maps.Keys(v)) {
		parts = append(parts, name+"="+strconv.FormatFloat(v[name], 'g', 6, 64))
	}
	return strings.Join(parts, " ")
}

// size is a number of bytes for people.
func size(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.2f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%d bytes", n)
}
