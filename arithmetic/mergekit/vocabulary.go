package mergekit

import (
	"slices"

	"syncretic/arithmetic/method"
	"syncretic/checkpoint"
)

// vocabulary aligns the tensors that have a row a token.
type vocabulary interface {
	size() int
	align(task *method.Task, infos []checkpoint.Info) error
	sides(files []checkpoint.SideFile) ([]checkpoint.SideFile, error)
}

func (m *merging) readVocabulary() error { return nil }

// alignVocabulary gives the inputs of a vocabulary's tensor the same rows: those of the output's vocabulary where the recipe asks
// for one, or as many as the shortest has where the options say so.
func (m *merging) alignVocabulary(task *method.Task, infos []checkpoint.Info) error {
	if m.vocab != nil {
		return m.vocab.align(task, infos)
	}
	if !m.opts.Truncate || !vocabularyNamed(task.Name) {
		return nil
	}
	rows := infos[0].Shape
	for _, info := range infos {
		if len(info.Shape) == 0 || len(info.Shape) != len(rows) || !slices.Equal(info.Shape[1:], rows[1:]) {
			return nil
		}
		if info.Shape[0] < rows[0] {
			rows = info.Shape
		}
	}
	for i := range infos {
		if infos[i].Shape[0] != rows[0] {
			m.note("UNSAFE vocabulary truncation: %s: tensor %q cut from %d to %d rows, whatever its tokens mean", task.Inputs[i].Model, infos[i].Name, infos[i].Shape[0], rows[0])
			task.Inputs[i].Source = first{task.Inputs[i].Source, infos[i].Name, rows}
			infos[i].Shape = rows
		}
	}
	return nil
}

// vocabularyNamed tells tensors that usually have a row a token.
func vocabularyNamed(name string) bool {
	return name == headName || name == "lm_head.bias" || slices.ContainsFunc(embeddingNames, func(e string) bool { return len(name) >= len(e) && name[len(name)-len(e):] == e })
}

// first is the first rows of one tensor.
type first struct {
	checkpoint.Source
	name  string
	shape []int
}

func (f first) Tensors() []checkpoint.Info {
	info, _ := checkpoint.Find(f.Source, f.name)
	info.Shape = f.shape
	return []checkpoint.Info{info}
}

// shapeHint says what to do where vocabularies differ.
func (m *merging) shapeHint(a, b checkpoint.Info) string {
	if len(a.Shape) == len(b.Shape) && len(a.Shape) > 0 && slices.Equal(a.Shape[1:], b.Shape[1:]) && vocabularyNamed(a.Name) {
		return "; vocabularies differ: give tokenizer: {source: base} or {source: union}"
	}
	return ""
}
