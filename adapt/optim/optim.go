// Package optim updates the parameters of a spago model from the gradients that
// a backward pass left on them.
//
// A training step is two calls:
//
//	ag.Backward(loss)                    // once for each clip of the batch: gradients add up
//	norm := adam.ClipStep(lr, 10)        // lr comes from the caller's schedule; the gradients are 0 again
//
// ZeroGrad, ClipGradNorm and Step do what ClipStep joins one by one, for a caller
// who does not clip, or looks at the gradients in between.
//
// [AdamW] is PyTorch's by default; AdamWConfig.Variant selects fairseq's, which
// MERT was trained with. State and Restore carry the moments across a restart.
//
// Every function skips a parameter that does not require a gradient, and one
// that has received none yet. All of them work in place, in parallel over blocks
// whose bounds depend on the parameters alone, so that the results are the same
// bits whatever GOMAXPROCS is. None is safe for concurrent use on the same
// parameters. The AVX2 kernels (kernels_amd64.s, written by gen) and the portable
// Go, which does everything where the processor or the build (tag purego) has no
// AVX2, give the same bits too, but for which NaN a NaN is.
package optim

//go:generate sh -c "cd gen && go run . -out ../kernels_amd64.s -stubs ../kernels_amd64.go -pkg optim"

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/nlpodyssey/spago/mat"
	"github.com/nlpodyssey/spago/nn"
)

// Param is a parameter and the name that errors, states and groups know it by.
// Its value is a *mat.Dense[float32] of any shape.
type Param struct {
	Name  string
	Value *nn.Param
}

// ZeroGrad sets the gradient of every parameter to 0 in place. Unlike spago's
// ZeroGrad and PyTorch's default it keeps the buffers, so a parameter that once
// had a gradient goes on being updated: by momentum and decay, as in PyTorch
// with set_to_none=False.
func ZeroGrad(params []Param) {
	blocks := gradBlocks(params)
	parallel(len(blocks), func(i int) { clear(blocks[i].grad) })
}

// MakeGrads gives every parameter that requires a gradient and has none a buffer of zeros. Without it, a parameter that a
// step happens to leave out (a dropped layer) is updated by momentum and decay only in a process in which it had a gradient
// before, so that a resumed run would differ from an uninterrupted one.
func MakeGrads(params []Param) {
	for _, p := range params {
		if p.Value.RequiresGrad() && !p.Value.HasGrad() {
			shape := p.Value.Shape()
			p.Value.AccGrad(mat.NewDense[float32](mat.WithShape(shape...)))
		}
	}
}

// blockSize is the number of elements one goroutine handles at a time, and that
// one partial sum of ClipGradNorm covers: 64 KiB of gradients stay in L2 beside
// values and moments. Changing it changes ClipGradNorm in its last bits.
const blockSize = 1 << 14

// block is a run of up to blockSize elements of one parameter.
type block struct {
	index       int // of the parameter
	start       int // of the block within the parameter
	value, grad []float32
}

// gradBlocks cuts every parameter that has a gradient into blocks, in order.
func gradBlocks(params []Param) []block {
	var blocks []block
	for i, p := range params {
		value, grad := buffers(p)
		if grad == nil {
			continue
		}
		for start := 0; start < len(value); start += blockSize {
			end := min(start+blockSize, len(value))
			blocks = append(blocks, block{i, start, value[start:end], grad[start:end]})
		}
	}
	return blocks
}

// buffers returns the value of p and its gradient, without copies; grad is nil
// where there is nothing to update.
func buffers(p Param) (value, grad []float32) {
	if p.Value == nil || p.Value.Matrix == nil {
		panic(fmt.Sprintf("optim: parameter %q has no value", p.Name))
	}
	dense, ok := p.Value.Matrix.(*mat.Dense[float32])
	if !ok {
		panic(fmt.Sprintf("optim: parameter %q is a %T, want *mat.Dense[float32]", p.Name, p.Value.Matrix))
	}
	value = mat.Data[float32](dense)
	if !dense.RequiresGrad() || !dense.HasGrad() {
		return value, nil
	}
	grad = mat.Data[float32](dense.Grad())
	if len(grad) != len(value) {
		panic(fmt.Sprintf("optim: parameter %q has %d elements and a gradient of %d", p.Name, len(value), len(grad)))
	}
	return value, grad
}

// parallel calls f(i) once for each i in [0, n), on up to GOMAXPROCS goroutines.
func parallel(n int, f func(i int)) {
	workers := min(n, runtime.GOMAXPROCS(0))
	if workers <= 1 {
		for i := range n {
			f(i)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wg.Wait()
}
