package mergekit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"syncretic/arithmetic"
	"syncretic/arithmetic/method"
	"syncretic/arithmetic/taskvector"
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
	shared bool               // src is the same in every compilation with these Models

	model  *checkpoint.Model // what was opened; nil for a merge
	opened Input
	delta  checkpoint.Source // of a task vector: what it holds; src is the model that it makes of the base
	of     string            // the sha-256 of that base
	hash   string            // of a base that task vectors are added to
}

// Opener opens a model for reading. Compile closes nothing: what it opened belongs to the caller, see [Plan.Close].
type Opener struct {
	Open    func(path string) (*checkpoint.Model, error)                         // default: checkpoint.Open
	Hub     func(name, revision string) (dir string, err error)                  // finds a hub name in the local cache
	Adapter func(base checkpoint.Source, path string) (checkpoint.Source, error) // applies a LoRA adapter
	Wrap    func(model string, src checkpoint.Source) (checkpoint.Source, error) // stands between every model and the merge
	Hash    func(base checkpoint.Source) (string, error)                         // of a base that task vectors are added to; default: checkpoint.Hash
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
		in, err := c.opts.Models.input(c.opts.NonFinite, key, func() (*input, error) { return c.openPlace(key, p) })
		if err == nil {
			c.plan.models, c.plan.Models = append(c.plan.models, in.model), append(c.plan.Models, in.opened)
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
	in := &input{name: key, src: m, sides: m.SideFiles, file: m.SideFile, path: path, model: m, opened: Input{key, path, p.adapter}}
	if err := c.read(in, p.adapter); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return in, nil
}

// read takes in what stands in an opened model and beside it.
func (c *compiler) read(in *input, adapter string) (err error) {
	if in.config, err = in.model.SideFile("config.json"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	meta := in.model.Metadata()
	if meta[arithmetic.KindKey] == arithmetic.VectorKind {
		if in.of = meta[arithmetic.BaseKey]; in.of == "" {
			return invalid("%s: a task vector that does not name its base", in.name)
		}
		if adapter != "" {
			return wrong("model %s: an adapter cannot be applied to a task vector", in.name)
		}
		in.src, err = taskvector.Decode(in.model)
		if err != nil {
			return err
		}
		in.delta = guard(in.name, in.src, c.opts.NonFinite)
	}
	if adapter != "" {
		if c.opts.Opener.Adapter == nil {
			return wrong("model %s: adapters cannot be applied here", in.name)
		}
		if in.src, err = c.opts.Opener.Adapter(in.src, adapter); err != nil {
			return err
		}
	}
	in.src = guard(in.name, in.src, c.opts.NonFinite)
	in.stacks = Stacks(in.src.Tensors(), in.config)
	return nil
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
