package sweep

import (
	"errors"
	"fmt"
	"math"

	"syncretic/probe"
	"syncretic/probe/dataset"
	"syncretic/sweep/search"
)

// Words is one word or a list of them.
type Words []string

// UnmarshalYAML reads either form.
func (w *Words) UnmarshalYAML(unmarshal func(any) error) error {
	var one string
	if unmarshal(&one) == nil {
		*w = Words{one}
		return nil
	}
	return unmarshal((*[]string)(w))
}

// Head is a probe's head: the word logistic, ridge or mlp, or the keys of a probe's configuration.
type Head probe.HeadConfig

func defaultHead() Head {
	h := probe.DefaultHead()
	h.Kind = probe.Logistic
	return Head(h)
}

// UnmarshalYAML reads either form.
func (h *Head) UnmarshalYAML(unmarshal func(any) error) error {
	*h = defaultHead()
	if unmarshal(&h.Kind) == nil {
		return nil
	}
	return unmarshal((*probe.HeadConfig)(h))
}

// Parameter is a method's parameter: a number, or true or false, that is given; a list of numbers; or a range to search.
type Parameter struct {
	Fixed *float64  `json:"fixed,omitempty"`
	Grid  []float64 `json:"grid,omitempty"`
	Range *Range    `json:"range,omitempty"`
}

// Range is a range of a parameter.
type Range struct {
	From    *float64 `yaml:"from" json:"from"`
	To      *float64 `yaml:"to" json:"to"`
	Steps   int      `yaml:"steps" json:"steps,omitempty"` // points of a grid, both ends included
	Log     bool     `yaml:"log" json:"log,omitempty"`
	Integer bool     `yaml:"integer" json:"integer,omitempty"`
}

// UnmarshalYAML reads any of the forms.
func (p *Parameter) UnmarshalYAML(unmarshal func(any) error) error {
	var value any
	if err := unmarshal(&value); err != nil {
		return err
	}
	switch v := value.(type) {
	case bool:
		p.Fixed = new(float64)
		if v {
			*p.Fixed = 1
		}
		return nil
	case int, float64:
		return unmarshal(&p.Fixed)
	case []any:
		return unmarshal(&p.Grid)
	case map[string]any:
		return unmarshal(&p.Range)
	}
	return fmt.Errorf("got %v, want a number, true or false, a list of numbers, or {from: ..., to: ...}", value)
}

// param is the parameter as samplers see it; ok is false for one that is given.
func (p Parameter) param(name string) (out search.Param, ok bool) {
	out.Name = name
	switch {
	case len(p.Grid) > 0:
		out.Low, out.High, out.Grid = p.Grid[0], p.Grid[0], p.Grid
		for _, v := range p.Grid {
			out.Low, out.High = min(out.Low, v), max(out.High, v)
		}
	case p.Range != nil:
		r := p.Range
		out.Low, out.High, out.Log, out.Integer = *r.From, *r.To, r.Log, r.Integer
		if r.Steps > 0 {
			out.Grid = r.grid()
		}
	default:
		return out, false
	}
	return out, true
}

// grid are the points of a range with steps, evenly spaced on its scale.
func (r Range) grid() []float64 {
	if !r.Log {
		return Grid(*r.From, *r.To, r.Steps)
	}
	values := Grid(math.Log(*r.From), math.Log(*r.To), r.Steps)
	for i := range values {
		values[i] = math.Exp(values[i])
	}
	values[0], values[r.Steps-1] = *r.From, *r.To
	return values
}

// method is a method of the config with its parameters.
func (c Config) method(name string) Method {
	m := Method{Name: name}
	for _, key := range sortedKeys(c.Parameters[name]) {
		p := c.Parameters[name][key]
		if s, ok := p.param(key); ok {
			m.Search = append(m.Search, s)
			continue
		}
		if m.Fixed == nil {
			m.Fixed = map[string]float64{}
		}
		m.Fixed[key] = *p.Fixed
	}
	return m
}

func (c *Config) checkMethods() error {
	if len(c.Method) == 0 {
		c.Method = Words{DefaultMethod}
	}
	used := map[string]bool{}
	for _, name := range c.Method {
		used[name] = true
	}
	for _, name := range sortedKeys(c.Parameters) {
		if !used[name] {
			return fmt.Errorf("parameters: %s is not among the methods %q", name, c.Method)
		}
		for _, key := range sortedKeys(c.Parameters[name]) {
			where := "parameters." + name + "." + key
			p := c.Parameters[name][key]
			switch r := p.Range; {
			case key == "weight" || key == "lambda":
				return fmt.Errorf("%s: scaling coefficients are the key lambda's", where)
			case p.Fixed == nil && r == nil && len(p.Grid) == 0:
				return fmt.Errorf("%s: no value", where)
			case p.Fixed != nil && (math.IsNaN(*p.Fixed) || math.IsInf(*p.Fixed, 0)):
				return fmt.Errorf("%s: %v is not finite", where, *p.Fixed)
			case r == nil:
			case r.From == nil || r.To == nil || !(*r.From < *r.To) || r.Steps < 0 || r.Steps == 1 || r.Steps > 10_000:
				return fmt.Errorf("%s: want from < to, and 2 to 10000 steps where there are any", where)
			case c.Sampler.Kind == search.Grid && r.Steps == 0:
				return fmt.Errorf("%s: a grid needs steps, or a list of numbers", where)
			}
		}
	}
	return nil
}

// checkMeasures checks what trials are measured on.
func (c *Config) checkMeasures() error {
	p := c.Probe
	if len(p.Datasets) == 0 && c.MaskedLoss == nil {
		return errors.New("probe.datasets is empty: there is nothing to choose lambda by")
	}
	if (c.Metric == MaskedLoss) && c.MaskedLoss == nil {
		return fmt.Errorf("metric %s needs the key masked_loss", MaskedLoss)
	}
	if c.Metric != MaskedLoss && len(p.Datasets) == 0 {
		return fmt.Errorf("metric %s needs probe.datasets", c.Metric)
	}
	if !(p.Window == 0 || p.Window >= 1) || math.IsInf(p.Window, 0) {
		return fmt.Errorf("probe.window %v s, want 0 (whole items) or at least 1", p.Window)
	}
	if err := probe.HeadConfig(p.Head).Validate(); err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	var names []string
	var western []bool
	for i, d := range p.Datasets {
		if d.Name == "" || d.Manifest == "" && d.Format == "" {
			return fmt.Errorf("probe.datasets[%d]: name and manifest, or format and root, are required", i)
		}
		if d.Task == dataset.Regression || d.Task == dataset.Single {
			return fmt.Errorf("probe.datasets[%d]: task %s: a sweep scores multi-label tagging", i, d.Task)
		}
		if d.Tags < 0 {
			return fmt.Errorf("probe.datasets[%d]: tags %d, want >= 0", i, d.Tags)
		}
		names, western = append(names, d.Name), append(western, d.Western)
	}
	if err := checkNames("probe.datasets", names, western); err != nil || c.MaskedLoss == nil {
		return err
	}
	return c.MaskedLoss.check()
}

// check fills in the splits.
func (m *MaskedLossConfig) check() error {
	if m.Recipe == "" || m.Heads == "" {
		return errors.New("masked_loss: recipe and heads are required")
	}
	var names []string
	var western []bool
	for i := range m.Corpora {
		k := &m.Corpora[i]
		if k.Split == "" {
			k.Split = probe.Valid
		}
		if k.Name == "" || k.Manifest == "" || k.Split == probe.Test {
			return fmt.Errorf("masked_loss.corpora[%d]: name and manifest are required, and the split must not be %s", i, probe.Test)
		}
		names, western = append(names, k.Name), append(western, k.Western)
	}
	if len(names) == 0 {
		return errors.New("masked_loss.corpora is empty")
	}
	return checkNames("masked_loss.corpora", names, western)
}

// checkNames refuses repeated names, and lists of Western corpora alone.
func checkNames(where string, names []string, western []bool) error {
	seen, others := map[string]bool{}, len(names) == 0
	for i, name := range names {
		if seen[name] {
			return fmt.Errorf("%s[%d]: name %q is taken", where, i, name)
		}
		seen[name] = true
		others = others || !western[i]
	}
	if !others {
		return fmt.Errorf("every dataset of %s is western: lambda is chosen by the others", where)
	}
	return nil
}

// checkExperts checks the datasets' experts; normalise true demands one for each culture.
func (c *Config) checkExperts() error {
	known := c.measured(false)
	for _, name := range sortedKeys(c.Experts) {
		if !known[name] {
			return fmt.Errorf("experts: %q is no non-Western dataset of this sweep", name)
		}
		if _, ok := c.Vectors[c.Experts[name]]; !ok {
			return fmt.Errorf("experts: %s: %q is no task vector of this sweep", name, c.Experts[name])
		}
	}
	if c.Normalise != nil && *c.Normalise && c.experts() == nil {
		return fmt.Errorf("normalise: every non-Western dataset needs its single-culture expert among the vectors %q: name it under experts", sortedKeys(c.Vectors))
	}
	return nil
}

// measured are the names of the Western or the other datasets that the metric is measured on.
func (c Config) measured(western bool) map[string]bool {
	names := map[string]bool{}
	if c.Metric == MaskedLoss {
		for _, k := range c.MaskedLoss.Corpora {
			if k.Western == western {
				names[k.Name] = true
			}
		}
		return names
	}
	for _, d := range c.Probe.Datasets {
		if d.Western == western {
			names[d.Name] = true
		}
	}
	return names
}

// experts are the vectors by which scores are normalised, nil where they are not.
func (c Config) experts() map[string]string {
	if c.Normalise != nil && !*c.Normalise {
		return nil
	}
	experts := map[string]string{}
	for name := range c.measured(false) {
		vector, ok := c.Experts[name]
		if !ok {
			vector = name
		}
		if _, ok := c.Vectors[vector]; !ok {
			return nil
		}
		experts[name] = vector
	}
	return experts
}
