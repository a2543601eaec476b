package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime/debug"

	"syncretic/checkpoint/torchfile"
)

// addTorch takes in the tensors of a file of torch.save.
func (m *Model) addTorch(path string, data []byte) (err error) {
	defer catchFault(path, debug.SetPanicOnFault(true), &err)
	tensors, err := torchfile.Parse(data)
	if err != nil {
		return torchError(path, err)
	}
	m.torch = data
	for i := range tensors {
		t := &tensors[i]
		s := stored{file: path, info: Info{t.Name, DType(t.DType), t.Shape}, bytes: t.Bytes}
		if t.Bytes == nil {
			s.view = t
		}
		if err := m.add(s); err != nil {
			return err
		}
	}
	return nil
}

// torchError says in which file an error of torchfile is.
func torchError(path string, err error) error {
	if e := (*torchfile.Error)(nil); errors.As(err, &e) {
		return broken(e.Rule, "%s: %s", path, e.Text)
	}
	return fmt.Errorf("%s: %w", path, err)
}

// Labels says what the rows of a fairseq model's label embeddings stand for, where this is a training checkpoint of it that
// tells: the symbols of each dictionary in the order of their indices, and whether a row's number is the label itself (raw)
// or the index of its symbol. Other files have neither.
func (m *Model) Labels() (symbols [][]string, raw bool, err error) {
	defer catchFault(m.path, debug.SetPanicOnFault(true), &err)
	m.mu.RLock()
	defer m.mu.RUnlock()
	switch {
	case m.closed:
		return nil, false, fmt.Errorf("%s: %w", m.path, fs.ErrClosed)
	case m.torch == nil:
		return nil, false, nil
	}
	if symbols, raw, err = torchfile.Labels(m.torch); err != nil {
		return nil, false, torchError(m.path, err)
	}
	return symbols, raw, nil
}

// readView converts elements of a strided tensor, some at a time.
func readView(t stored, offset int, dst []float32) error {
	const block = 1 << 13 // elements
	size := t.info.DType.Size()
	room := make([]byte, min(len(dst), block)*size)
	for len(dst) > 0 {
		n := min(len(dst), block)
		t.view.Gather(room[:n*size], offset)
		if err := decode(t.info.DType, dst[:n], room[:n*size]); err != nil {
			return fmt.Errorf("%s: tensor %q: from element %d: %w", t.file, t.info.Name, offset, err)
		}
		dst, offset = dst[n:], offset+n
	}
	return nil
}

// gatherer is a source that may have elements as stored, but not in one piece. What it does not have so is an error that wraps
// errors.ErrUnsupported.
type gatherer interface {
	gather(name string, offset int, dst []byte) error
}

// gather copies elements of a strided tensor as stored.
func (m *Model) gather(name string, offset int, dst []byte) (err error) {
	defer catchFault(m.path, debug.SetPanicOnFault(true), &err)
	m.mu.RLock()
	defer m.mu.RUnlock()
	t, err := m.find(name)
	if err != nil {
		return err
	}
	if t.view == nil {
		return errors.ErrUnsupported
	}
	t.view.Gather(dst, offset)
	return nil
}

func (v *view) gather(name string, offset int, dst []byte) error {
	if p, ok := v.at[name]; ok {
		if g, ok := p.src.(gatherer); ok {
			return g.gather(p.name, offset, dst)
		}
	}
	return errors.ErrUnsupported
}

// gathered copies elements as stored out of a source that cannot share them. ok is false where it does not have them; asked
// for none, it only tells that.
func gathered(src Source, name string, offset int, dst []byte) (ok bool, err error) {
	g, ok := src.(gatherer)
	if !ok {
		return false, nil
	}
	err = g.gather(name, offset, dst)
	if errors.Is(err, errors.ErrUnsupported) {
		return false, nil
	}
	return err == nil, err
}
