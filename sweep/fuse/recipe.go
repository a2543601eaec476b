package fuse

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"syncretic/arithmetic/method"
)

// write spells a choice as a merge recipe. The same choice gives the same bytes.
func (f *Fuser) write(c Choice, m *method.Method) ([]byte, error) {
	var b bytes.Buffer
	if f.opts.Seed != 0 {
		fmt.Fprintf(&b, "# syncretic merge RECIPE OUT --seed %d\n", f.opts.Seed)
	}
	fmt.Fprintf(&b, "merge_method: %s\nbase_model: %s\nmodels:\n", m.Name, quoted(f.base))
	listed := 0
	for _, name := range f.names {
		w, named := c.Weights[name]
		if c.Weights != nil && !named {
			continue
		}
		listed++
		fmt.Fprintf(&b, "  - model: %s\n", quoted(f.paths[name]))
		if !named {
			continue
		}
		b.WriteString("    parameters:\n")
		if err := f.writeWeight(&b, w); err != nil {
			return nil, fmt.Errorf("%w: weights: %s: %w", ErrChoice, name, err)
		}
	}
	if listed == 0 {
		fmt.Fprintf(&b, "  - model: %s\n", quoted(f.base))
	}
	for i, name := range slices.Sorted(maps.Keys(c.Params)) {
		p, _ := m.Param(name)
		text, err := spelt(p, c.Params[name])
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrChoice, err)
		}
		if i == 0 {
			b.WriteString("parameters:\n")
		}
		fmt.Fprintf(&b, "  %s: %s\n", name, text)
	}
	b.WriteString("dtype: float32\n")
	return b.Bytes(), nil
}

// writeWeight spells a coefficient, as conditions where groups have their own: of these the first that holds decides, as it does for
// groups, so all groups stand there.
func (f *Fuser) writeWeight(b *bytes.Buffer, w Weight) error {
	for group, v := range w.Groups {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("%v in group %s, want a finite number", v, group)
		}
	}
	if math.IsNaN(w.Value) || math.IsInf(w.Value, 0) {
		return fmt.Errorf("%v, want a finite number", w.Value)
	}
	if len(w.Groups) == 0 {
		fmt.Fprintf(b, "      weight: %s\n", number(w.Value))
		return nil
	}
	b.WriteString("      weight:\n")
	rest := w.Value
	for _, group := range f.groups {
		v, own := w.Groups[group.Name]
		if !own {
			v = w.Value
		}
		if len(group.Filters) == 0 {
			rest = v
		}
		for _, filter := range group.Filters {
			fmt.Fprintf(b, "        - {filter: %s, value: %s}\n", quoted(filter), number(v))
		}
	}
	fmt.Fprintf(b, "        - {value: %s}\n", number(rest))
	return nil
}

// spelt is a parameter's value as recipes spell it.
func spelt(p method.Param, v float64) (string, error) {
	most := 1
	switch p.Kind {
	case method.Choice:
		most = len(p.Choices) - 1
	case method.Flag:
	default:
		return number(v), p.Check(v)
	}
	if v != math.Trunc(v) || v < 0 || v > float64(most) {
		return "", fmt.Errorf("%s: got %v, want a whole number from 0 to %d", p.Name, v, most)
	}
	if p.Kind == method.Flag {
		return strconv.FormatBool(v == 1), nil
	}
	return quoted(p.Choices[int(v)]), nil
}

// number spells v so that any YAML reader has the same float64 back; PyYAML wants a point before an exponent.
func number(v float64) string {
	text := strconv.FormatFloat(v+0, 'g', -1, 64) // +0 turns -0 into 0
	mantissa, exponent, scientific := strings.Cut(text, "e")
	if scientific && !strings.Contains(mantissa, ".") {
		return mantissa + ".0e" + exponent
	}
	return text
}

// quoted is a string as YAML and JSON both quote it.
func quoted(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string: cannot fail
	return strings.TrimSuffix(b.String(), "\n")
}
