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
	weightsName     = "model.safetensors"
	indexName       = "model.safetensors.index.json"
	pickleName      = "pytorch_model.bin"
	pickleIndexName = "pytorch_model.bin.index.json"
)

const indexEnding = ".index.json"

// Open opens a checkpoint for reading: a .safetensors file; a file of torch.save (.bin, .pt, .pth, .ckpt), of which nothing
// is executed; a model directory; or the index of a sharded set. In a directory the first of these is read, as transformers
// does: model.safetensors, model.safetensors.index.json and its shards, pytorch_model.bin, pytorch_model.bin.index.json and
// its shards.
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
	case strings.HasSuffix(path, indexEnding):
		m.dir = filepath.Dir(path)
		err = m.openIndex(path)
	default:
		err = m.addFile(path)
	}
	if err != nil {
		return nil, errors.Join(err, m.Close())
	}
	m.sort()
	return m, nil
}

// openDir opens the weights of a model directory.
func (m *Model) openDir() error {
	name, err := weightsIn(m.path)
	switch {
	case err != nil:
		return err
	case strings.HasSuffix(name, indexEnding):
		return m.openIndex(m.join(name))
	}
	return m.addFile(m.join(name))
}

// weightsIn picks the file that holds a model directory's weights, or their index.
func weightsIn(dir string) (name string, err error) {
	for _, name := range []string{weightsName, indexName, pickleName, pickleIndexName} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return name, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	if found, _ := filepath.Glob(filepath.Join(dir, "*.safetensors")); len(found) > 0 {
		return "", invalid("%s: no %s and no %s; name one of its files instead, such as %s", dir, weightsName, indexName, filepath.Base(found[0]))
	}
	return "", fmt.Errorf("%s: no %s, %s or %s: %w", dir, weightsName, indexName, pickleName, fs.ErrNotExist)
}

// openIndex opens a sharded set. Shards and index must agree on every tensor.
func (m *Model) openIndex(path string) error {
	text, err := readSmall(path)
	if err != nil {
		return err
	}
	files, err := parseIndex(text, shardEnding(path))
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
