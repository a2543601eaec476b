package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Broken is one rule that a model breaks.
type Broken struct {
	Rule    string `json:"rule"`             // as [Rule] names it
	Tensor  string `json:"tensor,omitempty"` // where the rule is about the contents of one
	Message string `json:"message"`          // as an error would say it, the file first
}

// Report is what [Verify] found.
type Report struct {
	Path       string   `json:"model"`
	Files      []string `json:"files"` // those with weights that were read, in order
	Tensors    int      `json:"tensors"`
	Parameters int64    `json:"parameters"`
	Bytes      int64    `json:"bytes"` // of tensors
	Broken     []Broken `json:"broken"`
	Notes      []string `json:"notes"` // what is in order, but worth knowing: other weights beside
}

// VerifyOptions says what to accept. Its zero value accepts no NaN and no infinity.
type VerifyOptions struct {
	AllowNonFinite bool
	Progress       func(done, total int64) // bytes of tensors read so far, called from one goroutine at a time
}

// Verify checks everything that can be wrong with the model at path, which is what [Open] takes, and lists all of it, where
// Open stops at the first: the format of each file; that index and shards agree on every tensor; that no weights stand beside
// which a reader could take for the model's; that every tensor can be read and is finite; that config.json's
// tie_word_embeddings fits the tensors. It reads every byte once and holds a few blocks.
//
// An error means that there is nothing to check (it wraps fs.ErrNotExist), that the system would not let it, or that ctx ended.
func Verify(ctx context.Context, path string, opts VerifyOptions) (*Report, error) {
	before, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	v := &verifier{Report: Report{Path: path, Broken: []Broken{}, Notes: []string{}}, opts: opts}
	defer v.close()
	if err := v.open(before.IsDir()); err != nil {
		return nil, err
	}
	if err := v.readAll(ctx); err != nil {
		return nil, err
	}
	v.checkTied()
	if after, err := os.Stat(path); err != nil || !os.SameFile(before, after) {
		return nil, errors.Join(fmt.Errorf("%s: replaced while it was verified", path), err)
	}
	return &v.Report, nil
}

// verifier is one Verify under way.
type verifier struct {
	Report
	opts   VerifyOptions
	dir    string   // the model directory, "" for a single file
	models []*Model // one a file; those that could not be opened are missing
}

func (v *verifier) close() {
	for _, m := range v.models {
		m.Close()
	}
}

// broke notes an error about contents; others come back.
func (v *verifier) broke(err error) error {
	if err == nil || !errors.Is(err, ErrInvalid) {
		return err
	}
	v.Broken = append(v.Broken, Broken{Rule: Rule(err), Message: err.Error()})
	return nil
}

// open finds and opens the files with weights.
func (v *verifier) open(dir bool) error {
	switch {
	case dir:
		v.dir = v.Path
	case strings.HasSuffix(v.Path, indexEnding):
		v.dir = filepath.Dir(v.Path)
		return v.openSharded(v.Path)
	default:
		return v.add(v.Path)
	}
	name, err := weightsIn(v.dir)
	if err != nil {
		return v.broke(err)
	}
	path := filepath.Join(v.dir, name)
	if strings.HasSuffix(name, indexEnding) {
		return v.openSharded(path)
	}
	if err := v.add(path); err != nil {
		return err
	}
	return v.checkBeside(map[string]bool{name: true})
}

// add opens one file, or what else Open takes. One that breaks a rule is noted.
func (v *verifier) add(path string) error {
	m, err := Open(path)
	v.Files = append(v.Files, path)
	if err != nil {
		return v.broke(err)
	}
	v.models = append(v.models, m)
	for _, info := range m.Tensors() {
		v.Tensors++
		v.Parameters += int64(info.Elements())
		v.Bytes += info.Bytes()
	}
	return nil
}

// openSharded opens the files that an index names and holds it against them.
func (v *verifier) openSharded(path string) error {
	text, err := readSmall(path)
	if err != nil {
		return v.broke(err)
	}
	where, err := parseIndex(text, shardEnding(path))
	if err != nil {
		return v.broke(fmt.Errorf("%s: %w", path, err))
	}
	named := map[string]bool{filepath.Base(path): true}
	for _, file := range where {
		named[file] = true
	}
	opened := make(map[string]*Model)
	for _, file := range sortedKeys(named) {
		if file == filepath.Base(path) {
			continue
		}
		n := len(v.models)
		err := v.add(filepath.Join(v.dir, file))
		if errors.Is(err, fs.ErrNotExist) {
			err = v.broke(broken(RuleShardMissing, "%s: names %s, which is not there", path, file))
		}
		if err != nil {
			return err
		}
		if len(v.models) > n {
			opened[file] = v.models[n]
		}
	}
	v.checkIndex(path, where, opened)
	return v.checkBeside(named)
}

// checkIndex notes tensors that are not where the index puts them, or that it does not know.
func (v *verifier) checkIndex(path string, where map[string]string, opened map[string]*Model) {
	for _, name := range sortedKeys(where) {
		m, ok := opened[where[name]]
		if !ok {
			continue // noted already
		}
		if _, ok := Find(m, name); !ok {
			v.Broken = append(v.Broken, Broken{RuleShardTensor, name, fmt.Sprintf("%s: tensor %s: not in %s, where the index puts it", path, quoted(name), where[name])})
		}
	}
	for _, file := range sortedKeys(opened) {
		for _, info := range opened[file].Tensors() {
			switch at, ok := where[info.Name]; {
			case !ok:
				v.Broken = append(v.Broken, Broken{RuleUnlisted, info.Name, fmt.Sprintf("%s: tensor %s: in %s, but not in the index", path, quoted(info.Name), file)})
			case at != file:
				v.Broken = append(v.Broken, Broken{RuleShardTensor, info.Name, fmt.Sprintf("%s: tensor %s: in %s too, but the index puts it in %s", path, quoted(info.Name), file, at)})
			}
		}
	}
}

// checkBeside looks at what else the directory holds: weights under names that a reader would take for the model's break a
// rule, others are worth a note.
func (v *verifier) checkBeside(own map[string]bool) error {
	list, err := os.ReadDir(v.dir)
	if err != nil {
		return err
	}
	for _, item := range list {
		name := item.Name()
		switch {
		case own[name] || item.IsDir() || !isWeights(name) || strings.HasPrefix(name, "."):
		case name == indexName || name == weightsName || strings.HasPrefix(name, "model-") && strings.HasSuffix(name, ".safetensors"),
			own[pickleIndexName] && (name == pickleName || strings.HasPrefix(name, "pytorch_model-") && strings.HasSuffix(name, ".bin")):
			text := fmt.Sprintf("%s: %s is beside it, and no part of it: left over from another model?", v.Path, name)
			v.Broken = append(v.Broken, Broken{Rule: RuleLeftover, Message: text})
		default:
			v.Notes = append(v.Notes, fmt.Sprintf("%s: %s beside it was not read", v.Path, name))
		}
	}
	slices.Sort(v.Notes)
	return nil
}
