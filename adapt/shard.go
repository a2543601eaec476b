package adapt

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"syncretic/checkpoint"
)

// shardBuilder computes the targets of some recordings, each block by block, and writes them to one file.
type shardBuilder struct {
	teacher    *Teacher
	recordings []Recording
	frames     []int // by recording
	first      int   // the number of the first recording
	held       int   // spectra that may be in memory, in values

	spectra *sample  // of all recordings, one after another; nil where the spectrum is the crop's
	rows    []int    // where a recording begins there
	codes   [][]byte // by recording, little-endian I16 [codebooks][frames]
}

// heldSpectra is how much of the spectra is in memory, in values: 128 MB. What is more lies in a file.
const heldSpectra = 32 << 20

func (b *shardBuilder) write(ctx context.Context, path string) (err error) {
	t := b.teacher
	for _, n := range b.frames {
		last := 0
		if len(b.rows) > 0 {
			last = b.rows[len(b.rows)-1] + b.frames[len(b.rows)-1]
		}
		b.rows = append(b.rows, last)
		b.codes = append(b.codes, make([]byte, 2*t.cfg.Codebooks*n))
	}
	if !t.crop {
		total := b.rows[len(b.rows)-1] + b.frames[len(b.frames)-1]
		if b.spectra, err = newSample(total, t.Bins(), b.held/t.Bins(), filepath.Dir(path)); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, b.spectra.close()) }()
	}
	err = parallel(ctx, len(b.recordings), func(i int) error {
		return t.label(ctx, b.recordings[i], func(first int, spectrum []float32, codes [][]int32) error {
			for q, book := range codes {
				to := b.codes[i][2*(q*b.frames[i]+first):]
				for j, v := range book {
					binary.LittleEndian.PutUint16(to[2*j:], uint16(v)) // codebooks have at most 1<<15 entries
				}
			}
			if spectrum == nil {
				return nil
			}
			return b.spectra.write(spectrum, b.rows[i]+first)
		})
	})
	if err != nil {
		return err
	}
	return checkpoint.Write(ctx, path, newShardSource(b), checkpoint.WriteOptions{DType: checkpoint.F16})
}

// shardSource shows a builder's results as tensors: "i/codes" I16 [codebooks][frames], and "i/cqt" F32 [frames][bins].
type shardSource struct {
	b       *shardBuilder
	infos   []checkpoint.Info
	numbers map[string]int // by name: the recording, of the shard
}

func newShardSource(b *shardBuilder) *shardSource {
	s := &shardSource{b: b, numbers: map[string]int{}}
	add := func(i int, kind string, dtype checkpoint.DType, shape ...int) {
		name := fmt.Sprintf("%d/%s", b.first+i, kind)
		s.numbers[name] = i
		s.infos = append(s.infos, checkpoint.Info{Name: name, DType: dtype, Shape: shape})
	}
	for i, n := range b.frames {
		add(i, "codes", checkpoint.I16, b.teacher.cfg.Codebooks, n)
		if b.spectra != nil {
			add(i, "cqt", checkpoint.F32, n, b.teacher.Bins())
		}
	}
	slices.SortFunc(s.infos, func(x, y checkpoint.Info) int { return strings.Compare(x.Name, y.Name) })
	return s
}

func (s *shardSource) Tensors() []checkpoint.Info { return s.infos }

func (s *shardSource) Raw(name string) ([]byte, error) {
	if !strings.HasSuffix(name, "/codes") {
		return nil, errors.ErrUnsupported
	}
	return s.b.codes[s.numbers[name]], nil
}

func (s *shardSource) Read(name string, offset int, dst []float32) error {
	i := s.numbers[name]
	if strings.HasSuffix(name, "/codes") {
		for j := range dst {
			dst[j] = float32(int16(binary.LittleEndian.Uint16(s.b.codes[i][2*(offset+j):])))
		}
		return nil
	}
	return s.b.spectra.readAt(dst, s.b.rows[i]*s.b.spectra.bins+offset)
}
