package audio

import (
	"errors"
	"slices"
	"sync"
)

// Pool keeps the recordings open that were read last, for readers that come back to the same files again and again: what Open has to find
// out, or ffmpeg to decode, is then done once. It is safe for concurrent use.
type Pool struct {
	options Options
	most    int

	mu    sync.Mutex
	files []*pooled // the one used last at the end
}

// pooled is a file of a pool.
type pooled struct {
	path  string
	users int // that read it now, or wait for it to open
	once  sync.Once
	f     *File
	err   error
}

// NewPool returns a pool of at most so many files that nobody reads at the moment.
func NewPool(o Options, most int) *Pool { return &Pool{options: o, most: most} }

// ReadAt opens the file, unless it is open, and reads as [File.ReadAt] does. A file that did not open is tried anew the next time.
func (p *Pool) ReadAt(path string, dst []float32, start int) error {
	e := p.take(path)
	defer p.release(e)
	e.once.Do(func() { e.f, e.err = p.options.Open(path) })
	if e.err != nil {
		return e.err
	}
	return e.f.ReadAt(dst, start)
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
