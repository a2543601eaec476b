package mert

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"syncretic/checkpoint"
)

const configName = "config.json"

// Open makes an encoder from a model directory: config.json, the weights, and preprocessor_config.json for the
// normalisation of its input (absent: normalise, as MERT does). Its *.py files are kept for [Encoder.SideFiles].
//
// A training checkpoint of fairseq, such as MERT-v1-95M_fairseq.pt, is opened by its own name. The config.json and
// preprocessor_config.json are those in its folder, which is where the hub keeps them; without a config.json there it is
// taken for a MERT-v1-95M, and the sizes are checked as always. Unlike in that training, its input is normalised then:
// features are those of the same model's directory.
//
// Errors name the path and are [ErrConfig], [ErrInvalid], [checkpoint.ErrInvalid] or [fs.ErrNotExist].
func Open(path string) (*Encoder, error) {
	m, err := checkpoint.Open(path)
	if err != nil {
		return nil, withTraining(path, err)
	}
	defer m.Close()
	if m.Dir() == "" && isTraining(m.Tensors()) {
		return openTraining(path, m)
	}
	config, err := m.Config()
	if err != nil {
		return nil, err
	}
	files, err := m.SideFiles()
	if err != nil {
		return nil, err
	}
	return assemble(path, m.Dir(), m, config, files)
}

// assemble makes an encoder from weights and the small files of a directory.
func assemble(path, dir string, weights checkpoint.Source, config []byte, files []checkpoint.SideFile) (*Encoder, error) {
	cfg, err := ParseConfig(config)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, configName), err)
	}
	e, err := Load(cfg, weights)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for _, file := range files {
		switch {
		case file.Name == preprocessorName:
			if err := e.SetPreprocessor(file.Data); err != nil {
				return nil, fmt.Errorf("%s: %w", filepath.Join(dir, preprocessorName), err)
			}
		case strings.HasSuffix(file.Name, ".py"):
			e.code = append(e.code, checkpoint.SideFile{Name: file.Name, Data: slices.Clone(file.Data)})
		}
	}
	return e, nil
}

// openTraining makes an encoder from a training checkpoint and what describes it in its folder. That may hold anything,
// so only files that the config names are taken for its code.
func openTraining(path string, weights checkpoint.Source) (*Encoder, error) {
	dir := filepath.Dir(path)
	config, err := os.ReadFile(filepath.Join(dir, configName))
	if errors.Is(err, fs.ErrNotExist) {
		e, err := Load(Base95M(), weights)
		if err != nil {
			return nil, fmt.Errorf("%s: %w (MERT-v1-95M is assumed: put another model's %s into the same folder)", path, err, configName)
		}
		return e, nil
	}
	if err != nil {
		return nil, err
	}
	var files []checkpoint.SideFile
	for _, name := range append(codeOf(config), preprocessorName) {
		data, err := os.ReadFile(filepath.Join(dir, name))
		switch {
		case err == nil:
			files = append(files, checkpoint.SideFile{Name: name, Data: data})
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		}
	}
	return assemble(path, dir, weights, config, files)
}

// codeOf names the Python files that a config.json refers to: "modeling_MERT.MERTModel" is in modeling_MERT.py.
func codeOf(config []byte) []string {
	var keys struct {
		AutoMap map[string]any `json:"auto_map"`
	}
	if json.Unmarshal(config, &keys) != nil {
		return nil // ParseConfig says what is wrong
	}
	var names []string
	for _, class := range keys.AutoMap {
		reference, _ := class.(string)
		module, _, _ := strings.Cut(reference, ".")
		if name := module + ".py"; module != "" && filepath.IsLocal(name) && !strings.ContainsAny(name, `/\`) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// withTraining tells someone who names a directory without a model in it about the training checkpoint there.
func withTraining(path string, err error) error {
	if found, _ := filepath.Glob(filepath.Join(path, "*.pt")); errors.Is(err, fs.ErrNotExist) && len(found) > 0 {
		return fmt.Errorf("%w (a training checkpoint is opened by its own name: %s)", err, found[0])
	}
	return err
}

// SideFiles are the files that make a model directory of these weights: config.json, preprocessor_config.json, and the
// *.py files of the directory that [Open] read, which config.json may refer to.
func (e *Encoder) SideFiles() []checkpoint.SideFile {
	return append([]checkpoint.SideFile{
		{Name: configName, Data: e.cfg.JSON()},
		{Name: preprocessorName, Data: slices.Clone(e.prep.document)},
	}, e.code...)
}
