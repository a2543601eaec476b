package audio

import "sync"

// resampledBlock is how many samples are computed at a time.
const resampledBlock = 8192

// resampled is a body at another rate. Every sample is a function of the input around it, so that it does not matter how reads are cut;
// the input of the read before is kept, so that reads that follow one another decode nothing twice.
type resampled struct {
	inner  body
	frames int // of inner
	p      *polyphase

	mu     sync.Mutex
	window []float32 // inner's samples from at on, with zeros beyond its ends
	at     int
}

func newResampled(inner body, frames int, r Resampling, from, to int) *resampled {
	return &resampled{inner: inner, frames: frames, p: newPolyphase(r, from, to)}
}

func (r *resampled) close() error { return r.inner.close() }

func (r *resampled) readAt(dst []float32, start int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(dst) > 0 {
		n := min(len(dst), resampledBlock)
		lo, hi := r.p.span(start, n)
		if err := r.load(lo, hi); err != nil {
			return err
		}
		r.p.compute(dst[:n], start, r.window)
		dst, start = dst[n:], start+n
	}
	return nil
}

// load makes the window inner's samples [lo, hi).
func (r *resampled) load(lo, hi int) error {
	kept := 0
	if end := r.at + len(r.window); lo >= r.at && lo < end {
		kept = min(copy(r.window, r.window[lo-r.at:]), hi-lo)
	}
	if cap(r.window) < hi-lo {
		r.window = append(make([]float32, 0, hi-lo), r.window[:kept]...)
	}
	r.window, r.at = r.window[:hi-lo], lo
	clear(r.window[kept:])
	from, to := max(lo+kept, 0), min(hi, r.frames)
	if from >= to {
		return nil
	}
	if err := r.inner.readAt(r.window[from-lo:to-lo], from); err != nil {
		r.window = r.window[:0]
		return err
	}
	return nil
}
