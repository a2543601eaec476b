package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The names that Hugging Face tools give to weights.
const (
	weightsName = "model.safetensors"
	indexName   = "model.safetensors.index.json"
	pickleName  = "pytorch_model.bin"
)

// Open opens a checkpoint for reading: a .safetensors file; a directory with model.safetensors, or with
// model.safetensors.index.json and its shards; or such an index itself. In a directory that has both, model.safetensors
// is read, as transformers does.
//
// Files are mapped, so opening costs the headers and reading costs the pages touched. The error wraps fs.ErrNotExist
// where nothing is there, and ErrInvalid where the contents break a rule of the format. Close the model after use.
//
// A directory that [Write] replaces meanwhile is opened again, so that files of two generations never mix.
func Open(path string) (*Model, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	const attempts = 100 // a directory that is replaced this often while its headers are read is not worth waiting for
	for n := 1; ; n++ {
		m, err := openOnce(path, info.IsDir())
		again, statErr := os.Stat(path)
		if !info.IsDir() || statErr == nil && os.SameFile(info, again) {
			return m, err
		}
		if m != nil {
			m.Close()
		}
		if statErr != nil {
			return nil, fmt.Errorf("%s: replaced while it was opened: %w", path, statErr)
		}
		if n == attempts {
			return nil, fmt.Errorf("%s: replaced %d times while it was opened", path, n)
		}
		info = again
	}
}

// openOnce opens what is at path now.
func openOnce(path string, dir bool) (*Model, error) {
	m := &Model{path: path, stored: make(map[string]stored), metadata: make(map[string]string)}
	var err error
	switch {
	case dir:
		m.dir = path
		err = m.openDir()
	case strings.HasSuffix(path, ".index.json"):
		m.dir = filepath.Dir(path)
		err = m.openIndex(path)
	default:
		err = m.openFile()
	}
	if err != nil {
		return nil, errors.Join(err, m.Close())
	}
	m.sort()
	return m, nil
}

// openFile opens one file, by its name's ending.
func (m *Model) openFile() error {
	switch filepath.Ext(m.path) {
	case ".safetensors":
		return m.addFile(m.path)
	case ".bin", ".pt", ".pth", ".ckpt":
		return invalid("%s: %s is not read yet; %s", m.path, filepath.Base(m.path), pickleHint)
	}
	return invalid("%s: not a .safetensors file or a directory that holds one", m.path)
}

const pickleHint = "convert it with safetensors.torch.save_file, or save_pretrained of transformers"

// openDir picks the weights of a model directory.
func (m *Model) openDir() error {
	for _, choice := range []struct {
		name string
		open func(path string) error
	}{{weightsName, m.addFile}, {indexName, m.openIndex}} {
		path := m.join(choice.name)
		if _, err := os.Stat(path); err == nil {
			return choice.open(path)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	for _, name := range []string{pickleName, pickleName + ".index.json"} {
		if _, err := os.Stat(m.join(name)); err == nil {
			return invalid("%s: %s is not read yet; %s", m.path, name, pickleHint)
		}
	}
	if found, _ := filepath.Glob(m.join("*.safetensors")); len(found) > 0 {
		return invalid("%s: no %s and no %s; name one of its files instead, such as %s", m.path, weightsName, indexName, filepath.Base(found[0]))
	}
	return fmt.Errorf("%s: no %s and no %s: %w", m.path, weightsName, indexName, fs.ErrNotExist)
}

// openIndex opens a sharded set. Shards and index must agree on every tensor.
func (m *Model) openIndex(path string) error {
	text, err := readSmall(path)
	if err != nil {
		return err
	}
	files, err := parseIndex(text)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	shards := make(map[string]bool)
	for _, file := range files {
		shards[file] = true
	}
	for _, shard := range sortedKeys(shards) {
		if err := m.addFile(m.join(shard)); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	for _, name := range sortedKeys(files) {
		at, ok := m.stored[name]
		if want := m.join(files[name]); !ok || at.file != want {
			return invalid("%s: tensor %q: not in %s, where the index puts it", path, name, want)
		}
	}
	if len(files) != len(m.stored) {
		for _, name := range sortedKeys(m.stored) {
			if _, ok := files[name]; !ok {
				return invalid("%s: tensor %q: in %s, but not in the index", path, name, m.stored[name].file)
			}
		}
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
