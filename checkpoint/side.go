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

// SideFile is a small file that belongs to a model beside its weights: config.json, a tokenizer, a model card.
type SideFile struct {
	Name string // a plain file name, no directories
	Data []byte
}

// SideFiles reads everything in the model's directory that is not weights, sorted by name: configs, tokenizer files,
// *.py, README. Sub-directories and dot files are left out. A single file has none.
func (m *Model) SideFiles() ([]SideFile, error) {
	if m.dir == "" {
		return nil, nil
	}
	list, err := os.ReadDir(m.dir)
	if err != nil {
		return nil, err
	}
	var files []SideFile
	for _, item := range list {
		if isWeights(item.Name()) || strings.HasPrefix(item.Name(), ".") {
			continue
		}
		path := m.join(item.Name())
		info, err := os.Stat(path) // follows the links of a download cache
		if err != nil {
			return nil, err
		}
		if !info.Mode().IsRegular() {
			continue
		}
		data, err := readSmall(path)
		if err != nil {
			return nil, err
		}
		files = append(files, SideFile{item.Name(), data})
	}
	return files, nil
}

// IsHistory tells by a side file's name whether it says how the weights beside it were trained: the recipe and the logs that the adapt
// verb leaves. Other weights made from them, such as a merge, must not carry it.
func IsHistory(name string) bool {
	return slices.Contains([]string{"adapt.json", "heldout.jsonl", "summary.html", "train.jsonl", "train.tfevents"}, name)
}

// SideFile reads one file of the model's directory. The error wraps fs.ErrNotExist where there is none.
func (m *Model) SideFile(name string) ([]byte, error) {
	if m.dir == "" {
		return nil, fmt.Errorf("%s: a single file has no %s beside it: %w", m.path, name, fs.ErrNotExist)
	}
	if !plainName(name) {
		return nil, invalid("side file %q: want a plain file name", name)
	}
	return readSmall(m.join(name))
}

// Config is the model directory's config.json. Where there is none, the error says what is wanted, and wraps fs.ErrNotExist.
func (m *Model) Config() ([]byte, error) {
	data, err := m.SideFile("config.json")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: no config.json beside the weights: want a model directory: %w", m.path, err)
	}
	return data, err
}

// IsWeights tells by a file's name whether it holds weights or their index, in any container, rather than being a small file
// beside them.
func IsWeights(name string) bool { return isWeights(name) }

// isWeights tells weights, in any container, from the small files beside them.
func isWeights(name string) bool {
	if strings.HasSuffix(name, ".index.json") {
		return true
	}
	switch strings.ToLower(filepath.Ext(name)) {
	case ".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".h5", ".msgpack", ".onnx", ".gguf":
		return true
	}
	return false
}

func plainName(name string) bool {
	return filepath.IsLocal(name) && !strings.ContainsAny(name, `/\`) && name != "."
}
