package mert

import (
	"fmt"
	"slices"
	"strings"

	"syncretic/checkpoint"
)

// match finds the name in src of every row of the table, or reports all that does not fit, in the source's own spelling.
func match(table []weight, src checkpoint.Source) ([]string, error) {
	infos := src.Tensors()
	naming := namingOf(table, infos)
	left := make(map[string]checkpoint.Info, len(infos))
	for _, info := range infos {
		left[info.Name] = info
	}
	names := make([]string, len(table))
	missing := 0
	var problems []string
	for i, w := range table {
		var info checkpoint.Info
		spellings := naming.spellings(w.name)
		for _, name := range spellings {
			found, ok := left[name]
			if !ok {
				continue
			}
			delete(left, name)
			if info.Name != "" {
				problems = append(problems, fmt.Sprintf("tensors %q and %q are the same weight", info.Name, name))
			}
			info = found
		}
		switch {
		case info.Name == "":
			missing++
			problems = append(problems, fmt.Sprintf("tensor %q is missing, want shape %v", spellings[0], w.shape))
		case !slices.Equal(info.Shape, w.shape):
			problems = append(problems, fmt.Sprintf("tensor %q: shape %v, want %v", info.Name, info.Shape, w.shape))
		case !floating(info.DType):
			problems = append(problems, fmt.Sprintf("tensor %q: dtype %s, want a floating-point type", info.Name, info.DType))
		}
		names[i] = info.Name
	}
	extra := 0
	for _, info := range infos {
		if _, ok := left[info.Name]; ok && !naming.beside(info.Name) {
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
		return " (no name matches: want transformers' Hubert names, bare or under hubert. or model., or fairseq's)"
	case missing+extra == 1 && wantsMask(table) != hasMask(infos):
		return " (masked_spec_embed exists where mask_time_prob or mask_feature_prob is above 0)"
	case missing == 0 && extra > 0:
		return " (the encoder is complete: select its tensors if the others are heads of another task)"
	}
	return ""
}

func wantsMask(table []weight) bool {
	return slices.ContainsFunc(table, func(w weight) bool { return w.name == "masked_spec_embed" })
}

func hasMask(infos []checkpoint.Info) bool {
	return slices.ContainsFunc(infos, func(i checkpoint.Info) bool {
		return strings.HasSuffix(i.Name, "masked_spec_embed") || i.Name == "mask_emb"
	})
}

func floating(d checkpoint.DType) bool {
	switch d {
	case checkpoint.F64, checkpoint.F32, checkpoint.F16, checkpoint.BF16, checkpoint.F8E4M3, checkpoint.F8E5M2:
		return true
	}
	return false
}
