package mergekit

import (
	"slices"
	"strings"

	"syncretic/checkpoint"
)

// SideFiles are the files to write beside the weights: the donor's (tokenizer, preprocessor, code), with config.json edited, and
// without what describes the donor itself: its model card and an earlier merge's recipe and lock.
func (p *Plan) SideFiles() ([]checkpoint.SideFile, error) { return p.sides() }

// Config is the output's config.json, nil where the donor has none.
func (p *Plan) Config() []byte { return p.config }

func (m *merging) sideFiles(donor *input) ([]checkpoint.SideFile, error) {
	files, err := donor.sides()
	if err != nil {
		return nil, err
	}
	files = slices.DeleteFunc(files, func(f checkpoint.SideFile) bool {
		return f.Name == "mergekit_config.yml" || f.Name == "merge.lock.json" || strings.EqualFold(f.Name, "README.md")
	})
	replace := func(f checkpoint.SideFile) {
		if i := slices.IndexFunc(files, func(g checkpoint.SideFile) bool { return g.Name == f.Name }); i >= 0 {
			files[i] = f
		} else {
			files = append(files, f)
		}
	}
	if m.plan.config != nil {
		replace(checkpoint.SideFile{Name: "config.json", Data: m.plan.config})
	}
	if m.vocab != nil {
		sides, err := m.vocab.sides(files)
		if err != nil {
			return nil, err
		}
		for _, f := range sides {
			replace(f)
		}
	}
	slices.SortFunc(files, func(a, b checkpoint.SideFile) int { return strings.Compare(a.Name, b.Name) })
	return files, nil
}
