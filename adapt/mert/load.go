package mert

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"syncretic/checkpoint"
)

// Load makes an encoder from the weights of src, converted to float32. Both spellings of the weight norm are read, and
// names under "hubert." or "model.", as task heads of transformers write them. Every tensor that is missing, extra or
// of another shape is reported, as one [ErrInvalid]; to load the encoder out of a file that holds more, pass it through
// [checkpoint.Select].
func Load(cfg Config, src checkpoint.Source) (*Encoder, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if _, err := match(cfg.weights(), src); err != nil {
		return nil, err // before any memory is taken
	}
	e, err := allocate(cfg)
	if err != nil {
		return nil, err
	}
	return e, e.SetWeights(src)
}

// Open makes an encoder from a model directory: config.json, the weights, and preprocessor_config.json for the
// normalisation of its input (absent: normalise, as MERT does). Its *.py files are kept for [Encoder.SideFiles].
// Errors name the path and are [ErrConfig], [ErrInvalid], [checkpoint.ErrInvalid] or [fs.ErrNotExist].
func Open(path string) (*Encoder, error) {
	m, err := checkpoint.Open(path)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	config, err := m.Config()
	if err != nil {
		return nil, err
	}
	cfg, err := ParseConfig(config)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(path, "config.json"), err)
	}
	e, err := Load(cfg, m)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	sides, err := m.SideFiles()
	if err != nil {
		return nil, err
	}
	for _, side := range sides {
		switch {
		case side.Name == preprocessorName:
			if err := e.SetPreprocessor(side.Data); err != nil {
				return nil, fmt.Errorf("%s: %w", filepath.Join(path, preprocessorName), err)
			}
		case strings.HasSuffix(side.Name, ".py"):
			e.code = append(e.code, checkpoint.SideFile{Name: side.Name, Data: slices.Clone(side.Data)})
		}
	}
	return e, nil
}

// SideFiles are the files that make a model directory of these weights: config.json, preprocessor_config.json, and the
// *.py files of the directory that [Open] read, which config.json may refer to.
func (e *Encoder) SideFiles() []checkpoint.SideFile {
	return append([]checkpoint.SideFile{
		{Name: "config.json", Data: e.cfg.JSON()},
		{Name: preprocessorName, Data: slices.Clone(e.prep.document)},
	}, e.code...)
}

// SetWeights replaces every weight with that of src, in place: parameters and their gradients stay where they are. Packed
// forms are made again by the next inference. The names and shapes are checked as in [Load] before the first weight changes; an error while
// reading leaves the encoder with some weights old and some new.
func (e *Encoder) SetWeights(src checkpoint.Source) error {
	names, err := match(e.table, src)
	if err != nil {
		return err
	}
	defer e.thaw()
	return each(len(names), func(i int) error {
		if err := src.Read(names[i], 0, e.data[i]); err != nil {
			return fmt.Errorf("tensor %q: %w", names[i], err)
		}
		return nil
	})
}

// match finds the name in src of every row of the table, or reports all that does not fit.
func match(table []weight, src checkpoint.Source) ([]string, error) {
	infos := src.Tensors()
	prefix := commonPrefix(table, infos)
	found := make(map[string]checkpoint.Info, len(infos))
	var problems []string
	for _, info := range infos {
		name := canonical(strings.TrimPrefix(info.Name, prefix))
		if twin, ok := found[name]; ok {
			problems = append(problems, fmt.Sprintf("tensors %q and %q are the same weight", twin.Name, info.Name))
		}
		found[name] = info
	}
	names := make([]string, len(table))
	missing := 0
	for i, w := range table {
		info, ok := found[w.name]
		delete(found, w.name)
		switch {
		case !ok:
			missing++
			problems = append(problems, fmt.Sprintf("tensor %q is missing, want shape %v", w.name, w.shape))
		case !slices.Equal(info.Shape, w.shape):
			problems = append(problems, fmt.Sprintf("tensor %q: shape %v, want %v", info.Name, info.Shape, w.shape))
		case !floating(info.DType):
			problems = append(problems, fmt.Sprintf("tensor %q: dtype %s, want a floating-point type", info.Name, info.DType))
		}
		names[i] = info.Name
	}
	extra := 0
	for _, info := range infos {
		if _, ok := found[canonical(strings.TrimPrefix(info.Name, prefix))]; ok {
			extra++
			problems = append(problems, fmt.Sprintf("tensor %q %v is not part of this encoder", info.Name, info.Shape))
		}
	}
	if len(problems) == 0 {
		return names, nil
	}
	return nil, mismatch(problems, hint(table, infos, missing, extra))
}

// mismatch is the one error for all problems: the first few in full, and how many more.
func mismatch(problems []string, hint string) error {
	const shown = 5
	more := ""
	if n := len(problems) - shown; n > 0 {
		problems, more = problems[:shown], fmt.Sprintf("; and %d more", n)
	}
	return fmt.Errorf("%w: weights do not fit the config: %s%s%s", ErrInvalid, strings.Join(problems, "; "), more, hint)
}

// hint guesses why, in parentheses.
func hint(table []weight, infos []checkpoint.Info, missing, extra int) string {
	switch {
	case len(infos) == 0:
		return " (the source has no tensors)"
	case missing == len(table):
		return " (no name matches: want transformers' Hubert names, bare or under hubert. or model.)"
	case missing == 0 && extra > 0:
		return " (the encoder is complete: select its tensors if the others are heads of another task)"
	case missing == 1 && !slices.ContainsFunc(infos, func(i checkpoint.Info) bool { return strings.HasSuffix(i.Name, "masked_spec_embed") }) &&
		slices.ContainsFunc(table, func(w weight) bool { return w.name == "masked_spec_embed" }):
		return " (masked_spec_embed exists where mask_time_prob or mask_feature_prob is above 0)"
	}
	return ""
}

// commonPrefix is the prefix under which src keeps the encoder: "" unless no bare name fits and one under "hubert." or
// "model." does.
func commonPrefix(table []weight, infos []checkpoint.Info) string {
	fits := func(prefix string) bool {
		return slices.ContainsFunc(infos, func(info checkpoint.Info) bool {
			name, ok := strings.CutPrefix(info.Name, prefix)
			return ok && slices.ContainsFunc(table, func(w weight) bool { return w.name == canonical(name) })
		})
	}
	for _, prefix := range []string{"", "hubert.", "model."} {
		if fits(prefix) {
			return prefix
		}
	}
	return ""
}

// canonical turns the old spelling of the weight norm into the new one.
func canonical(name string) string {
	if base, ok := strings.CutSuffix(name, ".conv."+oldGainName); ok {
		return base + ".conv." + gainName
	}
	if base, ok := strings.CutSuffix(name, ".conv."+oldDirectionName); ok {
		return base + ".conv." + directionName
	}
	return name
}

func floating(d checkpoint.DType) bool {
	switch d {
	case checkpoint.F64, checkpoint.F32, checkpoint.F16, checkpoint.BF16, checkpoint.F8E4M3, checkpoint.F8E5M2:
		return true
	}
	return false
}
