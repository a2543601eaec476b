package fuse_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"syncretic/adapt/mert"
	"syncretic/arithmetic/taskvector"
	"syncretic/checkpoint"
	"syncretic/sweep/fuse"
)

// cultures are the vectors of the paper's merge.
func cultures() []string { return []string{"carnatic", "hindustani", "lyra", "makam"} }

// hall95M writes a model of MERT-v1-95M's shapes with four task vectors of a type, and opens it.
func hall95M(b *testing.B, dtype checkpoint.DType) (hall, *mert.Encoder) {
	b.Helper()
	dir := b.TempDir()
	h := hall{filepath.Join(dir, "base.safetensors"), map[string]string{}}
	enc, err := mert.New(mert.Base95M(), 1)
	must(b, err)
	save(b, h.base, enc, nil)
	base, err := checkpoint.Open(h.base)
	must(b, err)
	defer base.Close()
	for i, name := range cultures() {
		tuned, err := mert.New(mert.Base95M(), uint64(2+i))
		must(b, err)
		h.vectors[name] = filepath.Join(dir, name+".safetensors")
		saveVector(b, h.vectors[name], tuned, base, taskvector.Options{DType: dtype})
	}
	return h, enc
}

// BenchmarkTrial95M is what a trial pays before anything is probed: from its choice, four vectors each with a coefficient of its own, to
// the weights in the encoder. upper changes the coefficients of the last third of the layers alone.
func BenchmarkTrial95M(b *testing.B) {
	for _, dtype := range []checkpoint.DType{checkpoint.F32, checkpoint.BF16} {
		b.Run(string(dtype), func(b *testing.B) {
			h, enc := hall95M(b, dtype)
			f := h.open(b, fuse.Options{})
			for _, part := range []string{"all", fuse.Upper} {
				for _, method := range []string{"task_arithmetic", "ties"} {
					b.Run(part+"/"+method, func(b *testing.B) { trials(b, f, enc, part, method) })
				}
			}
		})
	}
}

func trials(b *testing.B, f *fuse.Fuser, enc *mert.Encoder, part, method string) {
	var times []float64
	trial := 0
	run := func() {
		trial++
		c := fuse.Choice{Method: method, Weights: map[string]fuse.Weight{}}
		if method == "ties" {
			c.Params = map[string]float64{"density": 0.2}
		}
		for i, name := range f.Vectors() {
			v := 0.1 + 0.001*float64(trial) + 0.1*float64(i)
			if part == "all" {
				c.Weights[name] = fuse.Weight{Value: v}
			} else {
				c.Weights[name] = fuse.Weight{Value: 0.2, Groups: map[string]float64{part: v}}
			}
		}
		start := time.Now()
		m, err := f.Model(c)
		must(b, err)
		must(b, enc.SetWeights(m))
		times = append(times, time.Since(start).Seconds())
	}
	run() // touches the files, and finds thresholds
	times = nil
	for b.Loop() {
		run()
	}
	slices.Sort(times)
	b.ReportMetric(1000*times[len(times)/2], "ms/median")
	b.ReportMetric(1000*times[0], "ms/best")
}
