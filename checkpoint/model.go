package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"syncretic/checkpoint/torchfile"
)

// Model is an opened checkpoint: one file of weights, or those of a Hugging Face directory. It is a [RawSource]
// over the mapped files and safe for concurrent use.
type Model struct {
	path, dir string
	infos     []Info
	stored    map[string]stored
	metadata  map[string]string
	torch     []byte // a file of torch.save, nil where there is none

	mu      sync.RWMutex // held for reading while mapped bytes are touched
	closed  bool
	release []func() error
	mapped  [][]byte // the files, as long as closed is false
}

// stored is one tensor's place.
type stored struct {
	file  string
	info  Info
	bytes []byte
	view  *torchfile.Tensor // in place of bytes, where a file does not have them in one piece
}

// addFile maps one file of weights, whose kind its name's ending tells, and takes in its tensors.
func (m *Model) addFile(path string) error {
	read := m.addSafetensors
	switch filepath.Ext(path) {
	case ".safetensors":
	case ".bin", ".pt", ".pth", ".ckpt":
		read = m.addTorch
	default:
		return invalid("%s: not a .safetensors file, a .bin, .pt, .pth or .ckpt file, or a directory that holds one", path)
	}
	data, release, err := mapFile(path)
	if err != nil {
		return err
	}
	m.release, m.mapped = append(m.release, release), append(m.mapped, data)
	return read(path, data)
}

// add takes in one tensor.
func (m *Model) add(t stored) error {
	if other, ok := m.stored[t.info.Name]; ok {
		return invalid("%s: tensor %q: also in %s", t.file, t.info.Name, other.file)
	}
	m.stored[t.info.Name] = t
	m.infos = append(m.infos, t.info)
	return nil
}

func (m *Model) addSafetensors(path string, data []byte) error {
	h, err := parseHeader(data)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for _, e := range h.entries {
		if err := m.add(stored{file: path, info: e.Info, bytes: data[h.data+e.begin : h.data+e.end]}); err != nil {
			return err
		}
	}
	for key, value := range h.metadata {
		if _, ok := m.metadata[key]; !ok {
			m.metadata[key] = value
		}
	}
	return nil
}

func (m *Model) sort() {
	slices.SortFunc(m.infos, func(a, b Info) int { return strings.Compare(a.Name, b.Name) })
}

// Tensors lists the tensors, sorted by name.
func (m *Model) Tensors() []Info { return m.infos }

// Read converts elements [offset, offset+len(dst)) of the named tensor to float32. Floats wider than that are rounded to
// nearest even; integers must be exact in float32. After Close it fails with fs.ErrClosed.
func (m *Model) Read(name string, offset int, dst []float32) error {
	_, err := m.ReadFinite(name, offset, dst)
	return err
}

// ReadFinite is Read. It knows of 16-bit tensors whether they are finite.
func (m *Model) ReadFinite(name string, offset int, dst []float32) (finite bool, err error) {
	defer catchFault(m.path, debug.SetPanicOnFault(true), &err)
	m.mu.RLock()
	defer m.mu.RUnlock()
	t, err := m.find(name)
	if err != nil {
		return false, err
	}
	if err := checkRange(name, offset, len(dst), t.info.Elements()); err != nil {
		return false, fmt.Errorf("%s: %w", t.file, err)
	}
	if t.view != nil {
		return false, readView(t, offset, dst)
	}
	finite, err = decodeFinite(t.info.DType, dst, t.bytes[offset*t.info.DType.Size():])
	if err != nil {
		return false, fmt.Errorf("%s: tensor %q: from element %d: %w", t.file, name, offset, err)
	}
	return finite, nil
}

// Raw returns the tensor's bytes in the mapped file. They are read-only, may be unaligned, and are gone after Close.
// The error wraps errors.ErrUnsupported where the file does not have them in one piece (a transposed tensor of torch.save).
func (m *Model) Raw(name string) ([]byte, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	t, err := m.find(name)
	if t.view != nil {
		return nil, fmt.Errorf("%s: tensor %q: a strided view, not stored in one piece: %w", t.file, name, errors.ErrUnsupported)
	}
	return t.bytes, err
}

func (m *Model) find(name string) (stored, error) {
	if m.closed {
		return stored{}, fmt.Errorf("%s: %w", m.path, fs.ErrClosed)
	}
	t, ok := m.stored[name]
	if !ok {
		return stored{}, invalid("%s: tensor %q: not present", m.path, name)
	}
	return t, nil
}

// Metadata is a copy of the headers' free text. In a sharded set the first shard by name that has a key decides.
func (m *Model) Metadata() map[string]string { return maps.Clone(m.metadata) }

// Path is the path that was opened.
func (m *Model) Path() string { return m.path }

// Dir is the model directory, "" for a single file.
func (m *Model) Dir() string { return m.dir }

// Close waits for reads under way and ends the mapping. Bytes from Raw must not be touched afterwards.
func (m *Model) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil
	}
	m.closed = true
	errs := make([]error, len(m.release))
	var wg sync.WaitGroup
	for i, release := range m.release { // at once: pages that were touched take their time
		wg.Go(func() { errs[i] = release() })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// join is the path of a file of the model's directory.
func (m *Model) join(name string) string { return filepath.Join(m.dir, name) }
