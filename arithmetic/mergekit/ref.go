package mergekit

import (
	"fmt"
	"strings"
)

// Ref names a model: a path, a hub name in the local cache (name@revision), the name of another document of the recipe, or any
// of these with an adapter, model+adapter. Adapter and Revision are set by the long form only; the short form is taken apart
// where the file system is known, so that paths with + or @ in them work.
type Ref struct {
	Text     string
	Revision string
	Adapter  string
}

// String is the reference as mergekit writes it.
func (r Ref) String() string {
	s := r.Text
	if r.Revision != "" {
		s += "@" + r.Revision
	}
	if r.Adapter != "" {
		s += "+" + r.Adapter
	}
	return s
}

// part is a model or an adapter of the long form.
type part struct{ path, revision string }

func (p *part) UnmarshalYAML(unmarshal func(any) error) error {
	if unmarshal(&p.path) == nil {
		return nil
	}
	var form struct {
		Path     string `yaml:"path"`
		Revision string `yaml:"revision"`
	}
	err := unmarshal(&form)
	p.path, p.revision = form.Path, form.Revision
	return err
}

// UnmarshalYAML reads the short form, text, and mergekit's long form, {model: ..., lora: ...}.
func (r *Ref) UnmarshalYAML(unmarshal func(any) error) error {
	if unmarshal(&r.Text) == nil {
		if r.Text == "" {
			return fmt.Errorf("an empty model name")
		}
		return nil
	}
	var form struct {
		Model        part   `yaml:"model"`
		LoRA         *part  `yaml:"lora"`
		Architecture string `yaml:"override_architecture"`
	}
	if err := unmarshal(&form); err != nil {
		return err
	}
	if form.Model.path == "" {
		return fmt.Errorf("a model without a path")
	}
	*r = Ref{Text: form.Model.path, Revision: form.Model.revision}
	if form.LoRA != nil {
		r.Adapter = form.LoRA.path
	}
	return nil
}

// places lists the ways to take a reference apart, the likeliest first: the whole text, then model+adapter at each +, each of
// them whole and with a revision behind @.
func (r Ref) places() []place {
	if r.Adapter != "" || r.Revision != "" {
		return []place{{r.Text, r.Revision, r.Adapter}}
	}
	ways := revisions(r.Text, "")
	for at := len(r.Text) - 1; at > 0; at-- {
		if r.Text[at] == '+' && at < len(r.Text)-1 {
			ways = append(ways, revisions(r.Text[:at], r.Text[at+1:])...)
		}
	}
	return ways
}

func revisions(path, adapter string) []place {
	ways := []place{{path, "", adapter}}
	if at := strings.LastIndexByte(path, '@'); at > 0 && at < len(path)-1 {
		ways = append(ways, place{path[:at], path[at+1:], adapter})
	}
	return ways
}

// place is a reference taken apart.
type place struct{ path, revision, adapter string }
