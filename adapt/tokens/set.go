package tokens

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"syncretic/checkpoint"
)

// Set is where the codes of recordings are. It is safe for concurrent use, except Close.
type Set struct {
	path string
	of   map[string]place  // by the recording's absolute path
	all  *checkpoint.Model // the file that holds all; nil for a folder
}

// place is a tensor in a file.
type place struct{ file, tensor string }

// Open finds what is in a folder that has a manifest, or in a file whose name ends in .safetensors. Only lists are read: codes are looked
// at by [Set.Of]. Errors name the path and are ErrInvalid, checkpoint.ErrInvalid or fs.ErrNotExist.
func Open(path string) (*Set, error) {
	s := &Set{path: path, of: map[string]place{}}
	if strings.HasSuffix(path, ".safetensors") {
		m, err := checkpoint.Open(path)
		if err != nil {
			return nil, err
		}
		s.all = m
		for _, info := range m.Tensors() {
			if err := s.add(info.Name, place{path, info.Name}); err != nil {
				m.Close()
				return nil, err
			}
		}
		return s, nil
	}
	rows, err := ReadManifest(filepath.Join(path, ManifestName))
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		recording := filepath.FromSlash(r.Path)
		if !filepath.IsAbs(recording) {
			recording = filepath.Join(path, recording)
		}
		if err := s.add(recording, place{filepath.Join(path, r.File), tensorName}); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *Set) add(recording string, at place) error {
	full, err := filepath.Abs(recording)
	if err != nil {
		return err
	}
	if other, twice := s.of[full]; twice && other != at {
		return fmt.Errorf("%s: %w: %s stands twice", s.path, ErrInvalid, recording)
	}
	s.of[full] = at
	return nil
}

// find is the place of a recording's codes.
func (s *Set) find(recording string) (place, error) {
	full, err := filepath.Abs(recording)
	if err != nil {
		return place{}, err
	}
	at, ok := s.of[full]
	if !ok {
		return place{}, fmt.Errorf("%s: %w: no codes of %s, among those of %d recordings", s.path, ErrInvalid, recording, len(s.of))
	}
	return at, nil
}

// File is the file that holds a recording's codes. Errors are those of [Set.Of].
func (s *Set) File(recording string) (string, error) {
	at, err := s.find(recording)
	return at.file, err
}

// Of opens the codes of a recording, which is found by its path, however it is spelt. A recording without codes, and a tensor that is
// not of integers [codebooks][frames], are ErrInvalid.
func (s *Set) Of(recording string) (*Codes, error) {
	at, err := s.find(recording)
	if err != nil {
		return nil, err
	}
	if s.all != nil {
		return codesIn(s.all, at, func() error { return nil })
	}
	m, err := checkpoint.Open(at.file)
	if errors.Is(err, fs.ErrNotExist) { // what is missing is a part of the set
		return nil, fmt.Errorf("%s: %w: the codes of %s: %w", s.path, ErrInvalid, recording, err)
	}
	if err != nil {
		return nil, err
	}
	c, err := codesIn(m, at, m.Close)
	if err != nil {
		m.Close()
	}
	return c, err
}

// codesIn looks at the tensor of a recording.
func codesIn(m *checkpoint.Model, at place, release func() error) (*Codes, error) {
	info, ok := checkpoint.Find(m, at.tensor)
	if !ok {
		return nil, fmt.Errorf("%s: %w: no tensor %q", at.file, ErrInvalid, at.tensor)
	}
	if !info.DType.Integer() || len(info.Shape) != 2 || slices.Min(info.Shape) < 1 {
		return nil, fmt.Errorf("%s: %w: tensor %q: %s %v, want integers [codebooks][frames]", at.file, ErrInvalid, at.tensor, info.DType, info.Shape)
	}
	return &Codes{Path: at.file, Codebooks: info.Shape[0], Frames: info.Shape[1], Origin: originOf(m.Metadata()), model: m, tensor: at.tensor, release: release}, nil
}

// Close releases what the set holds open: a file with the codes of many recordings. Codes that are open must not be read any more.
func (s *Set) Close() error {
	if s.all == nil {
		return nil
	}
	return s.all.Close()
}

// Codes are one recording's, open.
type Codes struct {
	Path              string // of the file
	Codebooks, Frames int
	Origin            Origin

	model   *checkpoint.Model
	tensor  string
	release func() error
}

// Read fills dst with one codebook's codes of the frames from a given one on. A code that is not from 0 to below size is ErrInvalid.
func (c *Codes) Read(book, from, size int, dst []int32) error {
	if book < 0 || book >= c.Codebooks || from < 0 || from+len(dst) > c.Frames {
		return fmt.Errorf("%s: %w: frames [%d, %d) of codebook %d asked, there are %d of %d", c.Path, ErrInvalid, from, from+len(dst), book, c.Frames, c.Codebooks)
	}
	values := make([]float32, min(len(dst), 1<<16))
	for done := 0; done < len(dst); {
		part := values[:min(len(values), len(dst)-done)]
		if err := c.model.Read(c.tensor, book*c.Frames+from+done, part); err != nil {
			return err
		}
		for i, v := range part {
			if v < 0 || v >= float32(min(size, math.MaxInt16+1)) {
				return fmt.Errorf("%s: %w: code %.0f in codebook %d, frame %d, want 0 to %d", c.Path, ErrInvalid, v, book, from+done+i, size-1)
			}
			dst[done+i] = int32(v)
		}
		done += len(part)
	}
	return nil
}

// Close releases them.
func (c *Codes) Close() error { return c.release() }
