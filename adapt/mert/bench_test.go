package mert

import (
	"testing"

	"github.com/nlpodyssey/spago/ag"

	"syncretic/adapt/op"
)

// BenchmarkEncoder95M is inference over one 5 s clip. examples/bench/encoder.sh sets it against PyTorch.
func BenchmarkEncoder95M(b *testing.B) {
	e, err := New(Base95M(), 1)
	if err != nil {
		b.Fatal(err)
	}
	samples := noise(5*24000, 1)
	if _, err := e.HiddenStates(samples); err != nil { // packs the weights
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.HiddenStates(samples); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEncoder95MStep is the graph over one 5 s clip and its backward pass.
func BenchmarkEncoder95MStep(b *testing.B) {
	e, err := New(Base95M(), 1)
	if err != nil {
		b.Fatal(err)
	}
	samples := noise(5*24000, 1)
	b.ReportAllocs()
	for b.Loop() {
		out, err := e.Forward(Input{Samples: samples, Clips: 1})
		if err != nil {
			b.Fatal(err)
		}
		if err := ag.Backward(op.MeanSquare(out.Hidden[len(out.Hidden)-1])); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFront95M is the convolutional front-end alone.
func BenchmarkFront95M(b *testing.B) {
	e, err := New(Base95M(), 1)
	if err != nil {
		b.Fatal(err)
	}
	samples := noise(5*24000, 1)
	p := &pass{cfg: &e.cfg, m: e.eval.Load(), clips: 1}
	b.ReportAllocs()
	for b.Loop() {
		p.frontInPieces(samples)
	}
}

// BenchmarkSetWeights95M is what a sweep pays for another set of weights.
func BenchmarkSetWeights95M(b *testing.B) {
	e, err := New(Base95M(), 1)
	if err != nil {
		b.Fatal(err)
	}
	other, err := New(Base95M(), 2)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(4 * 94_371_712)
	for b.Loop() {
		if err := e.SetWeights(other); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReuse95M is the features of a 5 s clip that was seen before, under weights that are new from a layer on: all of them, or the
// last third, which sweep/fuse calls upper. The weights are packed already.
func BenchmarkReuse95M(b *testing.B) {
	for _, c := range []struct {
		name string
		from int // stage: 0 is the front-end
	}{{"all", 0}, {"upper", 9}} {
		b.Run(c.name, func(b *testing.B) {
			m := mosaics(b, Base95M(), 1)
			e, err := Load(Base95M(), m)
			if err != nil {
				b.Fatal(err)
			}
			e.Reuse(1 << 30)
			samples, other := noise(5*24000, 1), noise(5*24000, 2)
			turn := func(version int) { // the values stay, which nobody may know
				for _, rows := range e.stages()[c.from:] {
					for _, i := range rows {
						m.version[e.table[i].name] = version
					}
				}
				if err := e.SetWeights(m); err != nil {
					b.Fatal(err)
				}
				if _, err := e.Features(other); err != nil {
					b.Fatal(err)
				}
			}
			turn(1)
			if _, err := e.Features(samples); err != nil {
				b.Fatal(err)
			}
			version := 1
			for b.Loop() {
				b.StopTimer()
				version++
				turn(version)
				b.StartTimer()
				if _, err := e.Features(samples); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(e.Reused().Hits), "hits")
		})
	}
}
