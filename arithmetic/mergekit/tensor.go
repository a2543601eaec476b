package mergekit

import (
	"container/list"
	"fmt"
	"slices"
	"strings"

	"syncretic/arithmetic/method"
	"syncretic/checkpoint"
)

// tensor is one output tensor while it is planned.
type tensor struct {
	name   string
	slice  *slice
	t      float64 // place in the slice, 0 for tensors outside of the layers
	layer  int     // of the output, -1 outside
	layers int
	input  func(src source) string // its name in a source; nil where it is the same

	Tensor
	made *method.Tensor // nil for a copy
	src  checkpoint.Source
	read int64 // bytes of its inputs as stored

	shared bool   // all its inputs are of Options.Models
	pass   string // what its method finds out, by name; "" where nothing else may use it
	lead   *list.Element
}

// shown is how many differences an error names before it counts the rest.
const shown = 4

// planTensor gathers a tensor's inputs and parameters.
func (m *merging) planTensor(row tensor) error {
	var task method.Task
	task.Base, task.Name, task.Seed, task.Interrupt = -1, row.name, m.opts.Seed, m.opts.Interrupt
	task.Layer, task.Layers, task.Memory = row.layer, row.layers, m.opts.Memory/4
	var infos []checkpoint.Info
	var absent []string
	row.shared = true
	for i, src := range row.slice.sources {
		name := row.name
		if row.input != nil {
			name = row.input(src)
		}
		in, info, ok := m.find(src, name)
		if !ok {
			absent = append(absent, src.name)
			continue
		}
		if i == row.slice.base {
			task.Base = len(task.Inputs)
		}
		task.Inputs = append(task.Inputs, method.Input{Model: src.name, Source: in, Delta: src.delta, Name: info.Name})
		infos = append(infos, info)
		row.shared = row.shared && src.shared
		if err := m.modelParams(&task, row, src, name, i == row.slice.base); err != nil {
			return err
		}
	}
	if len(absent) > 0 && !m.opts.Union {
		if !m.opts.Intersection {
			m.differ = append(m.differ, fmt.Sprintf("tensor %q: not in %s", row.name, strings.Join(absent, ", ")))
		}
		return nil
	}
	if err := m.sharedParams(&task, row); err != nil {
		return err
	}
	if err := m.alignVocabulary(row, &task, infos); err != nil {
		return err
	}
	task.Shape = infos[0].Shape
	for i, info := range infos[1:] {
		if !slices.Equal(info.Shape, infos[0].Shape) {
			return invalid("%s: tensor %q: shape %d, but %s has %d%s", task.Inputs[i+1].Model, info.Name, info.Shape, task.Inputs[0].Model,
				infos[0].Shape, m.shapeHint(info, infos[0]))
		}
	}
	return m.place(row, task, infos, absent)
}

// place decides how a tensor with all its inputs is made, and adds it to the plan.
func (m *merging) place(row tensor, task method.Task, infos []checkpoint.Info, absent []string) error {
	row.Info = checkpoint.Info{Name: row.name, Shape: task.Shape}
	for i, in := range task.Inputs {
		row.Inputs = append(row.Inputs, TensorInput{in.Model, in.Name, i == task.Base, in.Params})
	}
	row.Params = task.Params
	computed, err := m.outputDType(&row, infos)
	if err != nil {
		return err
	}
	for i, info := range infos {
		if delta := task.Inputs[i].Delta; delta != nil {
			info, _ = checkpoint.Find(delta, task.Inputs[i].Name) // the base counts as its own input
		}
		row.read += info.Bytes()
	}
	var from int
	switch {
	case !computed:
		if err := equalBytes(task.Inputs, infos); err != nil {
			return err
		}
		from, row.Note = 0, "equal in all inputs"
	case len(task.Inputs) == 1 && len(absent) > 0:
		from, row.Note = 0, "not in "+strings.Join(absent, ", ")
	default:
		if row.made, err = m.method.Tensor(task); err != nil {
			return err
		}
		from = row.made.Copies()
	}
	if from >= 0 {
		row.Copy, row.made = true, nil
		row.Inputs = row.Inputs[from : from+1]
		row.src = task.Inputs[from].Source
	}
	m.tensors = append(m.tensors, row)
	return nil
}

// find looks a tensor up in a source, or what stands in for it there: a tied head is the embedding.
func (m *merging) find(src source, name string) (checkpoint.Source, checkpoint.Info, bool) {
	if info, ok := checkpoint.Find(src.src, name); ok {
		return src.src, info, true
	}
	if alias := src.tied(name); alias != "" {
		info, ok := checkpoint.Find(src.src, alias)
		return src.src, info, ok
	}
	return nil, checkpoint.Info{}, false
}

// modelParams resolves the parameters of the task's last input.
func (m *merging) modelParams(task *method.Task, row tensor, src source, name string, base bool) error {
	in := &task.Inputs[len(task.Inputs)-1]
	in.Params = method.Values{}
	levels := append([]Settings{src.settings}, row.slice.levels...)
	for _, p := range m.method.Params {
		if p.Scope == method.Shared || base && p.Scope == method.PerModel {
			continue
		}
		value, ok, err := resolve(p, levels, name, row.t)
		if err != nil {
			return wrong("%s: tensor %q: %v", src.name, name, err)
		}
		if ok {
			in.Params[p.Name] = value
		}
	}
	if m.method.Data && !base {
		stats, err := m.statistics(src)
		if err != nil {
			return err
		}
		in.Stats = stats
	}
	return nil
}

// statistics opens a model's file of statistics.
func (m *merging) statistics(src source) (checkpoint.Source, error) {
	if src.stats == "" {
		return nil, wrong("%s: merge method %s needs statistics: a safetensors file", src.name, m.method.Name)
	}
	in, err := m.openRef(Ref{Text: src.stats})
	if err != nil {
		return nil, err
	}
	if in.stats == nil {
		in.stats = method.NewStatistics(in.src) // one for all tensors, whose norms it remembers
	}
	return in.stats, nil
}

func (m *merging) sharedParams(task *method.Task, row tensor) error {
	task.Params = method.Values{}
	for _, p := range m.method.Params {
		if p.Scope != method.Shared {
			continue
		}
		value, ok, err := resolve(p, row.slice.levels, row.name, row.t)
		if err != nil {
			return wrong("tensor %q: %v", row.name, err)
		}
		if ok {
			task.Params[p.Name] = value
		}
		if p.Name == "lambda" && m.opts.Lambda != nil && m.doc == m.target {
			task.Params[p.Name] = *m.opts.Lambda
		}
	}
	return nil
}

// differences reports tensors that only some inputs have.
func (m *merging) differences() error {
	if len(m.differ) == 0 {
		return nil
	}
	return &inputError{text: "the models differ: " + listed(m.differ), kind: ErrDiffer}
}

// listed joins the first few differences and counts the rest.
func listed(diffs []string) string {
	text := strings.Join(diffs[:min(shown, len(diffs))], "; ")
	if more := len(diffs) - shown; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return text
}
