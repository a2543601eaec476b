package main

import (
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"syncretic/arithmetic/method"
)

// methodDoc is what merge --methods --json says of a method.
type methodDoc struct {
	Name       string     `json:"name"`
	Rule       string     `json:"rule"`
	Paper      string     `json:"paper"`
	Base       string     `json:"base"`
	Models     string     `json:"models"`
	Parameters []paramDoc `json:"parameters"`
}

type paramDoc struct {
	Name    string `json:"name"`
	Level   string `json:"level"`
	Default string `json:"default"`
	Doc     string `json:"doc"`
}

// methodDocs describes the table of methods.
func methodDocs() []methodDoc {
	var docs []methodDoc
	for _, m := range method.Methods() {
		d := methodDoc{Name: m.Name, Rule: m.Rule, Paper: m.Paper, Base: [...]string{"ignored", "optional", "required"}[m.Base]}
		switch m.Max {
		case 0:
			d.Models = fmt.Sprintf("%d or more", m.Min)
		case m.Min:
			d.Models = strconv.Itoa(m.Min)
		default:
			d.Models = fmt.Sprintf("%d to %d", m.Min, m.Max)
		}
		for _, p := range m.Params {
			if !p.Inert {
				d.Parameters = append(d.Parameters, paramDoc{p.Name, [...]string{"tensor", "model", "model"}[p.Scope], defaultOf(p), p.Doc})
			}
		}
		docs = append(docs, d)
	}
	return docs
}

// defaultOf spells a parameter's default as a recipe would.
func defaultOf(p method.Param) string {
	switch {
	case p.Required:
		return "required"
	case p.Unset:
		return "unset"
	case p.Kind == method.Flag:
		return strconv.FormatBool(p.Default != 0)
	case p.Kind == method.Choice:
		return p.Choices[int(p.Default)]
	}
	return strconv.FormatFloat(p.Default, 'g', -1, 64)
}

// methodsText is the table for people.
func methodsText(docs []methodDoc) string {
	var b strings.Builder
	for _, d := range docs {
		base := "base " + d.Base + ", " + d.Models + " models"
		if d.Base != "ignored" {
			base += " beside it"
		}
		fmt.Fprintf(&b, "%s: %s\n  %s", d.Name, d.Rule, base)
		if d.Paper != "" {
			fmt.Fprintf(&b, "; %s", d.Paper)
		}
		b.WriteByte('\n')
		w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		for _, p := range d.Parameters {
			fmt.Fprintf(w, "    %s\t%s\t%s\t%s\n", p.Name, p.Level, p.Default, p.Doc)
		}
		w.Flush()
		b.WriteByte('\n')
	}
	return b.String()
}
