package adapt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
)

// sample is a table of frames: in memory while they are few, else in a temporary file.
type sample struct {
	frames, bins int
	rows         []float32 // nil where they are in
	file         *os.File  // as little-endian float32
	gone         bool      // the file has no name any more
	folder       string    // that was made for it
}

// newSample makes room for frames, of which most may be in memory; the file would be in dir, which need not exist then.
func newSample(frames, bins, most int, dir string) (*sample, error) {
	s := &sample{frames: frames, bins: bins}
	if frames <= most {
		s.rows = make([]float32, frames*bins)
		return s, nil
	}
	if dir != "" {
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			s.folder = dir
		}
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return nil, err
		}
	}
	var err error
	if s.file, err = os.CreateTemp(dir, ".frames-*"); err != nil {
		return nil, fmt.Errorf("room for %d frames: %w", frames, err)
	}
	s.gone = os.Remove(s.file.Name()) == nil // where the system lets it, nothing is left whatever happens
	return s, nil
}

// Len is the number of frames: with Read it makes the sample kmeans.Frames.
func (s *sample) Len() int { return s.frames }

// write puts rows at a place. Several may write at once.
func (s *sample) write(rows []float32, at int) error {
	if s.file == nil {
		copy(s.rows[at*s.bins:], rows)
		return nil
	}
	raw := make([]byte, 0, 4*len(rows))
	for _, v := range rows {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	_, err := s.file.WriteAt(raw, int64(4*at*s.bins))
	return err
}

// Read fills dst with the frames from one on.
func (s *sample) Read(dst []float32, from int) error { return s.readAt(dst, from*s.bins) }

// readAt fills dst with values, of all frames one after another, from one on.
func (s *sample) readAt(dst []float32, value int) error {
	if s.file == nil {
		copy(dst, s.rows[value:])
		return nil
	}
	raw := make([]byte, min(4*len(dst), 64<<10))
	for at := 4 * int64(value); len(dst) > 0; {
		n := min(len(dst), len(raw)/4)
		if _, err := s.file.ReadAt(raw[:4*n], at); err != nil {
			return err
		}
		for i := range dst[:n] {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
		dst, at = dst[n:], at+int64(4*n)
	}
	return nil
}

// close frees the file, and the folder that was made for it unless something else is there by now.
func (s *sample) close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	if !s.gone {
		if removed := os.Remove(s.file.Name()); !errors.Is(removed, fs.ErrNotExist) {
			err = errors.Join(err, removed)
		}
	}
	if s.folder != "" {
		os.Remove(s.folder)
	}
	return err
}

// standardised is a sample with a mean and a deviation taken out of all bins alike.
type standardised struct {
	*sample
	all [2]float32
}

func (s standardised) Read(dst []float32, from int) error {
	err := s.sample.Read(dst, from)
	for i, v := range dst {
		dst[i] = (v - s.all[0]) / s.all[1]
	}
	return err
}
