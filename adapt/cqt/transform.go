package cqt

import (
	"fmt"
	"math"
	"sync"

	"syncretic/adapt/gemm"
)

// Transform computes the magnitudes of one configuration. It is safe for concurrent use.
type Transform struct {
	cfg    Config
	bands  *bands  // the low bins, nil where there are none
	groups []group // the others
	before int     // samples the widest window reaches before its frame's centre
	width  int     // samples from there to the furthest end of any window
	frames int     // that are computed at once
	pool   sync.Pool
}

// group holds neighbouring bins whose windows are laid over one common span, so that they are one matrix.
//
//	span of the group   |----------------------------|   rows
//	bin first           |   hann · cos, hann · sin   |
//	bin first+1          |                          |    shorter: zeros at both ends
//	centre of the frame                ^                 row −offset
type group struct {
	first, bins int
	offset      int // of row 0 from the frame's centre, in samples; negative
	rows        int
	kernel      []float32 // [rows][2*bins], the real parts of the bins, then the imaginary parts
}

// New builds the kernels of a configuration, in float64, rounded once to float32. They take 24 MB for [MERT]. Errors wrap [ErrConfig].
func New(cfg Config) (*Transform, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.longWork() < spectralWork {
		return newTransform(cfg, math.MaxInt), nil
	}
	return newTransform(cfg, spectral), nil
}

// longWork is the number of multiplications of a block of frames by the bins with long windows, as products of matrices.
func (c Config) longWork() int {
	work := 0
	for first := 0; first < c.Bins && c.length(first) > spectral; first += groupBins {
		work += int(c.length(first)) * 2 * min(groupBins, c.Bins-first) * frameBlock
	}
	return work
}

// newTransform has bins whose windows are longer than direct computed from a spectrum.
func newTransform(cfg Config, direct int) *Transform {
	t := &Transform{cfg: cfg, frames: frameBlock}
	low, end := 0, 0
	for k := range cfg.Bins {
		l := int(cfg.length(k))
		t.before, end = max(t.before, (l+1)/2), max(end, l/2)
		if l > direct {
			low = k + 1
		}
	}
	t.width = t.before + end
	if low > 0 {
		t.bands = newBands(cfg, low, t.before, t.width, frameBlock)
		t.frames = t.bands.frames(cfg, t.width)
	}
	for first := low; first < cfg.Bins; first += groupBins {
		t.groups = append(t.groups, newGroup(cfg, first, min(groupBins, cfg.Bins-first)))
	}
	t.pool.New = func() any {
		s := new(scratch)
		if t.bands != nil {
			s.spectrum = t.bands.scratch()
		}
		return s
	}
	return t
}

// groupBins is the number of bins in a group: 16 fill whole register tiles of the matrix kernels (32 columns), and
// windows that far apart differ little enough in length.
const groupBins = 16

func newGroup(cfg Config, first, bins int) group {
	g := group{first: first, bins: bins}
	end := 0
	for b := range bins {
		l := int(cfg.length(first + b))
		g.offset, end = min(g.offset, -(l+1)/2), max(end, l/2)
	}
	g.rows = end - g.offset
	g.kernel = make([]float32, g.rows*2*bins)
	for b := range bins {
		g.fill(cfg, b)
	}
	return g
}

// fill writes √l·w·exp(−iωn)/Σw of one bin into its two columns. Σw = l/2 for a periodic Hann window.
func (g *group) fill(cfg Config, b int) {
	l := int(cfg.length(g.first + b))
	start := -(l + 1) / 2
	omega := 2 * math.Pi * cfg.frequency(g.first+b) / float64(cfg.SampleRate)
	scale := 2 / math.Sqrt(float64(l))
	for j := range l {
		w := scale * (0.5 - 0.5*math.Cos(2*math.Pi*float64(j)/float64(l)))
		n := start + j
		sin, cos := math.Sincos(omega * float64(n))
		row := (n - g.offset) * 2 * g.bins
		g.kernel[row+b] = float32(w * cos)
		g.kernel[row+g.bins+b] = float32(-w * sin)
	}
}

// Config returns the configuration the transform was made from.
func (t *Transform) Config() Config { return t.cfg }

// Frames returns the frames of a clip of the given length in samples: samples/Hop + 1, and 0 for an empty clip.
func (t *Transform) Frames(samples int) int {
	if samples <= 0 {
		return 0
	}
	return samples/t.cfg.Hop + 1
}

// frameBlock is how many frames are computed at once, at least: those of 5 s, in MERT's case. Memory for a long recording goes with
// them.
const frameBlock = 376

type scratch struct {
	padded []float32 // the clip under one block of frames, zeros outside it
	parts  []float32 // [frames][2*bins] of one group
	out    []float32 // [frames][bins]

	*spectrum
}

// Magnitudes returns C as [frames][bins], frames = Frames(len(samples)). The work is done on the calling goroutine; the
// sums are formed in float32, those over a spectrum in float64, in an order that depends on nothing but the lengths and the processor. A sample that is not
// finite makes the frames that it lies under NaN, or a little beyond where bins share a span.
func (t *Transform) Magnitudes(samples []float32) []float32 {
	out := make([]float32, t.Frames(len(samples))*t.cfg.Bins)
	_ = t.Stream(len(samples), // neither function fails
		func(dst []float32, start int) error { copy(dst, samples[start:]); return nil },
		func(first int, frames []float32) error { copy(out[first*t.cfg.Bins:], frames); return nil })
	return out
}

// Stream is Magnitudes of a recording of any length in bounded memory. read fills dst with the samples from start on, never from before
// the end of the read before; emit gets the frames from first on, some hundreds of them, which hold until it returns. Together they are the
// frames of Magnitudes, bit for bit. The first error ends it.
func (t *Transform) Stream(samples int, read func(dst []float32, start int) error, emit func(first int, frames []float32) error) error {
	frames := t.Frames(samples)
	s := t.pool.Get().(*scratch)
	defer t.pool.Put(s)
	for f := 0; f < frames; f += t.frames {
		n := min(t.frames, frames-f)
		kept := 0
		if f > 0 { // the windows of two blocks overlap
			kept = max(0, t.width-t.cfg.Hop)
		}
		if err := s.load(samples, read, f*t.cfg.Hop-t.before, (n-1)*t.cfg.Hop+t.width, kept); err != nil {
			return err
		}
		s.out = sized(s.out, n*t.cfg.Bins)
		if t.bands != nil {
			t.bands.block(s.spectrum, s.padded, n, t.cfg.Bins, s.out)
		}
		for i := range t.groups {
			t.block(&t.groups[i], s, n, s.out)
		}
		if err := emit(f, s.out); err != nil {
			return err
		}
	}
	return nil
}

// load makes s.padded samples [start, start+n), zeros where there are none. Of what it held, its last samples from kept on are reused.
func (s *scratch) load(samples int, read func(dst []float32, start int) error, start, n, kept int) error {
	held := s.padded[len(s.padded)-kept:]
	s.padded = sized(s.padded, n)
	copy(s.padded, held)
	from, to := min(max(start+kept, 0), samples), min(max(start+n, 0), samples)
	if from >= to {
		clear(s.padded[kept:])
		return nil
	}
	clear(s.padded[kept : from-start])
	clear(s.padded[to-start:])
	return read(s.padded[from-start:to-start], from)
}

// block computes the bins of one group for n frames: row t of the left matrix is the clip from Hop·t on, so its rows
// overlap in memory.
func (t *Transform) block(g *group, s *scratch, n int, out []float32) {
	cols := 2 * g.bins
	s.parts = sized(s.parts, n*cols)
	gemm.MultiplySerial(false, false, n, cols, g.rows, s.padded[t.before+g.offset:], t.cfg.Hop, g.kernel, cols, false, s.parts, cols)
	for f := range n {
		re, im := s.parts[f*cols:f*cols+g.bins], s.parts[f*cols+g.bins:(f+1)*cols]
		dst := out[f*t.cfg.Bins+g.first:]
		for b, x := range re {
			y := im[b]
			dst[b] = float32(math.Sqrt(float64(x)*float64(x) + float64(y)*float64(y)))
		}
	}
}

func sized(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	return s[:n]
}

// String describes the transform for logs.
func (t *Transform) String() string {
	return fmt.Sprintf("cqt of %d bins from %g Hz, %d an octave, hop %d", t.cfg.Bins, t.cfg.FMin, t.cfg.BinsPerOctave, t.cfg.Hop)
}
