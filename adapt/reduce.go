package adapt

import (
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/nlpodyssey/spago/mat"
	"github.com/nlpodyssey/spago/nn"

	"syncretic/adapt/op"
	"syncretic/adapt/optim"
)

// bucketSize is how many gradients are summed over processes in one call, 4 MiB: so many that the call's own time does not
// count, so few that the first call begins long before the backward pass ends.
const bucketSize = 1 << 20

// lane keeps gradients that lie side by side on cache lines of their own, in elements.
const lane = 16

// bucket is the gradients of a few parameters in one piece of memory.
type bucket struct {
	grads  []float32
	params int
	left   atomic.Int64  // parameters whose gradients are not complete
	ready  chan struct{} // holds one token when none is left
}

// reducer sums a stage's gradients over a group while the backward pass that makes them is still at work.
//
// Gradients lie in buckets, those of the last layers, which a backward pass completes first, in the first. One goroutine
// sums the buckets in this order, the same in every process, each as soon as all its gradients are complete here. A bucket
// out of turn waits: what order gradients become complete in is up to dropped layers and to the scheduler, and must not
// change which calls of two processes belong together.
type reducer struct {
	group   Group
	params  []*nn.Param
	of      []*bucket // by parameter
	buckets []*bucket
	whole   []atomic.Bool // by parameter: its gradient is complete
	ended   chan error    // receives the goroutine's result
	running bool
}

// newReducer lays out the gradients of the parameters that the stage trains, as zeros.
func newReducer(g Group, all []optim.Param, size int) *reducer {
	var params []optim.Param
	for _, p := range all {
		if p.Value.RequiresGrad() {
			params = append(params, p)
		}
	}
	slices.SortStableFunc(params, func(a, b optim.Param) int { return slices.Compare(depth(b.Name), depth(a.Name)) })
	r := &reducer{group: g, ended: make(chan error, 1)}
	for len(params) > 0 {
		n, elements := 0, 0
		var starts []int
		for n < len(params) && (n == 0 || elements+params[n].Value.Size() <= size) {
			starts = append(starts, elements)
			elements += (params[n].Value.Size() + lane - 1) / lane * lane
			n++
		}
		b := &bucket{grads: make([]float32, elements), params: n, ready: make(chan struct{}, 1)}
		for i, p := range params[:n] {
			optim.PlaceGrad(p, b.grads[starts[i]:starts[i]+p.Value.Size()])
			r.params, r.of = append(r.params, p.Value), append(r.of, b)
		}
		r.buckets = append(r.buckets, b)
		params = params[n:]
	}
	r.whole = make([]atomic.Bool, len(r.params))
	return r
}

// watch sums the gradients as the backward pass from loss, which must follow, completes them.
func (r *reducer) watch(loss mat.Tensor) {
	r.start()
	op.Watch(loss, r.params, r.complete)
}

// start begins a step: no gradient is complete.
func (r *reducer) start() {
	for _, b := range r.buckets {
		b.left.Store(int64(b.params))
	}
	for i := range r.whole {
		r.whole[i].Store(false)
	}
	r.running = true
	go func() { r.ended <- r.reduce() }()
}

// complete notes that the gradient of a parameter is complete, once a step.
func (r *reducer) complete(i int) {
	if r.whole[i].Swap(true) {
		return
	}
	if b := r.of[i]; b.left.Add(-1) == 0 {
		b.ready <- struct{}{}
	}
}

func (r *reducer) reduce() error {
	var failed error
	for _, b := range r.buckets {
		<-b.ready
		if failed == nil {
			failed = r.group.Sum(b.grads)
		}
	}
	return failed
}

// finish waits for all sums. A process whose backward pass did not end, or that made none because its loss is not finite or
// because it failed before, takes part in them all the same: the others wait for it.
func (r *reducer) finish(ended bool) error {
	if !r.running {
		r.start()
		ended = false
	}
	for i := range r.params {
		if !ended {
			r.complete(i)
		}
	}
	r.running = false
	return <-r.ended
}

// depth orders parameters by how far from the input they are used: the front-end, its projection, what stands before the
// layers, the layers, the heads. It decides how early sums begin, not what they are.
func depth(name string) (place []int) {
	number := func(prefix string) int {
		rest, ok := strings.CutPrefix(name, prefix)
		if !ok {
			return 0
		}
		text, _, _ := strings.Cut(rest, ".")
		n, _ := strconv.Atoi(text) // 0 where there is no number
		return n
	}
	for i, prefix := range []string{"feature_extractor.conv_layers.", "feature_projection.", "masked_spec_embed", "encoder.", "encoder.layers.", headPrefix} {
		if strings.HasPrefix(name, prefix) {
			place = []int{i, number(prefix)} // the last that fits
		}
	}
	return place
}
