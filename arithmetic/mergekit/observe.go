package mergekit

import (
	"fmt"
	"slices"
	"sync"

	"syncretic/arithmetic"
	"syncretic/arithmetic/method"
	"syncretic/arithmetic/vec"
	"syncretic/checkpoint"
)

// Observation is what was seen of a merge while it was written.
type Observation struct {
	Schema   int     `json:"schema"` // of this, 1
	Method   string  `json:"method"`
	Vectors  string  `json:"vectors"` // what the names are: task vectors (differences from the base), or models where the method has no base
	Base     string  `json:"base,omitempty"`
	BaseNorm float64 `json:"base_norm,omitempty"` // over the tensors of this report

	// The models of the recipe, and last the merge itself (its difference from the base), before it is rounded to the type of the
	// output. A model that takes no part in a tensor counts as 0 there.
	arithmetic.Report
	LeftOut []LeftOut `json:"left_out,omitempty"`
}

// LeftOut is a tensor that the report does not cover.
type LeftOut struct {
	Name string `json:"name"`
	Why  string `json:"why"`
}

// Merged is the name of the merge in a report.
const Merged = "merged"

// Observer is a merge that measures itself against its inputs while it is read: each range is compared when it has just been made,
// so that inputs come from cache. It holds a few blocks a reader, and the sums of each tensor.
type Observer struct {
	*Merge
	plan    *Plan
	names   []string // models
	base    string
	origin  bool // vectors are differences from the base
	seen    map[string]*observed
	buffers sync.Pool
}

// observed is what was seen of one tensor. Ranges are joined in order, whatever order they were read in.
type observed struct {
	task    method.Task
	vectors []int // of each input, −1 for the base

	mu        sync.Mutex
	sums      observedSums
	next      int
	ahead     map[int]observedRange // by their first element
	notFinite bool
}

type observedSums struct{ vectors, base arithmetic.Tally }

type observedRange struct {
	observedSums
	end int
}

// Observe makes an observer of the plan's merge, to be written in its place.
func (p *Plan) Observe() *Observer {
	o := &Observer{Merge: p.merge, plan: p, seen: make(map[string]*observed), origin: p.Method.Base != method.BaseIgnored}
	based := false
	for _, t := range p.Tensors {
		if !t.Copy {
			o.seen[t.Name] = &observed{task: p.merge.at[t.Name].made.Task(), ahead: make(map[int]observedRange)}
			based = based || o.seen[t.Name].task.Base >= 0
		}
	}
	o.origin = o.origin && based
	for _, t := range p.Tensors {
		seen := o.seen[t.Name]
		if seen == nil {
			continue
		}
		for i, in := range seen.task.Inputs {
			if o.origin && i == seen.task.Base {
				o.base = in.Model
				seen.vectors = append(seen.vectors, -1)
				continue
			}
			seen.vectors = append(seen.vectors, o.vector(in.Model, seen.vectors))
		}
		if o.origin && seen.task.Base < 0 { // it has nothing to differ from
			delete(o.seen, t.Name)
		}
	}
	for _, seen := range o.seen {
		seen.sums = o.newSums()
	}
	o.buffers.New = func() any { return newObserving(len(o.names) + 1) }
	return o
}

// vector finds or makes the place of a model among the names, with a number after those that have a place in this tensor already.
func (o *Observer) vector(model string, taken []int) int {
	for name, n := model, 2; ; name, n = fmt.Sprintf("%s (%d)", model, n), n+1 {
		at := slices.Index(o.names, name)
		if at < 0 {
			o.names = append(o.names, name)
			return len(o.names) - 1
		}
		if !slices.Contains(taken, at) {
			return at
		}
	}
}

func (o *Observer) newSums() observedSums {
	return observedSums{arithmetic.NewTally(len(o.names) + 1), arithmetic.NewTally(1)}
}

// Read computes a range of a tensor, and looks at it.
func (o *Observer) Read(name string, offset int, dst []float32) error {
	if err := o.Merge.Read(name, offset, dst); err != nil {
		return err
	}
	seen := o.seen[name]
	if seen == nil {
		return nil
	}
	b := o.buffers.Get().(*observing)
	defer o.buffers.Put(b)
	sums := o.newSums()
	finite := true
	for lo := 0; lo < len(dst); lo += observedElements {
		part := dst[lo:min(len(dst), lo+observedElements)]
		ok, err := o.measure(seen, o.at[name].made, offset+lo, part, b, sums)
		if err != nil {
			return err
		}
		finite = finite && ok
	}
	seen.join(offset, observedRange{sums, offset + len(dst)}, finite)
	return nil
}

// observedElements is how many elements are compared at a time. It is part of the result.
const observedElements = 1 << 13

// observing is room for one reader.
type observing struct{ base, merged, whole, kept, vectors, deltas [][]float32 }

func newObserving(n int) *observing {
	room := func(n int) [][]float32 {
		list := make([][]float32, n)
		for i := range list {
			list[i] = make([]float32, observedElements)
		}
		return list
	}
	return &observing{base: room(1), merged: room(1), whole: room(n), kept: room(n), vectors: make([][]float32, n), deltas: make([][]float32, 0, n)}
}

// measure adds a block to the sums. It tells whether all of it is finite.
func (o *Observer) measure(seen *observed, made *method.Tensor, offset int, out []float32, b *observing, sums observedSums) (finite bool, err error) {
	n := len(out)
	base, merged := b.base[0][:n], b.merged[0][:n]
	copy(merged, out)
	if o.origin {
		origin := &seen.task.Inputs[seen.task.Base]
		if err := origin.Source.Read(origin.Name, offset, base); err != nil {
			return false, err
		}
		vec.Sub(merged, base)
		if sums.base.Add([][]float32{base}) >= 0 {
			return false, nil
		}
	}
	clear(b.vectors)
	deltas := b.deltas[:0]
	for i, in := range seen.task.Inputs {
		at := seen.vectors[i]
		if at < 0 {
			continue
		}
		x := b.whole[at][:n]
		if err := in.Source.Read(in.Name, offset, x); err != nil {
			return false, err
		}
		if o.origin {
			vec.Sub(x, base)
		}
		kept := b.kept[at][:n]
		copy(kept, x)
		b.vectors[at], deltas = x, append(deltas, kept)
	}
	b.vectors[len(o.names)] = merged
	if sums.vectors.Add(b.vectors) >= 0 {
		return false, nil
	}
	if !o.origin {
		return true, nil
	}
	any, err := made.Drop(offset, deltas)
	if !any || err != nil {
		return true, err
	}
	for i := range seen.task.Inputs {
		if at := seen.vectors[i]; at >= 0 {
			sums.vectors.Drop(at, b.vectors[at], b.kept[at][:n])
		}
	}
	return true, nil
}

// join adds a range to the sums once all before it are there.
func (s *observed) join(offset int, r observedRange, finite bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notFinite = s.notFinite || !finite
	s.ahead[offset] = r
	for {
		r, ok := s.ahead[s.next]
		if !ok {
			return
		}
		delete(s.ahead, s.next)
		s.sums.vectors.Join(r.vectors)
		s.sums.base.Join(r.base)
		s.next = r.end
	}
}

// Observation is what was seen so far. Tensors that are copied, that were not read to the end, and that hold values which are not
// finite are left out by name.
func (o *Observer) Observation() Observation {
	report := Observation{Schema: 1, Method: o.plan.Method.Name, Vectors: "models"}
	if o.origin {
		report.Vectors, report.Base = "task vectors", o.base
	}
	var infos []checkpoint.Info
	var tallies []arithmetic.Tally
	base := arithmetic.NewTally(1)
	for _, t := range o.plan.Tensors {
		var why string
		switch seen := o.seen[t.Name]; {
		case t.Copy:
			why = "copied from " + t.Inputs[0].Model
		case seen == nil:
			why = "not in the base"
		case seen.notFinite:
			why = "holds values that are not finite"
		case seen.next < t.Elements():
			why = "written by an earlier run"
		default:
			infos, tallies = append(infos, t.Info), append(tallies, seen.sums.vectors)
			base.Join(seen.sums.base)
			continue
		}
		report.LeftOut = append(report.LeftOut, LeftOut{t.Name, why})
	}
	report.BaseNorm = base.Relation().Norms[0]
	report.Report = arithmetic.NewReport(append(slices.Clone(o.names), Merged), infos, tallies)
	return report
}
