package audio

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
)

// Pool keeps the recordings open that were read last, for readers that come back to the same files again and again: what Open has to find
// out, or ffmpeg to decode, is then done once. Of those that it closed it keeps what Open found out by walking over the file (MP3, Opus),
// about 0.3 MB an hour of audio and at most 256 MB, so that a file is walked over once, however many there are. It is safe for
// concurrent use.
type Pool struct {
	options Options
	most    int

	mu      sync.Mutex
	files   []*pooled // the one used last at the end
	indices map[string]*keptIndex
	held    int // bytes of indices
}

// poolIndices is the most memory that the indices of closed files take, in bytes.
const poolIndices = 256 << 20

// pooled is a file of a pool.
type pooled struct {
	path  string
	users int // that read it now, or wait for it to open
	once  sync.Once
	f     *File
	err   error
}

// NewPool returns a pool of at most so many files that nobody reads at the moment.
func NewPool(o Options, most int) *Pool {
	return &Pool{options: o, most: most, indices: map[string]*keptIndex{}}
}

// ReadAt opens the file, unless it is open, and reads as [File.ReadAt] does. A file that did not open is tried anew the next time.
func (p *Pool) ReadAt(path string, dst []float32, start int) error {
	return p.With(path, func(f *File) error { return f.ReadAt(dst, start) })
}

// With opens the file, unless it is open, and calls do with it, which must not keep it. Errors are those of [Options.Open] and do.
func (p *Pool) With(path string, do func(f *File) error) error {
	e := p.take(path)
	defer p.release(e)
	e.once.Do(func() { e.f, e.err = p.open(path) })
	if e.err != nil {
		return e.err
	}
	return do(e.f)
}

// open opens a file by the index that is kept of it, and keeps a new one while there is room.
func (p *Pool) open(path string) (*File, error) {
	p.mu.Lock()
	known := p.indices[path]
	p.mu.Unlock()
	before, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open audio: %w", err)
	}
	f, err := p.options.openAgain(path, known)
	if err != nil || f.index == nil || known.of(before) != nil {
		return f, err
	}
	fresh := &keptIndex{f.index, before.Size(), before.ModTime()}
	p.mu.Lock()
	defer p.mu.Unlock()
	if known != nil {
		p.held -= known.bytes()
		delete(p.indices, path)
	}
	if n := fresh.bytes(); p.held+n <= poolIndices {
		p.held += n
		p.indices[path] = fresh
	}
	return f, nil
}

// take finds or adds the entry of a file and makes it the last.
func (p *Pool) take(path string) *pooled {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := &pooled{path: path}
	if i := slices.IndexFunc(p.files, func(e *pooled) bool { return e.path == path }); i >= 0 {
		e = p.files[i]
		p.files = slices.Delete(p.files, i, i+1)
	}
	e.users++
	p.files = append(p.files, e)
	return e
}

// release closes the files that nobody reads beyond the number that the pool may keep, those used longest ago first.
func (p *Pool) release(e *pooled) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e.users--
	idle := 0
	for i := len(p.files) - 1; i >= 0; i-- {
		e := p.files[i]
		if e.users > 0 {
			continue
		}
		if idle++; e.err != nil || idle > p.most {
			p.files = slices.Delete(p.files, i, i+1)
			if e.f != nil {
				e.f.Close()
			}
		}
	}
}

// Close closes the files. Nobody may read any more.
func (p *Pool) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, e := range p.files {
		if e.f != nil {
			errs = append(errs, e.f.Close())
		}
	}
	p.files = nil
	return errors.Join(errs...)
}
