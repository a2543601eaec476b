package mergekit

import (
	"errors"
	"io/fs"
	"slices"
	"strings"

	"syncretic/checkpoint"
)

// SideFiles are the files to write beside the weights: the donor's (tokenizer, preprocessor, code), with config.json edited, and
// without what describes the donor itself: its model card and an earlier merge's recipe and lock.
func (p *Plan) SideFiles() ([]checkpoint.SideFile, error) { return p.sides() }

// sideFile is one of the side files.
func (p *Plan) sideFile(name string) ([]byte, error) {
	files, err := p.SideFiles()
	for _, f := range files {
		if f.Name == name {
			return f.Data, err
		}
	}
	return nil, errors.Join(err, fs.ErrNotExist)
}

// Config is the output's config.json, nil where the donor has none.
func (p *Plan) Config() []byte { return p.config }

func (m *merging) sideFiles(donor *input) ([]checkpoint.SideFile, error) {
	files, err := donor.sides()
	if err != nil {
		return nil, err
	}
	files = slices.DeleteFunc(files, func(f checkpoint.SideFile) bool {
		return checkpoint.IsHistory(f.Name) || f.Name == "mergekit_config.yml" || f.Name == "merge.lock.json" || strings.EqualFold(f.Name, "README.md")
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
		if files, err = m.vocab.sides(files); err != nil {
			return nil, err
		}
	}
	if m.doc.ChatTemplate != "" {
		changed, err := m.chatTemplate(files)
		if err != nil {
			return nil, err
		}
		for _, f := range changed {
			replace(f)
		}
	}
	slices.SortFunc(files, func(a, b checkpoint.SideFile) int { return strings.Compare(a.Name, b.Name) })
	return files, nil
}
