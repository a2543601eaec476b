package encodec

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// TestStreamIsTheWholeAtOnce: neither the cuts into chunks and pieces nor the number of threads changes a bit. The whole at
// once is every stage run on all its rows.
func TestStreamIsTheWholeAtOnce(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for name, lengths := range map[string][]int{
		"dilated":  {1, 5, 15 * chunkFrames, 15*chunkFrames + 1, 15*3*chunkFrames - 1, 5000},
		"identity": {1, 4 * chunkFrames, 4*chunkFrames + 3, 2000},
		"24khz":    {320*chunkFrames + 1},
	} {
		e := caseEncoder(t, name)
		for _, n := range lengths {
			samples := caseSamples(name, n)
			want := wholeAtOnce(e, samples)
			for _, threads := range []int{1, 2, 5} {
				runtime.GOMAXPROCS(threads)
				if got := embeddings(t, e, samples); !slices.Equal(got, want) {
					t.Errorf("%s, %d samples, %d threads: the stream's embeddings are not those of the whole", name, n, threads)
				}
			}
		}
	}
}

func wholeAtOnce(e *Encoder, samples clip) []float32 {
	var s scratch
	x, total := rows{samples, 0, 1}, len(samples)
	stages := append(slices.Clone(e.front), e.down)
	for _, stage := range stages {
		n := stage.length(total)
		y := make([]float32, n*stage.width())
		stage.run(y, x, 0, n, total, &s)
		x, total = rows{y, 0, stage.width()}, n
	}
	h := slices.Clone(x.data)
	for _, layer := range e.lstm {
		layer.run(h, h, layer.begin())
	}
	for i, v := range x.data {
		h[i] += v
	}
	y := make([]float32, total*e.cfg.HiddenSize)
	e.last.run(y, rows{h, 0, x.width}, 0, total, total, &s)
	return y
}

// TestCausal: a frame depends on nothing after it, but for the reflection at the end of the recording, which reaches less
// than a stride, and at its start.
func TestCausal(t *testing.T) {
	e := caseEncoder(t, "dilated")
	samples := caseSamples("dilated", 5000)
	want := embeddings(t, e, samples)
	const frames = 200
	changed := slices.Clone(samples)
	for i := frames * e.cfg.Hop(); i < len(changed); i++ {
		changed[i] = 0
	}
	got := embeddings(t, e, changed)
	cut := frames * e.cfg.HiddenSize
	if !slices.Equal(got[:cut], want[:cut]) {
		t.Error("a change after a frame changed the frame")
	}
	if slices.Equal(got[cut:cut+e.cfg.HiddenSize], want[cut:cut+e.cfg.HiddenSize]) {
		t.Error("a change within a frame did not change it")
	}
}

// tone computes its samples, and fails after a number of them.
type tone struct {
	t     *testing.T
	next  int
	fails int
}

var errTone = errors.New("the tone broke off")

func (s *tone) ReadAt(dst []float32, start int) error {
	if start != s.next {
		s.t.Errorf("read at %d, want to go on at %d", start, s.next)
	}
	s.next += len(dst)
	if s.fails > 0 && s.next > s.fails {
		return errTone
	}
	for i := range dst {
		dst[i] = float32(start+i&0xff)/512 - 0.25
	}
	return nil
}

// thin is encodec_24khz with a single filter, so that hours of audio take seconds.
func thin(t testing.TB) *Encoder {
	t.Helper()
	cfg := DefaultConfig()
	cfg.NumFilters, cfg.Compress, cfg.NumLSTMLayers, cfg.HiddenSize, cfg.CodebookSize = 1, 1, 1, 2, 4
	cfg.TargetBandwidths = []float64{0.3}
	e, err := Load(cfg, source(t, caseTensors("thin", cfg)))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestMemoryDoesNotGrow: ten minutes more allocate their codes and next to nothing else. What the rest is: the
// goroutines that convolve a chunk's pieces.
func TestMemoryDoesNotGrow(t *testing.T) {
	e := thin(t)
	const minute = 60 * 24000
	allocated := func(minutes int) (bytes uint64) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		codes, err := e.EncodeFrom(t.Context(), &tone{t: t}, minutes*minute, Options{})
		runtime.ReadMemStats(&after)
		if err != nil || len(codes) != 2 || len(codes[0]) != minutes*60*75 {
			t.Fatalf("%d minutes: %d codebooks, %v", minutes, len(codes), err)
		}
		return after.TotalAlloc - before.TotalAlloc
	}
	allocated(1) // fills the pools of package gemm
	short, long := allocated(1), allocated(11)
	const chunks = 10 * 60 * 75 / chunkFrames
	codes := uint64(2 * 2 * 10 * 60 * 75)
	const perChunk = 600 // bytes
	if long > short+codes+chunks*perChunk && !raceEnabled {
		t.Errorf("a minute allocates %d bytes, eleven %d: beyond its codes %.0f a chunk, want at most %d",
			short, long, float64(long-short-codes)/chunks, perChunk)
	}
}

func TestEncodeRefuses(t *testing.T) {
	e := caseEncoder(t, "identity")
	broken := caseSamples("identity", 3000)
	broken[2345] = float32(math.NaN())
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, test := range map[string]struct {
		run  func() ([][]int16, error)
		want error
		text string
	}{
		"no samples":         {func() ([][]int16, error) { return e.Encode(t.Context(), nil, 1) }, ErrInvalid, "no samples"},
		"too many codebooks": {func() ([][]int16, error) { return e.Encode(t.Context(), broken[:9], 3) }, ErrInvalid, "3 codebooks, the model has 2"},
		"negative codebooks": {func() ([][]int16, error) { return e.Encode(t.Context(), broken[:9], -1) }, ErrInvalid, "-1 codebooks"},
		"NaN":                {func() ([][]int16, error) { return e.Encode(t.Context(), broken, 1) }, ErrInvalid, "sample 2345 is NaN"},
		"canceled":           {func() ([][]int16, error) { return e.Encode(canceled, broken, 1) }, context.Canceled, "canceled"},
		"a source that breaks off": {func() ([][]int16, error) {
			return e.EncodeFrom(t.Context(), &tone{t: t, fails: 2500}, 1e6, Options{})
		}, errTone, "broke off"},
	} {
		codes, err := test.run()
		if !errors.Is(err, test.want) || codes != nil || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s: %v, %v; want an error of %v with %q", name, codes, err, test.want, test.text)
		}
	}
}

// TestCodebooksArePrefixes: fewer codebooks are the first of more.
func TestCodebooksArePrefixes(t *testing.T) {
	e := caseEncoder(t, "dilated")
	samples := caseSamples("dilated", 2003)
	all, err := e.Encode(t.Context(), samples, 0)
	if err != nil {
		t.Fatal(err)
	}
	one, err := e.Encode(t.Context(), samples, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 3 || len(one) != 1 || !slices.Equal(one[0], all[0]) {
		t.Errorf("%d codebooks, one is %v, want the first of all: %v", len(all), one, all[0])
	}
}

// TestConcurrent: one encoder serves several recordings at once, and reports progress up to the last frame.
func TestConcurrent(t *testing.T) {
	e := caseEncoder(t, "dilated")
	samples := caseSamples("dilated", 2003)
	want, err := e.Encode(t.Context(), samples, 2)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			last := 0
			got, err := e.EncodeFrom(t.Context(), samples, len(samples), Options{Codebooks: 2, Progress: func(done, total int) {
				if done <= last || done > total || total != 134 {
					t.Errorf("%d of %d after %d", done, total, last)
				}
				last = done
			}})
			if err != nil || last != 134 || !slices.Equal(got[0], want[0]) || !slices.Equal(got[1], want[1]) {
				t.Errorf("codes differ, or %v; %d frames reported", err, last)
			}
		})
	}
	wg.Wait()
}
