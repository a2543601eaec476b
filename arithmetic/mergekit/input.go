package mergekit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"syncretic/arithmetic/method"
	"syncretic/checkpoint"
)

// input is an opened model of a recipe, or the merge that another document describes.
type input struct {
	name   string // as the recipe writes it
	src    checkpoint.Source
	config []byte // config.json, nil where there is none
	sides  func() ([]checkpoint.SideFile, error)
	file   func(name string) ([]byte, error) // one of them; an error that wraps fs.ErrNotExist where there is none
	stacks []Stack
	stats  *method.Statistics // where the input is a file of statistics
	path   string             // "" for a merge
}

// Opener opens a model for reading. Compile closes nothing: what it opened belongs to the caller, see [Plan.Close].
type Opener struct {
	Open    func(path string) (*checkpoint.Model, error)                         // default: checkpoint.Open
	Hub     func(name, revision string) (dir string, err error)                  // finds a hub name in the local cache
	Adapter func(base checkpoint.Source, path string) (checkpoint.Source, error) // applies a LoRA adapter
	Wrap    func(model string, src checkpoint.Source) (checkpoint.Source, error) // stands between every model and the merge
}

// openRef opens what a reference names: an existing path, however many + and @ it has, before any other way to read it.
func (c *compiler) openRef(r Ref) (*input, error) {
	key := r.String()
	if in, ok := c.inputs[key]; ok {
		return in, nil
	}
	if in, err := c.named(r); in != nil || err != nil {
		c.inputs[key] = in
		return in, err
	}
	var first error
	for _, p := range r.places() {
		in, err := c.openPlace(key, p)
		if err == nil {
			c.inputs[key] = in
			return in, nil
		}
		if first == nil {
			first = err
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return nil, first
}

func (c *compiler) openPlace(key string, p place) (*input, error) {
	path := p.path
	if _, err := os.Stat(path); err != nil || p.revision != "" {
		if c.opts.Opener.Hub == nil || !hubName(path) {
			if err == nil {
				err = fs.ErrNotExist
			}
			return nil, fmt.Errorf("model %s: %w", path, plain(err))
		}
		if path, err = c.opts.Opener.Hub(path, p.revision); err != nil {
			return nil, err
		}
	}
	m, err := c.opts.Opener.Open(path)
	if err != nil {
		return nil, err
	}
	c.plan.models = append(c.plan.models, m)
	in := &input{name: key, src: m, sides: m.SideFiles, file: m.SideFile, path: path}
	if in.config, err = m.SideFile("config.json"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if p.adapter != "" {
		if c.opts.Opener.Adapter == nil {
			return nil, wrong("model %s: adapters cannot be applied here", key)
		}
		if in.src, err = c.opts.Opener.Adapter(in.src, p.adapter); err != nil {
			return nil, err
		}
	}
	in.src = guard(key, in.src, c.opts.NonFinite)
	c.plan.Models = append(c.plan.Models, Input{key, path, p.adapter})
	in.stacks = Stacks(in.src.Tensors(), in.config)
	return in, nil
}

// plain is the reason inside of an error about a path.
func plain(err error) error {
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		return p.Err
	}
	return err
}

// hubName tells org/name from a path.
func hubName(s string) bool {
	return strings.Count(s, "/") <= 1 && !strings.HasPrefix(s, "/") && !strings.HasPrefix(s, ".") && !strings.HasPrefix(s, "~")
}

// named makes the merge of another document, if the reference is its name.
func (c *compiler) named(r Ref) (*input, error) {
	doc, ok := c.documents[r.Text]
	if !ok || r.Adapter != "" || r.Revision != "" || r.Text == "" {
		return nil, nil
	}
	if c.open[doc] {
		return nil, wrong("%s is made from itself", r.Text)
	}
	part, err := c.compile(doc)
	if err != nil {
		return nil, doc.within(err)
	}
	in := &input{name: r.Text, src: part.Merge(), sides: part.SideFiles, file: part.sideFile, config: part.config}
	in.stacks = Stacks(in.src.Tensors(), in.config)
	return in, nil
}
