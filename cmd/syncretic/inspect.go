package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/spf13/cobra"

	"syncretic/checkpoint"
)

func newInspect(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "inspect MODEL",
		Short: "List a model's tensors",
		Long: "List the tensors of a model or task vector, by name: dtype, shape, bytes and file, then totals and the metadata.\n" +
			"Only headers are read: it takes as long for any size of model.",
		Example: "  syncretic inspect mert-v1-95m",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return runInspect(a, args[0])
		},
	}
}

// inventory is what a model holds.
type inventory struct {
	Model      string            `json:"model"`
	Tensors    []inventoryTensor `json:"tensors"`
	Count      int               `json:"count"`
	Parameters int64             `json:"parameters"`
	Bytes      int64             `json:"bytes"`
	DTypes     map[string]int    `json:"dtypes"` // tensors of each
	Metadata   map[string]string `json:"metadata"`
}

type inventoryTensor struct {
	Name  string `json:"name"`
	DType string `json:"dtype"`
	Shape []int  `json:"shape"`
	Bytes int64  `json:"bytes"`
	File  string `json:"file"`
}

func runInspect(a *app, path string) error {
	m, err := checkpoint.Open(path)
	if err != nil {
		return err
	}
	defer m.Close()
	all := inventory{Model: path, Tensors: []inventoryTensor{}, DTypes: map[string]int{}, Metadata: m.Metadata()}
	for _, info := range m.Tensors() {
		file, err := m.File(info.Name)
		if err != nil {
			return err
		}
		all.Tensors = append(all.Tensors, inventoryTensor{info.Name, string(info.DType), append([]int{}, info.Shape...), info.Bytes(), filepath.Base(file)})
		all.Count++
		all.Parameters += int64(info.Elements())
		all.Bytes += info.Bytes()
		all.DTypes[string(info.DType)]++
	}
	return a.result(all, all.String())
}

// String is the table that people read.
func (v inventory) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "name\tdtype\tshape\tbytes\tfile")
	for _, t := range v.Tensors {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\n", printable(t.Name), t.DType, t.Shape, t.Bytes, printable(t.File))
	}
	w.Flush()
	fmt.Fprintf(&b, "\n%d tensors, %d parameters, %d bytes (%s)", v.Count, v.Parameters, v.Bytes, showBytes(v.Bytes))
	for i, dtype := range slices.Sorted(maps.Keys(v.DTypes)) {
		fmt.Fprintf(&b, "%s%d %s", map[bool]string{true: ": ", false: ", "}[i == 0], v.DTypes[dtype], dtype)
	}
	b.WriteString("\n")
	for _, key := range slices.Sorted(maps.Keys(v.Metadata)) {
		fmt.Fprintf(&b, "%s = %s\n", printable(key), printable(v.Metadata[key]))
	}
	return b.String()
}

// printable is text of a file as a terminal may show it: quoted where it holds what could move the cursor or more.
func printable(text string) string {
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(text)
	}
	return text
}
