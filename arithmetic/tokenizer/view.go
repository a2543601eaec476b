package tokenizer

import (
	"errors"
	"fmt"
	"sync"

	"syncretic/checkpoint"
)

// view is one input with the output's rows.
type view struct {
	a       *alignment
	input   int
	infos   []checkpoint.Info
	padding func() ([]float32, error) // the row of padding
}

func newView(a *alignment, input int, info checkpoint.Info) *view {
	v := &view{a: a, input: input, infos: []checkpoint.Info{info}}
	v.padding = sync.OnceValues(v.mean)
	return v
}

// Tensors lists the one tensor.
func (v *view) Tensors() []checkpoint.Info { return v.infos }

// Read joins rows that stand together in an input to one read of it.
func (v *view) Read(name string, offset int, dst []float32) error {
	info := v.infos[0]
	if n := info.Elements(); name != info.Name || offset < 0 || len(dst) > n || offset > n-len(dst) {
		return invalid("tensor %q: elements [%d %d): not in the merged vocabulary's %q %d", name, offset, offset+len(dst), info.Name, info.Shape)
	}
	width := v.a.width
	for len(dst) > 0 {
		id, column := offset/width, offset%width
		input, row := v.place(id)
		n := min(width-column, len(dst))
		if input >= 0 {
			for next := 1; n < len(dst); next++ {
				if in, r := v.place(id + next); in != input || r != row+next {
					break
				}
				n += min(width, len(dst)-n)
			}
		}
		if err := v.fill(dst[:n], input, row, id, column); err != nil {
			return err
		}
		offset, dst = offset+n, dst[n:]
	}
	return nil
}

// place tells where a row is from: an input and its row, or one of the other sources.
func (v *view) place(id int) (input, row int) {
	k, ok := v.a.m.find(id)
	if !ok {
		return int(fromPadding), 0
	}
	r := v.a.rules[k]
	if own := v.a.row(v.input, k); own >= 0 && !r.force {
		return v.input, int(own)
	}
	return int(r.input), int(r.row)
}

// fill computes what is in one row, or reads what stands together in an input.
func (v *view) fill(dst []float32, input, row, id, column int) error {
	switch int32(input) {
	case fromZero:
		clear(dst)
		return nil
	case fromMean:
		k, _ := v.a.m.find(id)
		return v.a.average(dst, k, column)
	case fromPadding:
		mean, err := v.padding()
		if err == nil {
			copy(dst, mean[column:])
		}
		return err
	}
	return v.a.read(input, row*v.a.width+column, dst)
}

func (a *alignment) read(input, offset int, dst []float32) error {
	in := a.inputs[input]
	if err := in.Source.Read(in.Name, offset, dst); err != nil {
		return fmt.Errorf("%s: %w", a.m.models[in.Model].Name, err)
	}
	return nil
}

// averaged is how many elements of a mean are summed at a time.
const averaged = 1024

// average is a token's mean over the models that have it, from a column on.
func (a *alignment) average(dst []float32, k, column int) error {
	var sum [averaged]float64
	buf := make([]float32, min(averaged, len(dst)))
	for len(dst) > 0 {
		buf = buf[:min(len(buf), len(dst))]
		clear(sum[:])
		owners := 0
		for _, i := range a.lone {
			row := int(a.row(i, k))
			if row < 0 {
				continue
			}
			owners++
			if err := a.read(i, row*a.width+column, buf); err != nil {
				return err
			}
			for j, x := range buf {
				sum[j] += float64(x)
			}
		}
		for j := range buf {
			dst[j] = float32(sum[j] / float64(owners))
		}
		dst, column = dst[len(buf):], column+len(buf)
	}
	return nil
}

// blockElements is how much of the vocabulary a pass over it holds.
const blockElements = 1 << 16

// mean is the mean of all rows that belong to tokens.
func (v *view) mean() ([]float32, error) {
	a := v.a
	if len(a.m.tokens) == 0 {
		return nil, errors.New("padding of a vocabulary without tokens")
	}
	sum := make([]float64, a.width)
	buf := make([]float32, blockElements)
	for first := 0; first < len(a.m.tokens); {
		run := 1 // tokens with ids that follow each other
		for first+run < len(a.m.tokens) && a.m.tokens[first+run].ID == a.m.tokens[first].ID+run {
			run++
		}
		start, end := a.m.tokens[first].ID*a.width, (a.m.tokens[first].ID+run)*a.width
		for at := start; at < end; {
			block := buf[:min(len(buf), end-at)]
			if err := v.Read(v.infos[0].Name, at, block); err != nil {
				return nil, err
			}
			column := at % a.width
			for _, x := range block {
				sum[column] += float64(x)
				if column++; column == a.width {
					column = 0
				}
			}
			at += len(block)
		}
		first += run
	}
	mean := make([]float32, a.width)
	for i, s := range sum {
		mean[i] = float32(s / float64(len(a.m.tokens)))
	}
	return mean, nil
}
