package probe

import "math/rand/v2"

// toy returns three splits of a problem with two tags that the last layer's first two features decide, apart from noise.
// Valid and test have half as many items as train.
func toy(seed uint64, train, layers, dim int) (Split, Split, Split) {
	r := rand.New(rand.NewPCG(seed, 77))
	first := 0
	split := func(name string, n int) Split {
		s := Split{Name: name, Tags: []string{"even", "odd"}, Features: &Features{Layers: layers, Dim: dim}}
		for i := range n {
			s.Features.Items = append(s.Features.Items, first+i)
			row := make([]float32, layers*dim)
			for j := range row {
				row[j] = float32(r.NormFloat64())
			}
			label := []bool{i%2 == 0, i%3 == 0}
			for tag, positive := range label {
				if positive {
					row[(layers-1)*dim+tag] += 3
				}
			}
			s.Features.Values = append(s.Features.Values, row...)
			s.Labels = append(s.Labels, label)
		}
		first += n
		return s
	}
	return split(Train, train), split(Valid, train/2), split(Test, train/2)
}

// wide returns splits of any size with little signal.
func wide(seed uint64, train, rest, layers, dim, tags int) (Split, Split, Split) {
	r := rand.New(rand.NewPCG(seed, 78))
	first := 0
	split := func(name string, n int) Split {
		s := Split{Name: name, Tags: tagNames(tags), Features: &Features{Layers: layers, Dim: dim}}
		for i := range n {
			s.Features.Items = append(s.Features.Items, first+i)
			label := make([]bool, tags)
			common := r.NormFloat64()
			for range layers * dim {
				s.Features.Values = append(s.Features.Values, float32(0.5*common+r.NormFloat64()))
			}
			for t := range label {
				label[t] = r.Float64() < 0.15 || common > 1
			}
			s.Labels = append(s.Labels, label)
		}
		first += n
		return s
	}
	return split(Train, train), split(Valid, rest), split(Test, rest)
}
