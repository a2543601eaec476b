package sweep

import (
	"context"
	"strings"

	"syncretic/checkpoint"
	"syncretic/sweep/search"
)

// Choice says which merge to make: a point of a [Space].
type Choice struct {
	Method  string             `json:"method"`
	Mode    Mode               `json:"mode"`
	Lambdas Lambdas            `json:"lambdas"`          // by vector, or by group of layers in mode PerGroup
	Params  map[string]float64 `json:"params,omitempty"` // of the method, given and searched
}

// Models makes the models of choices in memory; package sweep/fuse has one that maps base and vectors once.
type Models interface {
	// Model is the merge of a choice. Recipe is the mergekit recipe that makes the same model on disk. What a model reads is valid until
	// the next call.
	Model(ctx context.Context, c Choice) (model checkpoint.Source, recipe []byte, err error)
	// Reference is a model that trials are compared with.
	Reference(ctx context.Context, r Reference) (checkpoint.Source, error)
}

// choice reads a point; ok is false for a point of another space.
func (s Space) choice(point search.Point) (c Choice, ok bool) {
	params := s.Params()
	if !params.Contains(point) {
		return c, false
	}
	methods := s.methods()
	m := methods[0]
	if v, searched := point[methodParam]; searched {
		m = methods[int(v)]
	}
	c = Choice{Method: m.Name, Mode: s.Mode, Lambdas: Lambdas{}, Params: map[string]float64{}}
	for _, name := range s.names() {
		v := point[lambdaName(name)]
		if s.Mode != Shared {
			c.Lambdas[name] = v
			continue
		}
		for _, vector := range s.Vectors {
			c.Lambdas[vector] = v
		}
	}
	for name, v := range m.Fixed {
		c.Params[name] = v
	}
	for name, v := range point {
		if own, found := strings.CutPrefix(name, m.Name+"."); found {
			c.Params[own] = v
		}
	}
	return c, true
}

// Point is the inverse of reading a choice: the parameters that a study has for it.
func (s Space) Point(c Choice) search.Point {
	point := search.Point{}
	for i, m := range s.methods() {
		if m.Name != c.Method {
			continue
		}
		if len(s.Methods) > 1 {
			point[methodParam] = float64(i)
		}
		for _, p := range m.Search {
			point[m.Name+"."+p.Name] = c.Params[p.Name]
		}
	}
	for _, name := range s.names() {
		key := name
		if s.Mode == Shared {
			key = s.Vectors[0]
		}
		point[lambdaName(name)] = c.Lambdas[key]
	}
	return point
}

// Samples are two choices of each method, of the smallest and of the largest values of its parameters, to try whether they can be made.
func (s Space) Samples() []Choice {
	var out []Choice
	params := s.Params()
	for i := range s.methods() {
		for _, end := range []func(search.Param) float64{func(p search.Param) float64 { return p.Low }, func(p search.Param) float64 { return p.High }} {
			point := search.Point{}
			for _, p := range params {
				if p.Name == methodParam {
					point[p.Name] = float64(i)
				} else if params.Active(p, point) {
					point[p.Name] = end(p)
				}
			}
			if c, ok := s.choice(point); ok {
				out = append(out, c)
			}
		}
	}
	return out
}
