package mergekit

import (
	"fmt"
	"slices"
	"strings"

	"syncretic/arithmetic/method"
	"syncretic/checkpoint"
)

// slice is a run of output layers with its inputs opened.
type slice struct {
	sources []source
	origin  int // the recipe's base among the sources, -1 for none
	base    int // the same for methods that have a base, -1 for others
	levels  []Settings
	layers  int
}

type source struct {
	*input
	from     int // the first layer
	settings Settings
	stats    string
}

// merging is the compilation of one document.
type merging struct {
	*compiler
	doc      *Recipe
	method   *method.Method
	slices   []slice
	prefixes []string // of the stacks of layers
	plan     *Plan
	tensors  []tensor
	differ   []string    // tensors that only some inputs have
	vocab    *vocabulary // nil where the recipe asks for none
}

func (c *compiler) compile(doc *Recipe) (*Plan, error) {
	c.open[doc] = true
	defer delete(c.open, doc)
	m := &merging{compiler: c, doc: doc, plan: &Plan{Recipe: doc}}
	for _, step := range []func() error{m.findMethod, m.openSlices, m.findLayers, m.readVocabulary, m.planTensors, m.finish} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return m.plan, nil
}

// findMethod looks the method up and holds all parameters against it.
func (m *merging) findMethod() error {
	found, ok := method.Find(m.doc.Method)
	if !ok {
		return wrong("no merge method %q%s", m.doc.Method, suggestMethod(m.doc.Method))
	}
	m.method, m.plan.Method = found, found
	check := func(s Settings, where string, ofModel bool) error {
		notes, err := s.checkNames(found, where, ofModel)
		m.plan.Notes = append(m.plan.Notes, notes...)
		return err
	}
	if err := check(m.doc.Parameters, "parameters", false); err != nil {
		return err
	}
	for i, s := range m.doc.Slices {
		where := fmt.Sprintf("slice %d", i+1)
		if err := check(s.Parameters, where, false); err != nil {
			return err
		}
		for _, src := range s.Sources {
			if err := check(src.Parameters, where+": "+src.Model.String(), true); err != nil {
				return err
			}
		}
	}
	for _, model := range m.doc.Models {
		if err := check(model.Parameters, model.Model.String(), true); err != nil {
			return err
		}
	}
	if found.Trims && !m.doc.sets("density") {
		m.plan.Notes = append(m.plan.Notes, fmt.Sprintf("%s without density drops nothing; its paper's choice is well below 1", found.Name))
	}
	return nil
}

// sets tells whether any level of the recipe gives a parameter.
func (r *Recipe) sets(name string) bool {
	_, found := r.Parameters[name]
	for _, m := range r.Models {
		_, ok := m.Parameters[name]
		found = found || ok
	}
	for _, s := range r.Slices {
		_, ok := s.Parameters[name]
		found = found || ok
		for _, src := range s.Sources {
			_, ok := src.Parameters[name]
			found = found || ok
		}
	}
	return found
}

// openSlices opens all models. A recipe of whole models is one slice over all their layers, to which the base is added if it is
// not among them.
func (m *merging) openSlices() error {
	defs := m.doc.Slices
	stats := make(map[int]string)
	if len(m.doc.Models) > 0 {
		var whole Slice
		listed := m.doc.Base == nil
		for i, model := range m.doc.Models {
			whole.Sources = append(whole.Sources, Source{Model: model.Model, Parameters: model.Parameters})
			stats[i] = model.Statistics
			listed = listed || model.Model.String() == m.doc.Base.String()
		}
		if !listed {
			whole.Sources = append(whole.Sources, Source{Model: *m.doc.Base})
		}
		defs = []Slice{whole}
	}
	for i, def := range defs {
		base := m.doc.Base
		if def.Base != nil {
			base = def.Base
		}
		s := slice{origin: -1, levels: []Settings{def.Parameters, m.doc.Parameters}}
		for j, src := range def.Sources {
			in, err := m.openRef(src.Model)
			if err == nil && in.delta != nil {
				in, err = m.onBase(in, base)
			}
			if err != nil {
				return err
			}
			s.sources = append(s.sources, source{input: in, settings: src.Parameters, stats: stats[j]})
			if len(src.LayerRange) == 2 {
				s.sources[j].from, s.layers = src.LayerRange[0], src.LayerRange[1]-src.LayerRange[0]
			}
			if base != nil && s.origin < 0 && src.Model.String() == base.String() {
				s.origin = j
			}
		}
		if s.base = s.origin; m.method.Base == method.BaseIgnored {
			s.base = -1
		}
		if err := m.method.CheckInputs(len(s.sources), s.base >= 0); err != nil {
			where := ""
			if len(m.doc.Slices) > 0 {
				where = fmt.Sprintf("slice %d: ", i+1)
				if base != nil && s.base < 0 && m.method.Base == method.BaseRequired {
					return wrong("%sthe base %s is not among the sources", where, base)
				}
			}
			return wrong("%s%v", where, err)
		}
		m.slices = append(m.slices, s)
	}
	return nil
}

// donor is the model whose config and files the output gets: the base, or the first one that the recipe names.
func (m *merging) donor() *input {
	if m.doc.Base != nil {
		if in, ok := m.inputs[m.doc.Base.String()]; ok {
			return in
		}
	}
	return m.slices[0].sources[0].input
}

// findLayers recognises the stacks by the donor's, and holds ranges of layers against the models.
func (m *merging) findLayers() error {
	donor := m.donor()
	for _, s := range donor.stacks {
		m.prefixes = append(m.prefixes, s.Prefix)
	}
	if len(m.prefixes) == 0 && len(m.doc.Slices) > 0 {
		return wrong("slices: %s has no layers: no names with numbers from 0 up", donor.name)
	}
	for i := range m.slices {
		s := &m.slices[i]
		for _, src := range s.sources {
			depth := src.depth(m.prefixes)
			if len(m.doc.Models) > 0 {
				if s.layers == 0 {
					s.layers = depth
				}
				if depth != s.layers && !m.opts.Union && !m.opts.Intersection {
					return invalid("%s: %d layers, but %s has %d", src.name, depth, s.sources[0].name, s.layers)
				}
				s.layers = max(s.layers, depth)
			} else if src.from+s.layers > depth {
				return wrong("slice %d: %s: layers [%d %d), but it has %d", i+1, src.name, src.from, src.from+s.layers, depth)
			}
		}
	}
	return nil
}

// depth is a model's number of layers.
func (in *input) depth(prefixes []string) int {
	depth := 0
	for _, info := range in.src.Tensors() {
		if prefix, n, _, ok := outermost(info.Name); ok && slices.Contains(prefixes, prefix) {
			depth = max(depth, n+1)
		}
	}
	return depth
}

// planTensors plans every output tensor: those before the layers from the first slice's inputs, the layers slice by slice, those
// behind from the last slice's.
func (m *merging) planTensors() error {
	last := len(m.slices) - 1
	for _, name := range m.names(m.slices[0].sources, func(name string) bool { return !m.layered(name) && (last == 0 || !Behind(name)) }) {
		if err := m.planTensor(tensor{name: name, slice: &m.slices[0], layer: -1}); err != nil {
			return err
		}
	}
	if last > 0 {
		for _, name := range m.names(m.slices[last].sources, func(name string) bool { return !m.layered(name) && Behind(name) }) {
			if err := m.planTensor(tensor{name: name, slice: &m.slices[last], layer: -1}); err != nil {
				return err
			}
		}
	}
	total, out := 0, 0
	for _, s := range m.slices {
		total += s.layers
	}
	for i := range m.slices {
		s := &m.slices[i]
		for at := range s.layers {
			t := 1.0
			if s.layers > 1 {
				t = float64(at) / float64(s.layers-1)
			}
			for _, prefix := range m.prefixes {
				for _, rest := range m.rests(s, prefix, at) {
					row := tensor{name: fmt.Sprintf("%s.%d%s", prefix, out, rest), slice: s, t: t, layer: out, layers: total,
						input: func(src source) string { return fmt.Sprintf("%s.%d%s", prefix, src.from+at, rest) }}
					if err := m.planTensor(row); err != nil {
						return err
					}
				}
			}
			out++
		}
	}
	return m.differences()
}

func (m *merging) layered(name string) bool {
	prefix, _, _, ok := outermost(name)
	return ok && slices.Contains(m.prefixes, prefix)
}

// names lists the tensors of all sources that accept says, sorted.
func (m *merging) names(sources []source, accept func(name string) bool) []string {
	found := make(map[string]bool)
	for _, src := range sources {
		for _, info := range src.src.Tensors() {
			if accept(info.Name) {
				found[info.Name] = true
			}
		}
	}
	return sorted(found)
}

// rests lists what follows prefix.NUMBER in the layer at of each source.
func (m *merging) rests(s *slice, prefix string, at int) []string {
	found := make(map[string]bool)
	for _, src := range s.sources {
		start := fmt.Sprintf("%s.%d", prefix, src.from+at)
		infos := src.src.Tensors()
		i, _ := slices.BinarySearchFunc(infos, start, func(a checkpoint.Info, n string) int { return strings.Compare(a.Name, n) })
		for ; i < len(infos) && strings.HasPrefix(infos[i].Name, start); i++ {
			if rest := infos[i].Name[len(start):]; rest == "" || rest[0] == '.' {
				found[rest] = true
			}
		}
	}
	return sorted(found)
}
