package mergekit

import (
	"errors"
	"sync"

	"syncretic/arithmetic/method"
	"syncretic/checkpoint"
)

// Options are what a recipe does not say.
type Options struct {
	Opener Opener
	Seed   uint64 // of methods that draw random numbers

	// What to do about a tensor that only some inputs have: keep it, merged from those that do; or leave it out. Neither is an error.
	Union, Intersection bool

	NonFinite NonFinite // what to do about NaN and infinities in the models

	Truncate bool     // cut vocabularies of different lengths to the shortest, whatever their tokens mean
	Lambda   *float64 // replaces the recipe's lambda in the last document
	Memory   int64    // bytes that whole-tensor state may take, 0 for no bound

	Models *Models // opened models to share with other compilations; nil opens for this plan alone. Opener must be the same for all

	Interrupt func() error // asked between parts of long computations; an error ends them
}

// Plan is a compiled recipe: what will be read, computed and written, known from headers alone.
type Plan struct {
	Recipe  *Recipe
	Method  *method.Method
	Tensors []Tensor // by name
	Donor   string   // the model that gives config.json, tokenizer and other files
	Notes   []string // what a reader of the recipe would want to know
	Lambda  *float64 // what replaced the recipe's lambda, nil for nothing
	Models  []Input  // every model that is read, in the order of the recipe

	merge  *Merge
	config []byte // of the output, nil without one
	sides  func() ([]checkpoint.SideFile, error)
	models []*checkpoint.Model
	shared bool // models belong to Options.Models
}

// Input is one opened model.
type Input struct {
	Name    string `json:"name"`              // as the recipe writes it
	Path    string `json:"path"`              // of the file or directory that was opened
	Adapter string `json:"adapter,omitempty"` // path of the adapter that is applied to it, "" for none
}

// Tensor is one output tensor.
type Tensor struct {
	checkpoint.Info
	Copy   bool // the first input's bytes as they are
	Inputs []TensorInput
	Params method.Values
	Note   string // why it is not merged as the others are
}

// TensorInput is one input of an output tensor.
type TensorInput struct {
	Model  string
	Tensor string
	Base   bool
	Params method.Values
}

// Merge is the merge as a Source. It is valid until Close.
func (p *Plan) Merge() *Merge { return p.merge }

// ReadBytes is what the tensors that take part have in all inputs, as stored. Methods that need statistics read it twice.
func (p *Plan) ReadBytes() (n int64) {
	for _, t := range p.merge.at {
		n += t.read
	}
	return n
}

// Memory estimates the most bytes that merging holds, mapped files aside: statistics of the tensors that are read at a time, and
// the workers' blocks.
func (p *Plan) Memory() int64 {
	const blocks = 64 << 20 // of the workers, the writer and the runtime
	most := int64(0)
	for _, t := range p.Tensors {
		if !t.Copy {
			most = max(most, p.Method.Memory(t.Shape, len(t.Inputs)))
		}
	}
	return blocks + keepAlways*most
}

// Close closes every model that compiling opened. Those of Options.Models stay open.
func (p *Plan) Close() error {
	if p.shared {
		return nil
	}
	errs := make([]error, len(p.models))
	var wg sync.WaitGroup
	for i, m := range p.models {
		wg.Go(func() { errs[i] = m.Close() })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Compile turns the documents of a recipe file into plans of what is to be written: the unnamed document if there is one, else
// the last. The others are computed where they are needed, and never written. Every mistake of a recipe is found here.
func Compile(docs []*Recipe, opts Options) (*Plan, error) {
	if len(docs) == 0 {
		return nil, wrong("no document")
	}
	if opts.Opener.Open == nil {
		opts.Opener.Open = checkpoint.Open
	}
	if opts.Opener.Hash == nil {
		opts.Opener.Hash = checkpoint.Hash
	}
	if opts.Models != nil {
		opts.Models.compiling.Lock()
		defer opts.Models.compiling.Unlock()
	}
	c := &compiler{opts: opts, inputs: make(map[string]*input), documents: make(map[string]*Recipe), open: make(map[*Recipe]bool)}
	last := docs[len(docs)-1]
	for _, d := range docs {
		if d.Name == "" {
			last = d
		} else {
			c.documents[d.Name] = d
		}
	}
	c.target = last
	c.plan = &Plan{shared: opts.Models != nil}
	p, err := c.compile(last)
	if err != nil {
		return nil, errors.Join(last.within(err), c.plan.Close())
	}
	p.models, p.Models, p.Lambda, p.shared = c.plan.models, c.plan.Models, opts.Lambda, c.plan.shared
	p.Notes = append(c.plan.Notes, p.Notes...)
	return p, nil
}

// CompileEach compiles a recipe for several lambdas. What methods find out about the inputs (thresholds, masks, norms) does not
// depend on lambda, and is found once for all plans. On an error none is left open.
func CompileEach(docs []*Recipe, opts Options, lambdas []float64) (plans []*Plan, err error) {
	leaders := make(map[string]*method.Tensor)
	for _, lambda := range lambdas {
		opts.Lambda = &lambda
		p, err := Compile(docs, opts)
		if err != nil {
			for _, p := range plans {
				err = errors.Join(err, p.Close())
			}
			return nil, err
		}
		for name, t := range p.merge.at {
			switch leader := leaders[name]; {
			case t.made == nil:
			case leader == nil:
				leaders[name] = t.made
			default:
				t.made.Share(leader)
			}
		}
		plans = append(plans, p)
	}
	return plans, nil
}

// compiler holds what the documents of a file share.
type compiler struct {
	opts      Options
	plan      *Plan // collects opened models
	inputs    map[string]*input
	documents map[string]*Recipe
	open      map[*Recipe]bool // being compiled
	target    *Recipe
}
