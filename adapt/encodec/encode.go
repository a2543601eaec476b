package encodec

import (
	"context"
	"fmt"
	"math"
	"sync"
)

// Samples is a recording, mono at the model's sampling rate: a file of package audio, or whatever computes its samples.
type Samples interface {
	// ReadAt fills dst with samples [start, start+len(dst)). Reads go forward: each begins where the one before it ended.
	ReadAt(dst []float32, start int) error
}

// Options say how to encode.
type Options struct {
	Codebooks int                   // how many, from the first: 8 for MERT's 6 kbit/s; 0 means all
	Progress  func(done, total int) // frames encoded so far, called from one goroutine; nil for none
}

// Encode returns the codes of a clip in memory, [codebook][frame], a frame for each begun hop of samples.
func (e *Encoder) Encode(ctx context.Context, samples []float32, codebooks int) ([][]int16, error) {
	return e.EncodeFrom(ctx, clip(samples), len(samples), Options{Codebooks: codebooks})
}

type clip []float32

func (c clip) ReadAt(dst []float32, start int) error {
	copy(dst, c[start:])
	return nil
}

// EncodeFrom returns the codes of n samples of src, [codebook][frame]. They are the codes of the recording as a whole, not
// of windows of it. Memory is 2 bytes a code, and some 15 MiB for encodec_24khz, whatever n is. Errors are those of src,
// ctx's, or [ErrInvalid]: no samples, one that is not finite, more codebooks than there are.
func (e *Encoder) EncodeFrom(ctx context.Context, src Samples, n int, o Options) ([][]int16, error) {
	if o.Codebooks == 0 {
		o.Codebooks = len(e.books)
	}
	if o.Codebooks < 1 || o.Codebooks > len(e.books) {
		return nil, fmt.Errorf("%w: %d codebooks, the model has %d", ErrInvalid, o.Codebooks, len(e.books))
	}
	if n < 1 {
		return nil, fmt.Errorf("%w: no samples", ErrInvalid)
	}
	frames := e.cfg.Frames(n)
	codes, all := make([][]int16, o.Codebooks), make([]int16, o.Codebooks*frames)
	for q := range codes {
		codes[q] = all[q*frames : (q+1)*frames]
	}

	var scores []float32
	err := e.embed(ctx, src, n, func(first int, embeddings []float32) {
		end := first + len(embeddings)/e.cfg.HiddenSize
		for q, row := range codes {
			e.books[q].quantize(row[first:end], embeddings, &scores)
		}
		if o.Progress != nil {
			o.Progress(end, frames)
		}
	})
	if err != nil {
		return nil, err
	}
	return codes, nil
}

// embed hands what goes into the quantiser to emit, [frames][hidden] chunk by chunk from the first frame on. emit may change
// it, and is called from this goroutine.
func (e *Encoder) embed(ctx context.Context, src Samples, n int, emit func(first int, embeddings []float32)) error {
	frames := e.cfg.Frames(n)
	l := newLine(e, frames)
	feed := newFeed(e, src, n)
	var failed error
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(l.stations[0])
		for first := 0; first < frames && failed == nil; first += l.frames {
			c := <-l.free
			c.first, c.count = first, min(l.frames, frames-first)
			if failed = feed.fill(ctx, c); failed == nil {
				l.stations[0] <- c
			}
		}
	})
	for i := range e.lstm {
		wg.Go(func() { l.recur(i) })
	}
	l.finish(frames, emit)
	wg.Wait()
	return failed
}

// chunk is a run of frames on its way through the line.
type chunk struct {
	first, count int
	x            []float32 // [count][width]: into the LSTM
	h            []float32 // [count][width]: out of its layers so far
}

// line is what carries chunks from station to station: the LSTM's layers, then the end. Chunks go round: at most as many
// exist as there are stations to work on them, and one between each two.
type line struct {
	e        *Encoder
	frames   int           // of a chunk
	stations []chan *chunk // into LSTM layer i; the last into the end
	free     chan *chunk
}

// chunkFrames is the length of a chunk: enough for the convolutions' products to be efficient, and not so many that the end
// of the line waits long for the first. It is three pieces: a chunk then takes the convolutions no less time on three cores
// than an LSTM layer, which is bound to one, so more pieces at once would only wait.
const chunkFrames = 48

func newLine(e *Encoder, frames int) *line {
	l := &line{e: e, frames: max(chunkFrames, e.last.left()+1)}
	count := min(2*len(e.lstm)+2, (frames+l.frames-1)/l.frames)
	l.free = make(chan *chunk, count)
	for range count {
		size := min(l.frames, frames) * e.cfg.width()
		l.free <- &chunk{x: make([]float32, size), h: make([]float32, size)}
	}
	for range len(e.lstm) + 1 {
		l.stations = append(l.stations, make(chan *chunk, 1))
	}
	return l
}

// recur runs LSTM layer i over the chunks as they come.
func (l *line) recur(i int) {
	layer, width := l.e.lstm[i], l.e.cfg.width()
	m := layer.begin()
	for c := range l.stations[i] {
		x := c.h[:c.count*width]
		if i == 0 {
			x = c.x[:c.count*width]
		}
		layer.run(c.h, x, m)
		l.stations[i+1] <- c
	}
	close(l.stations[i+1])
}

// finite reports the first sample that is not a number or infinite.
func finite(samples []float32, start int) error {
	for i, v := range samples {
		if d := float64(v); math.IsNaN(d) || math.IsInf(d, 0) {
			return fmt.Errorf("%w: sample %d is %g, want finite samples", ErrInvalid, start+i, v)
		}
	}
	return nil
}
