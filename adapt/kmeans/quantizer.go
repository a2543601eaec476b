package kmeans

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"syncretic/checkpoint"
)

// Quantizer is a fitted stack of codebooks. It never changes and is safe for concurrent use.
type Quantizer struct {
	size, dim int
	books     []codebook
	variance  []float32
	source    *checkpoint.Memory
}

// The names of the stored tensors.
const (
	bookPrefix   = "codebooks."
	varianceName = "residual_variance"
)

func newQuantizer(books []codebook, variance []float32) (*Quantizer, error) {
	list := []checkpoint.Tensor{{Name: varianceName, Shape: []int{len(books)}, Data: variance}}
	for i, b := range books {
		list = append(list, checkpoint.Tensor{Name: bookName(i), Shape: []int{b.size, b.dim}, Data: b.centres})
	}
	source, err := checkpoint.NewMemory(list...)
	if err != nil {
		return nil, err
	}
	return &Quantizer{size: books[0].size, dim: books[0].dim, books: books, variance: variance, source: source}, nil
}

func bookName(i int) string { return bookPrefix + strconv.Itoa(i) }

// Codebooks returns the number of codebooks.
func (q *Quantizer) Codebooks() int { return len(q.books) }

// Size returns the number of centres in each codebook; codes are below it.
func (q *Quantizer) Size() int { return q.size }

// Dim returns the values of a frame.
func (q *Quantizer) Dim() int { return q.dim }

// ResidualVariance returns, for each codebook, the share of the fitted frames' variance around their mean that is left
// after it: it falls from below 1 towards 0. It is 0 throughout when all fitted frames were equal.
func (q *Quantizer) ResidualVariance() []float64 {
	out := make([]float64, len(q.variance))
	for i, v := range q.variance {
		out[i] = float64(v)
	}
	return out
}

// Encode returns the codes of frames, [n][dim], as [codebook][n]; the lowest code among equal distances. It works on
// up to runtime.GOMAXPROCS(0) goroutines and leaves frames as they are. A frame with NaN gets code 0 throughout. It
// panics when len(frames) is not a multiple of the dimension.
func (q *Quantizer) Encode(frames []float32) [][]int32 {
	if len(frames)%q.dim != 0 {
		panic(fmt.Sprintf("kmeans: %d values are not a whole number of frames of %d", len(frames), q.dim))
	}
	n := len(frames) / q.dim
	codes := make([][]int32, len(q.books))
	for b := range codes {
		codes[b] = make([]int32, n)
	}
	eachBlock(n, func(w *worker, lo, hi int) {
		r := append([]float32(nil), frames[lo*q.dim:hi*q.dim]...)
		for b := range q.books {
			q.books[b].quantize(w, r, codes[b][lo:hi])
		}
	})
	return codes
}

// Source returns the quantizer as tensors: "codebooks.Q", [Size][Dim], for each codebook Q from 0 in decimal, and
// "residual_variance", [Codebooks]; all F32. [Load] reads them back to the same codes bit for bit.
func (q *Quantizer) Source() checkpoint.Source { return q.source }

// Load makes a quantizer of the tensors that [Quantizer.Source] gives. Other tensors, missing or differing codebooks and
// values that are not finite are errors that wrap [ErrInvalid].
func Load(src checkpoint.Source) (*Quantizer, error) {
	list := src.Tensors()
	for _, info := range list {
		if info.Name != varianceName && !strings.HasPrefix(info.Name, bookPrefix) {
			return nil, fmt.Errorf("%w: tensor %q, want %sQ and %s only", ErrInvalid, info.Name, bookPrefix, varianceName)
		}
	}
	first, ok := checkpoint.Find(src, bookName(0))
	if !ok {
		return nil, fmt.Errorf("%w: no tensor %q", ErrInvalid, bookName(0))
	}
	if len(first.Shape) != 2 || first.Shape[0] < 1 || first.Shape[1] < 1 {
		return nil, fmt.Errorf("%w: tensor %q: shape %v, want [size dim]", ErrInvalid, first.Name, first.Shape)
	}
	books := make([]codebook, len(list)-1)
	variance, err := read(src, varianceName, len(books))
	if err != nil {
		return nil, err
	}
	for i := range books {
		centres, err := read(src, bookName(i), first.Shape...)
		if err != nil {
			return nil, err
		}
		books[i] = newCodebook(centres, first.Shape[0], first.Shape[1])
	}
	return newQuantizer(books, variance)
}

// read returns the elements of a float32 tensor of the wanted shape, all finite.
func read(src checkpoint.Source, name string, shape ...int) ([]float32, error) {
	info, ok := checkpoint.Find(src, name)
	if !ok {
		return nil, fmt.Errorf("%w: no tensor %q", ErrInvalid, name)
	}
	if info.DType != checkpoint.F32 || !slices.Equal(info.Shape, shape) {
		return nil, fmt.Errorf("%w: tensor %q: %s %v, want %s %v", ErrInvalid, name, info.DType, info.Shape, checkpoint.F32, shape)
	}
	out, err := checkpoint.ReadAll(src, name)
	if err != nil {
		return nil, err
	}
	for i, v := range out {
		if !(v >= -maxValue && v <= maxValue) {
			return nil, fmt.Errorf("%w: tensor %q: element %d is %g, want a finite number", ErrInvalid, name, i, v)
		}
	}
	return out, nil
}
