package lora

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"syncretic/arithmetic/svd"
	"syncretic/checkpoint"
)

// ExtractOptions say what [Extract] makes. The zero value needs a Rank.
type ExtractOptions struct {
	Rank       int     // most rank of a module
	Epsilon    float64 // singular values up to it are left out
	Unbalanced bool    // A holds the singular values, and B is orthonormal; otherwise each holds their roots

	Embeddings  bool             // decompose embeddings and output heads too, instead of holding them in full
	SaveModules []string         // modules to hold in full, by name or last part of the name
	Include     []*regexp.Regexp // decompose modules that one of them matches; nil for all
	Exclude     []*regexp.Regexp // leave modules as the base has them
	SkipOthers  bool             // leave what cannot be decomposed (norms, vectors) as the base has it, instead of holding it in full

	Base      string       // the base's name or path, for adapter_config.json
	Interrupt func() error // see [svd.Solver]
	Progress  func(done, total int)
}

// Extracted is an adapter in memory: its tensors as F32, and adapter_config.json.
type Extracted struct {
	checkpoint.Source
	Config  checkpoint.SideFile
	Modules []Module // those that were decomposed, by name
	Full    []string // tensors that are held in full, by name
	Left    []string // tensors that differ and are left as the base has them, because the options say so
}

// Module is one decomposed task vector.
type Module struct {
	Name  string
	Rank  int
	Norm  float64 // Frobenius norm of the task vector
	Error float64 // and of what the adapter lacks of it, before its factors are rounded to float32
}

// FileName is the name of the file that PEFT reads an adapter's tensors from.
const FileName = weightsName

// Extract makes an adapter that turns base into tuned, as far as its rank allows: of each module's task vector [out][in...] the
// leading part of the singular value decomposition, which is the nearest matrix of that rank. lora_alpha is the rank, so that B·A is
// added as it is. Modules that do not differ are left out.
//
// A module is what has a tensor NAME.weight. Those of two to four dimensions are decomposed (linear layers, convolutions), but for
// embeddings and output heads (a name with embed, wte, wpe or lm_head) without o.Embeddings. What else differs is held in full: a
// weight with its module, in modules_to_save, and other tensors, biases among them, under their own names, which PEFT loads as well.
// Unlike mergekit-extract-lora it needs no architecture, does not write biases that PEFT ignores, and names modules in full, so that
// none of the same last name is taken for one of them.
//
// It holds the adapter and one decomposition in memory; see [svd.Solver.Leading] for its cost.
func Extract(base, tuned checkpoint.Source, o ExtractOptions) (*Extracted, error) {
	if o.Rank < 1 {
		return nil, invalid("rank %d, want 1 or more", o.Rank)
	}
	if !(o.Epsilon >= 0) || math.IsInf(o.Epsilon, 0) {
		return nil, invalid("singular value %v, want a finite one of 0 or more", o.Epsilon)
	}
	x := &extraction{base: base, tuned: tuned, o: o, full: map[string]bool{}}
	if err := x.compare(); err != nil {
		return nil, err
	}
	infos := base.Tensors()
	for i, info := range infos {
		if o.Interrupt != nil {
			if err := o.Interrupt(); err != nil {
				return nil, err
			}
		}
		if err := x.tensor(info); err != nil {
			return nil, fmt.Errorf("tensor %q: %w", info.Name, err)
		}
		if o.Progress != nil {
			o.Progress(i+1, len(infos))
		}
	}
	return x.finish()
}

// extraction is an adapter while it is made.
type extraction struct {
	base, tuned checkpoint.Source
	o           ExtractOptions
	tensors     []checkpoint.Tensor
	out         Extracted
	full        map[string]bool // tensors of tuned to hold in full
	saved       []string        // modules to hold in full
}

// compare checks that both models have the same tensors.
func (x *extraction) compare() error {
	for _, pair := range [][2]checkpoint.Source{{x.base, x.tuned}, {x.tuned, x.base}} {
		for _, info := range pair[0].Tensors() {
			other, ok := checkpoint.Find(pair[1], info.Name)
			if !ok {
				return invalid("tensor %q: only one of the models has it", info.Name)
			}
			if !slices.Equal(other.Shape, info.Shape) {
				return invalid("tensor %q: shapes %d and %d", info.Name, info.Shape, other.Shape)
			}
		}
	}
	return nil
}

// tensor decides about one tensor, and decomposes it.
func (x *extraction) tensor(info checkpoint.Info) error {
	delta, err := x.delta(info)
	if err != nil {
		return err
	}
	changed := delta != nil
	if info.DType.Integer() {
		if changed {
			return invalid("an integer tensor that differs cannot be part of an adapter")
		}
		return nil
	}
	module, isWeight := strings.CutSuffix(info.Name, ".weight")
	if !isWeight {
		module = info.Name[:max(0, strings.LastIndexByte(info.Name, '.'))]
	}
	part := module[strings.LastIndexByte(module, '.')+1:]
	save := slices.Contains(x.o.SaveModules, module) || slices.Contains(x.o.SaveModules, part)
	matches := func(list []*regexp.Regexp) bool {
		return slices.ContainsFunc(list, func(r *regexp.Regexp) bool { return r.MatchString(module) })
	}
	table := vocabulary(module)
	switch {
	case isWeight && save:
		x.saved = append(x.saved, module)
	case !changed:
	case matches(x.o.Exclude):
		x.out.Left = append(x.out.Left, info.Name)
	case isWeight && table && !x.o.Embeddings && len(info.Shape) == 2:
		x.saved = append(x.saved, module)
	case len(x.o.Include) > 0 && !matches(x.o.Include):
		x.out.Left = append(x.out.Left, info.Name)
	case isWeight && len(info.Shape) >= 2 && len(info.Shape) <= 4:
		return x.decompose(module, info, delta)
	case x.o.SkipOthers:
		x.out.Left = append(x.out.Left, info.Name)
	case isWeight:
		x.saved = append(x.saved, module)
	default:
		x.full[info.Name] = true
	}
	return nil
}

// vocabulary tells embeddings and output heads by their names.
func vocabulary(module string) bool {
	return slices.ContainsFunc([]string{"embed", "wte", "wpe", "lm_head"}, func(part string) bool { return strings.Contains(module, part) })
}

// delta is tuned − base as [out][rest], nil where they are equal.
func (x *extraction) delta(info checkpoint.Info) (*mat.Dense, error) {
	n := info.Elements()
	if n == 0 {
		return nil, nil
	}
	if info.DType.Integer() {
		a, err := checkpoint.ReadIntegers(x.base, info.Name)
		if err != nil {
			return nil, err
		}
		b, err := checkpoint.ReadIntegers(x.tuned, info.Name)
		if err != nil || slices.Equal(a, b) {
			return nil, err
		}
		return mat.NewDense(1, 1, nil), nil
	}
	rows := 1
	if len(info.Shape) > 1 {
		rows = info.Shape[0]
	}
	const block = 1 << 16
	a, b := make([]float32, min(n, block)), make([]float32, min(n, block))
	var data []float64
	for lo := 0; lo < n; lo += block {
		a, b = a[:min(block, n-lo)], b[:min(block, n-lo)]
		if err := x.base.Read(info.Name, lo, a); err != nil {
			return nil, err
		}
		if err := x.tuned.Read(info.Name, lo, b); err != nil {
			return nil, err
		}
		for i, v := range b {
			d := float64(v) - float64(a[i])
			if !finite(d) {
				return nil, invalid("element %d differs by %v, want finite values", lo+i, d)
			}
			if d != 0 {
				if data == nil {
					data = make([]float64, n)
				}
				data[lo+i] = d
			}
		}
	}
	if data == nil {
		return nil, nil
	}
	return mat.NewDense(rows, n/rows, data), nil
}

// decompose adds the factors of one module.
func (x *extraction) decompose(module string, info checkpoint.Info, delta *mat.Dense) error {
	d, err := svd.Solver{Interrupt: x.o.Interrupt}.Leading(delta, x.o.Rank)
	if err != nil {
		return err
	}
	rank := len(d.S)
	for rank > 0 && d.S[rank-1] <= x.o.Epsilon {
		rank--
	}
	norm := mat.Norm(delta, 2)
	rest := norm * norm
	for _, s := range d.S[:rank] {
		rest -= s * s
	}
	if rank == 0 {
		x.out.Left = append(x.out.Left, info.Name)
		return nil
	}
	x.out.Modules = append(x.out.Modules, Module{module, rank, norm, math.Sqrt(max(0, rest))})
	out, in := delta.Dims()
	a, b := make([]float32, rank*in), make([]float32, out*rank)
	for k, s := range d.S[:rank] {
		left, right := math.Sqrt(s), math.Sqrt(s)
		if x.o.Unbalanced {
			left, right = 1, s
		}
		for j := range in {
			a[k*in+j] = float32(right * d.V.At(j, k))
		}
		for i := range out {
			b[i*rank+k] = float32(left * d.U.At(i, k))
		}
	}
	if vocabulary(module) && len(info.Shape) == 2 && !strings.Contains(module, "lm_head") {
		// PEFT holds an embedding's factors the other way round: the weight is (B·A)ᵀ.
		x.add(prefix+module+".lora_embedding_A", []int{rank, out}, turned(b, out, rank))
		x.add(prefix+module+".lora_embedding_B", []int{in, rank}, turned(a, rank, in))
		return nil
	}
	ones := slices.Repeat([]int{1}, len(info.Shape)-2)
	x.add(prefix+module+".lora_A.weight", slices.Concat([]int{rank}, info.Shape[1:]), a)
	x.add(prefix+module+".lora_B.weight", slices.Concat([]int{out, rank}, ones), b)
	return nil
}

func (x *extraction) add(name string, shape []int, data []float32) {
	x.tensors = append(x.tensors, checkpoint.Tensor{Name: name, Shape: shape, Data: data})
}

// turned is the transpose of [rows][columns].
func turned(m []float32, rows, columns int) []float32 {
	t := make([]float32, len(m))
	for i := range rows {
		for j := range columns {
			t[j*rows+i] = m[i*columns+j]
		}
	}
	return t
}

// finish joins factors, tensors in full and the configuration.
func (x *extraction) finish() (*Extracted, error) {
	if err := x.completeModules(); err != nil {
		return nil, err
	}
	x.out.Full = slices.Sorted(maps.Keys(x.full))
	if err := x.innerTensors(); err != nil {
		return nil, err
	}
	factors, err := checkpoint.NewMemory(x.tensors...)
	if err != nil {
		return nil, err
	}
	full := checkpoint.Prefix(checkpoint.Select(x.tuned, func(name string) bool { return x.full[name] }), prefix)
	if x.out.Source, err = checkpoint.Union(factors, full); err != nil {
		return nil, err
	}
	if len(x.out.Source.Tensors()) == 0 {
		return nil, invalid("there is nothing to extract: the models do not differ where the options allow it")
	}
	x.out.Config.Name = configName
	x.out.Config.Data, err = json.MarshalIndent(x.configuration(), "", "  ")
	return &x.out, err
}

// innerTensors holds what else a decomposed module has, its bias, under the name that PEFT gives it: the module is the base layer
// of another there.
func (x *extraction) innerTensors() error {
	for _, name := range x.out.Full {
		at := max(0, strings.LastIndexByte(name, '.'))
		if !slices.ContainsFunc(x.out.Modules, func(m Module) bool { return m.Name == name[:at] }) {
			continue
		}
		info, _ := checkpoint.Find(x.tuned, name)
		data, err := checkpoint.ReadAll(x.tuned, name)
		if err != nil {
			return err
		}
		x.add(prefix+name[:at]+".base_layer"+name[at:], info.Shape, data)
		delete(x.full, name)
	}
	return nil
}

// completeModules has every tensor of a saved module held in full. PEFT saves whatever module's name ends in a saved one's, so those
// are held too.
func (x *extraction) completeModules() error {
	for _, info := range x.tuned.Tensors() {
		module := info.Name[:max(0, strings.LastIndexByte(info.Name, '.'))]
		if slices.ContainsFunc(x.saved, func(s string) bool { return module != "" && strings.HasSuffix(module, s) }) {
			if slices.ContainsFunc(x.out.Modules, func(m Module) bool { return m.Name == module }) {
				return invalid("module %q: decomposed, but PEFT takes it for one to hold in full, as its name ends like one of %q", module, x.saved)
			}
			x.full[info.Name] = true
		}
	}
	return nil
}

// configuration is what PEFT needs to know.
func (x *extraction) configuration() map[string]any {
	rank := 1
	for _, m := range x.out.Modules {
		rank = max(rank, m.Rank)
	}
	targets, ranks := []string{}, map[string]int{}
	for _, m := range x.out.Modules {
		targets = append(targets, m.Name)
		if m.Rank != rank {
			ranks["^"+regexp.QuoteMeta(m.Name)] = m.Rank // without ^ PEFT would match the end of other names too
		}
	}
	saved := slices.Clone(x.saved)
	slices.Sort(saved)
	return map[string]any{
		"base_model_name_or_path": x.o.Base,
		"peft_type":               "LORA",
		"task_type":               nil,
		"inference_mode":          true,
		"r":                       rank,
		"lora_alpha":              rank,
		"lora_dropout":            0.0,
		"rank_pattern":            ranks,
		"alpha_pattern":           ranks,
		"target_modules":          targets,
		"modules_to_save":         saved,
		"use_rslora":              false,
		"fan_in_fan_out":          false,
		"bias":                    "none",
	}
}
