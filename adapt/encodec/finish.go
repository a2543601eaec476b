package encodec

import (
	"syncretic/adapt/gemm"
	"syncretic/adapt/op/elem"
)

// finish takes the chunks out of the LSTM through the skip around it and the last convolution, whose look-back it carries
// from chunk to chunk. It hands the embeddings of frames first and on, [frames][hidden], to emit, which may change them.
func (l *line) finish(total int, emit func(first int, embeddings []float32)) {
	var (
		e          = l.e
		width      = e.cfg.width()
		left       = e.last.left()
		s          scratch
		seen       rows // the LSTM's output with its skip: the look-back, then the chunk
		embeddings []float32
	)
	seen.width = width
	seen.data = make([]float32, 0, (left+min(l.frames, total))*width)
	for c := range l.stations[len(e.lstm)] {
		if keep := left * width; len(seen.data) > keep {
			seen.data = append(seen.data[:0], seen.data[len(seen.data)-keep:]...)
			seen.first = c.first - left
		}
		h := c.h[:c.count*width]
		elem.Add(h, c.x)
		seen.data = append(seen.data, h...)
		first, end := c.first, c.first+c.count
		l.free <- c

		embeddings = sized(embeddings, (end-first)*e.cfg.HiddenSize)
		e.last.compute(embeddings, seen, first, end, total, &s, gemm.MultiplySerial)
		emit(first, embeddings)
	}
}
