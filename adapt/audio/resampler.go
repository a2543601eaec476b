package audio

import "fmt"

// Rates that are resampled, in Hz: the bounds keep a small file from standing for a huge signal or kernel.
const (
	minRate = 1000
	maxRate = 768000
)

// checkRate refuses a rate outside the bounds.
func checkRate(rate int) error {
	if rate < minRate || rate > maxRate {
		return fmt.Errorf("%w: sample rate %d Hz, want %d to %d Hz", ErrInvalid, rate, minRate, maxRate)
	}
	return nil
}

// Resampler changes the rate of a mono stream that comes block by block. What it returns does not depend on how the stream is cut
// into blocks. It holds a kernel and at most two kernel lengths of the stream. Its output has no delay: sample n stands at n/to seconds
// of the input, the first included, with zeros before the start and after the end. It is not safe for concurrent use.
type Resampler struct {
	p    *polyphase // nil when the rates are equal
	held []float32  // the input from heldAt on
	at   int        // index of held[0]; before the start it is negative
	seen int        // inputs so far
	done int        // outputs so far
}

// NewResampler prepares to resample from one rate to another, in Hz. A rate outside 1 kHz to 768 kHz is an error.
func NewResampler(r Resampling, from, to int) (*Resampler, error) {
	for _, rate := range []int{from, to} {
		if err := checkRate(rate); err != nil {
			return nil, err
		}
	}
	s := new(Resampler)
	if from != to {
		s.p = newPolyphase(r, from, to)
		s.at = s.p.first(0)
		s.held = make([]float32, -s.at)
	}
	return s, nil
}

// Append appends the outputs that x, the next block of the input, completes to dst and returns it.
func (s *Resampler) Append(dst, x []float32) []float32 {
	if s.p == nil {
		return append(dst, x...)
	}
	s.held = append(s.held, x...)
	s.seen += len(x)
	// Output n needs the input before first(n)+taps, which zeros of the row's end let be missing: first(n) + 2·half suffices, but whole
	// rows are simpler and only delay.
	n := 0
	if ready := s.at + len(s.held) - s.p.taps; ready >= s.p.first(s.done) {
		// first(n) ≤ ready  ⇔  n·m/l < ready + half, rounded down
		n = s.p.length(ready+s.p.half) - s.done
	}
	return s.emit(dst, n)
}

// Flush appends the outputs that are left when the input has ended. The Resampler must not be used afterwards.
func (s *Resampler) Flush(dst []float32) []float32 {
	if s.p == nil || s.seen == 0 {
		return dst
	}
	n := s.p.length(s.seen) - s.done
	if n <= 0 {
		return dst
	}
	if _, hi := s.p.span(s.done, n); hi > s.at+len(s.held) {
		s.held = append(s.held, make([]float32, hi-s.at-len(s.held))...)
	}
	return s.emit(dst, n)
}

// emit appends the next n outputs and forgets the input that no later one needs.
func (s *Resampler) emit(dst []float32, n int) []float32 {
	if n <= 0 {
		return dst
	}
	from := len(dst)
	dst = append(dst, make([]float32, n)...)
	s.p.compute(dst[from:], s.done, s.held[s.p.first(s.done)-s.at:])
	s.done += n
	drop := min(s.p.first(s.done)-s.at, len(s.held))
	s.held = append(s.held[:0], s.held[drop:]...)
	s.at += drop
	return dst
}
