package probe

import (
	"fmt"
	"strconv"
)

// candidate is a point of the grid that the valid items decide between.
type candidate struct {
	layers string // as in HeadConfig.Layers, "" resolved
	picked []int
	lr     float64 // of an mlp
}

// choices returns what HeadConfig.Layers stands for, of an encoder with this many hidden states: with Grid the weighted sum of the
// upper layers (of a linear head: all, side by side) and then every single layer; otherwise one choice.
func (c HeadConfig) choices(layers int) ([]candidate, error) {
	names := []string{c.Layers}
	if c.Layers == "" || c.Layers == Grid {
		if names[0] = All; c.Kind == MLP {
			names[0] = Upper
		}
	}
	if c.Layers == Grid {
		if layers == 1 {
			names = nil
		}
		for l := range layers {
			names = append(names, strconv.Itoa(l))
		}
	}
	var out []candidate
	for _, name := range names {
		picked, err := pick(name, layers)
		if err != nil {
			return nil, err
		}
		out = append(out, candidate{layers: name, picked: picked})
	}
	return out, nil
}

// grid returns the choices of layers times the learning rates, of one choice of layers all rates in a row.
func (c HeadConfig) grid(layers int) ([]candidate, error) {
	choices, err := c.choices(layers)
	if err != nil {
		return nil, err
	}
	var out []candidate
	for _, choice := range choices {
		for _, lr := range c.LR {
			choice.lr = lr
			out = append(out, choice)
		}
	}
	return out, nil
}

// pick returns the layers of one choice, rising without gaps.
func pick(choice string, layers int) ([]int, error) {
	first, end := 0, layers
	switch choice {
	case Upper:
		first = 1
	case All:
	default:
		n, err := strconv.Atoi(choice)
		if err != nil || n < 0 || n >= layers {
			return nil, fmt.Errorf("%w: head.layers is %s, the features have layers 0 to %d", ErrConfig, choice, layers-1)
		}
		first, end = n, n+1
	}
	if first >= end {
		return nil, fmt.Errorf("%w: head.layers is %s, the features have layer 0 only", ErrConfig, choice)
	}
	return span(first, end), nil
}

func span(first, end int) []int {
	out := make([]int, 0, end-first)
	for l := first; l < end; l++ {
		out = append(out, l)
	}
	return out
}

// union returns the layers from the lowest to the highest that any candidate picks.
func union(candidates []candidate) []int {
	first, end := candidates[0].picked[0], 0
	for _, c := range candidates {
		first, end = min(first, c.picked[0]), max(end, c.picked[len(c.picked)-1]+1)
	}
	return span(first, end)
}
